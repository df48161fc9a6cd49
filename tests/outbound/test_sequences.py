"""Follow-ups in motion, over days and a whole year of a moved clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import consent, db, defaults, sequences, sequences_stops
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.consent import Scope, SuppressionReason
from core.outbox import Delivery
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep, Sequence, StopReason
from core.tasks import Task
from core.worktime import Calendar
from outbound.sequences import House, plan, skip, tick

VILNIUS = ZoneInfo("Europe/Vilnius")
HOUSE = House(Calendar())
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=VILNIUS)


def _contact(session: Session, number: int = 1) -> Contact:
    contact = Contact(
        name=f"Klientas {number}",
        language="lt",
        points=[ContactPoint(kind=PointKind.EMAIL, value=f"k{number}@klientas{number}.lt")],
    )
    session.add(contact)
    session.flush()
    return contact


def _sequence(session: Session) -> Sequence:
    defaults.install(session)
    sequence = sequences.current(session, "after_offer")
    assert sequence is not None
    return sequence


def _enrolled(session: Session, due_at: datetime = WEDNESDAY) -> Enrolment:
    return sequences.enrol(session, _sequence(session), contact_id=_contact(session).id, due_at=due_at)


def test_a_due_step_is_queued_and_the_next_is_planned_in_working_days(session: Session) -> None:
    enrolment = _enrolled(session)
    assert tick(session, HOUSE, WEDNESDAY) == 1
    session.refresh(enrolment)
    assert session.scalars(select(Delivery.template)).all() == ["follow_up"]
    assert (enrolment.next_position, enrolment.due_at) == (2, WEDNESDAY + timedelta(days=7))


def test_a_step_that_is_not_due_is_left_alone(session: Session) -> None:
    _enrolled(session, WEDNESDAY + timedelta(seconds=1))
    assert tick(session, HOUSE, WEDNESDAY) == 0


def test_the_last_step_finishes_it_with_a_task(session: Session) -> None:
    enrolment = _enrolled(session)
    tick(session, HOUSE, WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY + timedelta(days=7))
    session.refresh(enrolment)
    assert enrolment.state == EnrolmentState.FINISHED
    assert session.scalars(select(Task.title)).all() == ["Call: no answer to the offer"]


def test_looking_twice_sends_once(session: Session) -> None:
    _enrolled(session)
    tick(session, HOUSE, WEDNESDAY)
    assert tick(session, HOUSE, WEDNESDAY) == 0
    assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_an_opt_out_ends_it_before_the_letter(session: Session) -> None:
    enrolment = _enrolled(session)
    consent.suppress(
        session, Channel.EMAIL, "k1@klientas1.lt", scope=Scope.MARKETING,
        reason=SuppressionReason.UNSUBSCRIBED, source="test",
    )  # fmt: skip
    tick(session, HOUSE, WEDNESDAY)
    session.refresh(enrolment)
    assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.OPT_OUT)
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


@pytest.mark.parametrize(
    ("scope", "sent"),
    [(Scope.MARKETING, ["brochure"]), (Scope.EVERYTHING, [])],
    ids=["mailings", "everything"],
)
def test_who_wants_no_mailings_still_gets_the_step_that_serves_them(
    session: Session, scope: Scope, sent: list[str]
) -> None:
    enrolment = _enrolled(session)
    enrolment.sequence.steps[0].template = "brochure"
    consent.suppress(
        session, Channel.EMAIL, "k1@klientas1.lt", scope=scope,
        reason=SuppressionReason.UNSUBSCRIBED, source="test",
    )  # fmt: skip
    tick(session, HOUSE, WEDNESDAY)
    assert session.scalars(select(Delivery.template)).all() == sent
    session.refresh(enrolment)
    assert enrolment.stop_reason == (None if sent else StopReason.OPT_OUT)


def test_a_client_in_another_zone_is_written_to_in_their_working_hours(session: Session) -> None:
    enrolment = _enrolled(session, WEDNESDAY.replace(hour=9))
    contact = session.get_one(Contact, enrolment.contact_id)
    contact.account = Account(name="Client in Chicago", zone="America/Chicago", country="US")
    session.flush()
    tick(session, HOUSE, WEDNESDAY.replace(hour=9))
    session.refresh(enrolment)
    assert enrolment.due_at == datetime(2026, 11, 18, 9, 0, tzinfo=ZoneInfo("America/Chicago"))


def test_a_skipped_step_is_passed_over(session: Session) -> None:
    enrolment = _enrolled(session)
    skip(session, enrolment, HOUSE)
    assert enrolment.next_position == 2
    assert session.scalars(select(EnrolmentStep.outcome)).all() == ["skipped"]


def test_the_plan_tells_what_will_go_out_and_when(session: Session) -> None:
    enrolment = _enrolled(session)
    planned = [(step.kind.value, when) for step, when in plan(enrolment, HOUSE, WEDNESDAY)]
    assert planned == [("email", WEDNESDAY), ("task", WEDNESDAY + timedelta(days=7))]


def test_a_client_without_a_usable_address_does_not_stop_the_page(session: Session) -> None:
    sequence = _sequence(session)
    bad, good = _contact(session, 1), _contact(session, 2)
    bad.points[0].value = "not an address"
    session.flush()
    for contact in (bad, good):
        sequences.enrol(session, sequence, contact_id=contact.id, due_at=WEDNESDAY)
    tick(session, HOUSE, WEDNESDAY)
    states = dict(session.execute(select(Enrolment.contact_id, Enrolment.state)).all())
    assert (states[bad.id], states[good.id]) == (EnrolmentState.STOPPED, EnrolmentState.ACTIVE)
    assert session.scalars(select(Delivery.address)).all() == ["k2@klientas2.lt"]


@pytest.mark.long
def test_a_year_of_follow_ups_with_replies_keeps_every_rule(engine: sa.Engine) -> None:
    """A year of simulated days, both changes of the clocks in it: counted, not believed."""
    chance = random.Random(7)
    now = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    with db.transaction(engine) as session:
        sequence_id = _sequence(session).id
        contacts = [_contact(session, number).id for number in range(120)]
        for contact_id in contacts:
            starts = now + timedelta(days=chance.randint(0, 330), hours=chance.randint(0, 23))
            sequences.enrol(
                session, session.get_one(Sequence, sequence_id), contact_id=contact_id, due_at=starts
            )
    stopped: dict[int, datetime] = {}
    while now < datetime(2027, 1, 31, tzinfo=UTC):
        with db.transaction(engine) as session:
            while tick(session, HOUSE, now):
                pass
            for contact_id in chance.sample(contacts, 1):
                if sequences_stops.stop_for_contacts(session, [contact_id], StopReason.REPLY):
                    stopped[contact_id] = now
        now += timedelta(hours=chance.choice([7, 11, 17]))
    with db.transaction(engine) as session:
        taken = session.execute(
            select(
                EnrolmentStep.enrolment_id,
                EnrolmentStep.position,
                EnrolmentStep.taken_at,
                Enrolment.contact_id,
            )
            .join(Enrolment, Enrolment.id == EnrolmentStep.enrolment_id)
            .order_by(EnrolmentStep.enrolment_id, EnrolmentStep.position)
        ).all()
        by_enrolment: dict[int, list[int]] = {}
        for enrolment_id, position, taken_at, contact_id in taken:
            by_enrolment.setdefault(enrolment_id, []).append(position)
            assert HOUSE.calendar.is_open(taken_at)
            assert contact_id not in stopped or taken_at <= stopped[contact_id]
        assert all(positions == list(range(1, len(positions) + 1)) for positions in by_enrolment.values())
        finished = select(func.count()).where(Enrolment.state == EnrolmentState.FINISHED)
        live = select(func.count()).where(Enrolment.state.in_(sequences.LIVE))
        assert session.scalar(live) == 0
        assert session.scalar(finished) == len(contacts) - len(stopped)
        assert sum(len(positions) == 2 for positions in by_enrolment.values()) == len(contacts) - len(stopped)


def _die_after_a_tick(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        tick(session, HOUSE, WEDNESDAY)
        raise KeyboardInterrupt


def test_a_worker_that_dies_before_its_commit_leaves_the_step_to_the_next(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        _enrolled(session)
    with pytest.raises(KeyboardInterrupt):
        _die_after_a_tick(engine)
    with db.transaction(engine) as session:
        assert tick(session, HOUSE, WEDNESDAY) == 1
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_a_step_is_taken_once_even_if_its_enrolment_is_set_back(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        _enrolled(session)
        tick(session, HOUSE, WEDNESDAY)
        session.execute(update(Enrolment).values(due_at=WEDNESDAY, next_position=1))
    with db.transaction(engine) as session:
        tick(session, HOUSE, WEDNESDAY + timedelta(days=2))
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
