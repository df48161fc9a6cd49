"""A person's tasks and meetings as a calendar that their own calendar program follows (RFC 5545)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.meetings import Meeting
from core.staff import StaffMember

LENGTH = timedelta(minutes=15)
"""How long a task is taken to last."""
BACK = timedelta(days=14)
"""Open tasks that are overdue for longer leave the calendar; the desk still shows them."""
AHEAD = timedelta(days=366)
"""Meetings farther ahead come into the calendar later."""
MOST = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One task in the calendar."""

    task_id: int
    title: str
    about: str
    due_at: datetime
    changed_at: datetime
    link: str


@dataclass(frozen=True, slots=True)
class Held:
    """One meeting in the calendar."""

    uid: str
    title: str
    about: str
    place: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    link: str


def held(meeting: Meeting, link: str) -> Held:
    """A meeting's entry; who comes and what they answered is in its text."""
    who = [f"{one.name or one.address}: {one.answer}" for one in meeting.attendees]
    about = "\n".join(filter(None, [meeting.account.name if meeting.account else "", *who, meeting.agenda]))
    return Held(
        f"feed-{meeting.uid}",
        meeting.title,
        about,
        meeting.place,
        meeting.starts_at,
        meeting.ends_at,
        meeting.changed_at,
        link,
    )


def feed(name: str, entries: Iterable[Entry], meetings: Iterable[Held] = (), *, host: str) -> bytes:
    """The calendar: one event of a quarter of an hour for each task, with a reminder ten minutes before, and
    the meetings at their own length.

    `host` makes the ids unique in the world; it stands in no entry's text.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//frontdesk//tasks//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"value": "DURATION"})
    for entry in entries:
        event = Event()
        event.add("uid", f"task-{entry.task_id}@{host}")
        event.add("dtstamp", entry.changed_at.astimezone(UTC))
        event.add("dtstart", entry.due_at.astimezone(UTC))
        event.add("dtend", (entry.due_at + LENGTH).astimezone(UTC))
        event.add("summary", entry.title)
        if entry.about:
            event.add("description", entry.about)
        event.add("url", entry.link)
        event.add("transp", "TRANSPARENT")
        reminder = Alarm()
        reminder.add("action", "DISPLAY")
        reminder.add("description", entry.title)
        reminder.add("trigger", timedelta(minutes=-10))
        event.add_component(reminder)
        calendar.add_component(event)
    for one in meetings:
        event = Event()
        event.add("uid", one.uid)
        event.add("dtstamp", one.changed_at.astimezone(UTC))
        event.add("dtstart", one.starts_at.astimezone(UTC))
        event.add("dtend", one.ends_at.astimezone(UTC))
        event.add("summary", one.title)
        if one.about:
            event.add("description", one.about)
        if one.place:
            event.add("location", one.place)
        event.add("url", one.link)
        event.add("transp", "OPAQUE")
        calendar.add_component(event)
    return calendar.to_ical()


def owner_of(session: Session, key: str) -> StaffMember | None:
    """Whose calendar a link's key opens; None for a key that is not, or no longer, anybody's."""
    if not key:
        return None
    return session.scalar(select(StaffMember).where(StaffMember.calendar_key == key, StaffMember.active))


def new_key(session: Session, staff_id: int) -> str:
    """A new key for a person's calendar; a link with the one before opens nothing any more."""
    member = session.get_one(StaffMember, staff_id)
    key = secrets.token_urlsafe(24)
    member.calendar_key = key
    session.flush()
    return key
