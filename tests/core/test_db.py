"""The database's conventions, transactions and the state of the schema."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session


def test_a_session_can_commit_and_query(session: Session) -> None:
    session.execute(sa.text("create temporary table probe (n int)"))
    session.execute(sa.text("insert into probe values (1)"))
    session.commit()
    assert session.scalar(sa.text("select count(*) from probe")) == 1


def test_an_engine(engine: sa.Engine) -> None:
    with engine.begin() as c:
        assert c.scalar(sa.text("select count(*) from account")) == 0
