"""How complete each client's card is, kept on the client, so that lists are filtered and ordered by it.

Whoever changes a card in the desk has its score counted in the same transaction; what letters, calls and
signatures change is counted by a job every ten minutes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts import Account
from core.bulk import among
from core.completeness import score_column


def count(session: Session, account_ids: Collection[int]) -> None:
    """Count the scores of some clients."""
    if account_ids:
        session.execute(_wrong(among(Account.id, account_ids)))


def count_all(session: Session) -> int:
    """Count the scores of all clients; returns how many were not right any more."""
    return int(getattr(session.execute(_wrong()), "rowcount", 0))


def _wrong(*whose: Any) -> Any:
    """Write the scores that are not right, and no others."""
    counted = select(Account.id, score_column().label("score")).where(*whose).subquery()
    return (
        update(Account)
        .where(Account.id == counted.c.id, Account.completeness != counted.c.score)
        .values(completeness=counted.c.score)
        .execution_options(synchronize_session=False)
    )
