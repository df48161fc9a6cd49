"""The list of people without a company: a page of those that somebody may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Text, cast, false, func, literal, or_, select, true, tuple_, union
from sqlalchemy.orm import Session

from core.accounts import Contact, ContactPoint
from core.bulk import among
from core.conversations import Conversation
from core.deals import Deal
from core.errors import InputRefused
from core.search import folded
from core.sessions import SignedIn
from core.staff import Role
from desk.access import LEADERS, WORKERS, visible
from desk.clientlist import MOST_NAMED, PAGE, like
from desk.clientview import MANY_TALKS
from desk.personview import may_see_person


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the list."""

    id: int
    name: str
    point: str
    """Their main address, else a number of theirs."""
    subject: str | None
    """Of the newest conversation with them that one may see."""
    deals: int
    lately: datetime
    """When they last wrote or called, else when they were written down."""


def find(session: Session, viewer: SignedIn, text: str, before: str = "") -> tuple[list[Row], str]:
    """A page of people without a company, who wrote last first, and where the list goes on; empty at its end.

    Raises InputRefused for a place that there is not.
    """
    lately = func.coalesce(Contact.last_in_at, Contact.created_at)
    wanted = [Contact.account_id.is_(None), _seen(session, viewer)]
    if len(text) >= 2:
        wanted.append(_named(session, text))
    if before:
        wanted.append(tuple_(lately, Contact.id) < tuple_(*_place(before)))
    point = (
        select(ContactPoint.value)
        .where(ContactPoint.contact_id == Contact.id)
        .order_by(ContactPoint.kind, ContactPoint.main.desc(), ContactPoint.id)
        .limit(1)
    )
    subject = (
        select(Conversation.subject)
        .where(Conversation.contact_id == Contact.id, visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(1)
    )
    deals = select(func.count()).where(Deal.contact_id == Contact.id, Deal.outcome.is_(None))
    query = (
        select(
            Contact.id, Contact.name, func.coalesce(point.scalar_subquery(), ""),
            subject.correlate(Contact).scalar_subquery(), deals.scalar_subquery(), lately,
        )
        .where(*wanted)
        .order_by(lately.desc(), Contact.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    rows = [Row(*row) for row in session.execute(query)]
    if len(rows) <= PAGE:
        return rows, ""
    last = rows[PAGE - 1]
    asked = {"q": text, "before": f"{last.id}~{last.lately.isoformat()}"}
    return rows[:PAGE], "/people?" + urlencode({name: value for name, value in asked.items() if value})


def _seen(session: Session, viewer: SignedIn) -> ColumnElement[bool]:
    """That one may see them. Whoever sees few conversations has the people collected first."""
    if viewer.role in LEADERS:
        return true()
    if viewer.role not in WORKERS:
        return false()
    some = select(Conversation.id).where(visible(viewer)).limit(MANY_TALKS).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) >= MANY_TALKS:
        return may_see_person(viewer, alone=True)
    ways: list[Any] = [select(Conversation.contact_id).where(visible(viewer))]
    if viewer.role == Role.AGENT:
        mine = or_(Deal.owner_id == viewer.staff_id, Deal.performer_id == viewer.staff_id)
        ways.append(select(Deal.contact_id).where(mine))
    return Contact.id.in_(select(union(*ways).subquery().c[0]))


def _named(session: Session, text: str) -> ColumnElement[bool]:
    """That the letters stand in their name, an address or a number."""
    letters = func.concat("%", cast(folded(literal(text)), Text), "%")
    digits = "".join(filter(str.isdigit, text))
    points = [ContactPoint.value.like(like(text.lower()))]
    if len(digits) >= 4:
        points.append(ContactPoint.value.like(f"%{digits}%"))
    ways = [
        select(Contact.id).where(Contact.account_id.is_(None), folded(Contact.name).like(letters)),
        select(ContactPoint.contact_id).where(or_(*points)),
    ]
    found: Sequence[int] = session.scalars(select(union(*ways).subquery().c[0]).limit(MOST_NAMED)).all()
    return among(Contact.id, list(found))


def _place(before: str) -> tuple[datetime, int]:
    number, _, lately = before.partition("~")
    try:
        return datetime.fromisoformat(lately), int(number)
    except ValueError as error:
        raise InputRefused("That page of the list does not exist.") from error
