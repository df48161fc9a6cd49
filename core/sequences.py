"""Follow-ups: steps that a client is led through until they act, and where each client stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.accounts import Channel, Contact
from core.db import Base, Id
from core.deals import Deal
from core.errors import Conflict, IllegalTransition


class StopReason(StrEnum):
    """Why an enrolment ended before its last step."""

    REPLY = "reply"
    CALL = "call"
    DEAL_MOVED = "deal_moved"
    OPT_OUT = "opt_out"
    BOUNCE = "bounce"
    HAND = "hand"
    NO_ADDRESS = "no_address"
    TAKEN_BACK = "taken_back"
    """The move of a deal that began it was taken back: it counts as never begun."""


RULED = frozenset({StopReason.REPLY, StopReason.CALL, StopReason.DEAL_MOVED})
"""What stops a sequence only where its ``stop_on`` names it; opt-outs, bounces and people always do."""


class Sequence(Base):
    """Steps and rules of one follow-up; changed by adding a version, never in place."""

    __tablename__ = "sequence"
    __table_args__ = (Index("uq_sequence_version", "key", "version", unique=True),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    names: Mapped[dict[str, str]]
    active: Mapped[bool] = mapped_column(default=True)
    """The version that new enrolments take."""
    stop_on: Mapped[list[str]] = mapped_column(default=lambda: sorted(reason.value for reason in RULED))
    once: Mapped[bool] = mapped_column(default=False)
    """A contact goes through it once ever."""
    exclusive: Mapped[bool] = mapped_column(default=False, server_default="false")
    """While a contact is in it they are in no other, and nobody who is in another enters it."""
    least_gap_hours: Mapped[int] = mapped_column(default=24)
    """Least time since anything else went to the contact, on any channel, from anybody."""
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What this version changed."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    steps: Mapped[list[SequenceStep]] = relationship(
        back_populates="sequence", order_by="SequenceStep.position", cascade="all, delete-orphan"
    )

    def name(self, language: str) -> str:
        """The name in a language, else in English."""
        return self.names.get(language) or self.names["en"]


class StepKind(StrEnum):
    """What a step does."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    FAX = "fax"
    TASK = "task"


CHANNELS: dict[StepKind, Channel] = {
    StepKind.EMAIL: Channel.EMAIL,
    StepKind.SMS: Channel.SMS,
    StepKind.VOICE: Channel.VOICE,
    StepKind.FAX: Channel.FAX,
}
"""The channel of each kind of step that reaches the client; a task reaches a colleague."""


class Result(StrEnum):
    """What came of a step; a branch goes by it."""

    REPLIED = "replied"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    """It never arrived: refused, bounced, expired."""
    ANSWERED = "answered"
    """A person answered the call."""
    MACHINE = "machine"
    """An answering machine took the call."""
    DONE = "done"
    """The task is done, and nobody said how it went."""
    NOT_DONE = "not_done"
    REACHED = "reached"
    NOT_REACHED = "not_reached"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    DOWNLOADED = "downloaded"
    """A file that the letter brought was downloaded."""


class SequenceStep(Base):
    """One step: so much working time after the one before, something for the client or a colleague."""

    __tablename__ = "sequence_step"
    __table_args__ = (Index("uq_sequence_step_position", "sequence_id", "position", unique=True),)

    id: Mapped[Id]
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    position: Mapped[int]
    """From 1."""
    kind: Mapped[StepKind]
    delay_days: Mapped[int]
    """Working days after the step before, or after the start."""
    delay_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """Working hours on top of them."""
    window: Mapped[dict[str, Any] | None]
    """Where it may only be taken at some hours or on some days: ``{"days": [0, 1], "from": "10:00", "to":
    "12:00"}`` on the client's clock, Monday being 0; within working time always."""
    branches: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """Which step follows by what came of this one: ``[{"on": "reached", "to": null}]``; the position of a
    later step, or null for the end. Whatever is not named goes on to the next one."""
    template: Mapped[str | None] = mapped_column(Text)
    titles: Mapped[dict[str, str]] = mapped_column(default=dict)
    """What the task is called, by language."""
    approve: Mapped[bool] = mapped_column(default=False, server_default="false")
    """What it sends waits for the word of the deal's owner, else of the head of sales."""

    sequence: Mapped[Sequence] = relationship(back_populates="steps")


class EnrolmentState(StrEnum):
    """How a client stands in a sequence."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


TRANSITIONS: dict[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.ACTIVE: frozenset(
        {EnrolmentState.PAUSED, EnrolmentState.FINISHED, EnrolmentState.STOPPED}
    ),
    EnrolmentState.PAUSED: frozenset({EnrolmentState.ACTIVE, EnrolmentState.STOPPED}),
    EnrolmentState.FINISHED: frozenset(),
    EnrolmentState.STOPPED: frozenset(),
}
"""Nothing leads back from an end: a client is enrolled anew instead. Only a deal's move that is taken back
takes up again what it had ended (`take_up`)."""

LIVE = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED)
AWAY = "away"
"""What an enrolment waits for whose contact is out of office."""


class Enrolment(Base):
    """One client in one sequence: the next step and when it is due."""

    __tablename__ = "enrolment"
    __table_args__ = (
        Index("ix_enrolment_due", "due_at", "id", postgresql_where=text("state = 'active'")),
        Index(
            "uq_enrolment_live", "sequence_key", "contact_id", unique=True,
            postgresql_where=text("state IN ('active', 'paused')"),
        ),
        Index("ix_enrolment_contact", "contact_id", postgresql_where=text("state IN ('active', 'paused')")),
    )  # fmt: skip

    id: Mapped[Id]
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    sequence_key: Mapped[str] = mapped_column(Text)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    state: Mapped[EnrolmentState] = mapped_column(default=EnrolmentState.ACTIVE)
    next_position: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime]
    """When the next step is looked at."""
    waits_for: Mapped[str | None] = mapped_column(Text)
    """Why its due moment was put off, where it was."""
    replied_at: Mapped[datetime | None]
    """When the contact last wrote or called without that ending it."""
    stop_reason: Mapped[StopReason | None]
    stopped_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    sequence: Mapped[Sequence] = relationship()
    contact: Mapped[Contact] = relationship()
    deal: Mapped[Deal | None] = relationship()
    log: Mapped[list[EnrolmentStep]] = relationship(order_by="EnrolmentStep.position")


class EnrolmentStep(Base):
    """A step of an enrolment that was taken or skipped; each at most once, by its primary key."""

    __tablename__ = "enrolment_step"

    enrolment_id: Mapped[int] = mapped_column(
        ForeignKey("enrolment.id"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(Text)
    """done, or skipped."""
    result: Mapped[Result | None]
    """What came of it, where somebody or an event said so."""
    result_at: Mapped[datetime | None]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    taken_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AlreadyEnrolled(Conflict):
    """The client is in that follow-up already, or was once and it is taken once only."""

    cure = "Stop the running one first."


class Exclusive(AlreadyEnrolled):
    """The client is in another follow-up, and one of the two allows no other beside it."""


def current(session: Session, key: str) -> Sequence | None:
    """The version of a sequence that new enrolments take."""
    query = (
        select(Sequence)
        .where(Sequence.key == key, Sequence.active)
        .order_by(Sequence.version.desc())
        .limit(1)
    )
    return session.scalar(query)


def enrol(
    session: Session, sequence: Sequence, *, contact_id: int, due_at: datetime, deal_id: int | None = None
) -> Enrolment:
    """Lead a client into a sequence; the first step is due at ``due_at``, or once they are back who are away.

    Raises AlreadyEnrolled when they are in it, or were once and its rule is once only; Exclusive when it or
    another one they are in allows no other.
    """
    # Two that begin at the same moment must see each other.
    contact = select(Contact.away_until).where(Contact.id == contact_id)
    away_until = session.execute(contact.with_for_update(key_share=True)).scalar_one()
    back = datetime.combine(away_until or date.min, time.min, UTC)
    others = session.execute(
        select(Sequence.exclusive)
        .join(Enrolment, Enrolment.sequence_id == Sequence.id)
        .where(
            Enrolment.contact_id == contact_id,
            Enrolment.state.in_(LIVE),
            Enrolment.sequence_key != sequence.key,
        )
    ).all()
    if others and (sequence.exclusive or any(exclusive for (exclusive,) in others)):
        raise Exclusive
    if sequence.once:
        seen = session.scalar(
            select(Enrolment.id)
            .where(
                Enrolment.sequence_key == sequence.key,
                Enrolment.contact_id == contact_id,
                Enrolment.stop_reason.is_distinct_from(StopReason.TAKEN_BACK),
            )
            .limit(1)
        )
        if seen is not None:
            raise AlreadyEnrolled
    row = insert(Enrolment).values(
        sequence_id=sequence.id,
        sequence_key=sequence.key,
        contact_id=contact_id,
        deal_id=deal_id,
        state=EnrolmentState.ACTIVE,
        next_position=1,
        due_at=max(due_at, back),
        waits_for=AWAY if back > due_at else None,
    )
    enrolment_id = session.scalar(
        row.on_conflict_do_nothing(
            index_elements=[Enrolment.sequence_key, Enrolment.contact_id],
            index_where=text("state IN ('active', 'paused')"),
        ).returning(Enrolment.id)
    )
    if enrolment_id is None:
        raise AlreadyEnrolled
    return session.get_one(Enrolment, enrolment_id)


def record_result(session: Session, result: Result, *, enrolment_id: int, position: int) -> bool:
    """Say what came of a step; where a branch goes by it, that is followed at once.

    Returns whether the step was taken and is still the last one; of an older one nothing depends.
    """
    enrolment = session.get(
        Enrolment, enrolment_id, with_for_update={"of": Enrolment}, populate_existing=True
    )
    row = session.get(EnrolmentStep, (enrolment_id, position), populate_existing=True)
    if enrolment is None or row is None or enrolment.state not in LIVE:
        return False
    if enrolment.next_position != position + 1:
        return False
    if row.result == result:
        # Events come more than once; a step that was put off since is not brought forward again.
        return True
    row.result, row.result_at = result, func.now()
    step = next((one for one in enrolment.sequence.steps if one.position == position), None)
    if step is not None and any(branch["on"] == result.value for branch in step.branches):
        enrolment.due_at = func.now()
        enrolment.waits_for = None
    session.flush()
    return True


def record_delivery_result(session: Session, delivery_id: int, result: Result) -> bool:
    """The same for the step that queued a delivery: a call that was answered, a message that failed."""
    row = session.scalar(select(EnrolmentStep).where(EnrolmentStep.delivery_id == delivery_id))
    if row is None:
        return False
    return record_result(session, result, enrolment_id=row.enrolment_id, position=row.position)


def _change(session: Session, enrolment: Enrolment, state: EnrolmentState) -> None:
    session.refresh(enrolment, with_for_update={"of": Enrolment})
    if state not in TRANSITIONS[enrolment.state]:
        raise IllegalTransition(f"A follow-up that is {enrolment.state} cannot become {state}.")
    enrolment.state = state
    session.flush()


def pause(session: Session, enrolment: Enrolment) -> None:
    """Hold a follow-up until a person lets it go on."""
    _change(session, enrolment, EnrolmentState.PAUSED)


def resume(session: Session, enrolment: Enrolment) -> None:
    """Let a held follow-up go on: its next step is due when it was, or now if that is past."""
    _change(session, enrolment, EnrolmentState.ACTIVE)


def take_up(session: Session, enrolment: Enrolment, state: EnrolmentState, *, not_before: datetime) -> None:
    """Let a follow-up that a deal's move ended stand as before, since the move is taken back.

    Raises IllegalTransition for one that ended otherwise.
    """
    session.refresh(enrolment, with_for_update={"of": Enrolment})
    if enrolment.state != EnrolmentState.STOPPED or enrolment.stop_reason != StopReason.DEAL_MOVED:
        raise IllegalTransition(f"A follow-up that is {enrolment.state} cannot become {state}.")
    enrolment.state = state
    enrolment.stop_reason = enrolment.ended_at = None
    if enrolment.due_at < not_before:
        enrolment.due_at, enrolment.waits_for = not_before, AWAY
    session.flush()


def live_of(
    session: Session, *, contact_id: int | None = None, deal_id: int | None = None
) -> list[Enrolment]:
    """The follow-ups that are under way for a contact or a deal."""
    query = select(Enrolment).where(Enrolment.state.in_(LIVE)).order_by(Enrolment.due_at)
    if contact_id is not None:
        query = query.where(Enrolment.contact_id == contact_id)
    if deal_id is not None:
        query = query.where(Enrolment.deal_id == deal_id)
    return list(session.scalars(query))
