"""What a letter's signature says of its writer and the client's card does not: suggestions for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Text, UniqueConstraint, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import provenance
from core.accounts import Contact, ContactPoint, PointKind
from core.bulk import storable
from core.db import Base, Id
from core.errors import IllegalTransition, NotFound
from core.provenance import Origin, Subject
from core.values import BadPhone, normal_phone


class SuggestionKind(StrEnum):
    """What of a contact is suggested."""

    NAME = "name"
    POSITION = "position"
    COMPANY = "company"
    PHONE = "phone"


class SuggestionState(StrEnum):
    """What a person made of it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


TRANSITIONS: Final[dict[SuggestionState, frozenset[SuggestionState]]] = {
    SuggestionState.OPEN: frozenset({SuggestionState.ACCEPTED, SuggestionState.REFUSED}),
    SuggestionState.ACCEPTED: frozenset({SuggestionState.OPEN}),
    SuggestionState.REFUSED: frozenset({SuggestionState.OPEN}),
}
"""Either decision may be taken back."""

LONGEST: Final = 200
"""Characters of a value; a longer one is no name."""


class Suggestion(Base):
    """One value for one contact, told once, whatever a person decides."""

    __tablename__ = "suggestion"
    __table_args__ = (UniqueConstraint("contact_id", "kind", "value"),)

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"), index=True)
    """The letter it was read from."""
    kind: Mapped[SuggestionKind]
    value: Mapped[str] = mapped_column(Text)
    state: Mapped[SuggestionState] = mapped_column(default=SuggestionState.OPEN)
    replaced: Mapped[str | None] = mapped_column(Text)
    """What stood there before it was accepted, so that it can be taken back."""
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    contact: Mapped[Contact] = relationship()


@dataclass(frozen=True, slots=True)
class Told:
    """What one letter says of its writer."""

    contact_id: int
    message_id: int
    kind: SuggestionKind
    value: str


def suggest(session: Session, told: Iterable[Told]) -> int:
    """Write down what the contacts' cards do not say yet; returns how many are new.

    What was refused once is not suggested again, and neither is what the card already holds in other letters
    of case or spacing.
    """
    wanted = [one for one in told if one.value.strip() and len(one.value) <= LONGEST]
    people = {
        one.id: one
        for one in session.scalars(select(Contact).where(Contact.id.in_({one.contact_id for one in wanted})))
    }
    rows = [
        {"contact_id": one.contact_id, "message_id": one.message_id, "kind": one.kind, "value": value}
        for one in wanted
        if one.contact_id in people
        and not _holds(people[one.contact_id], one.kind, value := storable(" ".join(one.value.split())))
    ]
    if not rows:
        return 0
    query = insert(Suggestion).values([row | {"state": SuggestionState.OPEN} for row in rows])
    return len(session.execute(query.on_conflict_do_nothing().returning(Suggestion.id)).all())


def _holds(contact: Contact, kind: SuggestionKind, value: str) -> bool:
    match kind:
        case SuggestionKind.NAME:
            return _folded(contact.name) == _folded(value)
        case SuggestionKind.POSITION:
            return _folded(contact.position) == _folded(value)
        case SuggestionKind.COMPANY:
            account = contact.account
            return account is None or _folded(account.name) == _folded(value)
        case SuggestionKind.PHONE:
            return any(point.kind == PointKind.PHONE and point.value == value for point in contact.points)


def _folded(text: str) -> str:
    return " ".join(sorted("".join(one if one.isalnum() else " " for one in text.casefold()).split()))


_OPEN = (
    select(Suggestion)
    .where(Suggestion.contact_id == bindparam("contact_id"), Suggestion.state == SuggestionState.OPEN)
    .order_by(Suggestion.id.desc())
    .limit(bindparam("most"))
)


def open_for(session: Session, contact_id: int, *, most: int = 8) -> Sequence[Suggestion]:
    """What waits for a decision on a contact's card, the newest letter's words first."""
    return session.scalars(_OPEN, {"contact_id": contact_id, "most": most}).all()


def decide(session: Session, suggestion_id: int, state: SuggestionState, *, staff_id: int) -> Suggestion:
    """Accept, refuse, or take either back. Raises NotFound and IllegalTransition."""
    one = session.get(Suggestion, suggestion_id, with_for_update=True)
    if one is None:
        raise NotFound
    if state not in TRANSITIONS[one.state]:
        raise IllegalTransition(f"A suggestion that is {one.state.value} cannot become {state.value}.")
    if state is SuggestionState.ACCEPTED:
        one.replaced = _apply(one)
        session.flush()
        if one.replaced is not None:
            provenance.note(
                session, *_field(one), Origin.SIGNATURE, message_id=one.message_id, staff_id=staff_id
            )
    elif one.state == SuggestionState.ACCEPTED:
        subject, number, fields = _field(one)
        if one.replaced is not None:
            provenance.forget(session, subject, number, fields)
        _take_back(session, one)
    back = state is SuggestionState.OPEN
    one.state = state
    one.decided_by_id = None if back else staff_id
    one.decided_at = None if back else session.scalar(select(func.now()))
    session.flush()
    return one


def _apply(one: Suggestion) -> str | None:
    contact = one.contact
    match one.kind:
        case SuggestionKind.NAME:
            before, contact.name = contact.name, one.value
        case SuggestionKind.POSITION:
            before, contact.position = contact.position, one.value
        case SuggestionKind.COMPANY:
            if contact.account is None:
                return None
            before, contact.account.name = contact.account.name, one.value
        case SuggestionKind.PHONE:
            if _holds(contact, one.kind, one.value):
                return None
            contact.points.append(ContactPoint(kind=PointKind.PHONE, value=one.value, source="mail"))
            before = ""
    return before


def _field(one: Suggestion) -> tuple[Subject, int, dict[str, str]]:
    """Whose field an accepted suggestion wrote, and what."""
    contact = one.contact
    match one.kind:
        case SuggestionKind.COMPANY:
            return Subject.ACCOUNT, contact.account_id or 0, {"name": one.value}
        case SuggestionKind.PHONE:
            same = (
                point
                for point in contact.points
                if point.kind == PointKind.PHONE and point.value == one.value
            )
            point = next(same, None)
            return Subject.POINT, point.id if point is not None else 0, {provenance.WHOLE: one.value}
        case _:
            return Subject.CONTACT, contact.id, {one.kind.value: one.value}


def _take_back(session: Session, one: Suggestion) -> None:
    """Put back what stood there, unless somebody has written something else since."""
    contact, before = one.contact, one.replaced
    if before is None:
        return
    match one.kind:
        case SuggestionKind.NAME:
            contact.name = before if contact.name == one.value else contact.name
        case SuggestionKind.POSITION:
            contact.position = before if contact.position == one.value else contact.position
        case SuggestionKind.COMPANY:
            if contact.account is not None and contact.account.name == one.value:
                contact.account.name = before
        case SuggestionKind.PHONE:
            for point in contact.points:
                if point.kind == PointKind.PHONE and point.value == one.value and point.source == "mail":
                    session.delete(point)
    one.replaced = None


def phone_value(number: str) -> str | None:
    """A number as a suggestion's value: E.164, or None where it is none."""
    try:
        return normal_phone(number)
    except BadPhone:
        return None
