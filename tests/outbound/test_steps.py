"""What steps of follow-ups may ask: channels, hours of their own, branches, distance, a budget."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import sequences, sequences_stops
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.budget import Budget
from core.calls import Call
from core.consent import Scope, SuppressionReason, suppress
from core.conversations import Direction
from core.outbox import Delivery, DeliveryState
from core.sequences import (
    AlreadyEnrolled,
    Enrolment,
    EnrolmentState,
    EnrolmentStep,
    Exclusive,
    Result,
    Sequence,
    SequenceStep,
    StepKind,
    StopReason,
)
from core.tasks import Task, TaskState
from core.worktime import Calendar
from outbound.sequences import House, plan, tick
from tests.core.people import client, colleague, deal_with_lines

VILNIUS = ZoneInfo("Europe/Vilnius")
HOUSE = House(Calendar())
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=VILNIUS)
DAY = timedelta(days=1)


def _contact(session: Session, number: int = 1) -> Contact:
    contact = Contact(
        name=f"Klientas {number}",
        language="lt",
        points=[
            ContactPoint(kind=PointKind.EMAIL, value=f"k{number}@klientas.lt"),
            ContactPoint(kind=PointKind.PHONE, value=f"+3706120000{number}"),
        ],
    )
    session.add(contact)
    session.flush()
    return contact


def _email(position: int, days: int = 0, **more: Any) -> SequenceStep:
    return SequenceStep(
        position=position, kind=StepKind.EMAIL, delay_days=days, template="follow_up", titles={}, **more
    )


def _call(position: int, days: int = 0, **more: Any) -> SequenceStep:
    return SequenceStep(
        position=position, kind=StepKind.TASK, delay_days=days, titles={"en": f"Call {position}"}, **more
    )


def _sequence(session: Session, *steps: SequenceStep, key: str = "test", **more: Any) -> Sequence:
    made = Sequence(key=key, names={"en": key}, steps=list(steps), **more)
    session.add(made)
    session.flush()
    return made


def _enrolled(session: Session, sequence: Sequence, contact: Contact | None = None) -> Enrolment:
    contact = contact or _contact(session)
    return sequences.enrol(session, sequence, contact_id=contact.id, due_at=WEDNESDAY)


def _tasks(session: Session) -> list[str]:
    return list(session.scalars(select(Task.title).order_by(Task.id)))


@pytest.mark.parametrize(("kind", "channel"), [(StepKind.SMS, Channel.SMS), (StepKind.VOICE, Channel.VOICE)])
def test_a_step_by_telephone_goes_to_the_contacts_number(
    session: Session, kind: StepKind, channel: Channel
) -> None:
    step = SequenceStep(position=1, kind=kind, delay_days=0, template="reminder", titles={})
    _enrolled(session, _sequence(session, step))
    tick(session, HOUSE, WEDNESDAY)
    (delivery,) = session.scalars(select(Delivery)).all()
    assert (delivery.channel, delivery.address, delivery.template) == (channel, "+37061200001", "reminder")


def test_a_text_goes_to_the_number_that_takes_it(session: Session) -> None:
    contact = _contact(session)
    contact.points[1].value = "+37052123456"
    contact.points.append(ContactPoint(kind=PointKind.PHONE, value="+37061200009"))
    step = SequenceStep(position=1, kind=StepKind.SMS, delay_days=0, template="reminder", titles={})
    _enrolled(session, _sequence(session, step), contact)
    tick(session, HOUSE, WEDNESDAY)
    assert session.scalars(select(Delivery.address)).one() == "+37061200009"


def test_a_fax_step_for_somebody_without_a_fax_ends_it(session: Session) -> None:
    step = SequenceStep(position=1, kind=StepKind.FAX, delay_days=0, template="follow_up", titles={})
    enrolment = _enrolled(session, _sequence(session, step))
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    assert enrolment.stop_reason == StopReason.NO_ADDRESS


def test_a_step_waits_for_its_own_hours_and_days(session: Session) -> None:
    step = _email(1, window={"days": [1, 3], "from": "14:00", "to": "16:00"})
    enrolment = _enrolled(session, _sequence(session, step))
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    assert (enrolment.due_at, enrolment.waits_for) == (
        (WEDNESDAY + DAY).replace(hour=14),
        "outside working hours",
    )


def test_hours_are_added_to_days_in_working_time(session: Session) -> None:
    enrolment = _enrolled(session, _sequence(session, _email(1), _email(2, 1, delay_hours=10)))
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    # Thursday at ten and ten working hours: eight are left that day, two on Friday.
    assert enrolment.due_at == (WEDNESDAY + 2 * DAY).replace(hour=11)


def test_a_branch_goes_by_how_the_task_went(session: Session) -> None:
    branches = [{"on": "reached", "to": 3}, {"on": "not_interested", "to": None}]
    sequence = _sequence(session, _call(1, branches=branches), _call(2, 5), _call(3, 1))
    enrolment = _enrolled(session, sequence)
    tick(session, HOUSE, WEDNESDAY)
    session.execute(update(EnrolmentStep).values(result=Result.REACHED, result_at=WEDNESDAY + DAY))
    session.execute(update(Enrolment).values(due_at=WEDNESDAY + DAY))
    tick(session, HOUSE, WEDNESDAY + DAY)
    session.refresh(enrolment)
    # One day after the result, not after the task was set.
    assert (enrolment.next_position, enrolment.due_at) == (3, WEDNESDAY + 2 * DAY)
    tick(session, HOUSE, WEDNESDAY + 2 * DAY)
    session.refresh(enrolment)
    assert (_tasks(session), enrolment.state) == (["Call 1", "Call 3"], EnrolmentState.FINISHED)


def test_a_branch_may_end_it(session: Session) -> None:
    branches = [{"on": "not_interested", "to": None}]
    enrolment = _enrolled(session, _sequence(session, _call(1, branches=branches), _call(2, 5)))
    tick(session, HOUSE, WEDNESDAY)
    assert sequences.record_result(session, Result.NOT_INTERESTED, enrolment_id=enrolment.id, position=1)
    session.refresh(enrolment)
    tick(session, HOUSE, max(enrolment.due_at, WEDNESDAY + 6 * DAY))
    session.refresh(enrolment)
    assert (_tasks(session), enrolment.state) == (["Call 1"], EnrolmentState.FINISHED)


def test_silence_goes_on_to_the_next_step(session: Session) -> None:
    branches = [{"on": "replied", "to": None}, {"on": "failed", "to": 3}]
    sequence = _sequence(session, _email(1, branches=branches), _call(2, 5), _call(3, 5))
    _enrolled(session, sequence)
    tick(session, HOUSE, WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY + 7 * DAY)
    assert _tasks(session) == ["Call 2"]


def test_a_letter_that_came_back_takes_the_branch_of_failure(session: Session) -> None:
    sequence = _sequence(session, _email(1, branches=[{"on": "failed", "to": 3}]), _email(2, 5), _call(3, 5))
    _enrolled(session, sequence)
    tick(session, HOUSE, WEDNESDAY)
    session.execute(update(Delivery).values(state=DeliveryState.BOUNCED))
    tick(session, HOUSE, WEDNESDAY + 7 * DAY)
    assert _tasks(session) == ["Call 3"]


def test_a_reply_that_ends_nothing_is_still_a_result(session: Session) -> None:
    sequence = _sequence(
        session, _email(1, branches=[{"on": "replied", "to": 3}]), _email(2, 5), _call(3, 0), stop_on=[]
    )
    enrolment = _enrolled(session, sequence)
    tick(session, HOUSE, WEDNESDAY)
    assert sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY) == 0
    session.execute(update(Enrolment).values(replied_at=WEDNESDAY + DAY))
    tick(session, HOUSE, WEDNESDAY + 7 * DAY)
    assert _tasks(session) == ["Call 3"]


def test_a_task_goes_to_who_works_on_the_deal_now(session: Session) -> None:
    rasa, jonas = colleague(session), colleague(session, "Jonas", language="ru")
    deal = deal_with_lines(session, client(session), rasa)
    deal.performer = jonas
    sequence = _sequence(session, _call(1))
    sequence.steps[0].titles = {"en": "Call", "ru": "Звонок"}
    sequences.enrol(session, sequence, contact_id=deal.contact_id or 0, deal_id=deal.id, due_at=WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY)
    rows = session.execute(select(Task.assignee_id, Task.title)).all()
    assert [tuple(row) for row in rows] == [(jonas.id, "Звонок")]


def test_a_done_task_and_one_left_undone_lead_different_ways(session: Session) -> None:
    sequence = _sequence(session, _call(1, branches=[{"on": "done", "to": 3}]), _call(2, 1), _call(3, 1))
    done, left = _contact(session, 1), _contact(session, 2)
    for contact in (done, left):
        _enrolled(session, sequence, contact)
    tick(session, HOUSE, WEDNESDAY)
    session.execute(update(Task).where(Task.contact_id == done.id).values(state=TaskState.DONE))
    tick(session, HOUSE, WEDNESDAY + DAY)
    made = dict(session.execute(select(Task.contact_id, Task.title).where(Task.title != "Call 1")).all())
    assert made == {done.id: "Call 3", left.id: "Call 2"}


def test_a_result_of_an_older_step_changes_nothing(session: Session) -> None:
    enrolment = _enrolled(session, _sequence(session, _call(1), _call(2, 1), _call(3, 1)))
    tick(session, HOUSE, WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY + DAY)
    assert not sequences.record_result(session, Result.DONE, enrolment_id=enrolment.id, position=1)


def test_the_plan_of_a_step_long_due_begins_now(session: Session) -> None:
    enrolment = _enrolled(session, _sequence(session, _email(1), _call(2, 1)))
    later = WEDNESDAY + 7 * DAY
    assert [when for _, when in plan(enrolment, HOUSE, later)] == [later, later + DAY]


def test_the_plan_shows_the_way_of_silence(session: Session) -> None:
    sequence = _sequence(session, _call(1, branches=[{"on": "not_done", "to": 3}]), _call(2, 1), _call(3, 2))
    enrolment = _enrolled(session, sequence)
    assert [step.position for step, _ in plan(enrolment, HOUSE, WEDNESDAY)] == [1, 3]


def test_a_call_of_ours_keeps_a_letter_away(session: Session) -> None:
    enrolment = _enrolled(session, _sequence(session, _email(1)))
    session.add(
        Call(
            provider="twilio", sid="CA1", direction=Direction.OUT, contact_id=enrolment.contact_id,
            started_at=WEDNESDAY - timedelta(hours=2),
        )
    )  # fmt: skip
    session.flush()
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    assert (enrolment.due_at, enrolment.waits_for) == (
        WEDNESDAY + timedelta(hours=23),
        "written to a short time ago",
    )


def test_one_budget_holds_over_two_follow_ups_and_two_channels(session: Session) -> None:
    contact = _contact(session)
    text = SequenceStep(position=1, kind=StepKind.SMS, delay_days=0, template="reminder", titles={})
    one = _sequence(session, _email(1), key="one", least_gap_hours=0)
    two = _sequence(session, text, key="two", least_gap_hours=0)
    for sequence in (one, two):
        _enrolled(session, sequence, contact)
    house = House(Calendar(), Budget(touches=1, days=7))
    tick(session, house, WEDNESDAY)
    assert len(session.scalars(select(Delivery)).all()) == 1
    waiting = session.scalars(select(Enrolment).where(Enrolment.state == EnrolmentState.ACTIVE)).one()
    assert (waiting.due_at, waiting.waits_for) == (WEDNESDAY + 7 * DAY, "enough letters this week")


@pytest.mark.parametrize("which", ["first", "second"])
def test_an_exclusive_follow_up_allows_no_other(session: Session, which: str) -> None:
    contact = _contact(session)
    first = _sequence(session, _email(1), key="first", exclusive=which == "first")
    second = _sequence(session, _email(1), key="second", exclusive=which == "second")
    _enrolled(session, first, contact)
    with pytest.raises(Exclusive):
        _enrolled(session, second, contact)


def test_two_that_are_not_exclusive_go_side_by_side(session: Session) -> None:
    contact = _contact(session)
    _enrolled(session, _sequence(session, _email(1), key="first"), contact)
    assert _enrolled(session, _sequence(session, _email(1), key="second"), contact).id


def test_being_in_it_already_is_said_before_anything_else(session: Session) -> None:
    contact, sequence = _contact(session), _sequence(session, _email(1), exclusive=True)
    _enrolled(session, sequence, contact)
    with pytest.raises(AlreadyEnrolled):
        _enrolled(session, sequence, contact)


def test_a_delay_counts_in_working_days_and_its_own_days_come_after_them(session: Session) -> None:
    steps = [_email(1), _email(2, 3, window={"days": [1], "from": "14:00"})]
    enrolment = _enrolled(session, _sequence(session, *steps))
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    # Three working days from Wednesday are Monday; Tuesday is the first of its own days after them.
    due = (WEDNESDAY + 6 * DAY).replace(hour=14)
    assert enrolment.due_at == due
    assert [when for _, when in plan(enrolment, HOUSE, WEDNESDAY)] == [due]


def test_a_branch_to_a_text_knows_its_number_and_who_opted_out(session: Session) -> None:
    stays, left = _contact(session, 1), _contact(session, 2)
    for number, contact in enumerate((stays, left)):
        contact.points[1].value = "+37052123456"
        contact.points.append(ContactPoint(kind=PointKind.PHONE, value=f"+3706120000{number}"))
    session.flush()
    suppress(
        session, Channel.SMS, left.points[2].value, scope=Scope.EVERYTHING,
        reason=SuppressionReason.UNSUBSCRIBED, source="test",
    )  # fmt: skip
    text = SequenceStep(position=3, kind=StepKind.SMS, delay_days=0, template="reminder", titles={})
    branches = [{"on": "not_done", "to": 3}]
    sequence = _sequence(session, _call(1, branches=branches), _call(2, 1), text)
    enrolments = [_enrolled(session, sequence, contact) for contact in (stays, left)]
    tick(session, HOUSE, WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY + DAY)
    assert session.scalars(select(Delivery.address)).all() == [stays.points[2].value]
    session.refresh(enrolments[1])
    assert enrolments[1].stop_reason == StopReason.OPT_OUT


def test_a_step_sends_no_offer_of_nothing(session: Session) -> None:
    offer = SequenceStep(
        position=1, kind=StepKind.EMAIL, delay_days=0, template="commercial_offer", titles={}
    )
    enrolment = _enrolled(session, _sequence(session, offer))
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    assert (enrolment.state, enrolment.waits_for) == (EnrolmentState.PAUSED, "fault")


def test_a_fax_carries_the_document_of_its_letter(session: Session) -> None:
    contact = _contact(session)
    contact.points.append(ContactPoint(kind=PointKind.FAX, value="+37052123456"))
    step = SequenceStep(position=1, kind=StepKind.FAX, delay_days=0, template="brochure", titles={})
    _enrolled(session, _sequence(session, step), contact)
    tick(session, HOUSE, WEDNESDAY)
    (fax,) = session.scalars(select(Delivery)).all()
    assert (fax.channel, fax.address, fax.documents) == (Channel.FAX, "+37052123456", ["brochure"])
