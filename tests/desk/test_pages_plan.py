"""The plan of the day: what it holds, whose it is, what is planned by hand, and the calendar to follow."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from core import clock
from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal
from core.staff import Absence, StaffMember
from core.tasks import Task, TaskState
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
VILNIUS = ZoneInfo("Europe/Vilnius")


def _tomorrow(hour: int = 9) -> datetime:
    day = (clock.now().astimezone(VILNIUS) + timedelta(days=1)).date()
    return datetime(day.year, day.month, day.day, hour, tzinfo=VILNIUS)


@pytest.fixture
def day(engine: sa.Engine, world: World) -> None:
    """Tasks of the agent: one overdue, one for tomorrow, and a colleague's; a deal that stands too long."""
    with transaction(engine) as session:
        for title, who, due in (
            ("Paskambinti dėl sąskaitos", "agent", clock.now() - timedelta(hours=3)),
            ("Išsiųsti katalogą", "agent", _tomorrow()),
            ("Kolegos skambutis", "other", clock.now() - timedelta(hours=3)),
        ):
            session.add(Task(title=title, kind="call", assignee_id=world.staff[who].id, due_at=due))
        conversation = session.get_one(Conversation, world.talks["own"].id)
        deal = session.get_one(Deal, conversation.deal_id)
        deal.stage_entered_at = clock.now() - timedelta(days=90)


@pytest.mark.usefixtures("day")
def test_the_day_holds_what_is_overdue_who_waits_and_what_stands_too_long(signed_in: SignedIn) -> None:
    text = signed_in("agent").get("/plan").text
    assert "Paskambinti dėl sąskaitos" in text
    assert "Komercinis pasiūlymas keturiems siurbliams" in text
    assert "Siurbliai Vilniaus stočiai" in text
    for foreign in ("Kolegos skambutis", "Išsiųsti katalogą"):
        assert foreign not in text


@pytest.mark.usefixtures("day")
def test_tomorrow_holds_only_what_is_due_tomorrow(signed_in: SignedIn) -> None:
    text = signed_in("agent").get("/plan", params={"day": _tomorrow().date().isoformat()}).text
    assert "Išsiųsti katalogą" in text
    assert "Paskambinti dėl sąskaitos" not in text


@pytest.mark.usefixtures("day")
def test_a_leader_sees_a_colleagues_day_and_nobody_else_does(signed_in: SignedIn, world: World) -> None:
    address = f"/plan?who={world.staff['agent'].id}"
    assert "Paskambinti dėl sąskaitos" in signed_in("head").get(address).text
    assert "Paskambinti dėl sąskaitos" not in signed_in("other").get(address).text


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "1"])
def test_a_day_that_does_not_exist_is_refused_with_an_example(signed_in: SignedIn, text: str) -> None:
    assert signed_in("agent").get("/plan", params={"day": text}).status_code == 422


def _plan(browser: Browser, **fields: str) -> str:
    return browser.post("/tasks/new", data=fields, headers=HTMX).text


def _tasks(engine: sa.Engine, title: str) -> list[Task]:
    with transaction(engine) as session:
        return list(session.scalars(sa.select(Task).where(Task.title == title)))


def test_something_is_planned_about_a_client_for_a_colleague_and_undone(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    answer = browser.post(
        "/tasks/new",
        data={
            "title": "Suderinti kainą",
            "kind": "call",
            "due": f"{_tomorrow(15):%Y-%m-%dT%H:%M}",
            "staff_id": str(world.staff["mate"].id),
            "conversation_id": str(world.talks["own"].id),
        },
        headers=HTMX,
    )
    (task,) = _tasks(engine, "Suderinti kainą")
    assert task.assignee_id == world.staff["mate"].id
    assert task.conversation_id == world.talks["own"].id
    assert task.due_at == _tomorrow(15)
    undo = json.loads(answer.headers["hx-trigger"])["toast"]["undo"]
    browser.post(undo, headers=HTMX)
    assert _tasks(engine, "Suderinti kainą")[0].state == TaskState.CANCELLED


def test_what_is_planned_for_a_colleague_says_by_whom_and_its_planner_takes_it_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    other = world.staff["other"]
    given = {"title": "Atnaujinti kainas", "staff_id": str(other.id), "kind": "other", "due": ""}
    planner = signed_in("agent")
    planned = planner.post("/tasks/new", data=given, headers=HTMX)
    with transaction(engine) as session:
        task = session.scalars(sa.select(Task).where(Task.title == "Atnaujinti kainas")).one()
    assert world.staff["agent"].name in signed_in("other").get("/tasks").text.split("Atnaujinti kainas")[1]
    planner = signed_in("agent")
    undo = f"/tasks/{task.id}/cancel"
    assert undo in planned.text + str(planned.headers)
    assert planner.post(undo, headers=HTMX).status_code < 400
    with transaction(engine) as session:
        assert session.get_one(Task, task.id).state == TaskState.CANCELLED


@pytest.mark.parametrize("kind", ["busy", "away", "past"])
def test_a_moment_that_clashes_is_asked_about_before_anything_is_planned(
    signed_in: SignedIn, engine: sa.Engine, world: World, kind: str
) -> None:
    mate, due = world.staff["mate"].id, _tomorrow(15)
    with transaction(engine) as session:
        if kind == "busy":
            session.add(Task(title="Susitikimas", assignee_id=mate, due_at=due + timedelta(minutes=20)))
        elif kind == "away":
            session.add(Absence(staff_id=mate, first_day=due.date(), last_day=due.date()))
        else:
            due = due - timedelta(days=9)
    fields = {"title": "Naujas", "due": f"{due:%Y-%m-%dT%H:%M}", "staff_id": str(mate)}
    assert "warning" in _plan(signed_in("agent"), **fields)
    assert _tasks(engine, "Naujas") == []
    _plan(signed_in("agent"), **fields, anyway="1")
    assert len(_tasks(engine, "Naujas")) == 1


def test_nothing_is_planned_about_a_client_one_may_not_see(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    fields = {"title": "Slapta", "conversation_id": str(world.talks["own"].id)}
    assert signed_in("other").post("/tasks/new", data=fields, headers=HTMX).status_code == 404
    assert _tasks(engine, "Slapta") == []


def _key(engine: sa.Engine, staff_id: int) -> str | None:
    with transaction(engine) as session:
        return session.get_one(StaffMember, staff_id).calendar_key


@pytest.mark.usefixtures("day")
def test_a_calendar_program_follows_ones_open_tasks_by_a_secret_link(
    signed_in: SignedIn, visitor: Browser, engine: sa.Engine, world: World
) -> None:
    signed_in("agent").post("/plan/calendar")
    key = _key(engine, world.staff["agent"].id)
    answer = visitor.get(f"/calendar/{key}.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    events = list(Calendar.from_ical(answer.content).walk("VEVENT"))
    assert {str(event["summary"]) for event in events} == {"Paskambinti dėl sąskaitos", "Išsiųsti katalogą"}
    assert all(isinstance(event.decoded("dtstart"), date) for event in events)


def test_a_link_that_is_not_or_no_longer_anybodys_opens_nothing(
    signed_in: SignedIn, visitor: Browser, engine: sa.Engine, world: World
) -> None:
    signed_in("agent").post("/plan/calendar")
    old = _key(engine, world.staff["agent"].id)
    signed_in("agent").post("/plan/calendar")
    for name in (f"{old}.ics", "None.ics", ".ics", "x", f"{_key(engine, world.staff['agent'].id)}"):
        assert visitor.get(f"/calendar/{name}").status_code == 404, name
