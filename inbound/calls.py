"""From what an exchange told to the call on record: its legs, its place in the history, its call-back.

Events are applied in any order and any number of times with the same end. One transaction applies one page of
them; an event that fails costs the others nothing and is quarantined after three attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import (
    byphone,
    callbacks,
    calls,
    outbox,
    phoneevents,
    phoneorders,
    recordings,
    ringnotice,
    sequences_phone,
    transcripts,
)
from core.accounts import Channel
from core.byphone import NoNumber
from core.callnotes import UNDERSTAND
from core.callplan import Step
from core.calls import OVER, Call, CallState, LegState, RecordingState
from core.config import Settings
from core.context import Context
from core.conversations import Direction
from core.dialling import may_call, readable, takes_sms
from core.jobs import enqueue
from core.phoneevents import APPLY, EventKind, EventState, PhoneEvent
from core.phoneorders import OrderKind
from core.phonewords import CALL_BACK, said
from core.tasks import Task, TaskState
from core.tasks import settle as settle_task
from core.transcripts import Line, Speaker
from core.worktime import NoWorkingTime
from inbound import callhistory, callsout, spoken, texts, textsout
from inbound.callers import colleague_of, recognise
from inbound.labelling import labeller
from inbound.pipeline import FILING_LOCK
from inbound.telephone import Telephone
from inbound.twilio import PROVIDER
from inbound.work import Labeller

log = structlog.get_logger(__name__)

PAGE: Final = 100
MOST_PAGES: Final = 50
SETTLED: Final = frozenset({CallState.MISSED, CallState.VOICEMAIL, CallState.ANSWERED})
"""States of a call that is over and was not refused."""
STEPS: Final = (
    *(Step.MESSAGE, Step.PRESSED, Step.CLICK, Step.DIAL, Step.ANNOUNCE, Step.TALKED),
    *(Step.GREET, Step.LANGUAGE, Step.TOPIC),
    *(Step.WHISPER, Step.ACCEPT, Step.RUNG, Step.LEFT),
)
"""The steps as a call takes them, whatever the order in which we hear of them."""
STEP_ORDER: Final = {step.value: place for place, step in enumerate(STEPS)}


@dataclass(frozen=True)
class Tools:
    """What applying needs beside the session."""

    settings: Settings
    telephone: Telephone
    classifier: Labeller


def drain(context: Context) -> None:
    """Apply what is stored until nothing waits, and ask for another run when there is very much."""
    tools = Tools(context.settings, Telephone(context.settings), labeller(context))
    for _ in range(MOST_PAGES):
        if not apply_page(context, tools):
            return
    with context.transaction() as session:
        enqueue(session, APPLY)


def apply_page(context: Context, tools: Tools) -> int:
    """Apply the oldest stored events; returns how many there were."""
    failed: dict[int, str] = {}
    with context.transaction() as session:
        # Letters and calls make clients and conversations: whoever files, files alone.
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": FILING_LOCK})
        events = phoneevents.waiting(session, PAGE)
        for event in events:
            number = event.id
            try:
                with session.begin_nested():
                    ignored = APPLIES[EventKind(event.kind)](session, tools, event)
                    phoneevents.settle(event, EventState.IGNORED if ignored else EventState.APPLIED, ignored)
            except Exception as error:
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    raise
                log.warning("phone.event_failed", event_id=number, error=type(error).__name__)
                failed[number] = f"{type(error).__name__}: {error}"
        for number, error in failed.items():
            if phoneevents.count_failure(session, number, error):
                log.warning("phone.event_quarantined", event_id=number)
    return len(events)


def _leg(session: Session, tools: Tools, event: PhoneEvent) -> str | None:
    facts = event.facts
    outside = facts["call"]
    going_out = outside == event.subject and facts.get("direction") == "out"
    order = callsout.order_of(session, event)
    if going_out and event.provider == PROVIDER and order is None:
        return "a call that was not placed from here"
    if order is not None and order.kind == OrderKind.TRIAL:
        return callsout.trial_told(session, order, event)
    call = calls.find_or_add(session, event.provider, outside)
    if order is not None:
        callsout.adopt(session, call, order)
    if going_out:
        call.direction = Direction.OUT
    leg = calls.find_or_add_leg(session, call, event.subject)
    state, at = LegState(facts["status"]), _moment(facts.get("at")) or event.received_at
    calls.leg_told(leg, state, at=at, seconds=facts.get("seconds"), cause=facts.get("cause"))
    if event.subject == outside:
        _parties(call, facts)
        leg.number = callhistory.number_outside(call)
        call.started_at = calls.earlier(call.started_at, None if state in OVER else at)
        if state in OVER:
            call.ended_at = calls.earlier(call.ended_at, at)
            call.seconds = calls.longer(call.seconds, facts.get("seconds"))
    else:
        leg.number = readable(facts.get("called") or "") or leg.number
        leg.staff_id = leg.staff_id or (colleague_of(session, leg.number) if leg.number else None)
        rung = leg.staff_id
        if rung is not None and leg.state == LegState.RINGING:
            _offer(session, tools, call, [rung])
    if order is not None:
        callsout.leg_told(call, leg, order, at)
    _refresh(session, tools, call, at)
    if order is not None:
        callsout.conclude(session, tools.settings, call, order)
    return None


def _step(session: Session, tools: Tools, event: PhoneEvent) -> str | None:
    facts = event.facts
    order = callsout.order_of(session, event)
    if order is not None and order.kind == OrderKind.TRIAL:
        return callsout.trial_told(session, order, event)
    call = calls.find_or_add(session, event.provider, facts["call"])
    step, before = Step(facts["step"]), call.staff_id
    if order is not None:
        callsout.adopt(session, call, order)
        callsout.step_told(session, tools.settings, call, order, facts, event.received_at)
    elif "caller" in facts:
        _parties(call, facts)
        call.started_at = calls.earlier(call.started_at, event.received_at)
    noted = {"step": step.value, "reason": facts.get("reason", ""), "key": event.key}
    if all(one["key"] != event.key for one in call.route):
        call.route = sorted([*call.route, noted], key=lambda one: (STEP_ORDER[one["step"]], one["key"]))
    call.rejected = call.rejected or bool(facts.get("rejected"))
    if step is Step.LANGUAGE:
        call.language = facts.get("language") or call.language
    if step is Step.TOPIC:
        call.topic = facts.get("topic") or call.topic
    if step is Step.ACCEPT and facts.get("input") == "1":
        call.accepted_at = calls.earlier(call.accepted_at, event.received_at)
        call.staff_id = facts.get("staff_id") or call.staff_id
    offered = [int(one) for one in facts.get("rings") or ()]
    if offered:
        # One after the other: who is next is told when their own telephone rings.
        _offer(session, tools, call, offered if facts.get("together") else offered[:1])
    if step is Step.LEFT:
        call.voicemail_seconds = calls.longer(call.voicemail_seconds, facts.get("seconds"))
    taken = before is None and call.staff_id is not None
    _refresh(session, tools, call, event.received_at, taken=taken)
    if order is not None:
        callsout.conclude(session, tools.settings, call, order)
    return None


def _recording(session: Session, tools: Tools, event: PhoneEvent) -> str | None:
    facts = event.facts
    call = calls.find_or_add(session, event.provider, facts["call"])
    recording = calls.find_or_add_recording(session, call, event.subject)
    calls.recording_told(recording, RecordingState(facts["status"]), facts.get("seconds"))
    if facts.get("message"):
        recording.message = True
        call.voicemail_seconds = calls.longer(call.voicemail_seconds, facts.get("seconds"))
    recordings.wants_fetching(recording, event.received_at)
    _refresh(session, tools, call, event.received_at)
    return None


def _transcript(session: Session, tools: Tools, event: PhoneEvent) -> str | None:
    facts = event.facts
    call = calls.find_or_add(session, event.provider, facts["call"])
    line = Line(facts["text"], Speaker(facts["speaker"]), facts.get("confidence"))
    transcripts.keep(
        session,
        call.id,
        f"{event.provider}:{event.subject}",
        [(facts["position"], line)],
        facts.get("language"),
    )
    _refresh(session, tools, call, event.received_at)
    if call.state in SETTLED:
        enqueue(session, UNDERSTAND, call_id=call.id)
    return None


def _sms(session: Session, tools: Tools, event: PhoneEvent) -> str | None:
    return texts.receive(session, tools.settings, tools.classifier, event)


APPLIES: Mapping[EventKind, Callable[[Session, Tools, PhoneEvent], str | None]] = {
    EventKind.CALL: _leg,
    EventKind.STEP: _step,
    EventKind.RECORDING: _recording,
    EventKind.SMS_IN: _sms,
    EventKind.SMS_OUT: lambda session, tools, event: textsout.told(session, event),
    EventKind.TRANSCRIPT: _transcript,
}
"""What applies each kind; each returns why an event changes nothing, or None."""


def _parties(call: Call, facts: Mapping[str, Any]) -> None:
    shown = facts.get("caller") or ""
    call.caller = call.caller or readable(shown) or shown[:40]
    call.called = call.called or (facts.get("called") or "")[:40]


def _offer(session: Session, tools: Tools, call: Call, staff_ids: list[int]) -> None:
    """The call rings for colleagues: their desks show it, and who is away gets a letter, once."""
    fresh = [one for one in dict.fromkeys(staff_ids) if one not in call.rung]
    if not fresh:
        return
    call.rung = [*call.rung, *fresh]
    if call.state not in {CallState.RINGING, CallState.CONNECTED}:
        return
    session.flush()
    if call.caller:
        callhistory.file(session, tools.settings, call, call.started_at or call.created_at)
    company = tools.settings.company
    ringnotice.tell_away(
        session,
        call,
        fresh,
        away_minutes=tools.settings.phone.away_minutes,
        public_url=company.public_url,
        zone=company.timezone,
    )


def _refresh(session: Session, tools: Tools, call: Call, at: datetime, *, taken: bool = False) -> None:
    """Bring the call's state, history and call-back in line with what is known of it; ``taken`` where only
    now it is known which colleague took it.
    """
    before = call.state
    state = calls.settle(call)
    session.flush()
    if callhistory.number_outside(call):
        callhistory.file(session, tools.settings, call, at)
        if call.direction == Direction.IN:
            _call_back(session, tools, call, state)
    if state in SETTLED and (before != state or taken) and _is_a_talk(session, call, state):
        sequences_phone.client_rang(session, call)
        if state == CallState.ANSWERED and call.staff_id is not None:
            callbacks.rung_back(session, call)
    if state in SETTLED and before != state and transcripts.of_call(session, call.id):
        enqueue(session, UNDERSTAND, call_id=call.id)
    callhistory.announce(session, call)


def _is_a_talk(session: Session, call: Call, state: CallState) -> bool:
    """Whether the client rang us, or a colleague talked with them; a message said by machine is neither."""
    if call.direction == Direction.IN:
        return True
    order = phoneorders.by_sid(session, call.sid)
    talked = order is None or order.kind == OrderKind.CLICK or call.staff_id is not None
    return state == CallState.ANSWERED and talked


def _call_back(session: Session, tools: Tools, call: Call, state: CallState) -> None:
    """One task for who rang and whose calls nobody took; taken back when it turns out that somebody did."""
    if call.task_id is not None:
        task = session.get_one(Task, call.task_id)
        wanted = state != CallState.ANSWERED or callbacks.asked_by_others(session, call)
        if not wanted and task.state == TaskState.OPEN:
            settle_task(session, task, TaskState.CANCELLED)
        return
    if state not in {CallState.MISSED, CallState.VOICEMAIL}:
        return
    caller = recognise(session, call.caller)
    client = call.contact is not None and call.contact.source != callhistory.SOURCE
    reachable = caller.number is not None and (
        client or may_call(caller.number, tools.settings.phone.countries).yes
    )
    if not reachable:
        # A single ring from far away is bait for an expensive call.
        return
    if callbacks.talked_since(session, call):
        return
    if (known := callbacks.waiting(session, call)) is not None:
        # Who rings three times in a row is rung back once.
        call.task_id = known.id
        return
    conversation = call.conversation
    task = Task(
        title=said(CALL_BACK, tools.settings.company.default_language, who=caller.name or call.caller),
        kind=callbacks.KIND,
        assignee_id=conversation.assignee_id if conversation else None,
        contact_id=call.contact_id,
        account_id=call.account_id,
        conversation_id=call.conversation_id,
        deal_id=call.deal_id,
        due_at=_deadline(tools, call.ended_at or call.created_at),
    )
    session.add(task)
    session.flush()
    call.task_id = task.id
    if tools.settings.phone.missed_call_sms:
        _tell_missed(session, call)


def _tell_missed(session: Session, call: Call) -> None:
    """An SMS to a client's mobile that we ring back; to nobody whom we do not know."""
    contact = call.contact
    if contact is None or contact.source == callhistory.SOURCE or not takes_sms(call.caller):
        return
    key = f"call:{call.id}:missed"
    with suppress(NoNumber):
        draft = byphone.automatic(
            session, contact, Channel.SMS, template="missed_call", key=key, conversation=call.conversation,
            number=call.caller,
        )  # fmt: skip
        outbox.queue(session, draft)


def understand(context: Context, call_id: int) -> None:
    """Understand a call from what was said in it and what was noted of it."""
    with context.transaction() as session:
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": FILING_LOCK})
        call = session.get(Call, call_id, with_for_update={"of": Call})
        if call is None:
            return
        callhistory.write(session, context.settings, call)
        spoken.of_call(session, labeller(context), call)
        callhistory.announce(session, call)


def _deadline(tools: Tools, ended: datetime) -> datetime:
    """So many working hours later; plain hours where the calendar hardly has any."""
    hours = timedelta(hours=tools.settings.phone.call_back_hours)
    try:
        return tools.telephone.calendar.add(ended, hours)
    except NoWorkingTime:
        return ended + hours


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
