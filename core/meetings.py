"""Meetings with clients: when, where, with whom, and what each invited person answered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from core import tasks
from core.accounts import Account
from core.conversations import Conversation
from core.db import Base, Id
from core.deals import Deal
from core.errors import IllegalTransition, InputRefused
from core.staff import StaffMember
from core.tasks import Clash

LONGEST = timedelta(hours=12)
"""A longer meeting is a slip of the pen."""
MOST_ATTENDEES = 50
CLASHES_SHOWN = 5


class MeetingKind(StrEnum):
    """What a meeting is for."""

    DEMO = "demo"
    MEETING = "meeting"
    CALL = "call"


class MeetingState(StrEnum):
    """Whether a meeting is to take place."""

    PLANNED = "planned"
    CANCELLED = "cancelled"


TRANSITIONS: dict[MeetingState, frozenset[MeetingState]] = {
    MeetingState.PLANNED: frozenset({MeetingState.CANCELLED}),
    MeetingState.CANCELLED: frozenset({MeetingState.PLANNED}),
}
"""A cancelled one is planned again only while its cancellations have not left."""


class Answer(StrEnum):
    """What an invited person said (PARTSTAT, RFC 5545 section 3.2.12)."""

    NONE = "none"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"
    PROPOSED = "proposed"
    """Another time was proposed (METHOD:COUNTER, RFC 5546 section 3.2.7)."""


class Deed(StrEnum):
    """What happened to a meeting."""

    PLANNED = "planned"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    ANSWERED = "answered"
    FORWARDED = "forwarded"
    """Somebody answered who was not invited by us."""
    OUTDATED = "outdated"
    """The answer was to an older time than the meeting's, or came after a newer one."""
    REFUSED = "refused"
    """The answer's sender is not who the letter says."""
    UNSURE = "unsure"
    """Somebody who was not invited answers in the name of somebody who was."""
    KEPT = "kept"
    """A proposed time was not taken."""


class Meeting(Base):
    """One meeting; its `uid` and `sequence` are those of RFC 5545."""

    __tablename__ = "meeting"

    id: Mapped[Id]
    uid: Mapped[str] = mapped_column(Text, unique=True)
    """Cannot be guessed: who knows it was invited, or was shown the invitation."""
    sequence: Mapped[int] = mapped_column(default=0)
    """Grows with every change that was told (RFC 5546 section 2.1.4)."""
    kind: Mapped[MeetingKind] = mapped_column(default=MeetingKind.MEETING)
    state: Mapped[MeetingState] = mapped_column(default=MeetingState.PLANNED)
    title: Mapped[str] = mapped_column(Text)
    agenda: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    """A room, an address or the link of a video call."""
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    organizer_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    """Whose history holds the invitations and the answers."""
    mailbox: Mapped[str | None] = mapped_column(Text)
    """Name of the mailbox that answers come to."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    organizer: Mapped[StaffMember] = relationship()
    account: Mapped[Account | None] = relationship()
    deal: Mapped[Deal | None] = relationship()
    conversation: Mapped[Conversation | None] = relationship()
    attendees: Mapped[list[Attendee]] = relationship(back_populates="meeting", order_by="Attendee.id")
    events: Mapped[list[MeetingEvent]] = relationship(
        back_populates="meeting", order_by="MeetingEvent.id.desc()"
    )


class Attendee(Base):
    """Somebody who is to come, and what they said."""

    __tablename__ = "meeting_attendee"
    __table_args__ = (Index("uq_meeting_attendee", "meeting_id", "address", unique=True),)

    id: Mapped[Id]
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    name: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text)
    """Normal form."""
    invited: Mapped[bool] = mapped_column(default=True)
    """False for who got the invitation from somebody else and answered."""
    answer: Mapped[Answer] = mapped_column(default=Answer.NONE)
    answered_at: Mapped[datetime | None]
    answered_sequence: Mapped[int | None]
    answered_stamp: Mapped[datetime | None]
    """DTSTAMP of the answer that counts; an earlier one coming later does not (RFC 5546 section 2.1.5)."""
    comment: Mapped[str] = mapped_column(Text, default="")
    proposed_start: Mapped[datetime | None]
    proposed_end: Mapped[datetime | None]

    meeting: Mapped[Meeting] = relationship(back_populates="attendees")


class MeetingEvent(Base):
    """Something that happened to a meeting, as its history shows it."""

    __tablename__ = "meeting_event"

    id: Mapped[Id]
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"), index=True)
    deed: Mapped[Deed]
    who: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_message.id"))
    """The letter that brought it."""
    answer: Mapped[Answer | None]
    detail: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime | None]
    """The time that was set or proposed."""
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())

    meeting: Mapped[Meeting] = relationship(back_populates="events")


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody to be invited."""

    address: str
    name: str = ""
    contact_id: int | None = None
    staff_id: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a meeting is about, when and where."""

    title: str
    starts_at: datetime
    ends_at: datetime
    kind: MeetingKind = MeetingKind.MEETING
    agenda: str = ""
    place: str = ""


_LINK = re.compile(r"https?://[^\s/?#\"'<>\\`{}]+[^\s\"'<>\\`{}]*", re.IGNORECASE)


def link_of(place: str) -> str:
    """The link that a place is; empty for an address, and for a link with words beside it."""
    return place if _LINK.fullmatch(place) else ""


def new_uid(host: str) -> str:
    """An id that is unique in the world and cannot be guessed (RFC 7986 section 5.3)."""
    return f"{secrets.token_hex(16)}@{host}"


def checked(plan: Plan) -> Plan:
    """The plan, when a meeting can be held by it. Raises InputRefused."""
    if not plan.title.strip():
        raise InputRefused("A meeting needs a title.", cure="Write what it is about.")
    if plan.ends_at <= plan.starts_at or plan.ends_at - plan.starts_at > LONGEST:
        raise InputRefused("A meeting ends after it begins, within 12 hours.", cure="Choose how long it is.")
    return plan


def plan(
    session: Session,
    wanted: Plan,
    people: Sequence[Invited],
    *,
    organizer: StaffMember,
    host: str,
    conversation: Conversation | None = None,
    deal: Deal | None = None,
    mailbox: str | None = None,
) -> Meeting:
    """Put a meeting into the books; the invitations are queued by `core.meetings_mail`.

    Raises InputRefused without a title, a time or anybody to invite.
    """
    checked(wanted)
    known = {one.address: one for one in people}
    if not known:
        raise InputRefused("Nobody is invited.", cure="Choose at least one person.")
    if len(known) > MOST_ATTENDEES:
        raise InputRefused(f"At most {MOST_ATTENDEES} people can be invited.")
    contact_id = next((one.contact_id for one in known.values() if one.contact_id), None)
    meeting = Meeting(
        uid=new_uid(host),
        kind=wanted.kind,
        title=wanted.title.strip()[:300],
        agenda=wanted.agenda.strip(),
        place=wanted.place.strip()[:500],
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        organizer_id=organizer.id,
        contact_id=contact_id or (deal.contact_id if deal else None),
        account_id=(conversation.account_id if conversation else None) or (deal.account_id if deal else None),
        deal_id=deal.id if deal else None,
        conversation_id=conversation.id if conversation else None,
        mailbox=mailbox,
    )
    session.add(meeting)
    session.flush()
    session.add_all(
        Attendee(
            meeting_id=meeting.id,
            contact_id=one.contact_id,
            staff_id=one.staff_id,
            name=one.name,
            address=one.address,
        )
        for one in known.values()
    )
    note(session, meeting, Deed.PLANNED, organizer, starts_at=wanted.starts_at)
    session.refresh(meeting)
    return meeting


def change(session: Session, meeting: Meeting, wanted: Plan, by: StaffMember) -> bool:
    """Change a meeting that is planned; False where nothing is different.

    The sequence grows; with another time what was answered no longer counts (RFC 5546 section 2.1.4).
    Raises IllegalTransition for a cancelled one, InputRefused as `plan` does.
    """
    _hold(session, meeting, MeetingState.PLANNED)
    checked(wanted)
    before = (meeting.title, meeting.agenda, meeting.place, meeting.starts_at, meeting.ends_at, meeting.kind)
    title, agenda, place = wanted.title.strip()[:300], wanted.agenda.strip(), wanted.place.strip()[:500]
    if before == (title, agenda, place, wanted.starts_at, wanted.ends_at, wanted.kind):
        return False
    moved = (meeting.starts_at, meeting.ends_at) != (wanted.starts_at, wanted.ends_at)
    meeting.title, meeting.agenda, meeting.place, meeting.kind = title, agenda, place, wanted.kind
    meeting.starts_at, meeting.ends_at = wanted.starts_at, wanted.ends_at
    meeting.sequence += 1
    meeting.changed_at = func.now()
    for one in meeting.attendees if moved else ():
        one.answer, one.answered_at, one.comment = Answer.NONE, None, ""
        one.proposed_start = one.proposed_end = None
    note(session, meeting, Deed.CHANGED, by, starts_at=wanted.starts_at if moved else None)
    return True


def cancel(session: Session, meeting: Meeting, by: StaffMember) -> None:
    """It does not take place. Raises IllegalTransition where it is cancelled already."""
    _hold(session, meeting, MeetingState.PLANNED)
    meeting.state = MeetingState.CANCELLED
    meeting.sequence += 1
    meeting.changed_at = func.now()
    note(session, meeting, Deed.CANCELLED, by)


def restore(session: Session, meeting: Meeting, by: StaffMember) -> None:
    """It takes place after all; only before anybody was told otherwise, which the caller has seen to."""
    _hold(session, meeting, MeetingState.CANCELLED)
    meeting.state = MeetingState.PLANNED
    meeting.sequence -= 1
    meeting.changed_at = func.now()
    note(session, meeting, Deed.RESTORED, by)


def keep_time(session: Session, meeting: Meeting, attendee: Attendee, by: StaffMember) -> None:
    """The time that somebody proposed is not taken. Raises IllegalTransition where none is proposed."""
    _hold(session, meeting, MeetingState.PLANNED)
    if attendee.answer != Answer.PROPOSED:
        raise IllegalTransition("No other time is proposed.")
    note(session, meeting, Deed.KEPT, by, detail=attendee.name, starts_at=attendee.proposed_start)
    attendee.answer, attendee.proposed_start, attendee.proposed_end = Answer.NONE, None, None
    session.flush()


def _hold(session: Session, meeting: Meeting, state: MeetingState) -> None:
    session.refresh(meeting, with_for_update={"of": Meeting})
    if meeting.state != state:
        raise IllegalTransition(f"The meeting is {MeetingState(meeting.state).value}.")


def note(
    session: Session, meeting: Meeting, deed: Deed, by: StaffMember | None, *, who: str = "",
    detail: str = "", starts_at: datetime | None = None, raw_id: int | None = None,
    answer: Answer | None = None,
) -> None:  # fmt: skip
    """Write down what happened to a meeting."""
    session.add(
        MeetingEvent(
            meeting_id=meeting.id,
            deed=deed,
            who=who or (by.name if by else ""),
            staff_id=by.id if by else None,
            raw_id=raw_id,
            answer=answer,
            detail=detail[:1000],
            starts_at=starts_at,
        )
    )
    session.flush()


def _attends(staff_ids: Iterable[int]):  # type: ignore[no-untyped-def]
    ids = list(staff_ids)
    coming = select(Attendee.meeting_id).where(Attendee.staff_id.in_(ids), Attendee.answer != Answer.DECLINED)
    return or_(Meeting.organizer_id.in_(ids), Meeting.id.in_(coming))


def of_staff(session: Session, staff_id: int, begin: datetime, end: datetime) -> Sequence[Meeting]:
    """Somebody's planned meetings that touch a stretch of time, in order; those they declined left out."""
    query = (
        select(Meeting)
        .where(
            Meeting.state == MeetingState.PLANNED,
            Meeting.starts_at < end,
            Meeting.ends_at > begin,
            _attends([staff_id]),
        )
        .options(selectinload(Meeting.attendees), selectinload(Meeting.account))
        .order_by(Meeting.starts_at, Meeting.id)
    )
    return session.scalars(query).all()


def about(session: Session, *, deal_id: int | None, conversation_id: int | None) -> Sequence[Meeting]:
    """The meetings of a deal or a conversation, the newest first."""
    query = (
        select(Meeting)
        .where(
            or_(
                Meeting.deal_id == deal_id if deal_id is not None else Meeting.id.is_(None),
                Meeting.conversation_id == conversation_id
                if conversation_id is not None
                else Meeting.id.is_(None),
            )
        )
        .options(selectinload(Meeting.attendees))
        .order_by(Meeting.starts_at.desc())
        .limit(10)
    )
    return session.scalars(query).all()


def accepted(session: Session, deal_id: int) -> bool:
    """Whether a client said yes to a meeting of a deal that is still to take place or has taken place."""
    query = (
        select(Attendee.id)
        .join(Meeting)
        .where(
            Meeting.deal_id == deal_id,
            Meeting.state == MeetingState.PLANNED,
            Attendee.staff_id.is_(None),
            Attendee.invited,
            Attendee.answer == Answer.ACCEPTED,
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def in_the_way(
    session: Session, staff_id: int, begin: datetime, end: datetime, *, but: int | None = None
) -> list[Clash]:
    """Meetings of somebody's that overlap a stretch of time."""
    query = select(Meeting.title).where(
        Meeting.state == MeetingState.PLANNED,
        Meeting.starts_at < end,
        Meeting.ends_at > begin,
        _attends([staff_id]),
    )
    if but is not None:
        query = query.where(Meeting.id != but)
    return [Clash("busy", title) for title in session.scalars(query.limit(CLASHES_SHOWN))]


def clashes(
    session: Session,
    staff_ids: Iterable[int],
    begin: datetime,
    end: datetime,
    now: datetime,
    zone: str,
    *,
    but: int | None = None,
) -> list[tuple[int, Clash]]:
    """What speaks against a meeting, by colleague: absence, tasks near its beginning, other meetings."""
    found: list[tuple[int, Clash]] = []
    for staff_id in dict.fromkeys(staff_ids):
        against = tasks.clashes(session, staff_id, begin, now, zone)
        against += in_the_way(session, staff_id, begin, end, but=but)
        found += [(staff_id, one) for one in dict.fromkeys(against)]
    return found
