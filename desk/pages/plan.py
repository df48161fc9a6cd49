"""The plan of the day: one's own, for leaders anybody's; something planned by hand; a calendar to follow."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import clock, icalfeed, meetings, tasks
from core.errors import InputRefused, NotFound
from core.i18n import N_
from core.icalfeed import Entry
from core.notices import open_alarms
from core.staff import StaffMember
from core.tasks import Clash, TaskState
from core.worktime import Calendar
from desk import dayplan, live, meetingwords, tables, todo
from desk.access import LEADERS, PUBLIC, WORKERS, conversation_for
from desk.forms import own_place
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

KIND_NAMES: dict[str, str] = {
    "call": N_("Call"),
    "letter": N_("Letter"),
    "meeting": N_("Meeting"),
    "other": N_("Something else"),
}


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputRefused("That day does not exist.", cure="Write it as 2026-11-23.") from error


@get("/plan", enter=WORKERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """A day of one's own; a leader may look at a colleague's."""
    viewer = request.scope["user"]
    calendar = Calendar(zone=state.settings.company.timezone)
    now = clock.now()
    today = now.astimezone(ZoneInfo(calendar.zone)).date()
    day = _day(request.query_params.get("day", ""), today)
    who = request.query_params.get("who", "")
    staff_id = int(who) if viewer.role in LEADERS and who.isdecimal() and len(who) < 19 else viewer.staff_id
    person = session.get(StaffMember, staff_id)
    if person is None:
        raise NotFound
    values: dict[str, Any] = {
        "plan": dayplan.day_of(session, viewer, staff_id, day, now, calendar),
        "today": today,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "person": person,
        "colleagues": tables.colleagues(session) if viewer.role in LEADERS else [],
        "answers": meetingwords.ANSWERS,
    }
    if request.headers.get("hx-request") == "true":
        return page(request, "plan_day.html", **values)
    key = session.get_one(StaffMember, viewer.staff_id).calendar_key
    values["feed"] = _link(state, key) if key else None
    return page(request, "plan.html", alarms=open_alarms(session), **values, **rail(session, request))


def _link(state: State, key: str) -> str:
    return f"{state.settings.company.public_url.rstrip('/')}/calendar/{key}.ics"


@get("/tasks/new", enter=WORKERS)
@in_thread
def ask_task(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """The form of a new task, about a conversation where one is named."""
    talk = request.query_params.get("conversation", "")
    conversation = (
        conversation_for(session, request.scope["user"], int(talk))
        if talk.isdecimal() and len(talk) < 19
        else None
    )
    local = clock.now().astimezone(ZoneInfo(state.settings.company.timezone))
    return sheet(
        request,
        session,
        "task_new.html",
        conversation=conversation,
        colleagues=tables.colleagues(session),
        kinds=KIND_NAMES,
        given={"kind": "call" if conversation else "other", "title": "", "staff_id": "",
               "due": f"{local + timedelta(days=1):%Y-%m-%d}T09:00"},
        clashes=[],
    )  # fmt: skip


@post("/tasks/new", enter=WORKERS)
@in_thread
def add_task(request: PageRequest, state: State, session: Transaction, form: Filled) -> Response[Any]:
    """Plan something for oneself or a colleague; where something speaks against the moment, ask first."""
    viewer = request.scope["user"]
    number = form.number("conversation_id")
    conversation = conversation_for(session, viewer, number) if number is not None else None
    staff_id = form.number("staff_id") or viewer.staff_id
    zone = state.settings.company.timezone
    due_at = moment(form.line("due"), zone)
    against = (
        clashes(session, staff_id, due_at, zone) if due_at is not None and not form.ticked("anyway") else []
    )
    if against:
        return sheet(
            request, session, "task_new.html", conversation=conversation, kinds=KIND_NAMES,
            colleagues=tables.colleagues(session), clashes=against,
            given={name: form.line(name) for name in ("kind", "title", "staff_id", "due")},
        )  # fmt: skip
    task = tasks.plan(
        session,
        form.line("title", longest=300),
        assignee_id=staff_id,
        due_at=due_at,
        kind=form.line("kind"),
        conversation=conversation,
        by=viewer.staff_id,
    )
    live.announce(session, "task", task.conversation_id, task.assignee_id)
    return done(
        request,
        reader(request).gettext("It is planned."),
        go=own_place(form.line("back"), "/plan"),
        undo=f"/tasks/{task.id}/cancel",
        events=("tasks", "conversation", "asked"),
    )


def clashes(session: Session, staff_id: int, due_at: datetime, zone: str) -> list[Clash]:
    """What speaks against a moment of a colleague's: absence, other tasks, meetings."""
    near = meetings.in_the_way(session, staff_id, due_at, due_at + icalfeed.LENGTH)
    return tasks.clashes(session, staff_id, due_at, clock.now(), zone) + near


def moment(text: str, zone: str) -> datetime | None:
    """A moment as a form's field has it, on a zone's clock; None for an empty one. Raises InputRefused."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise InputRefused("That moment does not exist.", cure="Write it as 2026-11-23 09:00.") from error


@post("/tasks/{task_id:int}/cancel", enter=WORKERS)
@in_thread
def cancel_task(request: PageRequest, session: Transaction, task_id: FromPath[int]) -> Response[Any]:
    """It need not be done after all."""
    task = todo.task_for(session, request.scope["user"], task_id)
    tasks.settle(session, task, TaskState.CANCELLED)
    live.announce(session, "task", task.conversation_id, task.assignee_id)
    return done(
        request,
        reader(request).gettext("The task is cancelled."),
        go="/plan",
        undo=f"/tasks/{task_id}/reopen",
        events=("tasks", "conversation"),
    )


@post("/plan/calendar", enter=WORKERS)
@in_thread
def make_link(request: PageRequest, session: Transaction) -> Response[Any]:
    """A link to one's own calendar; the one before opens nothing any more."""
    icalfeed.new_key(session, request.scope["user"].staff_id)
    return done(request, reader(request).gettext("The link is new; the one before is closed."), go="/plan")


@get("/calendar/{name:str}", enter=PUBLIC)
@in_thread
def follow(request: PageRequest, state: State, session: Transaction, name: FromPath[str]) -> Response[bytes]:
    """The calendar that a secret link opens, for a calendar program. NotFound for any other name."""
    owner = icalfeed.owner_of(session, name.removesuffix(".ics")) if name.endswith(".ics") else None
    if owner is None:
        raise NotFound
    base = state.settings.company.public_url.rstrip("/")
    rows = dayplan.calendar_rows(session, owner.id, clock.now() - icalfeed.BACK, icalfeed.MOST)
    entries = [
        Entry(
            row.id, row.title, row.about or "", row.due_at, row.created_at,
            f"{base}/conversations/{row.conversation_id}" if row.conversation_id else f"{base}/plan",
        )
        for row in rows
    ]  # fmt: skip
    held = meetings.of_staff(session, owner.id, clock.now() - icalfeed.BACK, clock.now() + icalfeed.AHEAD)
    made = icalfeed.feed(
        f"{state.settings.company.name}: {owner.name}",
        entries,
        [icalfeed.held(one, f"{base}/meetings/{one.id}") for one in held[: icalfeed.MOST]],
        host=urlsplit(base).hostname or "frontdesk",
    )
    return Response(
        made, media_type="text/calendar; charset=utf-8", headers={"cache-control": "private, no-store"}
    )


ROUTES = (show, ask_task, add_task, cancel_task, make_link, follow)
