"""What the telephone tells follow-ups: how a call of theirs was met, that a client rang, what a talk made."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import sequences, sequences_stops, tasks
from core.callplanout import FAX, PEOPLE
from core.calls import Call, CallOutcome
from core.sequences import (
    LIVE,
    Enrolment,
    EnrolmentStep,
    Result,
    Sequence,
    SequenceStep,
    StepKind,
    StopReason,
)
from core.tasks import Task, TaskState

RESULTS: dict[CallOutcome, Result] = {
    CallOutcome.TALKED: Result.REACHED,
    CallOutcome.NEXT_STEP: Result.INTERESTED,
    CallOutcome.NO_ANSWER: Result.NOT_REACHED,
    CallOutcome.REFUSED: Result.NOT_INTERESTED,
    CallOutcome.WRONG_NUMBER: Result.FAILED,
}
"""What a colleague's word on a call means for the step that asked for it."""
TALKED = frozenset({CallOutcome.TALKED, CallOutcome.NEXT_STEP, CallOutcome.REFUSED})


def met_by(answered_by: str | None, *, rang: bool) -> Result:
    """How a call by machine was met; ``rang`` where a telephone rang and nobody took it."""
    if answered_by is None:
        return Result.NO_ANSWER if rang else Result.FAILED
    if answered_by in PEOPLE:
        return Result.ANSWERED
    return Result.FAILED if answered_by == FAX else Result.MACHINE


def client_rang(session: Session, call: Call) -> int:
    """A client rang us or was talked with: end what a call ends. Returns how many follow-ups ended."""
    if call.contact_id is None:
        return 0
    return sequences_stops.stop_for_contacts(session, [call.contact_id], StopReason.CALL)


def noted(session: Session, call: Call, outcome: CallOutcome, *, first: bool) -> None:
    """A colleague said what came of a call: the step that asked for it hears of it, and its task is done.

    ``first`` where no talk was noted of the call before; a talk that is noted for the first time ends what
    a call ends.
    """
    if call.contact_id is None:
        return
    for row in _asked(session, call.contact_id):
        sequences.record_result(
            session, RESULTS[outcome], enrolment_id=row.enrolment_id, position=row.position
        )
        task = session.get(Task, row.task_id) if row.task_id is not None else None
        if task is not None and task.state == TaskState.OPEN and outcome != CallOutcome.NO_ANSWER:
            tasks.settle(session, task, TaskState.DONE)
    if first and outcome in TALKED:
        client_rang(session, call)


def _asked(session: Session, contact_id: int) -> list[EnrolmentStep]:
    """The last steps of a contact's follow-ups where they asked for a call or made one."""
    newest = (
        select(EnrolmentStep.enrolment_id, func.max(EnrolmentStep.position).label("position"))
        .join(Enrolment, Enrolment.id == EnrolmentStep.enrolment_id)
        .where(Enrolment.contact_id == contact_id, Enrolment.state.in_(LIVE), EnrolmentStep.outcome == "done")
        .group_by(EnrolmentStep.enrolment_id)
        .subquery()
    )
    query = (
        select(EnrolmentStep)
        .join(
            newest,
            (newest.c.enrolment_id == EnrolmentStep.enrolment_id)
            & (newest.c.position == EnrolmentStep.position),
        )
        .join(Enrolment, Enrolment.id == EnrolmentStep.enrolment_id)
        .join(Sequence, Sequence.id == Enrolment.sequence_id)
        .join(
            SequenceStep,
            (SequenceStep.sequence_id == Sequence.id) & (SequenceStep.position == EnrolmentStep.position),
        )
        .where(SequenceStep.kind.in_([StepKind.TASK, StepKind.VOICE]))
    )
    return list(session.scalars(query))
