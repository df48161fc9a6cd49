"""Where a value on a client's card came from: a letter's signature, an import, a deal, a colleague; and when.

A row says it of one field of one client, contact or contact point, with the value that was written then. A
field without a row came with the record itself: from the letter, call or import that made it, as the record's
own source says. Where the value has changed since and nobody said why, its origin is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Text, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.conversations import Message
from core.db import Base
from core.imports_rows import Import
from core.staff import StaffMember


class Origin(StrEnum):
    """What a value was taken from."""

    SIGNATURE = "signature"
    """Of a letter, accepted by a colleague."""
    LETTER = "letter"
    CALL = "call"
    IMPORT = "import"
    PERSON = "person"
    DEAL = "deal"
    """It followed from opening a deal."""
    MERGE = "merge"
    """From another record of the same client."""
    UNKNOWN = "unknown"


class Subject(StrEnum):
    """What has fields."""

    ACCOUNT = "account"
    CONTACT = "contact"
    POINT = "point"


RECORD_SOURCES: dict[str, Origin] = {
    "mail": Origin.LETTER,
    "call": Origin.CALL,
    "sms": Origin.LETTER,
    "import": Origin.IMPORT,
    "hand": Origin.PERSON,
}
"""What the source of a whole record says of its fields."""

SAID_BY_FIRST_WORD = frozenset({"", "name", "source", "language", "first_contact_at"})
"""All that a first letter or call can tell of a client; what else a card says came later, from elsewhere."""

WHOLE = ""
"""The field that stands for everything the record was made with."""


class FieldOrigin(Base):
    """Where the present value of one field came from."""

    __tablename__ = "field_origin"

    subject: Mapped[Subject] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Not a foreign key: the row outlives what a merge takes away, for the day that is undone."""
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    origin: Mapped[Origin]
    value: Mapped[str | None] = mapped_column(Text)
    """What was written, as text; a field that holds something else now was changed by somebody unknown."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Told:
    """Where a value came from, as the card says it."""

    origin: Origin
    at: datetime | None = None
    who: str = ""
    """The colleague who wrote or accepted it."""
    conversation_id: int | None = None
    message_id: int | None = None
    filename: str = ""
    """Of the import."""


UNKNOWN = Told(Origin.UNKNOWN)
Origins = Mapping[tuple[str, int, str], tuple[FieldOrigin, Told]]
"""By subject, id and field."""


def as_text(value: Any) -> str | None:
    """A field's value as a row of this table holds it; None for an empty one."""
    if value in (None, "", []):
        return None
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else str(value)


def note(
    session: Session,
    subject: Subject,
    subject_id: int,
    fields: Mapping[str, Any],
    origin: Origin,
    *,
    message_id: int | None = None,
    import_id: int | None = None,
    staff_id: int | None = None,
) -> None:
    """Write down where the values that fields have now came from, instead of what was said before."""
    if not fields:
        return
    rows = [
        {
            "subject": subject, "subject_id": subject_id, "field": name, "origin": origin,
            "value": as_text(value), "message_id": message_id, "import_id": import_id, "staff_id": staff_id,
        }
        for name, value in fields.items()
    ]  # fmt: skip
    statement = insert(FieldOrigin).values(rows)
    fresh = {name: statement.excluded[name] for name in
             ("origin", "value", "message_id", "import_id", "staff_id")}  # fmt: skip
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[FieldOrigin.subject, FieldOrigin.subject_id, FieldOrigin.field],
            set_=fresh | {"at": func.now()},
        )
    )


def forget(session: Session, subject: Subject, subject_id: int, fields: Collection[str]) -> None:
    """Forget what was written of fields, because what wrote it was taken back."""
    session.execute(
        delete(FieldOrigin).where(
            FieldOrigin.subject == subject,
            FieldOrigin.subject_id == subject_id,
            FieldOrigin.field.in_(list(fields)),
        )
    )


def read(session: Session, subjects: Sequence[tuple[Subject, int]]) -> Origins:
    """What is written of some records, in one query."""
    if not subjects:
        return {}
    query = (
        select(FieldOrigin, StaffMember.name, Message.conversation_id, Import.filename)
        .outerjoin(StaffMember, FieldOrigin.staff_id == StaffMember.id)
        .outerjoin(Message, FieldOrigin.message_id == Message.id)
        .outerjoin(Import, FieldOrigin.import_id == Import.id)
        .where(tuple_(FieldOrigin.subject, FieldOrigin.subject_id).in_(list(subjects)))
    )
    return {
        (row.subject.value, row.subject_id, row.field): (
            row,
            Told(row.origin, row.at, who or "", conversation, row.message_id, filename or ""),
        )
        for row, who, conversation, filename in session.execute(query)
    }


def told(
    origins: Origins,
    subject: Subject,
    subject_id: int,
    field: str,
    value: Any,
    *,
    source: str | None = None,
    created_at: datetime | None = None,
) -> Told | None:
    """Where a field's present value came from; None where it has none.

    ``source`` and ``created_at`` are the record's own, for what it was made with.
    """
    present = as_text(value)
    if present is None:
        return None
    if (found := origins.get((subject.value, subject_id, field))) is not None:
        return found[1] if found[0].value == present else UNKNOWN
    if (whole := origins.get((subject.value, subject_id, WHOLE))) is not None:
        return whole[1]
    origin = RECORD_SOURCES.get(source or "", Origin.UNKNOWN)
    if origin in {Origin.LETTER, Origin.CALL} and field not in SAID_BY_FIRST_WORD:
        return UNKNOWN
    return UNKNOWN if origin == Origin.UNKNOWN else Told(origin, created_at)
