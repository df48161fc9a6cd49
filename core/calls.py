"""Telephone calls: one call per conversation with its legs and recordings, and states by rank.

What an exchange tells of a leg comes late, twice and out of order. So nothing here is overwritten: a state is
replaced by a higher one only, a time by an earlier one, a length by a longer one. Whatever the order, the
rows end the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.accounts import Account, Contact
from core.conversations import Conversation, Direction
from core.db import Base, Id
from core.staff import StaffMember


class LegState(StrEnum):
    """How far one telephone of a call has come."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    CANCELED = "canceled"
    """Ended by us before anybody answered."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    COMPLETED = "completed"
    """Answered, and over."""


LEG_RANK: dict[LegState, int] = {
    LegState.QUEUED: 0,
    LegState.INITIATED: 1,
    LegState.RINGING: 2,
    LegState.ANSWERED: 3,
    LegState.CANCELED: 4,
    LegState.NO_ANSWER: 5,
    LegState.BUSY: 6,
    LegState.FAILED: 7,
    LegState.COMPLETED: 8,
}
"""A leg takes a state only if its rank is higher than that of the present one."""

OVER = frozenset(state for state, rank in LEG_RANK.items() if rank >= LEG_RANK[LegState.CANCELED])
"""States of a leg that has ended."""


class CallState(StrEnum):
    """What became of a call as a whole."""

    RINGING = "ringing"
    """The caller waits: in the menu, or while colleagues are rung."""
    CONNECTED = "connected"
    """A colleague talks with the caller."""
    REJECTED = "rejected"
    """Refused by our block list."""
    MISSED = "missed"
    """Over, and nobody of us talked with the caller, nor did the caller leave a message."""
    VOICEMAIL = "voicemail"
    """Over, and the caller left a message."""
    ANSWERED = "answered"
    """Over, and a colleague talked with the caller."""


CALL_RANK: dict[CallState, int] = {
    CallState.RINGING: 0,
    CallState.CONNECTED: 1,
    CallState.MISSED: 2,
    CallState.REJECTED: 3,
    CallState.VOICEMAIL: 4,
    CallState.ANSWERED: 5,
}
"""A call's state follows from facts that are only ever added (`state_of`), and so never falls in rank."""


class CallOutcome(StrEnum):
    """What came of a call, as the colleague who had it says."""

    TALKED = "talked"
    NEXT_STEP = "next_step"
    """Agreed what happens next, and when."""
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    """The client wants nothing of us for now."""
    WRONG_NUMBER = "wrong_number"


class RecordingState(StrEnum):
    """Where a recording stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    """The provider holds it whole."""
    ABSENT = "absent"
    """There was nothing to record."""
    FAILED = "failed"
    FETCHED = "fetched"
    """It lies in our own storage."""


RECORDING_RANK: dict[RecordingState, int] = {
    RecordingState.RUNNING: 0,
    RecordingState.FAILED: 1,
    RecordingState.ABSENT: 2,
    RecordingState.COMPLETED: 3,
    RecordingState.FETCHED: 4,
}


class Call(Base):
    """One telephone call with somebody outside, however many telephones of ours rang."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("provider", "sid"),
        Index("ix_call_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    provider: Mapped[str] = mapped_column(Text)
    sid: Mapped[str] = mapped_column(Text)
    """The provider's id of the leg to the outside."""
    direction: Mapped[Direction] = mapped_column(default=Direction.IN)
    state: Mapped[CallState] = mapped_column(default=CallState.RINGING)
    caller: Mapped[str] = mapped_column(Text, default="")
    """Who rang: E.164 where it can be read, else as shown to us. It proves nothing: anybody can show it."""
    called: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), unique=True)
    """Where the call stands in the conversation's history."""
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    """The call-back that a missed call asks for."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    """Who talked with the caller."""
    language: Mapped[str | None] = mapped_column(Text)
    """What the caller chose in the menu, or is known to speak."""
    topic: Mapped[str | None] = mapped_column(Text)
    """The intent the caller chose in the menu."""
    route: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """Why the call went where it did: ``[{"step": …, "reason": …}, …]``."""
    rejected: Mapped[bool] = mapped_column(default=False, server_default="false")
    voicemail_seconds: Mapped[int | None]
    accepted_at: Mapped[datetime | None]
    """When a colleague took it."""
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    """Length of the leg to the outside."""
    rung: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """Ids of the colleagues whom the call was offered to."""
    dismissed: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """Ids of those who closed what their desk showed of it."""
    outcome: Mapped[CallOutcome | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What the colleague wrote down of it."""
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    noted_at: Mapped[datetime | None]
    next_task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    """The next step that was agreed in it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    contact: Mapped[Contact | None] = relationship()
    account: Mapped[Account | None] = relationship()
    conversation: Mapped[Conversation | None] = relationship()
    staff_member: Mapped[StaffMember | None] = relationship(foreign_keys=[staff_id])
    noted_by: Mapped[StaffMember | None] = relationship(foreign_keys=[noted_by_id])
    legs: Mapped[list[CallLeg]] = relationship(back_populates="call", order_by="CallLeg.id")
    recordings: Mapped[list[Recording]] = relationship(back_populates="call", order_by="Recording.id")


class CallLeg(Base):
    """One telephone that took part in a call: the one outside, and each of ours that was rung."""

    __tablename__ = "call_leg"

    id: Mapped[Id]
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    sid: Mapped[str] = mapped_column(Text, unique=True)
    number: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    state: Mapped[LegState] = mapped_column(default=LegState.QUEUED)
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    cause: Mapped[str | None] = mapped_column(Text)
    """The exchange's word for why it ended, such as a SIP code."""

    call: Mapped[Call] = relationship(back_populates="legs")


class Recording(Base):
    """The sound of a call, or of a message that a caller left."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_fetch", "next_fetch_at", postgresql_where=text("next_fetch_at IS NOT NULL")),
        Index(
            "ix_recording_transcribe", "next_transcript_at",
            postgresql_where=text("next_transcript_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    sid: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[RecordingState] = mapped_column(default=RecordingState.RUNNING)
    seconds: Mapped[int | None]
    message: Mapped[bool] = mapped_column(default=False, server_default="false")
    """A message that the caller left, not a talk."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    next_fetch_at: Mapped[datetime | None]
    """When it is asked for next; None while there is nothing to fetch, and when it was given up."""
    fetch_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    fetch_error: Mapped[str | None] = mapped_column(Text)
    fetched_at: Mapped[datetime | None]
    media_type: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int | None]
    """Bytes in our storage."""
    checksum: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 of the bytes in our storage."""
    removed_at: Mapped[datetime | None]
    """When the provider's copy was deleted at our wish."""
    next_transcript_at: Mapped[datetime | None]
    transcript_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    transcript_error: Mapped[str | None] = mapped_column(Text)

    call: Mapped[Call] = relationship(back_populates="recordings")


@dataclass(frozen=True, slots=True)
class Happened:
    """What is known of a call when its state is asked for; each may only ever become true."""

    ended: bool = False
    accepted: bool = False
    left_message: bool = False
    rejected: bool = False


def state_of(happened: Happened) -> CallState:
    """The state of a call from what has happened with it."""
    if not happened.ended:
        return CallState.CONNECTED if happened.accepted else CallState.RINGING
    if happened.accepted:
        return CallState.ANSWERED
    if happened.left_message:
        return CallState.VOICEMAIL
    return CallState.REJECTED if happened.rejected else CallState.MISSED


def higher(present: LegState, told: LegState) -> LegState:
    """The one of two states of a leg that stands."""
    return max(present, told, key=LEG_RANK.__getitem__)


def earlier(present: datetime | None, told: datetime | None) -> datetime | None:
    """The earlier of two moments; one that is not known does not count."""
    return min((one for one in (present, told) if one is not None), default=None)


def longer(present: int | None, told: int | None) -> int | None:
    """The longer of two lengths; one that is not known does not count."""
    return max((one for one in (present, told) if one is not None), default=None)


def find_or_add(session: Session, provider: str, sid: str) -> Call:
    """The call of that id, locked until the transaction ends; made if there is none."""
    session.execute(insert(Call).values(provider=provider, sid=sid).on_conflict_do_nothing())
    query = select(Call).where(Call.provider == provider, Call.sid == sid)
    return session.scalars(query.with_for_update(of=Call)).one()


def find_or_add_leg(session: Session, call: Call, sid: str) -> CallLeg:
    """The leg of that id, made if there is none."""
    leg = session.scalar(select(CallLeg).where(CallLeg.sid == sid))
    if leg is None:
        leg = CallLeg(call_id=call.id, sid=sid, state=LegState.QUEUED)
        session.add(leg)
        session.flush()
    return leg


def find_or_add_recording(session: Session, call: Call, sid: str) -> Recording:
    """The recording of that id, made if there is none."""
    recording = session.scalar(select(Recording).where(Recording.sid == sid))
    if recording is None:
        recording = Recording(call_id=call.id, sid=sid, state=RecordingState.RUNNING)
        session.add(recording)
        session.flush()
    return recording


def leg_told(
    leg: CallLeg,
    state: LegState,
    *,
    at: datetime | None = None,
    seconds: int | None = None,
    cause: str | None = None,
) -> None:
    """Put what was told of a leg on record."""
    leg.state = higher(LegState(leg.state), state)
    if state == LegState.ANSWERED:
        leg.answered_at = earlier(leg.answered_at, at)
    if state in OVER:
        leg.ended_at = earlier(leg.ended_at, at)
        leg.seconds = longer(leg.seconds, seconds)
        leg.cause = max(filter(None, (leg.cause, cause)), default=None)


def recording_told(recording: Recording, state: RecordingState, seconds: int | None = None) -> None:
    """Put what was told of a recording on record."""
    present = RecordingState(recording.state)
    recording.state = max(present, state, key=RECORDING_RANK.__getitem__)
    recording.seconds = longer(recording.seconds, seconds)


def settle(call: Call) -> CallState:
    """Bring a call into the state that its facts say, and return it."""
    call.state = state_of(
        Happened(
            ended=call.ended_at is not None,
            accepted=call.accepted_at is not None,
            left_message=bool(call.voicemail_seconds),
            rejected=call.rejected,
        )
    )
    return CallState(call.state)


def counts(session: Session) -> dict[str, int]:
    """How many calls are in each state; every state is named, also at nought."""
    found = dict(session.execute(select(Call.state, func.count()).group_by(Call.state)).all())
    return {state.value: found.get(state, 0) for state in CallState}
