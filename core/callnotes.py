"""What came of a call, in the words of the colleague who had it; and calls made elsewhere, logged by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import callbacks, sequences_phone, stages, tasks, traffic
from core.accounts import Channel
from core.calls import Call, CallOutcome, CallState
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, Stage
from core.errors import Conflict, InputRefused
from core.jobs import enqueue
from core.tasks import Task, TaskState
from core.worktime import Calendar

UNDERSTAND: Final = "inbound.understand_call"
"""The job that reads what was said or noted of a call, and files it."""
BY_HAND: Final = "hand"
"""Provider of calls that a colleague wrote down."""
LONGEST_NOTE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Note:
    """What a colleague says of a call."""

    outcome: CallOutcome
    text: str = ""
    next_step: str = ""
    """What happens next; needed for the outcome NEXT_STEP, and a task where it is given."""
    next_at: datetime | None = None
    stage_id: int | None = None
    """The stage that the deal should go to; proposed, so that its document is sent knowingly."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A call that was made elsewhere."""

    key: str
    """Names the form it was written in, so that sending it twice logs one call."""
    direction: Direction
    happened_at: datetime
    seconds: int | None
    number: str = ""


def note(
    session: Session, call: Call, staff_id: int, said: Note, *, calendar: Calendar | None = None
) -> None:
    """Put down what came of a call, and what was agreed; a later note replaces an earlier one.

    The agreed step becomes a task of the colleague, the call-back that waited is done, and a stage becomes a
    proposal. Follow-ups hear of it, and a deal goes on where its stages say that calls lead there;
    ``calendar`` is working time where the client's own is not known. Raises InputRefused where the outcome
    needs a next step that is not given, or the stage is none of the deal's.
    """
    if said.outcome == CallOutcome.NEXT_STEP and not (said.next_step and said.next_at):
        raise InputRefused("A next step needs its words and its date.")
    session.refresh(call, with_for_update={"of": Call})
    first = call.outcome not in sequences_phone.TALKED
    call.outcome = said.outcome
    call.note = said.text[:LONGEST_NOTE]
    call.noted_by_id, call.noted_at = staff_id, func.now()
    _next_task(session, call, staff_id, said)
    _call_back_done(session, call, staff_id, said.outcome)
    if said.stage_id is not None:
        _propose(session, call, said.stage_id)
    session.flush()
    sequences_phone.noted(session, call, said.outcome, first=first)
    _lead_on(session, call, calendar)
    if said.stage_id is not None:
        _propose_still(session, call, said.stage_id)
    enqueue(session, UNDERSTAND, call_id=call.id)


def log_call(
    session: Session,
    conversation: Conversation,
    staff_id: int,
    made: Logged,
    said: Note,
    *,
    calendar: Calendar | None = None,
) -> Call:
    """Put a call on record that was made elsewhere, with its note, in a conversation.

    The same form again returns the call it made. Raises InputRefused for a time that is still to come.
    """
    present = session.scalar(select(Call).where(Call.provider == BY_HAND, Call.sid == made.key))
    if present is not None:
        if present.conversation_id != conversation.id:
            raise Conflict("That form has logged a call elsewhere.")
        return present
    if made.happened_at > session.execute(select(func.now())).scalar_one():
        raise InputRefused("The call is still to come.", cure="Give the time at which it was.")
    reached = said.outcome != CallOutcome.NO_ANSWER
    call = Call(
        provider=BY_HAND,
        sid=made.key,
        direction=made.direction,
        state=CallState.ANSWERED if reached else CallState.MISSED,
        caller=made.number if made.direction == Direction.IN else "",
        called=made.number if made.direction == Direction.OUT else "",
        contact_id=conversation.contact_id,
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        deal_id=conversation.deal_id,
        staff_id=staff_id,
        language=conversation.language,
        started_at=made.happened_at,
        accepted_at=made.happened_at if reached else None,
        ended_at=made.happened_at,
        seconds=made.seconds,
    )
    message = Message(
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        direction=made.direction,
        channel=Channel.VOICE,
        staff_id=staff_id,
        sender=made.number if made.direction == Direction.IN else "",
        sender_name=conversation.contact.name
        if made.direction == Direction.IN and conversation.contact
        else "",
        happened_at=made.happened_at,
        segment=traffic.of_message(session, conversation.contact_id, conversation.deal_id, conversation.id),
    )
    session.add_all([call, message])
    session.flush()
    call.message_id = message.id
    conversation.last_message_at = max(conversation.last_message_at, made.happened_at)
    session.flush()
    note(session, call, staff_id, said, calendar=calendar)
    if reached:
        callbacks.rung_back(session, call)
    return call


def _lead_on(session: Session, call: Call, calendar: Calendar | None) -> None:
    deal = session.get(Deal, call.deal_id) if call.deal_id is not None else None
    if deal is not None and deal.outcome is None:
        stages.run_rules(session, deal, calendar)


def _next_task(session: Session, call: Call, staff_id: int, said: Note) -> None:
    task = session.get(Task, call.next_task_id) if call.next_task_id is not None else None
    if not said.next_step:
        if task is not None and task.state == TaskState.OPEN:
            tasks.settle(session, task, TaskState.CANCELLED)
        return
    if task is None or task.state != TaskState.OPEN:
        task = Task(kind="next_step", assignee_id=staff_id)
        session.add(task)
    task.title, task.due_at = said.next_step[:300], said.next_at
    task.contact_id, task.account_id = call.contact_id, call.account_id
    task.conversation_id, task.deal_id = call.conversation_id, call.deal_id
    session.flush()
    call.next_task_id = task.id


def _call_back_done(session: Session, call: Call, staff_id: int, outcome: CallOutcome) -> None:
    """Somebody who writes down that they talked with the caller has rung back."""
    if call.task_id is None or outcome == CallOutcome.NO_ANSWER:
        return
    task = session.get_one(Task, call.task_id)
    if task.state == TaskState.OPEN:
        task.assignee_id = task.assignee_id or staff_id
        tasks.settle(session, task, TaskState.DONE)


def _propose(session: Session, call: Call, stage_id: int) -> None:
    deal = session.get(Deal, call.deal_id) if call.deal_id is not None else None
    stage = session.get(Stage, stage_id)
    if deal is None or stage is None or stage.pipeline_id != deal.pipeline_id or deal.outcome is not None:
        raise InputRefused("That stage is none of the deal's.")
    if stage.id != deal.stage_id:
        deal.proposed_stage_id, deal.proposed_by_message_id = stage.id, call.message_id


def _propose_still(session: Session, call: Call, stage_id: int) -> None:
    """What a colleague proposed stands before what the rules propose, where the deal is still on its road."""
    deal = session.get(Deal, call.deal_id) if call.deal_id is not None else None
    stage = session.get(Stage, stage_id)
    if deal is None or stage is None or deal.outcome is not None or stage.pipeline_id != deal.pipeline_id:
        return
    _propose(session, call, stage_id)
    session.flush()
