"""What ends a follow-up or puts it off, in the transaction that records it; what waits is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from core.accounts import Channel
from core.errors import IllegalTransition
from core.outbox import Delivery, DeliveryEvent, DeliveryState
from core.sequences import (
    AWAY,
    LIVE,
    RULED,
    TRANSITIONS,
    Enrolment,
    EnrolmentState,
    EnrolmentStep,
    Sequence,
    StopReason,
)

UNLEFT = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.DEFERRED)
"""What can still be taken back."""
ON_THE_LINE = (
    DeliveryState.CLAIMED,
    DeliveryState.TRANSMITTING,
    DeliveryState.SENT,
    DeliveryState.UNCERTAIN,
)
"""A call that is being made cannot be taken back, but need not be tried again."""


def stop_for_contacts(session: Session, contact_ids: Iterable[int], reason: StopReason) -> int:
    """A client acted: stop what their acting stops, in the transaction that records the act.

    Returns how many enrolments ended.
    """
    contacts = set(contact_ids)
    ended = _stop(session, reason, Enrolment.contact_id.in_(contacts), Delivery.contact_id.in_(contacts))
    if reason in {StopReason.REPLY, StopReason.CALL}:
        session.execute(
            update(Enrolment)
            .where(Enrolment.contact_id.in_(contacts), Enrolment.state.in_(LIVE))
            .values(replied_at=func.now())
        )
    return ended


def stop_for_deal(session: Session, deal_id: int) -> int:
    """A deal moved or was closed: stop its sequences that end with that. Returns how many ended."""
    whose = Enrolment.deal_id == deal_id
    return _stop(session, StopReason.DEAL_MOVED, whose, whose)


def stop(session: Session, enrolment: Enrolment, *, by: int, reason: StopReason = StopReason.HAND) -> None:
    """End a follow-up because a person said so; what it queued and has not left is taken back.

    Raises IllegalTransition for one that has ended.
    """
    session.refresh(enrolment, with_for_update={"of": Enrolment})
    if EnrolmentState.STOPPED not in TRANSITIONS[enrolment.state]:
        raise IllegalTransition(f"A follow-up that is {enrolment.state} cannot be stopped.")
    _end(session, [enrolment.id], reason, by)
    session.refresh(enrolment)


def pause_for_contacts(session: Session, contact_ids: Iterable[int], until: datetime) -> int:
    """A client is away: wait until they are back, and go on then by itself.

    A step that is due later than that is not brought forward; one that a person holds stays held.
    """
    done = session.scalars(
        update(Enrolment)
        .where(Enrolment.contact_id.in_(set(contact_ids)), Enrolment.state.in_(LIVE))
        .values(
            due_at=func.greatest(Enrolment.due_at, until),
            waits_for=case((Enrolment.state == EnrolmentState.ACTIVE, AWAY), else_=Enrolment.waits_for),
        )
        .returning(Enrolment.id)
    ).all()
    return len(done)


def was_stopped(session: Session, delivery_id: int) -> bool:
    """Whether something ended the follow-up whose step a delivery is; held until the transaction ends.

    What it tried once is not tried again then, also where that was its last step.
    """
    query = (
        select(Enrolment.stop_reason)
        .join(EnrolmentStep, EnrolmentStep.enrolment_id == Enrolment.id)
        .where(EnrolmentStep.delivery_id == delivery_id)
        # Who stops it at this moment waits, and finds the next attempt.
        .with_for_update(of=Enrolment)
    )
    return session.scalar(query) is not None


def _stop(
    session: Session, reason: StopReason, whose: ColumnElement[bool], of_letters: ColumnElement[bool]
) -> int:
    """End what is under way of somebody's; ``of_letters`` finds them by their deliveries."""
    live = select(Enrolment.id).join(Sequence).where(whose, Enrolment.state.in_(LIVE))
    ids = list(session.scalars(_ruled(live, reason).with_for_update(of=Enrolment)))
    _end(session, ids, reason)
    _take_back_last(session, reason, of_letters)
    return len(ids)


def _ruled(query: Select[int], reason: StopReason) -> Select[int]:
    return query.where(Sequence.stop_on.op("?")(reason.value)) if reason in RULED else query


def _take_back_last(session: Session, reason: StopReason, whose: ColumnElement[bool]) -> None:
    """Take back a last step that has not left, and let a call on the line be the last one.

    Taking that step ended its enrolment, which stays finished and keeps the reason.
    """
    on_the_line = and_(Delivery.channel == Channel.VOICE, Delivery.state.in_(ON_THE_LINE))
    query = (
        select(Enrolment.id)
        .distinct()
        .join(Sequence, Sequence.id == Enrolment.sequence_id)
        .join(EnrolmentStep, EnrolmentStep.enrolment_id == Enrolment.id)
        .join(Delivery, Delivery.id == EnrolmentStep.delivery_id)
        .where(
            whose,
            Enrolment.state == EnrolmentState.FINISHED,
            or_(Delivery.state.in_(UNLEFT), on_the_line),
        )
    )
    ids = list(session.scalars(_ruled(query, reason)))
    if ids:
        # Marked first: whoever queues the next attempt at this moment is waited for, and it is taken back.
        session.execute(update(Enrolment).where(Enrolment.id.in_(ids)).values(stop_reason=reason))
        _end(session, ids, reason)


def _end(session: Session, ids: list[int], reason: StopReason, by: int | None = None) -> None:
    """Stop enrolments and take back what they queued that has not left yet."""
    if not ids:
        return
    session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(ids), Enrolment.state.in_(LIVE))
        .values(state=EnrolmentState.STOPPED, stop_reason=reason, stopped_by=by, ended_at=func.now())
    )
    waiting = select(EnrolmentStep.delivery_id).where(EnrolmentStep.enrolment_id.in_(ids))
    cancelled = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(waiting), Delivery.state.in_(UNLEFT))
        .values(state=DeliveryState.CANCELLED, settled_at=func.now(), error=f"follow-up stopped: {reason}")
        .returning(Delivery.id)
    ).all()
    session.add_all(
        DeliveryEvent(delivery_id=one, state=DeliveryState.CANCELLED, detail=f"follow-up stopped: {reason}")
        for one in cancelled
    )
    session.flush()
