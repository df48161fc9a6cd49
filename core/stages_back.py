"""A move taken back: the deal is where it was, what the move began is gone, and what it ended goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from core import approvals, audit, handling, outbox, proposals, readiness, sequences, sequences_stops, tasks
from core.accounts import Contact
from core.calls import Call
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, Stage, StageChange
from core.errors import Conflict, NotFound
from core.handover import Handover
from core.outbox import Delivery, DeliveryState
from core.sequences import LIVE, Enrolment, EnrolmentState, EnrolmentStep, StopReason
from core.tasks import Task, TaskState

WITHIN = timedelta(minutes=10)
"""How long a move can be taken back; after that the deal is moved on purpose."""
WITHDRAWN = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.CLAIMED)
"""What has not left: nobody outside has seen a byte of it."""
NEVER_LEFT = (*WITHDRAWN, DeliveryState.CANCELLED, DeliveryState.SUPPRESSED, DeliveryState.EXPIRED)


class MovedOn(Conflict):
    """The deal has moved on or was closed since, so that move cannot be taken back."""

    cure = "Look at the present state and move it from there."


class HasLeft(Conflict):
    """What that move sent has left already, so the move stands."""

    cure = "Move the deal back by hand, and write to the client if what they got was wrong."


class TooLate(Conflict):
    """A move can be taken back within ten minutes."""

    cure = "Move the deal back by hand."


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of a move that was taken back."""

    letters: int
    """Letters that it had queued and that do not leave."""
    follow_ups: int
    """Follow-ups that it had ended and that go on."""
    lost: int
    """Letters that had waited before the move; it cancelled them, and they stay cancelled."""


def found_by(session: Session, deal: Deal) -> dict[str, Any]:
    """What a move finds and puts an end to, as its log entry keeps it until it may be taken back."""
    return {
        "entered_at": deal.stage_entered_at.isoformat(),
        "performer_id": deal.performer_id,
        "dismissed": deal.dismissed,
        "proposed_stage_id": deal.proposed_stage_id,
        "proposed_by_message_id": deal.proposed_by_message_id,
        "follow_ups": [
            {"id": one.id, "state": one.state.value} | _heard(session, one.contact_id)
            for one in sequences.live_of(session, deal_id=deal.id)
        ],
    }


def _heard(session: Session, contact_id: int) -> dict[str, int]:
    """The last that was heard of a client, by the order in which it was written down."""
    wrote = select(func.max(Message.id)).where(
        Message.contact_id == contact_id, Message.direction == Direction.IN, Message.machine.is_(None)
    )
    called = select(func.max(Call.id)).where(Call.contact_id == contact_id, Call.direction == Direction.IN)
    return {
        StopReason.REPLY.value: session.scalar(wrote) or 0,
        StopReason.CALL.value: session.scalar(called) or 0,
    }


def last_to_take_back(session: Session, deal: Deal) -> StageChange | None:
    """A deal's last move where it can still be taken back, None where it cannot."""
    change = _newest(session, deal)
    if change is None or change.found is None or deal.outcome is not None or _is_old(session, change):
        return None
    return None if _left(_deliveries(session, change)) else change


def take_back(session: Session, deal: Deal, change_id: int, *, by: int) -> TakenBack:
    """Bring a deal back into the stage that a move took it from, as if it had not been moved.

    Its time in that stage goes on, its document and the follow-up and tasks that the move began are taken
    back, and the follow-ups that it ended go on unless the client has written or called since. The log of
    stages forgets the move; the audit log keeps it. What a rule made of a letter or an event it makes of that
    one no more, as long as the deal stays in its stage.

    Raises NotFound for what is no such move, MovedOn where another one followed it, TooLate, and HasLeft
    where something is with the client already; then nothing has changed.
    """
    session.refresh(deal, with_for_update={"of": Deal})
    change = _newest(session, deal)
    if change is None or change.id != change_id or deal.outcome is not None:
        raise MovedOn
    if change.found is None or change.from_stage is None:
        raise NotFound
    if _is_old(session, change):
        raise TooLate
    begun = _begun(session, change)
    sent = _deliveries(session, change, held=True)
    if _left(sent):
        raise HasLeft
    lost = _lost(session, change, sent)
    letters = _withdraw(session, sent, by)
    if begun is not None:
        _unbegin(session, begun, by)
    _drop_tasks(session, change, begun)
    before, after = change.to_stage, change.from_stage
    _put_back(session, deal, change, change.found)
    if change.staff_id is None:
        _set_aside(session, deal, change, change.found)
    follow_ups = _let_go_on(session, change)
    audit.note(
        session, by, "taken_back", "deal", deal.id, deal.title or f"S-{deal.id}",
        before={"stage": before.name("en"), "reason": change.reason}, after={"stage": after.name("en")},
    )  # fmt: skip
    session.delete(change)
    session.flush()
    session.expire(deal)
    return TakenBack(letters, follow_ups, lost)


def _newest(session: Session, deal: Deal) -> StageChange | None:
    query = select(StageChange).where(StageChange.deal_id == deal.id).order_by(StageChange.id.desc())
    return session.scalar(query.limit(1))


def _is_old(session: Session, change: StageChange) -> bool:
    return change.changed_at < session.execute(select(func.now())).scalar_one() - WITHIN


def _begun(session: Session, change: StageChange) -> Enrolment | None:
    """The follow-up that a move began, held so that no step of it is taken meanwhile."""
    number = (change.found or {}).get("begun")
    if number is None:
        return None
    return session.get(Enrolment, number, with_for_update={"of": Enrolment}, populate_existing=True)


def _unbegin(session: Session, enrolment: Enrolment, by: int) -> None:
    if enrolment.state in LIVE:
        sequences_stops.stop(session, enrolment, by=by, reason=StopReason.TAKEN_BACK)
    else:
        enrolment.stop_reason = StopReason.TAKEN_BACK
        session.flush()


def _deliveries(session: Session, change: StageChange, *, held: bool = False) -> list[Delivery]:
    """What a move has queued until now, its follow-up's steps among it; with ``held`` until it is decided."""
    steps = select(EnrolmentStep.delivery_id).where(
        EnrolmentStep.enrolment_id == (change.found or {}).get("begun"),
        EnrolmentStep.delivery_id.is_not(None),
    )
    query = select(Delivery).where(
        Delivery.deal_id == change.deal_id,
        Delivery.key.startswith(f"stage_change:{change.id}:") | Delivery.id.in_(steps),
    )
    if held:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))


def _left(sent: list[Delivery]) -> bool:
    return any(one.state not in NEVER_LEFT for one in sent)


def _lost(session: Session, change: StageChange, sent: list[Delivery]) -> int:
    """How many letters the move itself took back: all that its own transaction cancelled."""
    query = select(func.count()).where(
        Delivery.deal_id == change.deal_id,
        Delivery.state == DeliveryState.CANCELLED,
        Delivery.settled_at == change.changed_at,
        Delivery.id.not_in([one.id for one in sent]),
    )
    return session.execute(query).scalar_one()


def _withdraw(session: Session, sent: list[Delivery], by: int) -> int:
    waiting = [one.id for one in sent if one.state in WITHDRAWN]
    for delivery_id in waiting:
        outbox.settle(
            session, delivery_id, DeliveryState.CANCELLED, detail="the move was taken back", staff_id=by
        )
        approvals.cancelled(session, delivery_id, by=by)
    for one in sent:
        if one.id in waiting and one.conversation_id is not None and not one.automatic:
            conversation = session.get_one(Conversation, one.conversation_id)
            handling.unanswered(session, conversation, one.id)
    return len(waiting)


def _drop_tasks(session: Session, change: StageChange, begun: Enrolment | None) -> None:
    """Tasks that the move made and nobody has done: the handover's, and those of its follow-up's steps."""
    handovers = session.scalars(select(Handover).where(Handover.change_id == change.id)).all()
    made = {one.task_id for one in handovers}
    if begun is not None:
        steps = select(EnrolmentStep.task_id).where(EnrolmentStep.enrolment_id == begun.id)
        made |= set(session.scalars(steps))
    open_ones = select(Task).where(Task.id.in_(made - {None}), Task.state == TaskState.OPEN)
    for task in session.scalars(open_ones):
        tasks.settle(session, task, TaskState.CANCELLED)
    for handover in handovers:
        session.delete(handover)
    session.flush()


def _put_back(session: Session, deal: Deal, change: StageChange, found: dict[str, Any]) -> None:
    stage = session.get_one(Stage, change.from_stage_id)
    deal.stage_id, deal.pipeline_id = stage.id, stage.pipeline_id
    deal.stage_entered_at = datetime.fromisoformat(found["entered_at"])
    deal.performer_id = found["performer_id"]
    deal.dismissed = found["dismissed"]
    deal.proposed_stage_id = found["proposed_stage_id"]
    deal.proposed_by_message_id = found["proposed_by_message_id"]
    before = (
        select(func.max(StageChange.id))
        .where(StageChange.deal_id == deal.id, StageChange.id < change.id)
        .scalar_subquery()
    )
    session.execute(update(StageChange).where(StageChange.id == before).values(left_at=None))
    session.flush()


def _set_aside(session: Session, deal: Deal, change: StageChange, found: dict[str, Any]) -> None:
    """What spoke for a rule's move neither makes it nor proposes it again: its letter, and all that holds."""
    session.refresh(deal)
    causes = set(readiness.happened(session, deal))
    if found["proposed_stage_id"] == change.to_stage_id:
        if found["proposed_by_message_id"] is not None:
            causes.add(proposals.spoken_by(found["proposed_by_message_id"]))
        deal.proposed_stage_id = deal.proposed_by_message_id = None
    no = {f"{change.to_stage.key}={cause}" for cause in causes}
    deal.dismissed = sorted({*deal.dismissed, *no, *(proposals.set_aside(cause) for cause in causes)})
    session.flush()


def _let_go_on(session: Session, change: StageChange) -> int:
    """The follow-ups that the move ended stand as they stood, except where the client has acted since."""
    gone_on = 0
    for one in (change.found or {})["follow_ups"]:
        enrolment = session.get(
            Enrolment, one["id"], with_for_update={"of": Enrolment}, populate_existing=True
        )
        if enrolment is None or enrolment.stop_reason != StopReason.DEAL_MOVED:
            continue
        away_until = _hold_contact(session, enrolment.contact_id)
        if _acted(session, enrolment, one) or _in_it_again(session, enrolment):
            continue
        sequences.take_up(
            session,
            enrolment,
            EnrolmentState(one["state"]),
            not_before=datetime.combine(away_until or date.min, time.min, UTC),
        )
        gone_on += 1
    return gone_on


def _hold_contact(session: Session, contact_id: int) -> date | None:
    """Who enrols the client at this moment is waited for, as `core.sequences.enrol` does."""
    query = select(Contact.away_until).where(Contact.id == contact_id)
    return session.execute(query.with_for_update(key_share=True)).scalar_one()


def _acted(session: Session, enrolment: Enrolment, before: dict[str, Any]) -> bool:
    """Whether the client has done since what would have ended the follow-up."""
    heard = _heard(session, enrolment.contact_id)
    return any(reason in enrolment.sequence.stop_on and heard[reason] > before[reason] for reason in heard)


def _in_it_again(session: Session, enrolment: Enrolment) -> bool:
    again = exists().where(
        Enrolment.contact_id == enrolment.contact_id,
        Enrolment.sequence_key == enrolment.sequence_key,
        Enrolment.state.in_(LIVE),
    )
    return bool(session.scalar(select(again)))
