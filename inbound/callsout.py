"""A call that we placed, on record: whose order it was, who answered, whether it reached its client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import callbacks, deadnumbers, outbox, phoneorders, sequences, sequences_phone, sequences_stops
from core.accounts import Channel
from core.byphone import VOICE_HOLDS
from core.callplan import Step
from core.callplanout import AFTER_THE_TONE, FAX, OPT_OUT, PEOPLE, TALK
from core.calls import OVER, Call, CallLeg, LegState, earlier, longer
from core.config import Settings
from core.config_dialling import OnMachine
from core.consent import Scope, SuppressionReason, suppress
from core.conversations import Conversation, Direction, Message
from core.outbox import Delivery, Draft, Purpose
from core.phoneevents import EventKind, PhoneEvent
from core.phoneorders import OrderKind, PhoneOrder, TextStatus
from core.phonewords import CALL_BACK, said
from core.sequences import EnrolmentStep
from core.tasks import Task

ATTEMPT: Final = ":attempt:"
"""Between the key of an automatic call and the number of a further attempt."""
TALKED: Final = frozenset({LegState.ANSWERED, LegState.COMPLETED})


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a call of ours when it is asked whether it reached its client."""

    kind: OrderKind
    over: bool
    first: LegState
    """How far the telephone came that was rung first."""
    cause: str | None = None
    """The SIP answer with which that one ended, where it was told."""
    client: LegState | None = None
    """In click-to-call, how far the client's telephone came."""
    answered_by: str | None = None
    pressed: str = ""
    leaves_messages: bool = True


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether a call reached its client (None: not known yet), why not, and whether another may."""

    yes: bool | None
    why: str = ""
    again: bool = False


def reached(heard: Heard) -> Reached:
    """Decide; pure, and the same in whatever order the facts came in."""
    return _message(heard) if heard.kind is OrderKind.MESSAGE else _click(heard)


def _message(heard: Heard) -> Reached:
    by = heard.answered_by
    if by is not None:
        if by in PEOPLE:
            return Reached(True)
        if by == FAX:
            return Reached(False, "a fax answered")
        if heard.leaves_messages and by in AFTER_THE_TONE:
            return Reached(True, "the message was left on a machine")
        return Reached(False, "a machine answered", again=True)
    if not heard.over:
        return Reached(None)
    if heard.first in {LegState.BUSY, LegState.NO_ANSWER, LegState.CANCELED}:
        return Reached(False, f"nobody answered: {heard.first.value}", again=True)
    if heard.first is LegState.FAILED:
        return Reached(False, deadnumbers.why_failed(heard.cause))
    return Reached(False, "answered, but the message could not be said")


def _click(heard: Heard) -> Reached:
    if heard.client in TALKED:
        return Reached(True)
    if heard.client is not None and heard.client in OVER:
        return Reached(False, f"the client did not answer: {heard.client.value}")
    if heard.over and TALK not in heard.pressed:
        return Reached(False, "the colleague did not take it")
    return Reached(None)


def order_of(session: Session, event: PhoneEvent) -> PhoneOrder | None:
    """Our order that an event of a call speaks of; None for a call that came in, or was placed elsewhere."""
    facts = event.facts
    found = phoneorders.by_sid(session, facts["call"])
    if found is not None:
        return found
    if facts.get("delivery"):
        return phoneorders.by_token(session, facts["delivery"])
    if facts.get("direction") != "out" or facts["call"] != event.subject:
        return None
    created = datetime.fromisoformat(facts["created"]) if facts.get("created") else event.received_at
    return phoneorders.matching(
        session, channel=Channel.VOICE, dialled=facts.get("called", ""), text=None, at=created
    )


def adopt(session: Session, call: Call, order: PhoneOrder) -> None:
    """Give a call what its order knows: parties, client, conversation and its place in the history."""
    phoneorders.bind(session, order, call.sid)
    if call.direction == Direction.OUT and call.called:
        return
    delivery = order.delivery
    call.direction = Direction.OUT
    call.caller, call.called = order.sender, order.number
    call.contact_id = delivery.contact_id
    call.account_id = delivery.contact.account_id if delivery.contact else None
    call.deal_id = delivery.deal_id
    call.language = delivery.language
    if order.kind == OrderKind.CLICK:
        call.staff_id, call.language = delivery.staff_id, _spoken(session, delivery)
    message = session.scalar(select(Message).where(Message.delivery_id == delivery.id))
    if message is not None:
        call.conversation_id, call.message_id = message.conversation_id, message.id
    session.flush()
    session.expire(call, ["contact", "account", "conversation"])


def _spoken(session: Session, delivery: Delivery) -> str | None:
    """The client's language: that of a call by click is the colleague's, who hears whom it goes to."""
    if delivery.contact is not None and delivery.contact.language:
        return delivery.contact.language
    if delivery.conversation_id is None:
        return None
    return session.get_one(Conversation, delivery.conversation_id).language


def trial_told(session: Session, order: PhoneOrder, event: PhoneEvent) -> str:
    """A call that lets a colleague hear a voice: its order hears of it, no history does; returns why."""
    facts = event.facts
    phoneorders.bind(session, order, facts["call"])
    state = LegState(facts["status"]) if event.kind == EventKind.CALL else LegState.QUEUED
    if state in OVER:
        order.units = -(-(facts.get("seconds") or 0) // 60)
        came = TextStatus.DELIVERED if state is LegState.COMPLETED else TextStatus.UNDELIVERED
        phoneorders.text_told(session, order, came, None)
    else:
        phoneorders.catch_up(session, order)
    return "a call that lets a colleague hear a voice"


def leg_told(call: Call, leg: CallLeg, order: PhoneOrder, at: datetime) -> None:
    """A leg of it came into a state."""
    if leg.sid == call.sid:
        leg.number = order.dialled
        leg.staff_id = order.delivery.staff_id if order.kind == OrderKind.CLICK else leg.staff_id
    elif order.kind == OrderKind.CLICK and leg.number == order.number and leg.state in TALKED:
        call.accepted_at = earlier(call.accepted_at, leg.answered_at or at)


def step_told(
    session: Session, settings: Settings, call: Call, order: PhoneOrder, facts: dict[str, Any], at: datetime
) -> None:
    """Somebody answered it or pressed a key."""
    step, key = Step(facts["step"]), facts.get("input") or ""
    if step is Step.MESSAGE:
        order.answered_by = by = order.answered_by or str(facts.get("answered_by") or "unknown")
        if by in PEOPLE:
            call.accepted_at = earlier(call.accepted_at, at)
        elif left_on_machine(by, settings):
            call.voicemail_seconds = longer(call.voicemail_seconds, 1)
        elif by == FAX:
            _no_more(session, order, SuppressionReason.BOUNCED, "a fax answered")
    elif step in {Step.PRESSED, Step.DIAL}:
        order.pressed = order.pressed if key in order.pressed else order.pressed + key
        if step is Step.PRESSED and key == OPT_OUT:
            _no_more(session, order, SuppressionReason.UNSUBSCRIBED, f"call:{call.sid}")
    elif step is Step.TALKED and facts.get("status") in {"completed", "answered"}:
        call.accepted_at = earlier(call.accepted_at, at)
    session.flush()


def left_on_machine(answered_by: str, settings: Settings) -> bool:
    """Whether a machine answered on which the message was left."""
    return answered_by in AFTER_THE_TONE and settings.dialling.on_machine is OnMachine.MESSAGE


def _no_more(session: Session, order: PhoneOrder, reason: SuppressionReason, source: str) -> None:
    suppress(session, Channel.VOICE, order.number, scope=Scope.EVERYTHING, reason=reason, source=source)


def conclude(session: Session, settings: Settings, call: Call, order: PhoneOrder) -> None:
    """Bring the order and its delivery in line with what is known of the call, as often as anything comes."""
    legs = session.scalars(select(CallLeg).where(CallLeg.call_id == call.id)).all()
    first = next((leg for leg in legs if leg.sid == call.sid), None)
    client = next((leg for leg in legs if leg.sid != call.sid and leg.number == order.number), None)
    over = call.ended_at is not None
    found = reached(
        Heard(
            OrderKind(order.kind),
            over,
            LegState(first.state) if first else LegState.QUEUED,
            first.cause if first else None,
            LegState(client.state) if client else None,
            order.answered_by,
            order.pressed,
            settings.dialling.on_machine is OnMachine.MESSAGE,
        )
    )
    if over:
        order.units = sum(-(-(leg.seconds or 0) // 60) for leg in legs)
    order.reason = found.why
    session.flush()
    if found.yes is None:
        phoneorders.catch_up(session, order)
        return
    phoneorders.text_told(session, order, TextStatus.DELIVERED if found.yes else TextStatus.UNDELIVERED, None)
    if found.again and over:
        _again(session, settings, order)
    if order.kind == OrderKind.MESSAGE and (found.yes or over):
        # A step whose call is tried again goes with the next attempt, and hears of that one.
        met = sequences_phone.met_by(order.answered_by, rang=found.again)
        sequences.record_delivery_result(session, order.delivery_id, met)
    if over and TALK in order.pressed and order.kind == OrderKind.MESSAGE:
        _wanted_to_talk(session, settings, call)


def _again(session: Session, settings: Settings, order: PhoneOrder) -> None:
    """Queue the next attempt, once, unless there were enough or the follow-up was stopped meanwhile."""
    delivery = order.delivery
    base, _, number = delivery.key.partition(ATTEMPT)
    attempt = int(number or 1) + 1
    if attempt > settings.dialling.attempts:
        return
    if sequences_stops.was_stopped(session, delivery.id):
        return
    due = order.ordered_at + timedelta(minutes=settings.dialling.again_after_minutes)
    queued = outbox.queue(
        session,
        Draft(
            key=f"{base}{ATTEMPT}{attempt}",
            address=delivery.address,
            channel=Channel.VOICE,
            purpose=Purpose(delivery.purpose),
            automatic=delivery.automatic,
            recipient_name=delivery.recipient_name,
            contact_id=delivery.contact_id,
            conversation_id=delivery.conversation_id,
            deal_id=delivery.deal_id,
            staff_id=delivery.staff_id,
            template=delivery.template,
            language=delivery.language,
            values=delivery.values,
            subject=delivery.subject,
            priority=delivery.priority,
            due_at=due,
            expires_at=due + VOICE_HOLDS,
        ),
    )
    if queued is not None:
        # What stops a follow-up takes back its further attempts as well.
        session.execute(
            update(EnrolmentStep).where(EnrolmentStep.delivery_id == delivery.id).values(delivery_id=queued)
        )


def _wanted_to_talk(session: Session, settings: Settings, call: Call) -> None:
    """One task where a callee wanted to talk and nobody of us could."""
    if call.staff_id is not None or call.task_id is not None:
        return
    talk = call.conversation
    who = (call.contact.name if call.contact else "") or call.called
    task = Task(
        title=said(CALL_BACK, settings.company.default_language, who=who),
        kind=callbacks.KIND,
        assignee_id=talk.assignee_id if talk else None,
        contact_id=call.contact_id,
        account_id=call.account_id,
        conversation_id=call.conversation_id,
        deal_id=call.deal_id,
        due_at=call.ended_at,
    )
    session.add(task)
    session.flush()
    call.task_id = task.id
