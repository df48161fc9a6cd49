"""Rehearsal against what the engine did: the same rules give the same, other rules give what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import Session

from core import (
    defaults,
    meetings,
    pipelines,
    rehearsal,
    rehearsal_file,
    rehearsal_kept,
    rehearsal_routing,
    rehearsal_stages,
    sequences,
    sequences_stops,
    sequencespec,
)
from core.accounts import Account
from core.clientabsences import ClientAbsence
from core.conversations import Direction, Message
from core.deals import Deal, Stage, StageChange
from core.errors import InputRefused
from core.labels import Classification
from core.meetings import Answer, Invited, Plan
from core.pipelinefile import FileRefused
from core.pipelineversions import document_of, known
from core.rehearsal import Change, Code, Kind, Report, Row, Scope
from core.rehearsal_stages import Courses
from core.routing import Assignment
from core.routingrules import Rule
from core.sequences import Enrolment, Sequence
from core.staff import Absence
from core.stages import enter_stage
from core.worktime import Calendar
from outbound import steprehearsal
from outbound.sequences import House, tick
from tests.core.people import client, colleague, deal_with_lines, letter

HOUSE = House(Calendar())
TITLES = {"en": "Call", "ru": "Звонок", "lt": "Skambutis"}
BEGAN = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Vilnius, three weeks before the clocks go back."""
UNTIL = datetime(2026, 12, 15, tzinfo=UTC)


def quiet(_what: str, _done: int, _of: int) -> None:
    """Nobody listens."""


def _sequence(session: Session) -> Sequence:
    document = {
        "key": "after", "names": {"en": "After", "ru": "После", "lt": "Po"}, "stop_on": ["reply"],
        "once": False, "exclusive": False, "least_gap_hours": 24, "note": "",
        "steps": [
            {"kind": "email", "days": 2, "hours": 0, "template": "follow_up", "titles": {}},
            {"kind": "task", "days": 3, "hours": 4, "titles": TITLES},
            {"kind": "email", "days": 15, "hours": 0, "template": "brochure", "titles": {},
             "window": {"days": [1, 3], "from": "14:00", "to": "15:00"}},
        ],
    }  # fmt: skip
    return sequencespec.publish(session, document)


def _led(session: Session, *, answered: datetime | None = None) -> Enrolment:
    """Somebody who was led through it by the engine itself, until they answered."""
    sequence = _sequence(session)
    contact = client(session)
    first = HOUSE.calendar.after(BEGAN, 2)
    one = sequences.enrol(session, sequence, contact_id=contact.id, due_at=first)
    session.execute(update(Enrolment).values(started_at=BEGAN))
    if answered is not None:
        message = letter(session, contact)
        message.happened_at = answered
    for _ in range(20):
        session.expire_all()
        if one.state != "active" or (answered is not None and one.due_at > answered):
            break
        tick(session, HOUSE, one.due_at)
    if answered is not None:
        sequences_stops.stop_for_contacts(session, [contact.id], sequences.StopReason.REPLY)
        session.execute(update(Enrolment).values(ended_at=answered))
    session.expire_all()
    return one


def _played(session: Session, change: Change) -> list[Row]:
    report = Report(Scope(BEGAN - timedelta(days=1), UNTIL))
    steprehearsal.play(session, report, change, Courses(), HOUSE, quiet)
    return sorted(report.rows, key=lambda row: row.at)


@pytest.mark.parametrize("answered", [None, BEGAN + timedelta(days=12)])
def test_the_same_steps_are_what_the_engine_took(session: Session, answered: datetime | None) -> None:
    _led(session, answered=answered)
    rows = _played(session, Change())
    assert len(rows) == (3 if answered is None else 2)
    assert [row.was.at for row in rows if row.was] == [row.would.at for row in rows if row.would]
    assert not any(row.differs for row in rows)


def test_changed_steps_are_played_from_the_beginning(session: Session) -> None:
    one = _led(session)
    document = sequencespec.document_of(one.sequence)
    steps = [document["steps"][0] | {"days": 4}, document["steps"][2] | {"template": "follow_up"}]
    rows = _played(session, Change(followups={"after": document | {"steps": steps}}))
    assert [(row.would.code, row.would.key) if row.would else None for row in rows] == [
        (Code.LETTER, "email:follow_up"), (Code.LETTER, "email:follow_up"), None,
    ]  # fmt: skip
    assert rows[0].would is not None
    assert rows[0].would.at == HOUSE.calendar.after(BEGAN, 4)
    assert all(row.differs and row.by_change for row in rows)


def test_a_task_says_whose_it_was_and_whose_it_would_have_been(session: Session) -> None:
    rasa, jonas, ieva = (colleague(session, name) for name in ("Rasa", "Jonas", "Ieva"))
    account = client(session).account = Account(name="Vandenis", curator=rasa)
    one = _led(session)
    due = next(row.was.at for row in _played(session, Change()) if row.was and row.was.code is Code.TASK)
    document = sequencespec.document_of(one.sequence)
    steps = [document["steps"][0], document["steps"][1] | {"days": 4}]
    later = Change(followups={"after": document | {"steps": steps}})
    tasks = [row for row in _played(session, later) if row.was and row.was.code is Code.TASK]
    assert [(row.was.who, row.would.who) for row in tasks if row.was and row.would] == [("Rasa", "Rasa")]

    assert due is not None
    session.add(Absence(staff_id=rasa.id, first_day=due.date(), last_day=due.date(), deputy_id=jonas.id))
    session.add(Absence(staff_id=ieva.id, first_day=due.date(), last_day=due.date(), deputy_id=rasa.id))
    session.flush()
    [row] = [row for row in _played(session, Change()) if row.would and row.would.code is Code.TASK]
    assert row.would is not None
    assert (row.would.who, row.would.away, row.differs) == ("Jonas", "Rasa", True)
    kept = rehearsal_kept.unpacked(rehearsal_kept.packed(Report(Scope(BEGAN, UNTIL), rows=[row])))
    assert kept.rows[0].would == row.would
    account.curator = ieva  # Whose deputy is away that day.
    session.flush()
    [row] = [row for row in _played(session, Change()) if row.would and row.would.code is Code.TASK]
    assert row.would is not None
    assert (row.would.who, row.would.away) == ("", "Ieva")


def test_a_changed_performer_has_the_tasks_of_the_follow_up_too(session: Session) -> None:
    deal = _story(session)
    jonas = colleague(session, "Jonas")
    assert deal.owner is not None
    sequencespec.publish(
        session,
        sequencespec.document_of(_sequence(session)) | {"key": "after_offer", "stop_on": []},
    )
    document = document_of(deal.pipeline)
    stages = [
        one | {"performer": "person:jonas@mes.lt"} if one["key"] == "commercial_offer" else one
        for one in document["stages"]
    ]
    change = Change(pipelines={"b2b": document | {"stages": stages}})
    report = Report(rehearsal.scope_of(session, 30))
    courses = rehearsal_stages.play(session, report, change, quiet)
    steprehearsal.play(session, report, change, courses, HOUSE, quiet)
    handed = [
        (row.now.who, row.would.who)
        for row in report.rows
        if row.now and row.would and row.would.code is Code.TASK and row.by_change
    ]
    assert handed == [(deal.owner.name, jonas.name)]


def test_a_rule_that_no_longer_ends_it_lets_it_go_on(session: Session) -> None:
    one = _led(session, answered=BEGAN + timedelta(days=12))
    document = sequencespec.document_of(one.sequence) | {"stop_on": []}
    rows = _played(session, Change(followups={"after": document}))
    assert [row.was is None for row in rows] == [False, False, True]
    assert rows[-1].would is not None
    assert rows[-1].would.key == "email:brochure"


def test_who_says_that_they_are_away_is_written_to_when_they_are_back(session: Session) -> None:
    one = _led(session)
    said = BEGAN + timedelta(days=1)
    session.add(ClientAbsence(contact_id=one.contact_id, noted_at=said, until=BEGAN + timedelta(days=30)))
    session.flush()
    rows = _played(session, Change())
    first = next(row.would for row in rows if row.would)
    assert first.at == HOUSE.calendar.next_open(BEGAN + timedelta(days=30))


def test_an_answer_to_an_invitation_ends_a_follow_up_that_ends_with_a_reply(session: Session) -> None:
    one = _led(session)
    organizer = colleague(session)
    plan = Plan("Demo", BEGAN + timedelta(days=20), BEGAN + timedelta(days=20, hours=1))
    who = [Invited("ona@vandenis.lt", contact_id=one.contact_id)]
    meeting = meetings.plan(session, plan, who, organizer=organizer, host="mes.lt")
    meeting.attendees[0].answer = Answer.ACCEPTED
    meeting.attendees[0].answered_at = BEGAN + timedelta(days=1)
    session.flush()
    assert [row.would for row in _played(session, Change())] == [None, None, None]


def _stage(session: Session, deal: Deal, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.key == key)).one()


def _story(session: Session) -> Deal:
    """A deal that came to the offer by hand, and whose client then asked for the contract."""
    deal = deal_with_lines(session, client(session), colleague(session))
    now = session.execute(select(func.now())).scalar_one()
    for days, key in ((20, "demo"), (10, "commercial_offer")):
        change, _ = enter_stage(
            session, deal, _stage(session, deal, key), override=True, reason="they asked",
            staff=deal.owner,
        )  # fmt: skip
        change.changed_at = now - timedelta(days=days)
        session.execute(
            update(Enrolment)
            .where(Enrolment.started_at == now)
            .values(started_at=now - timedelta(days=days), ended_at=now - timedelta(days=10))
        )
    assert deal.contact is not None
    message = letter(session, deal.contact)
    message.conversation.deal_id = deal.id
    message.happened_at = now - timedelta(days=5)
    session.add(Classification(message_id=message.id, intent="order", confidence=0.9))
    session.flush()
    session.execute(
        update(StageChange)
        .where(StageChange.from_stage_id.is_(None))
        .values(changed_at=now - timedelta(days=29))
    )
    session.execute(update(Deal).values(opened_at=now - timedelta(days=29)))
    session.expire_all()
    return deal


def _stages(session: Session, change: Change) -> tuple[list[Row], Courses]:
    report = Report(rehearsal.scope_of(session, 30))
    courses = rehearsal_stages.play(session, report, change, quiet)
    return report.rows, courses


def test_the_road_in_force_gives_what_happened(session: Session) -> None:
    _story(session)
    rows, _ = _stages(session, Change())
    moved = [row for row in rows if row.kind == Kind.MOVED and row.was is not None]
    assert [row.would.key for row in moved if row.would] == ["first_contact", "demo", "commercial_offer"]
    assert not any(row.differs for row in rows if row.kind != Kind.MOVED)


def test_a_stage_that_moves_by_itself_shows_the_move_its_letter_and_its_follow_up(session: Session) -> None:
    deal = _story(session)
    document = document_of(deal.pipeline)
    stages = [
        one | {"automatic_on": ["order"], "template": "brochure", "sequence": "after_offer"}
        if one["key"] == "contract"
        else one
        for one in document["stages"]
    ]
    rows, courses = _stages(session, Change(pipelines={"b2b": document | {"stages": stages}}))
    by_letter = [
        row for row in rows if row.would and row.would.key in {"contract", "brochure", "after_offer"}
    ]
    assert {row.kind for row in by_letter if row.by_change} == {Kind.MOVED, Kind.SENT, Kind.BEGUN}
    assert "after_offer" in {one.key for one in courses.would}
    assert deal.stage.key == "commercial_offer"


def test_an_accepted_meeting_moves_a_deal_where_the_road_says_so(session: Session) -> None:
    deal = _story(session)
    now = session.execute(select(func.now())).scalar_one()
    plan = Plan("Demo", now + timedelta(days=1), now + timedelta(days=1, hours=1))
    who = [Invited("ona@vandenis.lt", contact_id=deal.contact_id)]
    meeting = meetings.plan(
        session, plan, who, organizer=colleague(session, "Jonas"), host="mes.lt", deal=deal
    )
    meeting.attendees[0].answer, meeting.attendees[0].answered_at = Answer.ACCEPTED, now - timedelta(days=2)
    document = document_of(deal.pipeline)
    stages = [
        one | {"automatic_on": ["meeting_accepted"]} if one["key"] == "contract" else one
        for one in document["stages"]
    ]
    rows, _ = _stages(session, Change(pipelines={"b2b": document | {"stages": stages}}))
    moved = [row for row in rows if row.would and row.would.key == "contract"]
    assert [row.at for row in moved if row.by_change] == [now - timedelta(days=2)]


def test_a_stage_goes_to_who_was_here_that_day(session: Session) -> None:
    deal = _story(session)
    rasa, jonas = deal.owner, colleague(session, "Jonas", team="Sales")
    assert rasa is not None
    team = jonas.team
    rasa.team = team
    change = session.scalars(select(StageChange).order_by(StageChange.changed_at.desc())).first()
    assert change is not None
    day = change.changed_at.date()
    session.add(Absence(staff_id=rasa.id, first_day=day, last_day=day))
    session.flush()
    document = document_of(deal.pipeline)
    stages = [
        one | {"performer": "team:Sales"} if one["key"] == "commercial_offer" else one
        for one in document["stages"]
    ]
    rows, _ = _stages(session, Change(pipelines={"b2b": document | {"stages": stages}}))
    handed = [row.would.key for row in rows if row.kind == Kind.HANDED and row.would]
    assert str(jonas.id) in handed


def test_what_waits_for_somebody_who_is_away_is_given_out_once_more(session: Session) -> None:
    defaults.install(session)
    rasa, jonas = (colleague(session, name, team="Sales", speaks=["lt"]) for name in ("Rasa", "Jonas"))
    now = session.execute(select(func.now())).scalar_one()
    first = letter(session, client(session))
    first.happened_at = now - timedelta(days=9)
    talk = first.conversation
    again = Message(
        conversation=talk, contact=first.contact, direction=Direction.IN, subject="Re", reply="?",
        rfc_id="2@vandenis.lt", sender=first.sender, happened_at=now - timedelta(days=2),
    )  # fmt: skip
    given = now - timedelta(days=9, minutes=-1)
    session.add_all([
        again,
        Assignment(conversation_id=talk.id, staff_id=rasa.id, rule="hand", assigned_at=given),
        Absence(staff_id=rasa.id, first_day=(now - timedelta(days=7)).date(),
                last_day=(now - timedelta(days=5)).date()),
    ])  # fmt: skip
    session.flush()
    report = Report(Scope(now - timedelta(days=10), now))
    rehearsal_routing.play(session, report, [Rule("keeps_conversation")], lambda _name: "", quiet)
    assert [row.would.code for row in report.rows if row.would] == [Code.QUEUE, Code.QUEUE]
    session.add(
        Message(
            conversation=talk, contact=first.contact, direction=Direction.OUT, subject="Re", reply="!",
            rfc_id="3@mes.lt", sender="rasa@mes.lt", happened_at=now - timedelta(days=8),
        )
    )  # fmt: skip
    session.flush()
    report = Report(Scope(now - timedelta(days=10), now))
    rehearsal_routing.play(session, report, [Rule("keeps_conversation")], lambda _name: "", quiet)
    assert [row.would.key for row in report.rows if row.would] == ["", str(rasa.id)]
    assert jonas.id != rasa.id


def test_a_stage_that_is_gone_and_one_that_may_not_follow_are_said(session: Session) -> None:
    deal = _story(session)
    document = document_of(deal.pipeline)
    kept = [one for one in document["stages"] if one["key"] != "demo"]
    rows, _ = _stages(session, Change(pipelines={"b2b": document | {"stages": kept}}))
    assert Code.GONE in {row.would.code for row in rows if row.would}
    only = [
        one | {"next": ["need_identified"]} if one["key"] == "demo" else one for one in document["stages"]
    ]
    session.execute(update(StageChange).values(lacking=[]))
    session.expire_all()
    rows, _ = _stages(session, Change(pipelines={"b2b": document | {"stages": only}}))
    assert Code.NOT_NEXT in {row.would.code for row in rows if row.would}


def test_the_snapshot_refuses_every_write(engine: sa.Engine) -> None:
    with rehearsal.snapshot(engine) as session, pytest.raises(InternalError):
        session.execute(text("update deal set title = 'x'"))
    with rehearsal.snapshot(engine) as session, pytest.raises(InternalError):
        session.execute(text("select nextval('deal_id_seq')"))


def test_the_file_of_everything_in_force_is_no_change(session: Session) -> None:
    deal_with_lines(session, client(session))
    change = rehearsal_file.read(session, rehearsal_file.write(session), known(session))
    road = pipelines.default_pipeline(session)
    assert rehearsal_stages.road_of(change.pipelines["b2b"])[0].names == road.stages[0].names
    for key, document in change.followups.items():
        present = sequences.current(session, key)
        assert present is not None
        assert sequencespec.document_of(present) == document
    assert change.routing is not None
    assert len(change.routing) == 13


@pytest.mark.parametrize(
    "wrong",
    [
        "[[strange]]\na = 1", "followups = 3", "[[followups]]\nkey = 1",
        "[[followups]]\nkey = 'a'\nsteps = [3]",
        "[[followups]]\nkey = 'a'\nsteps = [{kind = 'email', days = 'x'}]", "[[routing]]\nkind = 'none'",
        "[[routing]]\nkind = 'custom'\nwhen = {colour = 'red'}",
        "[[routing]]\nkind = 'custom'\nwhen = {language = 'ru'}",
        "not toml",
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_with_a_sentence(session: Session, wrong: str) -> None:
    with pytest.raises(FileRefused):
        rehearsal_file.read(session, wrong, known(session))


def test_a_rehearsal_is_bounded(session: Session) -> None:
    with pytest.raises(InputRefused):
        rehearsal.scope_of(session, 367)
    with pytest.raises(InputRefused):
        rehearsal.scope_of(session, 30, deals=range(501))
    _led(session)
    late = Report(Scope(BEGAN - timedelta(days=1), UNTIL), ends=0.0)
    steprehearsal.play(session, late, Change(), Courses(), HOUSE, quiet)
    assert (late.cut, late.rows) == (True, [])


def test_letters_of_machines_and_ours_are_no_events(session: Session) -> None:
    deal = _story(session)
    before, _ = _stages(session, Change())
    message = session.scalars(select(Message).where(Message.direction == Direction.IN)).one()
    message.machine = "out_of_office"
    session.flush()
    after, _ = _stages(session, Change())
    assert len(after) < len(before)
    assert deal.outcome is None
