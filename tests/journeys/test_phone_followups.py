"""Calls of follow-ups against a Twilio over a socket: how they are met decides which step comes next."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core import byphone, outbox, phoneevents, sequences, sequences_stops
from core.accounts import Channel
from core.outbox import Delivery
from core.phoneevents import EventKind, Told
from core.sequences import (
    Enrolment,
    EnrolmentState,
    EnrolmentStep,
    Result,
    Sequence,
    SequenceStep,
    StepKind,
    StopReason,
)
from core.tasks import Task, TaskState
from tests.twilio_local.house import CLIENT, OURS, OWNER, SECOND, SUPPORT
from tests.twilio_local.outgoing import Outgoing, contact_of, outgoing, owner
from tests.twilio_local.people import Answer, Callee

DEMO = {"demo": {"starts": "2026-11-26T10:00:00+02:00"}}


def remind(out: Outgoing, *, stopped: bool = False, last: bool = False) -> None:
    """A follow-up whose first step, by voice and perhaps its last, goes out; stopped while it rings."""
    with out.context.transaction() as session:
        contact = contact_of(session, CLIENT)
        steps = [
            SequenceStep(
                position=1, kind=StepKind.VOICE, delay_days=0, template="demo_reminder",
                branches=[{"on": "machine", "to": 3}, {"on": "no_answer", "to": 2}],
            ),
            SequenceStep(position=2, kind=StepKind.SMS, delay_days=1, template="demo_reminder"),
            SequenceStep(position=3, kind=StepKind.EMAIL, delay_days=1, template="follow_up"),
        ]  # fmt: skip
        sequence = Sequence(key="demo", names={"en": "Demo"}, steps=steps)
        session.add(sequence)
        session.flush()
        now = session.execute(select(func.now())).scalar_one()
        enrolment = sequences.enrol(session, sequence, contact_id=contact.id, due_at=now)
        draft = byphone.automatic(
            session, contact, Channel.VOICE, template="demo_reminder", key="enrolment:1:1", values=DEMO
        )
        delivery_id = outbox.queue(session, draft)
        enrolment.next_position = 2
        if last:
            enrolment.state = EnrolmentState.FINISHED
        session.add(
            EnrolmentStep(enrolment_id=enrolment.id, position=1, outcome="done", delivery_id=delivery_id)
        )
    out.send(Channel.VOICE)
    out.creator.place()
    if stopped:
        with out.context.transaction() as session:
            sequences_stops.stop_for_contacts(session, [contact_of(session, CLIENT).id], StopReason.REPLY)
    out.told()


@pytest.mark.parametrize(
    ("callee", "result"),
    [
        (Callee(keys=""), Result.ANSWERED),
        (Callee(Answer.MACHINE), Result.MACHINE),
        (Callee(Answer.BUSY), Result.NO_ANSWER),
        (Callee(Answer.FAX), Result.FAILED),
    ],
)
def test_a_step_hears_how_its_call_was_met(
    engine: sa.Engine, tmp_path: Path, callee: Callee, result: Result
) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 1}) as out:
        out.house.exchange.book[CLIENT] = callee
        remind(out)
        with out.house.looking() as session:
            step = session.scalars(select(EnrolmentStep)).one()
            enrolment = session.scalars(select(Enrolment)).one()
            now = session.execute(select(func.now())).scalar_one()
            assert step.result == result
            # It is not the client who rang: the follow-up goes on, at once where a branch goes by it.
            assert enrolment.state == EnrolmentState.ACTIVE
            assert enrolment.due_at <= now


def test_a_call_that_is_tried_again_says_nothing_before_the_last_attempt(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 2}) as out:
        out.house.exchange.book[CLIENT] = Callee(Answer.BUSY)
        remind(out)
        with out.house.looking() as session:
            step = session.scalars(select(EnrolmentStep)).one()
            again = session.get_one(Delivery, step.delivery_id)
            assert (step.result, again.state, again.key) == (None, "queued", "enrolment:1:1:attempt:2")


@pytest.mark.parametrize("last", [False, True])
def test_a_call_of_a_follow_up_that_was_stopped_meanwhile_is_not_tried_again(
    engine: sa.Engine, tmp_path: Path, last: bool
) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 2}) as out:
        out.house.exchange.book[CLIENT] = Callee(Answer.BUSY)
        remind(out, stopped=True, last=last)
        with out.house.looking() as session:
            assert session.scalars(select(Delivery.key)).all() == ["enrolment:1:1"]


def test_a_client_who_is_put_through_to_a_colleague_ends_the_follow_up(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 1}) as out:
        out.house.exchange.book[CLIENT] = Callee(keys="1")
        remind(out)
        with out.house.looking() as session:
            enrolment = session.scalars(select(Enrolment)).one()
            assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.CALL)


def test_a_colleague_whose_key_is_told_late_talked_with_the_client_all_the_same(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 1}) as out:
        out.house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
        out.house.exchange.book[CLIENT] = Callee(keys="1")
        remind(out)
        with out.house.looking() as session:
            assert session.scalars(select(Enrolment)).one().state == EnrolmentState.ACTIVE
            assert session.scalars(select(Task)).one().state == TaskState.OPEN
            (call,) = out.house.calls(session)
            facts = {"call": call.sid, "step": "accept", "input": "1", "staff_id": owner(session).id}
            phoneevents.keep(session, [Told("late", "twilio", EventKind.STEP, call.sid, facts)])
        out.house.work()
        with out.house.looking() as session:
            enrolment = session.scalars(select(Enrolment)).one()
            assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.CALL)
            assert session.scalars(select(Task)).one().state == TaskState.DONE


def test_a_client_who_rings_ends_the_follow_up(engine: sa.Engine, tmp_path: Path) -> None:
    with outgoing(engine, tmp_path, dialling={"attempts": 1}) as out:
        out.house.exchange.book[CLIENT] = Callee(keys="")
        remind(out)
        out.house.exchange.call(CLIENT, OURS)
        out.told()
        with out.house.looking() as session:
            enrolment = session.scalars(select(Enrolment)).one()
            assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.CALL)
