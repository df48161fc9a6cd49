"""Letters to colleagues who are away: what is told, when, how often, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import meetings, notes, notifications, notifications_found, reminders, sessions, staff, staffmail
from core.conversations import Conversation, Direction, Message
from core.meetings import Invited, Plan
from core.notifications import Kind, NoticeChoice, NoticeState, StaffNotice, Way
from core.notifications_rules import GAP, Person, Verdict, Waiting, decide, is_quiet
from core.outbox import Delivery, Purpose
from core.staff import StaffMember
from core.tasks import Task, TaskState
from core.values import Language
from core.worktime import Calendar

CALENDAR = Calendar()
PLACE = staffmail.Place("https://desk.example", CALENDAR)
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "slaptas sakinys"


def _one(minutes: int, way: Way = Way.DIGEST, number: int = 1, **more: object) -> Waiting:
    return Waiting(number, Kind.REPLY, way, MONDAY - timedelta(minutes=minutes), **more)  # type: ignore[arg-type]


def _person(**more: object) -> Person:
    return Person("Europe/Vilnius", **more)  # type: ignore[arg-type]


def _decided(waiting: list[Waiting], person: Person, now: datetime = MONDAY) -> Verdict:
    return decide(waiting, person, now, CALENDAR)


def test_what_is_told_at_once_takes_along_everything_that_waits() -> None:
    verdict = _decided([_one(3), _one(1, Way.AT_ONCE, 2)], _person())
    assert verdict.send == (1, 2)


def test_a_digest_waits_for_its_time() -> None:
    assert _decided([_one(59)], _person()).send == ()
    assert _decided([_one(60)], _person()).send == (1,)


def test_nobody_at_the_desk_is_written_to() -> None:
    verdict = _decided([_one(1, Way.AT_ONCE)], _person(seen_at=MONDAY - timedelta(minutes=2)))
    assert (verdict.send, verdict.reason) == ((), "at the desk")


def test_what_came_while_somebody_was_at_the_desk_is_not_told_later() -> None:
    seen = MONDAY - timedelta(minutes=30)
    assert _decided([_one(60, Way.AT_ONCE)], _person(seen_at=seen)).drop == (1,)
    assert _decided([_one(31, Way.AT_ONCE)], _person(seen_at=seen)).send == (1,)


def test_between_two_letters_some_minutes_pass() -> None:
    assert _decided([_one(1, Way.AT_ONCE)], _person(last_mail_at=MONDAY - timedelta(minutes=4))).send == ()
    assert _decided([_one(1, Way.AT_ONCE)], _person(last_mail_at=MONDAY - GAP)).send == (1,)


@pytest.mark.parametrize(
    ("now", "person"),
    [
        (MONDAY.replace(hour=18), _person()),
        (MONDAY.replace(hour=3), _person()),
        (MONDAY - timedelta(days=1), _person()),
        (MONDAY, _person(absent=True)),
    ],
)
def test_in_quiet_hours_on_free_days_and_while_absent_letters_wait(now: datetime, person: Person) -> None:
    waiting = [Waiting(1, Kind.REPLY, Way.AT_ONCE, now - timedelta(minutes=5))]
    assert decide(waiting, person, now, CALENDAR) == Verdict(reason="quiet hours")


@pytest.mark.parametrize("more", [{"settled": True}, {"way": Way.NONE}, {"minutes": 3 * 24 * 60 + 1}])
def test_what_is_settled_unwanted_or_a_working_day_old_is_dropped(more: dict[str, object]) -> None:
    given = {"minutes": 90} | more
    assert _decided([_one(**given)], _person()).drop == (1,)  # type: ignore[arg-type]


def test_what_came_on_friday_evening_is_told_on_monday() -> None:
    monday, friday = MONDAY.replace(hour=6), MONDAY.replace(hour=17) - timedelta(days=3)
    waiting = [Waiting(1, Kind.MISSED_CALL, Way.AT_ONCE, friday)]
    assert decide(waiting, _person(), monday, CALENDAR).send == (1,)
    assert decide(waiting, _person(), monday + timedelta(days=1), CALENDAR).drop == (1,)
    assert decide(waiting, _person(quiet_days_off=False), monday, CALENDAR).drop == (1,)


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(list(Way)), st.booleans()), max_size=8),
    st.integers(0, 3000),
    st.integers(0, 60 * 24 * 7),
)
def test_nothing_is_both_sent_and_dropped_and_nothing_twice(
    rows: list[tuple[int, Way, bool]], seen: int, later: int
) -> None:
    now = MONDAY + timedelta(minutes=later)
    waiting = [
        Waiting(number, Kind.REPLY, way, now - timedelta(minutes=ago), settled)
        for number, (ago, way, settled) in enumerate(rows)
    ]
    verdict = decide(waiting, _person(seen_at=now - timedelta(minutes=seen)), now, CALENDAR)
    both = [*verdict.send, *verdict.drop]
    assert len(both) == len(set(both))
    assert not verdict.send or not is_quiet(_person(), now, CALENDAR)
    assert not any(waiting[number].way is Way.NONE for number in verdict.send)


@pytest.fixture
def member(session: Session) -> StaffMember:
    """An agent who writes Lithuanian, has quiet hours at no time, and is away."""
    one = staff.add(session, email="ruta@firma.example", name="Rūta", language=Language.LT)
    choice = notifications.choice_of(session, one.id)
    notifications.choose(
        choice, quiet_from=time(0), quiet_until=time(0), quiet_days_off=False, ways={"reply": "at_once"}
    )
    session.flush()
    return one


@pytest.fixture
def talk(session: Session, member: StaffMember) -> Conversation:
    """A conversation of hers with one letter, looked through before."""
    one = Conversation(subject="Siurbliai", assignee_id=member.id)
    session.add(one)
    session.flush()
    _says(session, one, "Laba diena")
    notifications_found.look(session, notifications.PREVIEW)
    return one


def _says(session: Session, talk: Conversation, words: str) -> None:
    session.add(
        Message(
            conversation_id=talk.id, direction=Direction.IN, sender="ona@vandenis.lt", sender_name="Ona",
            subject="Re: Siurbliai", text=words, reply=words, recipients={}, trail=[], warnings=[],
        )
    )  # fmt: skip
    talk.waiting = True
    session.flush()


def _letters(session: Session) -> list[Delivery]:
    return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def _states(session: Session) -> list[NoticeState]:
    return list(session.scalars(sa.select(StaffNotice.state).order_by(StaffNotice.id)))


def test_a_clients_reply_is_told_once_with_a_preview_and_a_link(
    session: Session, member: StaffMember, talk: Conversation
) -> None:
    _says(session, talk, "Kada pristatysite? " + "Labai laukiame. " * 30 + SECRET)
    for _ in range(3):
        notifications_found.look(session, notifications.PREVIEW)
        staffmail.tell(session, member.id, PLACE)
    (letter,) = _letters(session)
    assert (letter.purpose, letter.automatic, letter.address) == (Purpose.STAFF, True, member.email)
    assert letter.conversation_id is None
    assert f"https://desk.example/conversations/{talk.id}" in letter.body
    assert "Kada pristatysite?" in letter.body
    assert SECRET not in letter.body
    assert _states(session) == [NoticeState.TOLD]


def test_many_things_go_in_one_letter(session: Session, member: StaffMember, talk: Conversation) -> None:
    for number in range(10):
        _says(session, talk, f"Laiškas {number}")
    notifications_found.look(session, notifications.PREVIEW)
    staffmail.tell(session, member.id, PLACE)
    (letter,) = _letters(session)
    assert "10" in letter.subject
    assert letter.body.count("•") == 10


def test_what_was_read_at_the_desk_is_not_told(
    session: Session, member: StaffMember, talk: Conversation
) -> None:
    from core.reading import mark_read

    _says(session, talk, "Kada?")
    notifications_found.look(session, notifications.PREVIEW)
    mark_read(session, member.id, talk.id)
    staffmail.tell(session, member.id, PLACE)
    assert _letters(session) == []
    assert _states(session) == [NoticeState.NEEDLESS]


def test_somebody_at_the_desk_gets_no_letter(
    session: Session, member: StaffMember, talk: Conversation
) -> None:
    sessions.open_session(session, member)
    _says(session, talk, "Kada?")
    notifications_found.look(session, notifications.PREVIEW)
    staffmail.tell(session, member.id, PLACE)
    assert _letters(session) == []
    assert _states(session) == [NoticeState.WAITING]


def test_a_mention_and_a_missed_call_are_found(
    session: Session, member: StaffMember, talk: Conversation
) -> None:
    mate = staff.add(session, email="jonas@firma.example", name="Jonas")
    notes.write(
        session, talk, "@Rūta, pažiūrėk", by=mate, callable_names={member.id: "Rūta"}, titles={member.id: "x"}
    )
    session.add(Task(title="Perskambinti", kind="call_back", assignee_id=member.id))
    session.flush()
    notifications_found.look(session, notifications.PREVIEW)
    kinds = set(session.scalars(sa.select(StaffNotice.kind)))
    assert kinds == {Kind.MENTIONED, Kind.MISSED_CALL}


def test_a_kind_that_cannot_be_told_so_is_refused(session: Session, member: StaffMember) -> None:
    choice = notifications.choice_of(session, member.id)
    with pytest.raises(Exception, match="cannot be chosen"):
        notifications.choose(choice, ways={"ring": "digest"})
    assert isinstance(choice, NoticeChoice)


def _task(session: Session, member: StaffMember, minutes: float) -> Task:
    now = session.execute(sa.select(sa.func.now())).scalar_one()
    task = Task(
        title="Skambinti Onai", assignee_id=member.id, due_at=now + timedelta(minutes=minutes),
        created_at=now - timedelta(hours=1),
    )  # fmt: skip
    session.add(task)
    session.flush()
    return task


def test_a_task_is_reminded_of_once_for_each_of_its_times(session: Session, member: StaffMember) -> None:
    task = _task(session, member, 10)
    assert reminders.remind(session) == [member.id]
    assert reminders.remind(session) == []
    assert [one.title for one in reminders.shown_to(session, member.id)] == ["Skambinti Onai"]
    task.due_at = task.due_at + timedelta(minutes=2) if task.due_at else None
    session.flush()
    assert reminders.remind(session) == [member.id]


def test_a_reminder_of_a_meeting_that_was_moved_or_called_off_is_not_shown(
    session: Session, member: StaffMember
) -> None:
    start = session.execute(sa.select(sa.func.now())).scalar_one() + timedelta(minutes=10)
    meeting = meetings.plan(
        session, Plan("Demonstracija", start, start + timedelta(minutes=45)),
        [Invited("ona@vandenis.lt", "Ona")], organizer=member, host="firma.example",
    )  # fmt: skip
    reminders.remind(session)
    assert len(reminders.shown_to(session, member.id)) == 1
    later = start + timedelta(hours=3)
    meetings.change(session, meeting, Plan(meeting.title, later, later + timedelta(hours=1)), member)
    session.flush()
    assert reminders.shown_to(session, member.id) == []
    meetings.change(session, meeting, Plan(meeting.title, start, start + timedelta(hours=1)), member)
    session.flush()
    assert len(reminders.shown_to(session, member.id)) == 1
    meetings.cancel(session, meeting, member)
    session.flush()
    assert reminders.shown_to(session, member.id) == []


@pytest.mark.parametrize(
    ("minutes", "state"), [(40, TaskState.OPEN), (-30, TaskState.OPEN), (5, TaskState.DONE)]
)
def test_what_is_far_past_or_done_is_not_reminded_of(
    session: Session, member: StaffMember, minutes: float, state: TaskState
) -> None:
    _task(session, member, minutes).state = state
    session.flush()
    assert reminders.remind(session) == []


def test_a_reminder_is_told_by_letter_to_who_is_away_unless_the_task_is_done(
    session: Session, member: StaffMember
) -> None:
    _task(session, member, 10)
    done = _task(session, member, 8)
    reminders.remind(session)
    done.state = TaskState.DONE
    session.flush()
    staffmail.tell(session, member.id, PLACE)
    (letter,) = _letters(session)
    assert letter.body.count("•") == 1
    assert f"{PLACE.url}/tasks" in letter.body


def test_a_letter_that_waits_for_a_word_goes_by_its_templates_name(member: StaffMember) -> None:
    notice = StaffNotice(
        staff_id=member.id, kind=Kind.APPROVAL, key="approval:1", title="commercial_offer", who="Ona",
        preview="", due_at=None, conversation_id=None, meeting_id=None, task_id=None,
    )  # fmt: skip
    subject, _ = staffmail.letter([notice], member, PLACE, NoticeChoice(staff_id=member.id))
    assert "commercial_offer" not in subject
