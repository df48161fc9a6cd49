"""What came of a call moves deals and follow-ups."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import callnotes, outbox, sequences
from core.callnotes import Logged, Note
from core.calls import Call, CallOutcome
from core.conversations import Direction
from core.deals import Deal, Stage
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from core.sequences import EnrolmentState, EnrolmentStep, Result, Sequence, SequenceStep, StepKind, StopReason
from core.stages import enter_stage
from core.tasks import Task, TaskState
from tests.core.people import client, colleague, deal_with_lines, letter


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def _log(session: Session, deal: Deal, outcome: CallOutcome, key: str = "1") -> None:
    """A colleague writes down a call of theirs with the deal's client."""
    message = session.get_one(type(deal.contact), deal.contact_id)
    talk = letter(session, message, rfc_id=f"{key}@vandenis.lt").conversation
    talk.deal_id = deal.id
    now = session.execute(select(func.now())).scalar_one()
    next_step = (
        ("Send the contract", now + timedelta(days=1)) if outcome == CallOutcome.NEXT_STEP else ("", None)
    )
    callnotes.log_call(
        session, talk, deal.owner_id or 0,
        Logged(key=key, direction=Direction.OUT, happened_at=now - timedelta(minutes=5), seconds=180),
        Note(outcome, "", *next_step),
    )  # fmt: skip


def _waiting_letter(session: Session, deal: Deal, stop_on: list[str]) -> tuple[int, int]:
    """A follow-up of the deal whose letter waits in the queue; its enrolment and delivery."""
    sequence = Sequence(
        key="waits",
        names={"en": "Waits"},
        stop_on=stop_on,
        steps=[
            SequenceStep(position=1, kind=StepKind.TASK, delay_days=0, titles={"en": "Call"}, branches=[
                {"on": "not_interested", "to": None}, {"on": "interested", "to": 3},
            ]),
            SequenceStep(position=2, kind=StepKind.EMAIL, delay_days=5, template="follow_up"),
            SequenceStep(position=3, kind=StepKind.EMAIL, delay_days=1, template="follow_up"),
        ],
    )  # fmt: skip
    session.add(sequence)
    session.flush()
    now = session.execute(select(func.now())).scalar_one()
    one = sequences.enrol(
        session, sequence, contact_id=deal.contact_id or 0, deal_id=deal.id, due_at=now + timedelta(days=5)
    )
    delivery_id = outbox.queue(
        session,
        Draft(key="w", address="ona@vandenis.lt", purpose=Purpose.SERVICE, contact_id=deal.contact_id),
    )
    task = Task(title="Call", kind="follow_up", contact_id=deal.contact_id, deal_id=deal.id)
    session.add(task)
    session.flush()
    session.add(
        EnrolmentStep(
            enrolment_id=one.id, position=1, outcome="done", task_id=task.id, delivery_id=delivery_id
        )
    )
    one.next_position = 2
    session.flush()
    return one.id, delivery_id or 0


def test_what_came_of_a_call_moves_the_stage_and_cancels_the_waiting_mail(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    enter_stage(
        session, deal, _stage(session, "commercial_offer"), override=True, reason="asked", silent=True
    )
    _stage(session, "contract").automatic_on = ["call_agreed"]
    enrolment_id, delivery_id = _waiting_letter(session, deal, ["deal_moved"])
    _log(session, deal, CallOutcome.TALKED)
    assert deal.stage.key == "commercial_offer"
    _log(session, deal, CallOutcome.NEXT_STEP, "2")
    assert deal.stage.key == "contract"
    enrolment = session.get_one(sequences.Enrolment, enrolment_id)
    assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.DEAL_MOVED)
    assert session.get_one(Delivery, delivery_id).state == DeliveryState.CANCELLED


def test_a_call_of_the_stage_before_moves_nothing_again(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    _log(session, deal, CallOutcome.NEXT_STEP)
    deal.stage_entered_at = session.execute(select(func.now() + timedelta(minutes=1))).scalar_one()
    _stage(session, "need_identified").automatic_on = ["call_agreed"]
    session.flush()
    _log(session, deal, CallOutcome.NO_ANSWER, "2")
    assert deal.stage.key == "first_contact"


@pytest.mark.parametrize(
    ("outcome", "result", "task"),
    [
        (CallOutcome.TALKED, Result.REACHED, TaskState.DONE),
        (CallOutcome.NEXT_STEP, Result.INTERESTED, TaskState.DONE),
        (CallOutcome.NO_ANSWER, Result.NOT_REACHED, TaskState.OPEN),
        (CallOutcome.REFUSED, Result.NOT_INTERESTED, TaskState.DONE),
        (CallOutcome.WRONG_NUMBER, Result.FAILED, TaskState.DONE),
    ],
)
def test_the_step_that_asked_for_the_call_hears_what_came_of_it(
    session: Session, outcome: CallOutcome, result: Result, task: TaskState
) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    enrolment_id, _ = _waiting_letter(session, deal, [])
    _log(session, deal, outcome)
    step = session.get_one(EnrolmentStep, (enrolment_id, 1), populate_existing=True)
    assert step.result == result
    assert session.get_one(Task, step.task_id).state == task
    assert session.get_one(sequences.Enrolment, enrolment_id).state == EnrolmentState.ACTIVE


def test_a_talk_ends_what_a_call_ends(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    enrolment_id, delivery_id = _waiting_letter(session, deal, ["call"])
    _log(session, deal, CallOutcome.NO_ANSWER)
    enrolment = session.get_one(sequences.Enrolment, enrolment_id)
    assert enrolment.state == EnrolmentState.ACTIVE
    _log(session, deal, CallOutcome.TALKED, "2")
    session.expire_all()
    assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.CALL)
    assert session.get_one(Delivery, delivery_id).state == DeliveryState.CANCELLED


def test_a_result_that_is_told_twice_brings_nothing_forward_again(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    enrolment_id, _ = _waiting_letter(session, deal, [])
    assert sequences.record_result(session, Result.INTERESTED, enrolment_id=enrolment_id, position=1)
    enrolment = session.get_one(sequences.Enrolment, enrolment_id)
    later = session.execute(select(func.now() + timedelta(days=1))).scalar_one()
    enrolment.due_at = later
    session.flush()
    assert sequences.record_result(session, Result.INTERESTED, enrolment_id=enrolment_id, position=1)
    assert enrolment.due_at == later


def test_a_call_that_was_a_talk_after_all_ends_what_a_call_ends(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    enrolment_id, _ = _waiting_letter(session, deal, ["call"])
    _log(session, deal, CallOutcome.NO_ANSWER)
    call = session.scalars(select(Call)).one()
    callnotes.note(session, call, deal.owner_id or 0, Note(CallOutcome.TALKED))
    session.expire_all()
    assert session.get_one(sequences.Enrolment, enrolment_id).state == EnrolmentState.STOPPED


def test_the_stage_that_a_colleague_proposes_stands_before_what_the_rules_propose(session: Session) -> None:
    deal = deal_with_lines(session, client(session), colleague(session))
    _stage(session, "need_identified").proposed_on = ["call_agreed"]
    _log(session, deal, CallOutcome.NO_ANSWER)
    call = session.scalars(select(Call)).one()
    when = session.execute(select(func.now() + timedelta(days=1))).scalar_one()
    wished = _stage(session, "demo")
    callnotes.note(
        session, call, deal.owner_id or 0,
        Note(CallOutcome.NEXT_STEP, "", "Show it", when, stage_id=wished.id),
    )  # fmt: skip
    assert deal.proposed_stage_id == wished.id
