"""The sound of calls in our own storage: kept in pieces, read in ranges, fetched with patience.

A recording waits at its provider until `next_fetch_at`. What fails is tried again, later and later, for three
days; then it is given up, which its call shows, and a person may ask for it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.calls import Recording, RecordingState
from core.db import Base
from core.errors import Conflict, InputRefused

PIECE = 256_000
"""Bytes of one row: a listener's range reads a few rows, however long the call was."""
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 86_400)
)
"""How long after each failed attempt the next one comes; after the last it is given up. The first are short,
because the news that a recording is complete often comes before the recording."""


class TooLong(InputRefused):
    """The recording is larger than we keep."""

    cure = "Raise recording_bytes in [limits], or listen to it at the provider."


class SoundPiece(Base):
    """One piece of a recording's bytes; all but the last are `PIECE` long."""

    __tablename__ = "sound_piece"

    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recording that is due to be fetched."""

    id: int
    sid: str
    attempts: int


def wants_fetching(recording: Recording, at: datetime) -> None:
    """Ask for a recording that its provider holds whole; one that lies here or was tried already stays."""
    untried = recording.fetch_attempts == 0 and recording.next_fetch_at is None
    if recording.state == RecordingState.COMPLETED and untried:
        recording.next_fetch_at = at


def due(session: Session, limit: int) -> list[Waiting]:
    """Recordings whose time has come, oldest first; each is put off, so that no other worker takes it."""
    query = (
        select(Recording)
        .where(Recording.next_fetch_at <= func.now())
        .order_by(Recording.next_fetch_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = list(session.scalars(query))
    for one in taken:
        one.next_fetch_at = func.now() + timedelta(minutes=10)
    return [Waiting(one.id, one.sid, one.fetch_attempts) for one in taken]


def keep_sound(
    session: Session, recording_id: int, pieces: Iterable[bytes], *, media_type: str, most: int
) -> int:
    """Store a recording's bytes, and return how many there were.

    A recording that lies here already is left as it is. Raises TooLong when there are more than `most`, and
    what was written before goes with the caller's transaction.
    """
    recording = session.get_one(Recording, recording_id, with_for_update={"of": Recording})
    if recording.state == RecordingState.FETCHED:
        return recording.size or 0
    session.execute(delete(SoundPiece).where(SoundPiece.recording_id == recording_id))
    digest, size = hashlib.sha256(), 0
    for position, data in enumerate(_even(pieces)):
        size += len(data)
        if size > most:
            raise TooLong
        digest.update(data)
        # Row by row and past the unit of work: a long call must not stand in memory.
        row = {"recording_id": recording_id, "position": position, "data": data}
        session.execute(insert(SoundPiece).values(row))
    recording.state = RecordingState.FETCHED
    recording.size, recording.checksum, recording.media_type = size, digest.digest(), media_type
    recording.fetched_at = func.now()
    recording.next_fetch_at = recording.fetch_error = None
    session.flush()
    return size


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one length."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


def failed(session: Session, recording_id: int, error: str, *, for_good: bool = False) -> bool:
    """Note that an attempt failed; True when it was the last one."""
    recording = session.get_one(Recording, recording_id, with_for_update={"of": Recording})
    if recording.state == RecordingState.FETCHED:
        return False
    given_up = for_good or recording.fetch_attempts >= len(WAITS)
    wait = None if given_up else WAITS[recording.fetch_attempts]
    recording.fetch_attempts += 1
    recording.fetch_error = error[:500]
    recording.next_fetch_at = None if wait is None else func.now() + wait
    session.flush()
    return given_up


def fetch_again(session: Session, recording: Recording) -> None:
    """Begin anew, because a person asks for it. Raises Conflict where there is nothing to fetch."""
    session.refresh(recording, with_for_update={"of": Recording})
    if recording.state != RecordingState.COMPLETED:
        raise Conflict("There is nothing to fetch.")
    recording.fetch_attempts, recording.fetch_error, recording.next_fetch_at = 0, None, func.now()
    session.flush()


def read(session: Session, recording: Recording, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` up to, but not including, `end`; the bounds must lie within the recording."""
    first, last = start // PIECE, (end - 1) // PIECE
    query = (
        select(SoundPiece.position, SoundPiece.data)
        .where(SoundPiece.recording_id == recording.id, SoundPiece.position.between(first, last))
        .order_by(SoundPiece.position)
    )
    for position, data in session.execute(query.execution_options(yield_per=4)):
        begins = position * PIECE
        yield data[max(start - begins, 0) : end - begins]


def whole(session: Session, recording: Recording) -> bytes:
    """All of a recording's bytes."""
    return b"".join(read(session, recording, 0, recording.size or 0)) if recording.size else b""


def intact(session: Session, recording: Recording) -> bool:
    """Whether the bytes are still those that were fetched."""
    digest = hashlib.sha256()
    for piece in read(session, recording, 0, recording.size or 1):
        digest.update(piece)
    return digest.digest() == recording.checksum


def to_remove(session: Session, limit: int) -> list[tuple[int, str]]:
    """Recordings that lie here and still lie at their provider: id and the provider's id."""
    query = (
        select(Recording.id, Recording.sid)
        .where(Recording.state == RecordingState.FETCHED, Recording.removed_at.is_(None))
        .order_by(Recording.id)
        .limit(limit)
    )
    return [(number, sid) for number, sid in session.execute(query)]


def removed(session: Session, recording_id: int) -> None:
    """Note that the provider's copy is gone."""
    session.get_one(Recording, recording_id).removed_at = func.now()
    session.flush()
