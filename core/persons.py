"""People whose company becomes known: what was said and done with them alone goes to it; and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, or_, select, update
from sqlalchemy.orm import Session

from core.accounts import Account
from core.calls import Call
from core.catalogue import ProductInterest
from core.conversations import Conversation
from core.deals import Deal
from core.meetings import Meeting
from core.search import folded
from core.tasks import Task

CARRIED: Final[Mapping[str, Any]] = {
    model.__tablename__: model for model in (Conversation, Deal, ProductInterest, Task, Call, Meeting)
}
"""What names a contact and their account both."""
OFFERED: Final = 8


def carry(session: Session, contact_id: int, account_id: int) -> dict[str, list[int]]:
    """Give a client what was said and done with one of its people while they had none; its ids by table."""
    carried: dict[str, list[int]] = {}
    for name, model in CARRIED.items():
        theirs = update(model).where(model.contact_id == contact_id, model.account_id.is_(None))
        if ids := session.scalars(theirs.values(account_id=account_id).returning(model.id)).all():
            carried[name] = sorted(ids)
    session.expire_all()
    return carried


def carry_back(session: Session, carried: Mapping[str, Sequence[int]], account_id: int | None) -> None:
    """Take that back, where it still stands so."""
    for name, ids in carried.items():
        model = CARRIED[name]
        there = update(model).where(model.id.in_(ids), model.account_id == account_id)
        session.execute(there.values(account_id=None))
    session.expire_all()


def companies(session: Session, asked: str, may_see: ColumnElement[bool]) -> Sequence[Account]:
    """Clients with these letters in the name, or this code, among those that ``may_see`` lets through."""
    letters = func.concat("%", folded(literal(asked)), "%")
    query = (
        select(Account)
        .where(or_(folded(Account.name).like(letters), Account.code == asked), may_see)
        .order_by(func.length(Account.name), Account.id)
        .limit(OFFERED)
    )
    return session.scalars(query).all()
