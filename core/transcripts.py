"""What was said in calls, line by line, from whichever engine wrote it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Text, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.bulk import storable
from core.calls import Call, Recording, RecordingState
from core.db import Base, Id

LONGEST_LINE = 10_000
MOST_LINES = 5_000
"""Lines kept of one call: more than a person says in four hours."""
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 300, 1800, 7200, 43_200))
"""How long after each failed attempt at a transcript the next one comes."""


class Speaker(StrEnum):
    """Who said a line."""

    CLIENT = "client"
    US = "us"
    UNKNOWN = "unknown"


class TranscriptLine(Base):
    """Something that was said in a call."""

    __tablename__ = "transcript_line"
    __table_args__ = (UniqueConstraint("call_id", "source", "position"),)

    id: Mapped[Id]
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    source: Mapped[str] = mapped_column(Text)
    """Engine and what it listened to: ``twilio:GT…``, ``http:17``."""
    position: Mapped[int]
    speaker: Mapped[Speaker] = mapped_column(default=Speaker.UNKNOWN)
    language: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Line:
    """One line as an engine gives it."""

    text: str
    speaker: Speaker = Speaker.UNKNOWN
    confidence: float | None = None


def keep(
    session: Session,
    call_id: int,
    source: str,
    lines: Sequence[tuple[int, Line]],
    language: str | None = None,
) -> int:
    """Store lines by their positions, each once; returns how many were new."""
    rows = [
        {
            "call_id": call_id,
            "source": source,
            "position": position,
            "speaker": line.speaker,
            "language": language,
            "text": storable(line.text.strip())[:LONGEST_LINE],
            "confidence": line.confidence,
        }
        for position, line in lines
        if line.text.strip() and position < MOST_LINES
    ]
    if not rows:
        return 0
    statement = insert(TranscriptLine).values(rows).on_conflict_do_nothing()
    return len(list(session.scalars(statement.returning(TranscriptLine.id))))


def of_call(session: Session, call_id: int) -> list[TranscriptLine]:
    """The lines of a call in order; lines of different recordings one after the other."""
    query = (
        select(TranscriptLine)
        .where(TranscriptLine.call_id == call_id)
        .order_by(TranscriptLine.source, TranscriptLine.position)
    )
    return list(session.scalars(query))


def wanted(recording: Recording, at: datetime) -> None:
    """Ask for the transcript of a recording that lies here; one that was tried already stays."""
    if recording.state == RecordingState.FETCHED and not recording.transcript_attempts:
        recording.next_transcript_at = at


def due(session: Session, limit: int) -> list[tuple[int, int]]:
    """Recordings whose transcript is due: id and the call's; each is put off, so that no other takes it."""
    query = (
        select(Recording)
        .join(Call)
        .where(Recording.next_transcript_at <= func.now())
        .order_by(Recording.next_transcript_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Recording)
    )
    taken = list(session.scalars(query))
    for one in taken:
        one.next_transcript_at = func.now() + timedelta(hours=1)
    return [(one.id, one.call_id) for one in taken]


def done(session: Session, recording_id: int) -> None:
    """Note that a recording was transcribed."""
    recording = session.get_one(Recording, recording_id)
    recording.transcript_attempts += 1
    recording.next_transcript_at = recording.transcript_error = None
    session.flush()


def failed(session: Session, recording_id: int, error: str) -> bool:
    """Note that an attempt failed; True when it was the last one."""
    recording = session.get_one(Recording, recording_id, with_for_update={"of": Recording})
    given_up = recording.transcript_attempts >= len(WAITS)
    recording.next_transcript_at = None if given_up else func.now() + WAITS[recording.transcript_attempts]
    recording.transcript_attempts += 1
    recording.transcript_error = error[:500]
    session.flush()
    return given_up
