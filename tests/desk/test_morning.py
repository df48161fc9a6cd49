"""The plan of the day by mail: in the colleague's words and zone, on working mornings, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import meetings, notifications, notifications_found, notifications_work, staff
from core.accounts import Contact
from core.context import Context
from core.conversations import Conversation
from core.meetings import Invited, Plan
from core.notifications import Kind, MorningPlan, NoticeCursor, NoticeState, StaffNotice
from core.outbox import Delivery, Purpose
from core.staff import Absence, StaffMember
from core.staffmail import Place
from core.tasks import Task
from core.values import Language
from core.worktime import Calendar
from desk import morning

PLACE = Place("https://desk.example", Calendar())
EIGHT = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
"""Five past eight in Vilnius on a Monday."""


@pytest.fixture
def member(session: Session) -> StaffMember:
    """An agent with a call to make, a client who waits and a meeting, on that Monday."""
    one = staff.add(session, email="ruta@firma.example", name="Rūta", language=Language.LT)
    ona = Contact(name="Ona")
    session.add(ona)
    session.flush()
    session.add(Task(title="Skambinti dėl kainos", kind="call", assignee_id=one.id, contact_id=ona.id,
                     due_at=EIGHT + timedelta(hours=3)))  # fmt: skip
    session.add(Conversation(subject="Siurbliai", assignee_id=one.id, contact_id=ona.id))
    start = EIGHT + timedelta(hours=5)
    meetings.plan(
        session, Plan("Demonstracija", start, start + timedelta(minutes=45)),
        [Invited("ona@vandenis.lt", "Ona")], organizer=one, host="firma.example",
    )  # fmt: skip
    return one


def test_the_plan_names_calls_clients_who_wait_and_meetings_once_a_day(
    session: Session, member: StaffMember
) -> None:
    assert morning.make(session, member.id, PLACE, EIGHT) is not None
    assert morning.make(session, member.id, PLACE, EIGHT + timedelta(minutes=5)) is None
    letter = session.scalars(sa.select(Delivery)).one()
    assert (letter.purpose, letter.automatic, letter.language) == (Purpose.STAFF, True, "lt")
    for words in ("Skambinti dėl kainos", "Siurbliai", "13:05–13:50", "https://desk.example/plan"):
        assert words in letter.body, words


def test_only_conversations_that_the_plan_shows_are_told_by_it(session: Session, member: StaffMember) -> None:
    shown = session.scalars(sa.select(Conversation.id)).one()
    hidden = Conversation(subject="Atsakyta", assignee_id=member.id, waiting=False)
    session.add(hidden)
    session.flush()
    for key, kind, talk in (
        ("a", Kind.REPLY, shown), ("b", Kind.MENTIONED, shown), ("c", Kind.ASSIGNED, hidden.id)
    ):  # fmt: skip
        notifications.tell(session, member.id, kind, key, conversation_id=talk)
    morning.make(session, member.id, PLACE, EIGHT)
    notices = session.scalars(sa.select(StaffNotice).order_by(StaffNotice.key)).all()
    assert [one.state for one in notices] == [NoticeState.TOLD, NoticeState.WAITING, NoticeState.WAITING]
    assert {one.delivery_id for one in notices} == {None}


def test_the_next_day_brings_the_next_plan(session: Session, member: StaffMember) -> None:
    morning.make(session, member.id, PLACE, EIGHT)
    morning.make(session, member.id, PLACE, EIGHT + timedelta(days=1))
    assert session.scalar(sa.select(sa.func.count()).select_from(MorningPlan)) == 2


@pytest.mark.parametrize(
    "now",
    [EIGHT - timedelta(minutes=10), EIGHT + timedelta(hours=5), EIGHT - timedelta(days=1)],
    ids=["too early", "too late", "a Sunday"],
)
def test_no_plan_is_made_at_the_wrong_time(session: Session, member: StaffMember, now: datetime) -> None:
    assert morning.make(session, member.id, PLACE, now) is None
    assert session.scalar(sa.select(sa.func.count()).select_from(MorningPlan)) == 0


def test_morning_is_where_the_colleague_works(session: Session, member: StaffMember) -> None:
    notifications.choose(notifications.choice_of(session, member.id), zone="Asia/Almaty")
    assert morning.make(session, member.id, PLACE, EIGHT) is not None
    session.execute(sa.delete(MorningPlan))
    notifications.choose(notifications.choice_of(session, member.id), zone="Europe/Lisbon")
    assert morning.make(session, member.id, PLACE, EIGHT) is None


def test_who_is_absent_or_wants_none_gets_none(session: Session, member: StaffMember) -> None:
    choice = notifications.choice_of(session, member.id)
    notifications.choose(choice, morning=False)
    assert morning.make(session, member.id, PLACE, EIGHT) is None
    notifications.choose(choice, morning=True)
    session.add(Absence(staff_id=member.id, first_day=EIGHT.date(), last_day=EIGHT.date()))
    session.flush()
    assert morning.make(session, member.id, PLACE, EIGHT) is None


def test_a_free_day_is_no_letter(session: Session) -> None:
    idle = staff.add(session, email="idle@firma.example", name="Idle")
    assert morning.make(session, idle.id, PLACE, EIGHT) is None
    assert session.scalars(sa.select(Delivery)).all() == []


def test_the_jobs_run_over_a_whole_company(context: Context) -> None:
    notifications_work.notices(context)
    with context.transaction() as one:
        one.execute(sa.update(NoticeCursor).values(last_id=0))
    notifications_work.notices(context)
    morning.morning(context)
    notifications_work.prune(context)
    with context.transaction() as one:
        assert set(one.scalars(sa.select(NoticeCursor.source))) == set(notifications_found.SOURCES)
        assert one.scalar(sa.select(sa.func.count()).select_from(StaffNotice))
