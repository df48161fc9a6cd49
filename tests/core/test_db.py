"""The database's conventions, transactions, and the refusal of a schema that is not ours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db
from core.errors import ConfigurationError, DatabaseTooNew, DatabaseTooOld, DatabaseUnavailable
from core.migrations.new import differences

CORE = Path(db.__file__).parent


def test_a_transaction_commits_when_its_block_ends(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        session.execute(sa.text("create table probe (n int)"))
    with db.transaction(engine) as session:
        assert session.scalar(sa.text("select count(*) from probe")) == 0


def test_a_transaction_rolls_back_when_its_block_raises(engine: sa.Engine) -> None:
    def fail() -> None:
        with db.transaction(engine) as session:
            session.execute(sa.text("create table probe (n int)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with engine.connect() as connection:
        assert not sa.inspect(connection).has_table("probe")


def test_a_test_session_can_commit_and_leaves_nothing(session: Session) -> None:
    session.execute(sa.text("create temporary table probe (n int) on commit drop"))
    session.commit()
    assert session.scalar(sa.text("select count(*) from probe")) == 0


def test_every_module_with_tables_is_listed() -> None:
    found = set()
    for path in CORE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                isinstance(b, ast.Name) and b.id == "Base" for b in node.bases
            ):
                found.add(f"core.{path.stem}")
    assert found - {"core.db"} <= set(db.MODEL_MODULES)


def test_every_table_has_a_primary_key_and_named_constraints() -> None:
    for table in db.models().tables.values():
        assert table.primary_key.columns, table.name
        assert all(constraint.name for constraint in table.constraints), table.name


def test_every_time_carries_a_zone() -> None:
    for table in db.models().tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.DateTime):
                assert column.type.timezone, f"{table.name}.{column.name}"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_spelling_of_the_address_gets_our_driver(scheme: str) -> None:
    url = db.driver_url(f"{scheme}://u:p%40ss@h:5433/n?sslmode=require")
    assert (
        url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p%40ss@h:5433/n?sslmode=require"
    )


@pytest.mark.parametrize("address", ["sqlite:///x", "nonsense", "mysql://h/n"])
def test_another_database_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(ConfigurationError, match="Example: postgresql://"):
        db.driver_url(address)


def test_a_server_that_does_not_answer_is_said_so() -> None:
    engine = db.make_engine("postgresql://nobody@/nothing?host=/nonexistent")
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        db.check_server(engine)


def test_our_own_schema_is_accepted(engine: sa.Engine) -> None:
    db.check_schema(engine)


def test_a_newer_schema_is_refused_and_left_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="newer version"):
        db.check_schema(engine)
    with pytest.raises(DatabaseTooNew):
        db.migrate(engine)


def test_an_empty_database_is_said_to_need_migrating(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("delete from alembic_version"))
    with pytest.raises(DatabaseTooOld, match="frontdesk migrate"):
        db.check_schema(engine)


def test_the_migrations_make_the_tables_as_they_are_declared(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    assert db.migrate(engine) == db.latest_revision()
    assert differences(engine) == []
    assert db.migrate(engine) == db.latest_revision()


def test_statements_have_an_end(engine: sa.Engine, database_url: str) -> None:
    hasty = db.make_engine(database_url, statement_timeout=0.05)
    with hasty.connect() as connection, pytest.raises(sa.exc.OperationalError, match="statement timeout"):
        connection.execute(sa.text("select pg_sleep(5)"))
    hasty.dispose()


def test_an_error_does_not_tell_the_values(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DataError) as caught:
        connection.execute(sa.text("select cast(:written as int)"), {"written": "Dear colleagues"})
    assert "hidden" in str(caught.value)


def test_connections_are_asked_before_they_are_used(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        pid = connection.scalar(sa.text("select pg_backend_pid()"))
    other = db.make_engine(engine.url)
    with other.connect() as connection:
        connection.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": pid})
    other.dispose()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select pg_backend_pid()")) != pid
