"""Follow-ups while workers die, clocks jump and clients opt out in the middle of a page."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import consent, db, flood, notices, sequences, sequences_stops
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.consent import Scope, SuppressionReason
from core.context import Context
from core.outbox import Delivery, DeliveryState
from core.sequences import Enrolment, EnrolmentState, Sequence, SequenceStep, StepKind, StopReason
from core.worktime import Calendar
from outbound.sequences import House, look, run, tick

VILNIUS = ZoneInfo("Europe/Vilnius")
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=VILNIUS)


def _enrol(
    session: Session, count: int, due_at: datetime, kind: StepKind = StepKind.EMAIL
) -> list[Enrolment]:
    step = SequenceStep(position=1, kind=kind, delay_days=0, template="follow_up", titles={"en": "Call"})
    after = SequenceStep(position=2, kind=StepKind.TASK, delay_days=3, titles={"en": "Call"})
    sequence = Sequence(key="test", names={"en": "Test"}, steps=[step, after])
    contacts = [
        Contact(
            name=f"K{number}",
            points=[
                ContactPoint(kind=PointKind.EMAIL, value=f"k{number}@klientas.lt"),
                ContactPoint(kind=PointKind.PHONE, value=f"+370612{number:05}"),
            ],
        )
        for number in range(count)
    ]
    session.add_all([sequence, *contacts])
    session.flush()
    return [sequences.enrol(session, sequence, contact_id=one.id, due_at=due_at) for one in contacts]


def _sent(engine: sa.Engine) -> int:
    with db.transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def test_f06_a_page_killed_before_its_commit_is_taken_whole_by_the_next_worker(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        _enrol(session, 30, WEDNESDAY)
    dying = engine.connect()
    with Session(dying) as session:
        tick(session, House(Calendar()), WEDNESDAY)
        # What kill -9 does to a worker, as its server sees it.
        with engine.connect() as other:
            other.execute(
                text("select pg_terminate_backend(:pid)"),
                {"pid": session.execute(text("select pg_backend_pid()")).scalar_one()},
            )
        with pytest.raises(sa.exc.OperationalError):
            session.commit()
    dying.invalidate()
    assert _sent(engine) == 0
    with db.transaction(engine) as session:
        assert tick(session, House(Calendar()), WEDNESDAY) == 30
    assert _sent(engine) == 30


def test_f07_told_to_stop_in_the_middle_the_look_ends_between_two_pages(
    context: Context, engine: sa.Engine
) -> None:
    with db.transaction(engine) as session:
        _enrol(session, 40, datetime(2026, 1, 7, tzinfo=UTC))
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(context, stop))
    worker.start()
    stop.set()
    worker.join(120)
    assert not worker.is_alive()
    with db.transaction(engine) as session:
        steps = session.execute(text("select count(*) from enrolment_step where delivery_id is not null"))
        assert steps.scalar_one() == session.scalar(select(func.count()).select_from(Delivery))


def test_f56_an_opt_out_while_a_page_is_in_flight_takes_back_what_the_page_queued(engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        enrolment = _enrol(session, 1, WEDNESDAY, StepKind.SMS)[0]
        contact_id, number = enrolment.contact_id, "+37061200000"
    page = Session(engine)
    tick(page, House(Calendar()), WEDNESDAY)

    def opt_out() -> None:
        with db.transaction(engine) as session:
            consent.suppress(
                session, Channel.SMS, number, scope=Scope.MARKETING,
                reason=SuppressionReason.UNSUBSCRIBED, source="СТОП",
            )  # fmt: skip
            sequences_stops.stop_for_contacts(session, [contact_id], StopReason.OPT_OUT)

    client = threading.Thread(target=opt_out)
    client.start()
    page.commit()
    page.close()
    client.join(120)
    with db.transaction(engine) as session:
        assert session.scalars(select(Delivery.state)).all() == [DeliveryState.CANCELLED]
        assert session.scalars(select(Enrolment.stop_reason)).all() == [StopReason.OPT_OUT]
        assert tick(session, House(Calendar()), WEDNESDAY + timedelta(days=30)) == 0


def test_f56_an_opt_out_before_the_page_stops_the_step(session: Session) -> None:
    _enrol(session, 1, WEDNESDAY, StepKind.SMS)
    consent.suppress(
        session, Channel.SMS, "+37061200000", scope=Scope.MARKETING,
        reason=SuppressionReason.UNSUBSCRIBED, source="ATSISAKAU",
    )  # fmt: skip
    tick(session, House(Calendar()), WEDNESDAY)
    assert session.scalars(select(Enrolment.stop_reason)).all() == [StopReason.OPT_OUT]
    assert session.scalars(select(Delivery.id)).all() == []


@pytest.mark.parametrize(
    ("before", "days"),
    [(datetime(2026, 3, 27, 9, 30), 1), (datetime(2026, 10, 23, 9, 30), 1)],  # noqa: DTZ001 - the zone is added below
)
def test_f58_half_past_nine_stays_half_past_nine_when_the_clocks_change(
    session: Session, before: datetime, days: int
) -> None:
    friday = before.replace(tzinfo=VILNIUS)
    (enrolment,) = _enrol(session, 1, friday)
    enrolment.sequence.steps[1].delay_days = days
    session.flush()
    tick(session, House(Calendar()), friday)
    session.refresh(enrolment)
    monday = enrolment.due_at.astimezone(VILNIUS)
    assert (monday.weekday(), monday.hour, monday.minute) == (0, 9, 30)


def test_f59_a_clock_that_jumps_a_day_releases_no_flood(session: Session) -> None:
    now = session.execute(select(func.now())).scalar_one()
    assert not flood.held(session, now)
    _enrol(session, 3, now)
    session.execute(
        text(
            "insert into enrolment (sequence_id, sequence_key, contact_id, state, next_position, due_at)"
            " select min(sequence_id), 'other' || n, min(contact_id), 'active', 1, :due"
            " from enrolment, generate_series(1, 600) n group by n"
        ),
        {"due": now + timedelta(hours=20)},
    )
    tomorrow = now + timedelta(days=1)
    assert flood.held(session, tomorrow)
    assert [alarm.kind for alarm in notices.open_alarms(session)] == [flood.ALARM]
    assert look(session, House(Calendar())) == 0
    assert flood.release(session)
    assert notices.open_alarms(session) == []
    assert not flood.held(session)


def test_f59_a_clock_set_back_is_followed_back(session: Session) -> None:
    now = session.execute(select(func.now())).scalar_one()
    flood.held(session, now + timedelta(hours=5))
    flood.held(session, now)
    assert session.scalars(select(flood.Look.looked_at)).all() == [now]


@pytest.mark.parametrize(
    ("gap", "due", "flooded"),
    [(timedelta(hours=5), 10_000, False), (timedelta(days=3), 500, False), (timedelta(days=3), 501, True)],
)
def test_f59_only_many_after_a_gap_are_a_flood(gap: timedelta, due: int, flooded: bool) -> None:
    assert flood.is_flood(WEDNESDAY - gap, WEDNESDAY, due) is flooded


def test_f60_a_worker_whose_own_clock_is_ahead_takes_nothing_early(session: Session) -> None:
    now = session.execute(select(func.now())).scalar_one()
    _enrol(session, 1, now + timedelta(minutes=5))
    with time_machine.travel(now + timedelta(minutes=10), tick=False):
        assert tick(session, House(Calendar())) == 0
    assert session.scalars(select(Enrolment.state)).all() == [EnrolmentState.ACTIVE]


def test_a_step_whose_values_make_no_sense_holds_its_own_client_only(session: Session) -> None:
    good, bad = _enrol(session, 2, WEDNESDAY)
    bad_step = SequenceStep(
        position=1, kind=StepKind.EMAIL, delay_days=0, titles={}, window={"from": "18:00", "to": "20:00"}
    )
    other = Sequence(key="other", names={"en": "Other"}, steps=[bad_step])
    session.add(other)
    session.flush()
    session.execute(update(Enrolment).where(Enrolment.id == bad.id).values(sequence_id=other.id))
    tick(session, House(Calendar()), WEDNESDAY)
    session.refresh(good)
    session.refresh(bad)
    assert (good.next_position, bad.state, bad.waits_for) == (2, EnrolmentState.PAUSED, "fault")
