"""The whole history of a client in one list: letters, calls, notes, deals, sends, documents, money, records.

Each kind is one query of the newest rows after a place; one statement puts them together, so that a page
costs the same however long the history is and however far back one goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    cast,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from core.accounts import Account, Contact
from core.errors import InputRefused
from core.timeline_parts import PARTS, Sort, Whose
from core.values import Money


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened with a client."""

    happened_at: datetime
    kind: str
    """message_in, message_out, call_in, call_out, sms_in, sms_out, note, stage_change, deal_won, deal_lost,
    task, meeting, interest, mailing, delivery, document, download, payment, goods, import, merge."""
    title: str
    detail: str = ""
    who: str = ""
    """Name of the contact or staff member who did it; empty where a rule did."""
    state: str = ""
    link: Mapping[str, int] = field(default_factory=dict)
    """Ids of what it belongs to: conversation_id, deal_id, task_id."""
    place: str = ""
    """Where the list goes on after it."""
    money: Money | None = None


def history(
    session: Session,
    *,
    account: Account | None = None,
    contact: Contact | None = None,
    sorts: Collection[Sort] = (),
    before: str = "",
    language: str = "en",
    limit: int = 200,
) -> list[Event]:
    """The newest events of an account (all its contacts), or of a contact without one, newest first.

    `sorts` narrows it; `before` is the place of the last event of the page before (InputRefused for none).
    """
    if account is None and contact is not None:
        account = contact.account
    if account is None and contact is None:
        return []
    whose = Whose(account.id if account else None, contact.id if contact else None)
    place = _place(before)
    parts: list[Any] = []
    for rank, (sort, make) in enumerate(PARTS):
        if not sorts or sort in sorts:
            parts.append(_newest(make(whose, language), rank, place, limit))
    found = union_all(*parts).subquery()
    query = select(found).order_by(found.c.at.desc(), found.c.rank.desc(), found.c.id.desc()).limit(limit)
    return [_event(row) for row in session.execute(query)]


def _place(before: str) -> tuple[datetime, int, int] | None:
    if not before:
        return None
    try:
        at, rank, number = before.split("~")
        return datetime.fromisoformat(at), int(rank), int(number)
    except ValueError as error:
        raise InputRefused("That page of the list does not exist.") from error


def _newest(
    part: Select[*tuple[Any, ...]], rank: int, place: tuple[datetime, int, int] | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """The newest rows of one kind after a place."""
    at, number = part.selected_columns["at"], part.selected_columns["id"]
    query = part.add_columns(cast(literal(rank), Integer).label("rank")).where(at.is_not(None))
    if place is not None:
        query = query.where(at <= place[0], tuple_(at, cast(literal(rank), Integer), number) < tuple_(*place))
    return query.order_by(at.desc(), number.desc()).limit(limit)


def _event(row: Any) -> Event:
    link = {"conversation_id": row.conversation_id, "deal_id": row.deal_id, "task_id": row.task_id}
    money = Money(Decimal(row.detail), row.state) if row.kind == "payment" else None
    return Event(
        happened_at=row.at,
        kind=row.kind,
        title=row.title or "",
        detail="" if money else row.detail or "",
        who=row.who or "",
        state="" if money else row.state or "",
        link={name: value for name, value in link.items() if value is not None},
        place=f"{row.at.isoformat()}~{row.rank}~{row.id}",
        money=money,
    )
