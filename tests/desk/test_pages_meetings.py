"""Meetings on the desk, the page of notices and the reminders."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from icalendar import Calendar
from sqlalchemy.orm import selectinload

from core import clock
from core.db import transaction
from core.meetings import Answer, Attendee, Meeting, MeetingState
from core.notifications import Kind, NoticeChoice, NoticeState, StaffNotice, Way
from core.outbox import Delivery, DeliveryState
from core.tasks import Task
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
VILNIUS = ZoneInfo("Europe/Vilnius")


def _at(hour: int = 10, days: int = 1) -> datetime:
    day = (clock.now().astimezone(VILNIUS) + timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, hour, tzinfo=VILNIUS)


def _fields(world: World, **more: str) -> dict[str, str]:
    talk = world.talks["own"]
    return {
        "title": "Siurblių demonstracija", "kind": "demo", "starts": f"{_at():%Y-%m-%dT%H:%M}",
        "minutes": "45", "place": "https://meet.example/x", "agenda": "Parodysime.",
        "conversation_id": str(talk.id), f"contact_{talk.contact_id}": "1",
    } | more  # fmt: skip


def _plan(browser: Browser, world: World, **more: str) -> Any:
    return browser.post("/meetings/new", data=_fields(world, **more), headers=HTMX)


def _meetings(engine: sa.Engine) -> list[Meeting]:
    with transaction(engine) as session:
        return list(session.scalars(sa.select(Meeting).options(selectinload(Meeting.attendees))))


def _letters(engine: sa.Engine) -> list[Delivery]:
    with transaction(engine) as session:
        query = sa.select(Delivery).where(Delivery.key.startswith("meeting:")).order_by(Delivery.id)
        return list(session.scalars(query))


def test_a_meeting_is_planned_from_a_conversation_and_everybody_is_invited(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    mate = world.staff["mate"]
    _plan(signed_in("agent"), world, others="petras@vandenis.example", **{f"staff_{mate.id}": "1"})
    (meeting,) = _meetings(engine)
    assert (meeting.starts_at, meeting.deal_id) == (_at(), world.talks["own"].deal_id)
    letters = {one.address: one for one in _letters(engine)}
    assert {one.address for one in meeting.attendees} == set(letters)
    assert letters[mate.email].language == "ru"
    assert letters[mate.email].conversation_id is None
    assert {one.template for one in letters.values()} == {"meeting_invitation"}
    for one in letters.values():
        event: Any = next(iter(Calendar.from_ical(one.values["calendar"]["text"]).walk("VEVENT")))
        assert (str(event["UID"]), int(event["SEQUENCE"])) == (meeting.uid, 0)


def test_a_meeting_is_planned_from_a_clients_card_with_its_people(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    talk, browser = world.talks["own"], signed_in("agent")
    asked = browser.get(f"/meetings/new?account={talk.account_id}", headers=HTMX).text
    assert f'name="contact_{talk.contact_id}"' in asked
    _plan(browser, world, conversation_id="", account_id=str(talk.account_id))
    (meeting,) = _meetings(engine)
    assert (meeting.account_id, meeting.contact_id) == (talk.account_id, talk.contact_id)


def test_a_meeting_about_a_client_of_others_is_not_offered(signed_in: SignedIn, world: World) -> None:
    whose = world.talks["own"]
    for asked in (f"account={whose.account_id}", f"contact={whose.contact_id}"):
        assert signed_in("support").get(f"/meetings/new?{asked}", headers=HTMX).status_code == 404


def test_undo_of_planning_invites_nobody(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser = signed_in("agent")
    undo = json.loads(_plan(browser, world).headers["hx-trigger"])["toast"]["undo"]
    browser.post(undo, headers=HTMX)
    assert {one.state for one in _letters(engine)} == {DeliveryState.CANCELLED}
    assert _meetings(engine)[0].state == MeetingState.CANCELLED


def test_undo_of_planning_after_a_change_tells_everybody(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    undo = json.loads(_plan(browser, world).headers["hx-trigger"])["toast"]["undo"]
    with transaction(engine) as session:
        session.execute(sa.update(Meeting).values(sequence=1))
    browser.post(undo, headers=HTMX)
    assert [one.values["calendar"]["method"] for one in _letters(engine)] == ["REQUEST", "CANCEL"]


def test_each_proposal_that_is_not_taken_is_told_of(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    (meeting,) = _meetings(engine)
    for hour in (16, 17):
        with transaction(engine) as session:
            proposed = {"answer": Answer.PROPOSED, "proposed_start": _at(hour), "answered_at": _at(hour, -1)}
            session.execute(sa.update(Attendee).values(proposed))
        browser.post(f"/meetings/{meeting.id}/attendees/{meeting.attendees[0].id}/keep", headers=HTMX)
    letters = _letters(engine)
    assert [one.values["calendar"]["method"] for one in letters] == ["REQUEST"] + 2 * ["DECLINECOUNTER"]
    assert {len(one.key.split(":")) for one in letters} == {5}


def test_a_time_that_clashes_is_asked_about_first(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    assert "Siurblių demonstracija" in _plan(browser, world, title="Kitas susitikimas").text
    assert len(_meetings(engine)) == 1
    _plan(browser, world, title="Kitas susitikimas", anyway="1")
    assert len(_meetings(engine)) == 2


@pytest.mark.parametrize("fault", [{"title": " "}, {"minutes": "0"}, {"others": "not an address"}])
def test_a_form_that_is_wrong_is_shown_again_with_what_was_written(
    signed_in: SignedIn, engine: sa.Engine, world: World, fault: dict[str, str]
) -> None:
    answer = _plan(signed_in("agent"), world, **fault)
    assert "warning bad" in answer.text
    assert "Parodysime." in answer.text
    assert _meetings(engine) == []


def test_a_new_time_raises_the_sequence_and_asks_again(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    (meeting,) = _meetings(engine)
    with transaction(engine) as session:
        session.execute(sa.update(Attendee).values(answer=Answer.ACCEPTED))
    later = f"{_at(15):%Y-%m-%dT%H:%M}"
    browser.post(f"/meetings/{meeting.id}/change", data=_fields(world, starts=later), headers=HTMX)
    (meeting,) = _meetings(engine)
    assert (meeting.sequence, meeting.starts_at, meeting.attendees[0].answer) == (1, _at(15), Answer.NONE)
    last = _letters(engine)[-1]
    assert last.template == "meeting_change"
    assert "SEQUENCE:1" in last.values["calendar"]["text"]


def test_calling_off_sends_a_cancelling_that_undo_takes_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    (meeting,) = _meetings(engine)
    for _ in range(2):
        undo = json.loads(browser.post(f"/meetings/{meeting.id}/cancel", headers=HTMX).headers["hx-trigger"])
        last = _letters(engine)[-1]
        assert "METHOD:CANCEL" in last.values["calendar"]["text"]
        browser.post(undo["toast"]["undo"], headers=HTMX)
        assert _meetings(engine)[0].state == MeetingState.PLANNED
    assert _meetings(engine)[0].sequence == 0


@pytest.mark.parametrize("verb", ["take", "keep"])
def test_another_time_that_was_proposed_is_taken_or_not(
    signed_in: SignedIn, engine: sa.Engine, world: World, verb: str
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    (meeting,) = _meetings(engine)
    with transaction(engine) as session:
        session.execute(sa.update(Attendee).values(answer=Answer.PROPOSED, proposed_start=_at(16)))
    assert "take" in browser.get(f"/meetings/{meeting.id}").text
    browser.post(f"/meetings/{meeting.id}/attendees/{meeting.attendees[0].id}/{verb}", headers=HTMX)
    (meeting,) = _meetings(engine)
    assert meeting.starts_at == (_at(16) if verb == "take" else _at())
    methods = [one.values["calendar"]["method"] for one in _letters(engine)]
    assert methods == ["REQUEST", "REQUEST" if verb == "take" else "DECLINECOUNTER"]


def test_a_proposed_time_that_clashes_is_asked_about_before_it_is_taken(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    _plan(browser, world, title="Kitas", starts=f"{_at(16):%Y-%m-%dT%H:%M}")
    meeting = next(one for one in _meetings(engine) if one.title != "Kitas")
    with transaction(engine) as session:
        session.execute(
            sa.update(Attendee)
            .where(Attendee.meeting_id == meeting.id)
            .values(answer=Answer.PROPOSED, proposed_start=_at(16))
        )
    place = f"/meetings/{meeting.id}/attendees/{meeting.attendees[0].id}/take"
    asked = browser.post(place, headers=HTMX).text
    assert "Kitas" in asked
    assert f'value="{_at(16):%Y-%m-%dT%H:%M}"' in asked
    assert {one.starts_at for one in _meetings(engine)} == {_at(), _at(16)}


def test_a_meeting_stands_in_the_plan_in_the_feed_and_beside_its_client(
    signed_in: SignedIn, visitor: Browser, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    _plan(browser, world)
    (meeting,) = _meetings(engine)
    assert f"/meetings/{meeting.id}" in browser.get(f"/plan?day={_at().date().isoformat()}").text
    assert (
        f"/meetings/{meeting.id}" in browser.get(f"/meetings/about?conversation={world.talks['own'].id}").text
    )
    browser.post("/plan/calendar")
    with transaction(engine) as session:
        key = session.scalar(sa.text("select calendar_key from staff_member where calendar_key is not null"))
    events = Calendar.from_ical(visitor.get(f"/calendar/{key}.ics").content).walk("VEVENT")
    assert "Siurblių demonstracija" in {str(one["SUMMARY"]) for one in events}


def test_a_colleague_of_another_team_sees_no_meeting(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    _plan(signed_in("agent"), world)
    (meeting,) = _meetings(engine)
    other = signed_in("other")
    assert other.get(f"/meetings/{meeting.id}").status_code == 404
    for verb in ("cancel", "restore", "withdraw", "change"):
        assert other.post(f"/meetings/{meeting.id}/{verb}", data=_fields(world)).status_code == 404, verb


def test_choices_of_notices_are_kept_and_wrong_ones_refused(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    assert "way_reply" in browser.get("/settings/notices").text
    fields = {
        "way_reply": "none", "away_minutes": "20", "digest_minutes": "120", "reminder_minutes": "5",
        "quiet_from": "18:30", "quiet_until": "07:00", "morning_at": "07:45", "zone": "Europe/Riga",
    }  # fmt: skip
    browser.post("/settings/notices", data=fields)
    with transaction(engine) as session:
        choice = session.get_one(NoticeChoice, world.staff["agent"].id)
        assert (choice.way(Kind.REPLY), choice.away_minutes, choice.zone) == (Way.NONE, 20, "Europe/Riga")
        assert not choice.morning
    for wrong in (
        {"away_minutes": "7"},
        {"quiet_from": "25:00"},
        {"zone": "Mars/North"},
        {"way_ring": "digest"},
    ):
        assert browser.post("/settings/notices", data=fields | wrong).status_code == 422, wrong


def test_a_reminder_is_shown_until_it_is_closed_by_whose_it_is(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    agent = world.staff["agent"].id
    due = clock.now() + timedelta(minutes=9)
    with transaction(engine) as session:
        task = Task(title="Skambinti Onai", assignee_id=agent, due_at=due)
        session.add(task)
        session.flush()
        notice = StaffNotice(
            staff_id=agent, kind=Kind.TASK_DUE, key="due:1", state=NoticeState.WAITING,
            title="Skambinti Onai", task_id=task.id, due_at=due,
        )  # fmt: skip
        session.add(notice)
        session.flush()
        number = notice.id
    assert "Skambinti Onai" in signed_in("agent").get("/reminders").text
    signed_in("other").post(f"/reminders/{number}/hide", headers=HTMX)
    assert "Skambinti Onai" in signed_in("agent").get("/reminders").text
    signed_in("agent").post(f"/reminders/{number}/hide", headers=HTMX)
    assert "Skambinti Onai" not in signed_in("agent").get("/reminders").text
