"""What a colleague changes of a client's card: fields, people, addresses and numbers; each with its origin.

Whoever changes a field says what stood there, so that two colleagues never write over each other unawares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, persons, provenance
from core.accounts import Account, BuyingRole, Contact, ContactPoint, PointKind
from core.audit import AuditEntry
from core.errors import Conflict, InputRefused, NotFound
from core.provenance import Origin, Subject
from core.staff import StaffMember
from core.values import LANGUAGES, normal_email, normal_phone

LONGEST: Final = 300
MOST_TAGS: Final = 30
KNOWN: Final = "That address or number is known already."
SEARCH: Final = "Search for it to see whose it is."


@dataclass(frozen=True, slots=True)
class Edited:
    """A field before and after, as a form writes them."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        return self.before != self.after


def _line(text: str) -> str | None:
    return " ".join(text.split())[:LONGEST] or None


def _name(text: str) -> str:
    if not (name := _line(text)):
        raise InputRefused("A client needs a name.")
    return name


def _words(text: str) -> str:
    return _line(text) or ""


def _number(text: str) -> int | None:
    digits = "".join(text.split())
    if not digits:
        return None
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 8:
        raise InputRefused("The number of employees is not a number.")
    return int(digits)


def _country(text: str) -> str | None:
    code = text.strip().upper()
    if code and (len(code) != 2 or not code.isascii() or not code.isalpha()):
        raise InputRefused("That is no country code.", cure="Write two letters, as LT or LV.")
    return code or None


def _zone(text: str) -> str | None:
    zone = text.strip()
    if zone and zone not in available_timezones():
        raise InputRefused("There is no such time zone.", cure="Write it as Europe/Vilnius.")
    return zone or None


def _tags(text: str) -> list[str]:
    words = [" ".join(part.split())[:60] for part in text.split(",")]
    return list(dict.fromkeys(word for word in words if word))[:MOST_TAGS]


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        if text and text not in choices:
            raise InputRefused("That is none of the choices.")
        return text or None

    return read


def _role(text: str) -> BuyingRole | None:
    chosen = _one_of(tuple(role.value for role in BuyingRole))(text)
    return BuyingRole(chosen) if chosen else None


def _staff_id(text: str) -> int | None:
    if text and (not text.isascii() or not text.isdecimal() or len(text) > 18):
        raise InputRefused("That is none of the choices.")
    return int(text) if text else None


ACCOUNT_FIELDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "name": _name, "code": _line, "industry": _line, "region": _line, "country": _country, "zone": _zone,
    "source": _line, "first_reason": _line, "employees": _number, "tags": _tags, "curator_id": _staff_id,
}  # fmt: skip
CONTACT_FIELDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "name": _words, "position": _words, "language": _one_of(LANGUAGES), "buying_role": _role, "tags": _tags,
}  # fmt: skip
"""How what is written into each field is read; InputRefused for what it cannot hold."""


def as_written(value: Any) -> str:
    """A field's value as a form holds it."""
    return provenance.as_text(value) or ""


def change(
    session: Session, row: Account | Contact, field: str, text: str, *, was: str | None, by: int
) -> Edited:
    """Change one field of a client or contact, held meanwhile; ``was`` is what stood there for who writes.

    Raises NotFound for a field that there is not, InputRefused, and Conflict when somebody else changed it.
    """
    is_account = isinstance(row, Account)
    fields = ACCOUNT_FIELDS if is_account else CONTACT_FIELDS
    if field not in fields:
        raise NotFound
    session.refresh(row, with_for_update={"of": type(row)})
    before = as_written(getattr(row, field))
    value = fields[field](text)
    if was is not None and was != before and as_written(value) != before:
        raise Conflict("Somebody else changed this field meanwhile.", cure="Look at it again.")
    if field == "curator_id" and value is not None:
        member = session.get(StaffMember, value)
        if member is None or not member.active:
            raise InputRefused("That colleague no longer works here.", cure="Choose somebody else.")
    if as_written(value) == before:
        return Edited(before, before)
    setattr(row, field, value)
    session.flush()
    subject = Subject.ACCOUNT if is_account else Subject.CONTACT
    provenance.note(session, subject, row.id, {field: value}, Origin.PERSON, staff_id=by)
    audit.note(
        session, by, "changed", "client" if is_account else "contact", row.id, row.name,
        before={field: before}, after={field: as_written(value)},
    )  # fmt: skip
    return Edited(before, as_written(value))


def add_contact(session: Session, account: Account, name: str, *, position: str = "", by: int) -> Contact:
    """A person at a client, written down by hand. Raises InputRefused without a name."""
    if not (known := _words(name)):
        raise InputRefused("A contact needs a name.")
    contact = Contact(account_id=account.id, name=known, position=_words(position), source="hand")
    session.add(contact)
    session.flush()
    said = {"name": contact.name, "position": contact.position}
    provenance.note(
        session, Subject.CONTACT, contact.id, {key: value for key, value in said.items() if value},
        Origin.PERSON, staff_id=by,
    )  # fmt: skip
    audit.note(session, by, "added", "contact", contact.id, contact.name, after={"client": account.name})
    return contact


def detach(session: Session, contact: Contact, *, by: int) -> int | None:
    """Somebody is not with this client; they and their letters stay. Returns whose they were."""
    before = contact.account_id
    contact.account_id = None
    session.flush()
    audit.note(session, by, "removed", "contact", contact.id, contact.name, before={"account_id": before})
    return before


def was_with(session: Session, contact: Contact, account: Account) -> bool:
    """Whether this client is the one that somebody was last taken off."""
    query = (
        select(AuditEntry.before)
        .where(
            AuditEntry.kind == "contact",
            AuditEntry.object_id == str(contact.id),
            AuditEntry.deed == "removed",
        )
        .order_by(AuditEntry.id.desc())
    )
    # Addresses taken off a contact stand there as well.
    whose = (before["account_id"] for before in session.scalars(query) if before and "account_id" in before)
    return next(whose, None) == account.id


def attach(session: Session, contact: Contact, account: Account, *, by: int) -> None:
    """Somebody whose company was not known is with this client, and so is what was said with them alone.

    Raises Conflict when they have another.
    """
    if contact.account_id not in (None, account.id):
        raise Conflict("That person belongs to another client.", cure="Merge the two clients instead.")
    contact.account_id = account.id
    session.flush()
    persons.carry(session, contact.id, account.id)
    audit.note(session, by, "added", "contact", contact.id, contact.name, after={"client": account.name})


def point_value(kind: PointKind, text: str) -> str:
    """An address or number in its normal form. Raises BadAddress or BadPhone."""
    return normal_email(text) if kind == PointKind.EMAIL else normal_phone(text)


def add_point(
    session: Session, contact: Contact, kind: PointKind, text: str, *, by: int, note: str = "",
    source: str = "hand", main: bool = False,
) -> ContactPoint:  # fmt: skip
    """Another address or number. Raises Conflict when it is known already: an address, whoever has it."""
    value = point_value(kind, text)
    same = select(ContactPoint).where(ContactPoint.kind == kind, ContactPoint.value == value)
    if kind != PointKind.EMAIL:
        same = same.where(ContactPoint.contact_id == contact.id)
    if session.scalar(same.limit(1)) is not None:
        raise Conflict(KNOWN, cure=SEARCH)
    point = ContactPoint(contact_id=contact.id, kind=kind, value=value, note=_words(note), source=source)
    session.add(point)
    session.flush()
    provenance.note(session, Subject.POINT, point.id, {provenance.WHOLE: value}, Origin.PERSON, staff_id=by)
    if main:
        make_main(session, point)
    session.expire(contact, ["points"])
    audit.note(session, by, "added", "contact", contact.id, contact.name, after={kind.value: value})
    return point


def change_point(session: Session, point: ContactPoint, text: str, note: str, *, by: int) -> Edited:
    """Write an address or number anew, or what it is called. Raises as `add_point`."""
    value, before = point_value(point.kind, text), point.value
    if value != before:
        same = select(ContactPoint.id).where(ContactPoint.kind == point.kind, ContactPoint.value == value)
        if point.kind != PointKind.EMAIL:
            same = same.where(ContactPoint.contact_id == point.contact_id)
        if session.scalar(same.limit(1)) is not None:
            raise Conflict(
                "That address or number is known already.", cure="Search for it to see whose it is."
            )
        point.value = value
    point.note = _words(note)
    session.flush()
    provenance.note(session, Subject.POINT, point.id, {provenance.WHOLE: value}, Origin.PERSON, staff_id=by)
    audit.note(
        session, by, "changed", "contact", point.contact_id, point.contact.name,
        before={point.kind.value: before}, after={point.kind.value: value},
    )  # fmt: skip
    return Edited(before, value)


def remove_point(session: Session, point: ContactPoint, *, by: int) -> None:
    """Take an address or number off the card; letters that went there stay."""
    contact = point.contact
    audit.note(
        session, by, "removed", "contact", contact.id, contact.name, before={point.kind.value: point.value}
    )
    session.delete(point)
    session.flush()
    session.expire(contact, ["points"])


def make_main(session: Session, point: ContactPoint) -> int | None:
    """Use it first, of several of its kind; returns which one was used first before."""
    mine = (ContactPoint.contact_id == point.contact_id, ContactPoint.kind == point.kind)
    query = select(ContactPoint.id).where(*mine).order_by(ContactPoint.main.desc(), ContactPoint.id)
    before = session.scalar(query.limit(1))
    session.execute(update(ContactPoint).where(*mine).values(main=ContactPoint.id == point.id))
    session.flush()
    session.expire(point.contact, ["points"])
    return before


def add_account(session: Session, name: str, *, by: StaffMember, source: str | None = None) -> Account:
    """A client written down by hand, whose curator is whoever wrote it."""
    account = Account(name=_name(name), source=_line(source or ""), curator_id=by.id)
    session.add(account)
    session.flush()
    said = {"name": account.name, "source": account.source, "curator_id": by.id}
    provenance.note(
        session, Subject.ACCOUNT, account.id, {key: value for key, value in said.items() if value},
        Origin.PERSON, staff_id=by.id,
    )  # fmt: skip
    audit.note(session, by.id, "added", "client", account.id, account.name)
    return account
