"""What came in, as bytes: raw messages, where each was found, and how far each mailbox has been read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from sqlalchemy import (
    DDL,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from core import notices
from core.bulk import among, new_ids, raw_connection, storable
from core.db import Base, Id
from core.errors import Conflict


class IntakeState(StrEnum):
    """How far a raw message has come."""

    STORED = "stored"
    """Kept, not understood yet."""
    UNDERSTOOD = "understood"
    """Filed into a client's history."""
    IGNORED = "ignored"
    """Deliberately not filed, with its reason: a list, our own mail coming back, a settled bounce."""
    QUARANTINED = "quarantined"
    """Three attempts failed; waits for a person, with its error."""


TRANSITIONS: dict[IntakeState, frozenset[IntakeState]] = {
    IntakeState.STORED: frozenset({IntakeState.UNDERSTOOD, IntakeState.IGNORED, IntakeState.QUARANTINED}),
    IntakeState.QUARANTINED: frozenset({IntakeState.STORED, IntakeState.IGNORED}),
    IntakeState.UNDERSTOOD: frozenset(),
    IntakeState.IGNORED: frozenset({IntakeState.STORED}),
}
"""Which state may follow which; "run again" leads back to stored."""

MAX_ATTEMPTS = 3
"""A message that failed, or took its worker with it, this often is quarantined."""


class Mailbox(Base):
    """A mailbox folder that is read, and how far."""

    __tablename__ = "mailbox"
    __table_args__ = (Index("uq_mailbox_name_folder", "name", "folder", unique=True),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text, default="")
    folder: Mapped[str] = mapped_column(Text, default="INBOX")
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Cursor: every UID up to here, under ``uidvalidity``, is committed (RFC 3501 section 2.3.1.1)."""
    backlog: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many messages the server held above the cursor when last looked."""
    last_fetched_at: Mapped[datetime | None]
    """When the server last answered a look for new mail."""
    last_message_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why the last look failed; None when it did not."""
    failing_since: Mapped[datetime | None]
    login_refused_at: Mapped[datetime | None]
    """When the server last refused our credentials; the next attempt waits, also in a new process."""


class RawMessage(Base):
    """The bytes of one letter, stored once however often it was delivered."""

    __tablename__ = "raw_message"
    __table_args__ = (
        Index("ix_raw_message_stored", "id", postgresql_where=text("state = 'stored'")),
        Index("ix_raw_message_quarantined", "id", postgresql_where=text("state = 'quarantined'")),
    )

    id: Mapped[Id]
    content_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 over what the sender wrote, without what servers on the way add; tells duplicates from
    different letters under one Message-ID."""
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    size: Mapped[int]
    """Size on the server in bytes; larger than ``data`` where only the beginning was taken."""
    truncated: Mapped[bool] = mapped_column(default=False, server_default="false")
    internal_date: Mapped[datetime | None]
    """When its mail server took it in (INTERNALDATE, RFC 3501 section 2.3.3), by the server's own clock."""
    files: Mapped[list[list[Any]] | None] = mapped_column(JSONB)
    """Of a letter that was taken in part: name, type, size and place of each file, as its server has it."""
    state: Mapped[IntakeState] = mapped_column(default=IntakeState.STORED)
    reason: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    not_before: Mapped[datetime | None]
    """Not to be tried again before then."""
    source: Mapped[str] = mapped_column(Text)
    """Name of the mailbox or file it first came from."""
    stored_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]


# Compressing mail costs PostgreSQL three times what storing it does and saves a tenth of its size.
STORAGE = DDL("ALTER TABLE raw_message ALTER COLUMN data SET STORAGE EXTERNAL")
event.listen(RawMessage.__table__, "after_create", STORAGE)


class RawOrigin(Base):
    """Where on a mail server a raw message was found: the ledger's side of the mailbox."""

    __tablename__ = "raw_origin"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    uid: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_message.id"), index=True)
    """None where the message was gone before it could be read."""
    note: Mapped[str | None] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IntakeRun(Base):
    """A batch that is being understood; one that is left over says that its worker died with it.

    Committed beside the batch's own transaction, which holds the rows' locks and deletes this row when it
    commits: so an attempt counts even when nobody is left to count it.
    """

    __tablename__ = "intake_run"

    id: Mapped[Id]
    worker: Mapped[str] = mapped_column(Text)
    raw_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class RawLetter:
    """A letter to be stored: see the columns of RawMessage; `uid` names where on the server it was found."""

    content_key: bytes
    data: bytes
    size: int
    truncated: bool = False
    uid: int | None = None
    internal_date: datetime | None = None
    files: list[list[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of letters that were handed over: the ids of the new ones, and how many were known."""

    new_ids: tuple[int, ...]
    duplicates: int


def find_or_add_mailbox(session: Session, name: str, folder: str = "INBOX", address: str = "") -> Mailbox:
    """Return a mailbox's row, made if there is none."""
    row = session.scalar(select(Mailbox).where(Mailbox.name == name, Mailbox.folder == folder))
    if row is None:
        row = Mailbox(name=name, folder=folder, address=address)
        session.add(row)
        session.flush()
    return row


def run_again(session: Session, raw_id: int) -> None:
    """Give a quarantined or ignored message another three attempts. Raises Conflict when it is neither."""
    done = session.execute(
        update(RawMessage)
        .where(
            RawMessage.id == raw_id,
            RawMessage.state.in_(
                [state for state, after in TRANSITIONS.items() if IntakeState.STORED in after]
            ),
        )
        .values(
            state=IntakeState.STORED, attempts=0, error=None, reason=None, not_before=None, settled_at=None
        )
        .returning(RawMessage.id)
    ).first()
    if done is None:
        raise Conflict("That message is neither quarantined nor ignored.")
    tell_of_quarantine(session)


ALARM = "letters_quarantined"


def tell_of_quarantine(session: Session) -> None:
    """Raise the alarm that letters wait in quarantine, with how many, or clear it when none does."""
    waiting = session.scalar(
        select(func.count()).select_from(RawMessage).where(RawMessage.state == IntakeState.QUARANTINED)
    )
    if waiting:
        notices.raise_alarm(session, ALARM, "mail", str(waiting))
    else:
        notices.clear_alarm(session, ALARM, "mail")


def keep(
    session: Session,
    letters: Sequence[RawLetter],
    *,
    source: str,
    mailbox_id: int | None = None,
    uidvalidity: int | None = None,
    absent: Mapping[int, str] | None = None,
) -> Kept:
    """Store letters with where they were found, in a few statements whatever their number.

    A letter whose content is known already only gains an origin. `absent` notes UIDs that the server listed
    and could not give, with the reason.
    """
    first: dict[bytes, RawLetter] = {}
    for letter in letters:
        first.setdefault(letter.content_key, letter)
    raw_ids = _ids_of_keys(session, first)
    unknown = [letter for key, letter in first.items() if key not in raw_ids]
    added = _add_raw(session, unknown, source)
    raw_ids |= added
    raw_ids |= _ids_of_keys(session, [key for key in first if key not in raw_ids])
    if mailbox_id is not None and uidvalidity is not None:
        places = [(one.uid, raw_ids[one.content_key], None) for one in letters if one.uid is not None]
        places += [(uid, None, storable(note)) for uid, note in (absent or {}).items()]
        _insert_origins(session, mailbox_id, uidvalidity, places)
    return Kept(tuple(sorted(added.values())), len(letters) - len(added))


def _add_raw(session: Session, letters: Sequence[RawLetter], source: str) -> dict[bytes, int]:
    """Store letters that were not known a moment ago; the ids of those that are new, by their keys.

    Ids are in the order of the letters, which is that in which they are read.
    """
    if not letters:
        return {}
    numbered = zip(new_ids(session, RawMessage, len(letters)), letters, strict=True)
    # In the order of the keys, so that two mailboxes with the same letters never wait for each other.
    rows = sorted(numbered, key=lambda row: row[1].content_key)
    try:
        with session.begin_nested():
            _copy_raw(session, rows, source)
    except UniqueViolation:
        # Another mailbox stored one of them at the same moment.
        return _insert_raw(session, rows, source)
    return {letter.content_key: raw_id for raw_id, letter in rows}


def _copy_raw(session: Session, rows: Sequence[tuple[int, RawLetter]], source: str) -> None:
    """By COPY, which costs two thirds of an INSERT and knows no ON CONFLICT."""
    statement = (
        "COPY raw_message (id, content_key, data, size, truncated, internal_date, files, state, source)"
        " FROM STDIN (FORMAT BINARY)"
    )
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["int8", "bytea", "bytea", "int8", "bool", "timestamptz", "jsonb", "varchar", "text"])
        for raw_id, letter in rows:
            files = None if letter.files is None else Jsonb(letter.files)
            copy.write_row(
                (
                    raw_id, letter.content_key, letter.data, letter.size, letter.truncated,
                    letter.internal_date, files, IntakeState.STORED.value, source,
                )
            )  # fmt: skip


def _insert_raw(session: Session, rows: Sequence[tuple[int, RawLetter]], source: str) -> dict[bytes, int]:
    found = raw_connection(session).execute(
        "INSERT INTO raw_message (id, content_key, data, size, truncated, internal_date, files, state,"
        " source) SELECT id, key, data, size, truncated, internal_date, files, 'stored', %s"
        " FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::bigint[], %b::boolean[], %b::timestamptz[],"
        " %b::jsonb[]) AS new (id, key, data, size, truncated, internal_date, files)"
        " ON CONFLICT (content_key) DO NOTHING RETURNING content_key, id",
        (
            source,
            [raw_id for raw_id, _ in rows],
            [letter.content_key for _, letter in rows],
            [letter.data for _, letter in rows],
            [letter.size for _, letter in rows],
            [letter.truncated for _, letter in rows],
            [letter.internal_date for _, letter in rows],
            [None if letter.files is None else Jsonb(letter.files) for _, letter in rows],
        ),
        binary=True,
    )
    return {bytes(key): int(raw_id) for key, raw_id in found}


def _insert_origins(
    session: Session, mailbox_id: int, uidvalidity: int, places: Sequence[tuple[int, int | None, str | None]]
) -> None:
    """Note where letters were found: (UID, raw id, note) of each."""
    if not places:
        return
    raw_connection(session).execute(
        "INSERT INTO raw_origin (mailbox_id, uidvalidity, uid, raw_id, note)"
        " SELECT %s, %s, uid, raw_id, note FROM unnest(%s::bigint[], %s::bigint[], %s::text[])"
        " AS new (uid, raw_id, note) ON CONFLICT DO NOTHING",
        (
            mailbox_id,
            uidvalidity,
            [uid for uid, _, _ in places],
            [raw_id for _, raw_id, _ in places],
            [note for _, _, note in places],
        ),
    )


def _ids_of_keys(session: Session, keys: Collection[bytes]) -> dict[bytes, int]:
    if not keys:
        return {}
    query = select(RawMessage.content_key, RawMessage.id).where(among(RawMessage.content_key, keys))
    return dict(session.execute(query).all())


def counts(session: Session) -> dict[str, int]:
    """How many raw messages are in each state; every state is named, also at nought."""
    found = dict(session.execute(select(RawMessage.state, func.count()).group_by(RawMessage.state)).all())
    return {state.value: found.get(state, 0) for state in IntakeState}
