"""Meetings as the desk shows them: who may see one, whom it can invite, what its form holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.accounts import Account, Contact, ContactPoint, PointKind
from core.conversations import Conversation
from core.deals import Deal
from core.errors import InputRefused, NotFound
from core.meetings import Attendee, Invited, Meeting, MeetingKind, Plan
from core.sessions import SignedIn
from core.staff import StaffMember
from core.values import normal_email
from desk import meetingwords
from desk.access import LEADERS, visible
from desk.forms import Form

LENGTHS = (15, 30, 45, 60, 90, 120, 180)
"""Minutes that a meeting may be given; another length stays as it is."""
MOST_CONTACTS = 40


def lengths(minutes: str) -> list[int]:
    """The lengths that a form offers, with the one it holds."""
    own = int(minutes) if minutes.isdecimal() and minutes.isascii() and len(minutes) < 4 else LENGTHS[1]
    return sorted({*LENGTHS, own})


def meeting_for(session: Session, viewer: SignedIn, meeting_id: int) -> Meeting:
    """A meeting that somebody may see: their own, one they are invited to, one of a conversation they may
    see, and for leaders any. Raises NotFound otherwise."""
    query = (
        select(Meeting)
        .where(Meeting.id == meeting_id)
        .options(
            selectinload(Meeting.attendees),
            selectinload(Meeting.events),
            joinedload(Meeting.organizer),
            joinedload(Meeting.account),
            joinedload(Meeting.deal),
        )
    )
    if viewer.role not in LEADERS:
        coming = select(Attendee.meeting_id).where(Attendee.staff_id == viewer.staff_id)
        talks = select(Conversation.id).where(visible(viewer))
        query = query.where(
            or_(
                Meeting.organizer_id == viewer.staff_id,
                Meeting.id.in_(coming),
                Meeting.conversation_id.in_(talks),
            )
        )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class About:
    """What a new meeting is about."""

    conversation: Conversation | None = None
    deal: Deal | None = None
    account: Account | None = None
    contact: Contact | None = None

    @property
    def contact_id(self) -> int | None:
        """The person it is with in the first place."""
        if self.contact is not None:
            return self.contact.id
        talk, deal = self.conversation, self.deal
        return (talk.contact_id if talk else None) or (deal.contact_id if deal else None)

    @property
    def account_id(self) -> int | None:
        """The client."""
        if self.account is not None:
            return self.account.id
        found = (one.account_id for one in (self.conversation, self.deal, self.contact) if one is not None)
        return next(filter(None, found), None)


@dataclass(frozen=True, slots=True)
class Person:
    """A contact who can be invited."""

    id: int
    name: str
    address: str


def people_of(session: Session, about: About) -> Sequence[Person]:
    """The client's contacts with an address, whom it is about first."""
    if about.contact_id is None and about.account_id is None:
        return []
    whose = [Contact.id == about.contact_id] if about.contact_id is not None else []
    if about.account_id is not None:
        whose.append(Contact.account_id == about.account_id)
    rows = session.execute(
        select(Contact.id, Contact.name, ContactPoint.value)
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(or_(*whose), ContactPoint.kind == PointKind.EMAIL)
        .order_by((Contact.id == about.contact_id).desc(), Contact.name, ContactPoint.id)
        .limit(MOST_CONTACTS)
    )
    found: dict[int, Person] = {}
    for contact_id, name, address in rows:
        found.setdefault(contact_id, Person(contact_id, name or address, address))
    return list(found.values())


def chosen(session: Session, form: Form, contacts: Sequence[Person]) -> list[Invited]:
    """Whom a form invites. Raises BadAddress for an address that is none."""
    people = [
        Invited(one.address, one.name, contact_id=one.id)
        for one in contacts
        if form.ticked(f"contact_{one.id}")
    ]
    ticked = [name.removeprefix("staff_") for name in form.fields if name.startswith("staff_")]
    ids = [int(number) for number in ticked if number.isdecimal() and len(number) < 19]
    query = select(StaffMember).where(StaffMember.id.in_(ids), StaffMember.active)
    people += [Invited(one.email, one.name, staff_id=one.id) for one in session.scalars(query)]
    by_address = {one.address: one for one in contacts}
    for word in form.text("others", longest=2000).replace(",", " ").replace(";", " ").split():
        address = normal_email(word)
        known = by_address.get(address)
        people.append(Invited(address, known.name if known else "", contact_id=known.id if known else None))
    return people


def wanted(form: Form, zone: str) -> Plan:
    """The plan a form holds. Raises InputRefused."""
    starts = moment(form.line("starts"), zone)
    minutes = form.number("minutes") or 0
    kind = form.line("kind")
    if kind not in meetingwords.KINDS:
        raise InputRefused("That kind of meeting does not exist.")
    return Plan(
        title=form.line("title", longest=300),
        starts_at=starts,
        ends_at=starts + timedelta(minutes=minutes),
        kind=MeetingKind(kind),
        agenda=form.text("agenda", longest=5000).strip(),
        place=form.line("place", longest=500),
    )


def moment(text: str, zone: str) -> datetime:
    """A moment as a form's field has it, on the clock of a zone."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise InputRefused("That moment does not exist.", cure="Write it as 2026-11-23 09:00.") from error


def given_of(plan: Plan, zone: str) -> dict[str, str]:
    """A form's fields for a meeting that is there."""
    return {
        "title": plan.title,
        "kind": plan.kind.value,
        "starts": f"{plan.starts_at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}",
        "minutes": str(int((plan.ends_at - plan.starts_at).total_seconds() // 60)),
        "place": plan.place,
        "agenda": plan.agenda,
    }


def plan_of(meeting: Meeting, **more: object) -> Plan:
    """A meeting's plan, changed in some places."""
    values = {
        "title": meeting.title, "starts_at": meeting.starts_at, "ends_at": meeting.ends_at,
        "kind": MeetingKind(meeting.kind), "agenda": meeting.agenda, "place": meeting.place,
    } | more  # fmt: skip
    return Plan(**values)  # type: ignore[arg-type]
