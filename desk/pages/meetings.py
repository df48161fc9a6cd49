"""Meetings with clients: planned from a conversation, a deal or a card, changed, cancelled, and answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, meetings, meetings_mail
from core.accounts import Contact
from core.conversations import Conversation
from core.deals import Deal
from core.errors import Conflict, InputRefused, NotFound
from core.meetings import Answer, Attendee, Meeting, MeetingState, Plan
from core.meetings_ical import Method
from core.notices import open_alarms
from core.staff import StaffMember
from desk import live, meetingview, meetingwords, tables
from desk.access import WORKERS, conversation_for, visible
from desk.clientview import client_for
from desk.dealview import deal_for
from desk.forms import Form, own_place
from desk.given import Filled, Transaction
from desk.meetingview import About
from desk.pages.inbox import rail
from desk.pages.sheets import sheet
from desk.personview import person_for
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread


def _about(
    session: Session, request: PageRequest, conversation: int | None, deal: int | None,
    account: int | None = None, contact: int | None = None,
) -> About:  # fmt: skip
    viewer = request.scope["user"]
    talk = conversation_for(session, viewer, conversation) if conversation is not None else None
    found = deal_for(session, viewer, deal) if deal is not None else None
    if talk is not None and found is None and talk.deal_id is not None:
        found = session.scalar(select(Deal).where(Deal.id == talk.deal_id))
    client = client_for(session, viewer, account) if account is not None else None
    person = person_for(session, viewer, contact) if contact is not None else None
    return About(talk, found, client, person)


def _form(
    request: PageRequest, session: Session, about: About, given: dict[str, str], *,
    meeting: Meeting | None = None, against: list[tuple[str, Any]] | None = None, fault: str = "",
) -> Response[str]:  # fmt: skip
    return sheet(
        request,
        session,
        "meeting_form.html",
        about=about,
        meeting=meeting,
        contacts=meetingview.people_of(session, about) if meeting is None else [],
        colleagues=tables.colleagues(session),
        kinds=meetingwords.KINDS,
        lengths=meetingview.lengths(given["minutes"]),
        given=given,
        opened=any(name.startswith("staff_") for name in given),
        clashes=against or [],
        fault=fault,
    )


@get("/meetings/new", enter=WORKERS)
@in_thread
def ask(
    request: PageRequest,
    state: State,
    session: Transaction,
    conversation: FromQuery[int | None] = None,
    deal: FromQuery[int | None] = None,
    account: FromQuery[int | None] = None,
    contact: FromQuery[int | None] = None,
) -> Response[str]:
    """The form of a new meeting with a client."""
    about = _about(session, request, conversation, deal, account, contact)
    local = clock.now().astimezone(ZoneInfo(state.settings.company.timezone))
    given = {
        "title": about.deal.title if about.deal else about.conversation.subject if about.conversation else "",
        "kind": "demo" if about.deal else "meeting",
        "starts": f"{local + timedelta(days=1):%Y-%m-%d}T10:00",
        "minutes": "45",
        "place": "",
        "agenda": "",
    }
    if about.contact_id is not None:
        given[f"contact_{about.contact_id}"] = "1"
    return _form(request, session, about, given)


@post("/meetings/new", enter=WORKERS)
@in_thread
def plan(request: PageRequest, state: State, session: Transaction, form: Filled) -> Response[Any]:
    """Plan a meeting and invite everybody; where something speaks against the time, ask first."""
    viewer = request.scope["user"]
    named = (form.number(f"{name}_id") for name in ("conversation", "deal", "account", "contact"))
    about = _about(session, request, *named)
    contacts = meetingview.people_of(session, about)
    house = meetings_mail.house_of(state.settings)
    given = {name: form.fields[name] for name in form.fields if isinstance(form.fields[name], str)}
    given.setdefault("minutes", "45")
    try:
        wanted = meetings.checked(meetingview.wanted(form, house.zone))
        people = meetingview.chosen(session, form, contacts)
        if not people:
            raise InputRefused("Nobody is invited.", cure="Choose at least one person.")
    except InputRefused as error:
        return _form(request, session, about, given, fault=_said(request, error))
    staff_ids = [viewer.staff_id, *(one.staff_id for one in people if one.staff_id)]
    against = _against(session, request, staff_ids, wanted, house.zone, form)
    if against:
        return _form(request, session, about, given, against=against)
    organizer = session.get_one(StaffMember, viewer.staff_id)
    talk = about.conversation or _conversation(session, about, people, wanted, organizer, visible(viewer))
    meeting = meetings.plan(
        session,
        wanted,
        people,
        organizer=organizer,
        host=house.host,
        conversation=talk,
        deal=about.deal,
        mailbox=talk.mailbox if talk else None,
    )
    meeting.account_id = meeting.account_id or about.account_id
    meetings_mail.send(session, meeting, Method.REQUEST, house, by=organizer, now=clock.now())
    live.announce(session, "meeting", meeting.conversation_id, viewer.staff_id)
    return done(
        request,
        reader(request).gettext("It is planned; the invitations leave in a moment."),
        go=own_place(form.line("back"), f"/meetings/{meeting.id}"),
        undo=f"/meetings/{meeting.id}/withdraw",
        events=("tasks", "conversation", "deal", "client", "asked"),
    )


def _conversation(
    session: Session, about: About, people: list[Any], wanted: Plan, organizer: StaffMember, seen: Any
) -> Conversation | None:
    """Where the letters of a meeting without a conversation are kept; None where no client is invited."""
    contact_id = next((one.contact_id for one in people if one.contact_id), None)
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    if contact is None and about.deal is None:
        return None
    return meetings_mail.conversation_about(session, contact, about.deal, wanted.title, organizer, seen=seen)


def _against(
    session: Session, request: PageRequest, staff_ids: list[int], wanted: Plan, zone: str, form: Form,
    but: int | None = None,
) -> list[tuple[str, Any]]:  # fmt: skip
    """What speaks against the time, with the names of the colleagues; nothing once it is wanted anyway."""
    if form.ticked("anyway"):
        return []
    found = meetings.clashes(session, staff_ids, wanted.starts_at, wanted.ends_at, clock.now(), zone, but=but)
    names = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    own = request.scope["user"].staff_id
    return [("" if staff_id == own else names.get(staff_id, ""), clash) for staff_id, clash in found]


def _said(request: PageRequest, error: InputRefused) -> str:
    _ = reader(request).gettext
    return " ".join(filter(None, (_(error.message), _(error.cure) if error.cure else "")))


@get("/meetings/about", enter=WORKERS)
@in_thread
def about(
    request: PageRequest,
    session: Transaction,
    conversation: FromQuery[int | None] = None,
    deal: FromQuery[int | None] = None,
) -> Response[str]:
    """The meetings of a conversation and its deal, or of a deal, for the card beside them."""
    found = _about(session, request, conversation, deal)
    return page(
        request,
        "meeting_about.html",
        about=found,
        now=clock.now(),
        answers=meetingwords.ANSWERS,
        meetings=meetings.about(
            session,
            deal_id=found.deal.id if found.deal else None,
            conversation_id=found.conversation.id if found.conversation else None,
        ),
    )


@get("/meetings/{meeting_id:int}", enter=WORKERS)
@in_thread
def show(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int]
) -> Response[str]:
    """A meeting with everybody's answers and its history."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    zone = ZoneInfo(state.settings.company.timezone)
    return page(
        request,
        "meeting.html",
        meeting=meeting,
        kinds=meetingwords.KINDS,
        answers=meetingwords.ANSWERS,
        deeds=meetingwords.DEEDS,
        letters=meetings_mail.left(session, meeting),
        length=meetings_mail.length(meeting.ends_at - meeting.starts_at, reader(request).language),
        over=meeting.ends_at < clock.now(),
        same_day=meeting.starts_at.astimezone(zone).date() == meeting.ends_at.astimezone(zone).date(),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/meetings/{meeting_id:int}/change", enter=WORKERS)
@in_thread
def ask_change(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int]
) -> Response[str]:
    """The form of a meeting that is there."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    given = meetingview.given_of(meetingview.plan_of(meeting), state.settings.company.timezone)
    return _form(request, session, About(), given, meeting=meeting)


@post("/meetings/{meeting_id:int}/change", enter=WORKERS)
@in_thread
def change(
    request: PageRequest, state: State, session: Transaction, form: Filled, meeting_id: FromPath[int]
) -> Response[Any]:
    """Change it and tell everybody; where something speaks against the new time, ask first."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    zone = state.settings.company.timezone
    given = {name: str(value) for name, value in form.fields.items()} | {
        "minutes": form.line("minutes") or "45"
    }
    try:
        wanted = meetings.checked(meetingview.wanted(form, zone))
    except InputRefused as error:
        return _form(request, session, About(), given, meeting=meeting, fault=_said(request, error))
    moved = wanted.starts_at != meeting.starts_at or wanted.ends_at != meeting.ends_at
    against = _against(session, request, _ours(meeting), wanted, zone, form, but=meeting.id) if moved else []
    if against:
        return _form(request, session, About(), given, meeting=meeting, against=against)
    return _changed(request, state, session, meeting, wanted)


def _changed(
    request: PageRequest, state: State, session: Session, meeting: Meeting, wanted: Plan
) -> Response[Any]:
    _ = reader(request).gettext
    by = session.get_one(StaffMember, request.scope["user"].staff_id)
    was: datetime = meeting.starts_at
    text = _("Nothing was different.")
    if meetings.change(session, meeting, wanted, by):
        house = meetings_mail.house_of(state.settings)
        meetings_mail.send(
            session, meeting, Method.REQUEST, house, by=meeting.organizer, now=clock.now(), was=was
        )
        live.announce(session, "meeting", meeting.conversation_id, meeting.organizer_id)
        text = _("It is changed; everybody is told.")
    return done(
        request, text, go=f"/meetings/{meeting.id}", events=("tasks", "conversation", "meeting", "asked")
    )


@post("/meetings/{meeting_id:int}/cancel", enter=WORKERS)
@in_thread
def cancel(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int]
) -> Response[Any]:
    """It does not take place; everybody is told."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    by = session.get_one(StaffMember, request.scope["user"].staff_id)
    meetings.cancel(session, meeting, by)
    house = meetings_mail.house_of(state.settings)
    meetings_mail.send(session, meeting, Method.CANCEL, house, by=meeting.organizer, now=clock.now())
    live.announce(session, "meeting", meeting.conversation_id, meeting.organizer_id)
    return done(
        request,
        reader(request).gettext("The meeting is cancelled; everybody is told."),
        go=f"/meetings/{meeting.id}",
        undo=f"/meetings/{meeting.id}/restore",
        events=("tasks", "conversation", "meeting"),
    )


@post("/meetings/{meeting_id:int}/restore", enter=WORKERS)
@in_thread
def restore(request: PageRequest, session: Transaction, meeting_id: FromPath[int]) -> Response[Any]:
    """It takes place after all, as long as nobody was told otherwise."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    if meeting.state != MeetingState.CANCELLED or not meetings_mail.take_back(
        session, meeting, Method.CANCEL
    ):
        raise Conflict("The cancellation has left already.", cure="Plan a new meeting.")
    meetings.restore(session, meeting, session.get_one(StaffMember, request.scope["user"].staff_id))
    return done(
        request,
        reader(request).gettext("The meeting takes place after all."),
        go=f"/meetings/{meeting.id}",
        events=("tasks", "conversation", "meeting"),
    )


@post("/meetings/{meeting_id:int}/withdraw", enter=WORKERS)
@in_thread
def withdraw(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int]
) -> Response[Any]:
    """Undo of planning: nobody is invited while the invitations wait, else everybody is told that it is
    off."""
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    by = session.get_one(StaffMember, request.scope["user"].staff_id)
    # After a change the first invitations are another state's letters: then everybody is told.
    unsent = meeting.sequence == 0 and meetings_mail.take_back(session, meeting, Method.REQUEST)
    meetings.cancel(session, meeting, by)
    if not unsent:
        house = meetings_mail.house_of(state.settings)
        meetings_mail.send(session, meeting, Method.CANCEL, house, by=meeting.organizer, now=clock.now())
    live.announce(session, "meeting", meeting.conversation_id, meeting.organizer_id)
    _ = reader(request).gettext
    text = _("Nobody was invited.") if unsent else _("The meeting is cancelled; everybody is told.")
    return done(request, text, go=f"/meetings/{meeting.id}", events=("tasks", "conversation", "meeting"))


def _proposal(
    session: Session, request: PageRequest, meeting_id: int, attendee_id: int
) -> tuple[Meeting, Attendee]:
    meeting = meetingview.meeting_for(session, request.scope["user"], meeting_id)
    attendee = next((one for one in meeting.attendees if one.id == attendee_id), None)
    if attendee is None:
        raise NotFound
    if attendee.answer != Answer.PROPOSED or attendee.proposed_start is None:
        raise Conflict("No other time is proposed.")
    return meeting, attendee


@post("/meetings/{meeting_id:int}/attendees/{attendee_id:int}/take", enter=WORKERS)
@in_thread
def take(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int],
    attendee_id: FromPath[int],
) -> Response[Any]:  # fmt: skip
    """The time that somebody proposed becomes the meeting's; where something speaks against it, ask first."""
    meeting, attendee = _proposal(session, request, meeting_id, attendee_id)
    begin = attendee.proposed_start or meeting.starts_at
    end = attendee.proposed_end or begin + (meeting.ends_at - meeting.starts_at)
    wanted = meetings.checked(meetingview.plan_of(meeting, starts_at=begin, ends_at=end))
    zone = state.settings.company.timezone
    against = _against(session, request, _ours(meeting), wanted, zone, Form({}), but=meeting.id)
    if against:
        given = meetingview.given_of(wanted, zone)
        return _form(request, session, About(), given, meeting=meeting, against=against)
    return _changed(request, state, session, meeting, wanted)


def _ours(meeting: Meeting) -> list[int]:
    """The colleagues who are to be there."""
    return [meeting.organizer_id, *(one.staff_id for one in meeting.attendees if one.staff_id)]


@post("/meetings/{meeting_id:int}/attendees/{attendee_id:int}/keep", enter=WORKERS)
@in_thread
def keep(
    request: PageRequest, state: State, session: Transaction, meeting_id: FromPath[int],
    attendee_id: FromPath[int],
) -> Response[Any]:  # fmt: skip
    """The time stays; who proposed another is told."""
    meeting, attendee = _proposal(session, request, meeting_id, attendee_id)
    by = session.get_one(StaffMember, request.scope["user"].staff_id)
    meetings.keep_time(session, meeting, attendee, by)
    house = meetings_mail.house_of(state.settings)
    meetings_mail.send(
        session, meeting, Method.DECLINECOUNTER, house, by=meeting.organizer, now=clock.now(), to=[attendee]
    )
    return done(
        request,
        reader(request).gettext("The time stays; who proposed another is told."),
        go=f"/meetings/{meeting.id}",
        events=("meeting",),
    )


ROUTES = (ask, plan, about, show, ask_change, change, cancel, restore, withdraw, take, keep)
