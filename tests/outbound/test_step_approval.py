"""A step of a follow-up that needs a word: it waits, so does the next one, and both go on with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import approvals, defaults, sequences, sequences_stops
from core.accounts import Contact, ContactPoint, PointKind
from core.approvalasks import Approval
from core.approvalreads import came_back
from core.letters import UNDO
from core.outbox import EXPIRY, Delivery
from core.sequences import Enrolment, StopReason
from core.staff import Role
from core.tasks import Task
from core.worktime import Calendar
from outbound.sequences import APPROVAL, APPROVAL_WAIT, House, opens_at, tick
from tests.core.people import colleague

HOUSE = House(Calendar())
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=ZoneInfo("Europe/Vilnius"))


@pytest.fixture
def enrolment(session: Session) -> Enrolment:
    """A client whose first step is due and waits for the head of sales, since the deal has no owner."""
    colleague(session, "Helen", role=Role.HEAD)
    defaults.install(session)
    sequence = sequences.current(session, "after_offer")
    assert sequence is not None
    sequence.steps[0].approve = True
    contact = Contact(
        name="Ona", language="lt", points=[ContactPoint(kind=PointKind.EMAIL, value="ona@vandenis.lt")]
    )
    session.add(contact)
    session.flush()
    made = sequences.enrol(session, sequence, contact_id=contact.id, due_at=WEDNESDAY)
    assert tick(session, HOUSE, WEDNESDAY) == 1
    return made


def test_the_next_step_waits_for_the_word_and_counts_from_it(session: Session, enrolment: Enrolment) -> None:
    assert session.scalars(select(Delivery.state)).all() == ["held"]
    later = WEDNESDAY + timedelta(days=14)
    tick(session, HOUSE, later)
    session.refresh(enrolment)
    assert (enrolment.waits_for, enrolment.due_at) == (APPROVAL, later + APPROVAL_WAIT)
    assert session.scalars(select(Task.id)).all() == []
    approval = session.scalars(select(Approval)).one()
    approvals.approve(session, approval.id, by=approval.approver_ids[0])
    now = session.execute(select(func.now())).scalar_one()
    tick(session, HOUSE, now)
    session.refresh(enrolment)
    due_at = HOUSE.calendar.after(now, enrolment.sequence.steps[1].delay_days, 0)
    assert (enrolment.waits_for, enrolment.next_position, enrolment.due_at) == (None, 2, due_at)
    tick(session, HOUSE, due_at)
    assert len(session.scalars(select(Task.id)).all()) == 1


def test_a_stop_takes_back_what_waits_for_a_word(session: Session, enrolment: Enrolment) -> None:
    sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY)
    assert session.scalars(select(Delivery.state)).all() == ["cancelled"]
    approvals.look_after(session)
    assert session.scalars(select(Approval.state)).all() == ["outdated"]


def test_a_word_lets_a_step_go_in_the_clients_working_hours(session: Session, enrolment: Enrolment) -> None:
    enrolment.sequence.steps[0].window = {"days": [6, 0], "from": "11:00", "to": "11:01"}
    session.flush()
    approval = session.scalars(select(Approval)).one()
    now = session.execute(select(func.now())).scalar_one()
    opens = opens_at(session, approval.delivery_id, HOUSE)
    assert opens == HOUSE.calendar.within({"days": [0], "from": "11:00", "to": "11:01"}).next_open(now)
    approvals.approve(session, approval.id, by=approval.approver_ids[0], not_before=opens)
    delivery = session.get_one(Delivery, approval.delivery_id, populate_existing=True)
    assert delivery.due_at == max(opens or now, now + UNDO)
    assert delivery.expires_at == delivery.due_at + EXPIRY


def test_what_comes_back_and_nobody_asked_comes_to_who_leads(session: Session, enrolment: Enrolment) -> None:
    approval = session.scalars(select(Approval)).one()
    head = approval.approver_ids[0]
    approvals.give_back(session, approval.id, "Shorter", by=head)
    found = {leads: session.scalars(select(Approval.id).where(came_back(head, leads=leads))).all()
             for leads in (False, True)}  # fmt: skip
    assert found == {False: [], True: [approval.id]}
