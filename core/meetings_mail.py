"""The letters of a meeting: each invited person gets one, through the send ledger, with the calendar part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Account, Contact
from core.config import Settings
from core.conversations import Conversation
from core.deals import Deal
from core.i18n import texts
from core.letters import UNDO, client_values, staff_values
from core.meetings import Attendee, Meeting, link_of
from core.meetings_ical import Method, written
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from core.staff import StaffMember
from core.values import normal_email

TEMPLATES: dict[tuple[Method, bool], str] = {
    (Method.REQUEST, False): "meeting_invitation",
    (Method.REQUEST, True): "meeting_change",
    (Method.CANCEL, True): "meeting_cancellation",
    (Method.DECLINECOUNTER, True): "meeting_time_kept",
}
"""The template of each kind of letter; the second says whether the meeting was told before."""


UNSENT = (DeliveryState.QUEUED, DeliveryState.HELD)
"""States in which a letter may still be taken back without anybody having got it."""


@dataclass(frozen=True, slots=True)
class House:
    """What letters of meetings need to know of the company."""

    name: str
    sender: str
    """The address letters leave from."""
    mailboxes: dict[str, str]
    """Addresses of the mailboxes by name."""
    zone: str
    language: str

    def answers_to(self, mailbox: str | None) -> str:
        """Where calendar programs send their answers: a mailbox that we read."""
        usual = next(iter(self.mailboxes.values()), self.sender)
        return self.mailboxes.get(mailbox or "", usual)

    @property
    def host(self) -> str:
        """What makes ids of meetings unique in the world."""
        return self.answers_to(None).rpartition("@")[2] or "frontdesk"


def house_of(settings: Settings) -> House:
    """The company as the settings describe it."""
    company, relay = settings.company, settings.relay
    mailboxes = {one.name: normal_email(one.address) for one in settings.mailboxes}
    usual = next(iter(mailboxes.values()), company.email)
    return House(
        name=company.name,
        sender=normal_email(relay.from_address) if relay else usual,
        mailboxes=mailboxes,
        zone=company.timezone,
        language=company.default_language,
    )


def conversation_about(
    session: Session, contact: Contact | None, deal: Deal | None, title: str, assignee: StaffMember,
    *, seen: ColumnElement[bool],
) -> Conversation:  # fmt: skip
    """The conversation whose history a meeting's letters join: the deal's or the contact's newest among those
    that the assignee may see (`seen`), else a new one."""
    newest = select(Conversation).where(seen).order_by(Conversation.last_message_at.desc()).limit(1)
    found = None
    if deal is not None:
        found = session.scalar(newest.where(Conversation.deal_id == deal.id))
    if found is None and contact is not None:
        found = session.scalar(newest.where(Conversation.contact_id == contact.id))
    if found is None:
        found = Conversation(
            subject=title,
            contact_id=contact.id if contact else None,
            account_id=(contact.account_id if contact else None) or (deal.account_id if deal else None),
            deal_id=deal.id if deal else None,
            assignee_id=assignee.id,
            team_id=assignee.team_id,
            language=contact.language if contact else None,
            waiting=False,
        )
        session.add(found)
        session.flush()
    return found


def send(
    session: Session,
    meeting: Meeting,
    method: Method,
    house: House,
    *,
    by: StaffMember,
    now: datetime,
    to: Iterable[Attendee] | None = None,
    was: datetime | None = None,
) -> list[int]:
    """Queue the letters of a change of the meeting to everybody invited, or to some; they leave after UNDO.

    Each attendee gets one for each state of the meeting, however often this is called.
    """
    told = method is not Method.REQUEST or meeting.sequence > 0
    template = TEMPLATES[method, told]
    people = [one for one in (meeting.attendees if to is None else to) if one.invited or to is not None]
    known = _people(session, people)
    drafts = [
        _draft(meeting, one, method, template, house, by=by, now=now, was=was, known=known) for one in people
    ]
    return outbox.queue_many(session, drafts)


def take_back(session: Session, meeting: Meeting, method: Method) -> bool:
    """Cancel the letters of the meeting's present state, while none has left; whether that was so."""
    prefix = f"meeting:{meeting.id}:{meeting.sequence}:{method.value}:"
    rows = session.execute(
        select(Delivery.id, Delivery.state).where(Delivery.key.startswith(prefix)).with_for_update()
    ).all()
    if any(state not in {*UNSENT, DeliveryState.CANCELLED} for _, state in rows):
        return False
    ids = [delivery_id for delivery_id, state in rows if state in UNSENT]
    for delivery_id in ids:
        outbox.settle(session, delivery_id, DeliveryState.CANCELLED, detail="taken back")
    # The very same state may be told once more: its keys are free again.
    for delivery_id in ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id)
            .values(key=Delivery.key + f":taken-back-{delivery_id}")
        )
    return True


@dataclass(frozen=True, slots=True)
class _Known:
    contacts: dict[int, Contact]
    staff: dict[int, StaffMember]
    accounts: dict[int, Account]


def _people(session: Session, attendees: Sequence[Attendee]) -> _Known:
    def rows(model: Any, ids: set[int]) -> dict[int, Any]:
        return {one.id: one for one in session.scalars(select(model).where(model.id.in_(ids)))} if ids else {}

    contacts = rows(Contact, {one.contact_id for one in attendees if one.contact_id})
    staff = rows(StaffMember, {one.staff_id for one in attendees if one.staff_id})
    accounts = rows(Account, {one.account_id for one in contacts.values() if one.account_id})
    return _Known(contacts, staff, accounts)


def _draft(
    meeting: Meeting,
    one: Attendee,
    method: Method,
    template: str,
    house: House,
    *,
    by: StaffMember,
    now: datetime,
    was: datetime | None,
    known: _Known,
) -> Draft:
    contact = known.contacts.get(one.contact_id or 0)
    colleague = known.staff.get(one.staff_id or 0)
    account = known.accounts.get((contact.account_id if contact else None) or 0)
    language = (
        colleague.language.value
        if colleague is not None
        else (contact.language if contact else None) or _language_of(meeting) or house.language
    )
    zone = (account.zone if account else None) or house.zone
    answers_to = house.answers_to(meeting.mailbox)
    calendar = written(
        meeting,
        method,
        organizer=(f"{by.name} ({house.name})" if house.name else by.name, answers_to),
        stamp=now,
        only=one if method is not Method.REQUEST else None,
        sent_by=house.sender,
    )
    return Draft(
        key=f"meeting:{meeting.id}:{meeting.sequence}:{_deed(method, one)}:{one.id}",
        address=one.address,
        purpose=Purpose.STAFF if colleague is not None else Purpose.SERVICE,
        automatic=False,
        recipient_name=one.name,
        contact_id=one.contact_id,
        conversation_id=meeting.conversation_id if colleague is None else None,
        deal_id=meeting.deal_id if colleague is None else None,
        staff_id=by.id,
        mailbox=meeting.mailbox,
        template=template,
        language=language,
        subject=meeting.title,
        values={
            "client": client_values(contact) if contact is not None else {"name": one.name},
            "staff": staff_values(by),
            "meeting": meeting_values(meeting, language, zone, was),
            "calendar": {"method": method.value, "text": calendar},
        },
        priority=2,
        due_at=now + UNDO,
        expires_at=max(meeting.ends_at, now + timedelta(hours=1)),
    )


def _deed(method: Method, one: Attendee) -> str:
    """What a letter does, as its key names it: each proposal that is not taken is told of once."""
    if method is not Method.DECLINECOUNTER or one.answered_at is None:
        return method.value
    return f"{method.value}-{int(one.answered_at.timestamp() * 1_000_000)}"


def _language_of(meeting: Meeting) -> str | None:
    return meeting.conversation.language if meeting.conversation is not None else None


def meeting_values(meeting: Meeting, language: str, zone: str, was: datetime | None = None) -> dict[str, Any]:
    """The meeting's placeholders; times on the reader's clock."""
    place = ZoneInfo(zone)
    local = meeting.starts_at.astimezone(place)
    link = link_of(meeting.place)
    values: dict[str, Any] = {
        "title": meeting.title,
        "starts": local.isoformat(),
        "zone": offset_name(local),
        "length": length(meeting.ends_at - meeting.starts_at, language),
        "place": "" if link else meeting.place,
        "link": link,
        "agenda": meeting.agenda,
    }
    if was is not None and was != meeting.starts_at:
        values["was"] = was.astimezone(place).isoformat()
    return values


def offset_name(local: datetime) -> str:
    """A zone as people of any language read it: ``UTC+2``, ``UTC+5:30``."""
    offset = local.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign, minutes = ("−" if minutes < 0 else "+"), abs(minutes)
    rest = f":{minutes % 60:02d}" if minutes % 60 else ""
    return f"UTC{sign}{minutes // 60}{rest}" if minutes else "UTC"


def length(span: timedelta, language: str) -> str:
    """How long it lasts, hours and minutes in words."""
    from babel.dates import format_timedelta

    locale = texts(language).locale
    minutes = int(span.total_seconds() // 60)
    parts = [timedelta(hours=minutes // 60), timedelta(minutes=minutes % 60)]
    said = [format_timedelta(one, threshold=1, locale=locale) for one in parts if one]
    return " ".join(said)


def left(session: Session, meeting: Meeting) -> dict[int, str]:
    """The state of the newest letter to each attendee."""
    rows = session.execute(
        select(Delivery.key, Delivery.state)
        .where(Delivery.key.startswith(f"meeting:{meeting.id}:"))
        .order_by(Delivery.id)
    )
    found: dict[int, str] = {}
    for key, state in rows:
        parts = key.split(":")
        if len(parts) == 5 and parts[4].isdecimal():
            found[int(parts[4])] = DeliveryState(state).value
    return found
