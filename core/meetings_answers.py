"""What an answer to an invitation does to the meeting: whose it is, whether it still counts, what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import meetings, notifications, sequences_stops, stages
from core.accounts import ContactPoint, PointKind
from core.deals import Deal
from core.meetings import Answer, Attendee, Deed, Meeting, MeetingState
from core.notifications import Kind
from core.sequences import StopReason
from core.tasks import Task
from core.values import email_domain, is_free_mail
from core.worktime import Calendar

TASKS: Final[Mapping[Answer, Mapping[str, str]]] = {
    Answer.DECLINED: {
        "en": "{who} declined “{title}”: agree on another time",
        "ru": "{who}: отказ от встречи «{title}», согласовать другое время",
        "lt": "{who} atsisakė susitikimo „{title}“: suderinti kitą laiką",
    },
    Answer.PROPOSED: {
        "en": "{who} proposes another time for “{title}”: decide",
        "ru": "{who}: предлагает другое время для «{title}», решить",
        "lt": "{who} siūlo kitą „{title}“ laiką: nuspręsti",
    },
}
"""What the organizer has to do after an answer."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came."""

    uid: str
    attendee: str
    """Address the answer is for, normal form."""
    name: str
    answer: Answer
    sender: str
    """Address of the letter that brought it."""
    sequence: int | None = None
    """None where the calendar program left it out."""
    stamp: datetime | None = None
    comment: str = ""
    starts_at: datetime | None = None
    """The meeting's time as the answer has it; of a proposal the proposed one."""
    ends_at: datetime | None = None
    forged: bool = False
    """Our mail server says that the letter is not from whom it names."""
    service: bool = False
    """A calendar service sent it, which answers in the name of whoever uses it."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an answer is taken for, and why."""

    deed: Deed
    reason: str
    attendee: Attendee | None = None


def rule(meeting: Meeting, given: Given, kin: frozenset[str] = frozenset()) -> Ruling:
    """Decide about an answer. `kin` are other addresses of the very person whose address it names."""
    found = _invited(meeting, given, kin)
    if given.forged:
        return Ruling(Deed.REFUSED, "our mail server says that its sender is not who it names", found)
    if not _may_speak_for(meeting, found.address if found else given.attendee, given, kin):
        return Ruling(
            Deed.UNSURE, f"{given.sender or 'somebody'} answers in the name of {given.attendee}", found
        )
    if meeting.state == MeetingState.CANCELLED:
        return Ruling(Deed.OUTDATED, "the meeting is cancelled", found)
    if found is not None and _late(meeting, found, given):
        return Ruling(Deed.OUTDATED, "it answers an older version of the meeting", found)
    if found is None:
        return Ruling(Deed.FORWARDED, "somebody answers who was not invited by us")
    if given.sender != found.address:
        return Ruling(Deed.ANSWERED, f"sent from {given.sender}", found)
    return Ruling(Deed.ANSWERED, "from the person who was invited", found)


def _invited(meeting: Meeting, given: Given, kin: frozenset[str]) -> Attendee | None:
    """The attendee an answer is for: by the address it names, else by another address of that person."""
    by_address = {one.address: one for one in meeting.attendees}
    for address in (given.attendee, *sorted(kin)):
        if address in by_address:
            return by_address[address]
    return None


def _may_speak_for(meeting: Meeting, address: str, given: Given, kin: frozenset[str]) -> bool:
    """Whether somebody's answer in the name of another counts: that of a calendar service, of somebody who is
    invited too, of a colleague of theirs; another time is proposed by an invited person only."""
    invited = {one.address for one in meeting.attendees if one.invited}
    if given.service or given.sender in {address, given.attendee} | kin | invited:
        return True
    domain = email_domain(given.sender) if given.sender else ""
    colleague = bool(domain) and domain == email_domain(address) and not is_free_mail(domain)
    return colleague and given.answer is not Answer.PROPOSED


def _late(meeting: Meeting, attendee: Attendee, given: Given) -> bool:
    if given.answer is not Answer.PROPOSED:
        if given.sequence is not None and given.sequence < meeting.sequence:
            # What changed may have been the words only: the time the answer was for decides.
            return given.starts_at != meeting.starts_at
        if given.sequence is None and given.starts_at not in (None, meeting.starts_at):
            return True
    elif given.sequence is not None and given.sequence < meeting.sequence:
        return True
    before = attendee.answered_stamp
    return before is not None and given.stamp is not None and given.stamp < before


def take(
    session: Session, meeting: Meeting, given: Given, *, raw_id: int | None, now: datetime,
    calendar: Calendar,
) -> Ruling:  # fmt: skip
    """Write an answer down, tell the organizer, and let the deal and the follow-ups hear of it."""
    ruling = rule(meeting, given, _kin(session, given.attendee))
    attendee = ruling.attendee
    if ruling.deed is Deed.FORWARDED:
        attendee = Attendee(
            meeting_id=meeting.id, address=given.attendee, name=given.name[:200], invited=False
        )
        session.add(attendee)
        meeting.attendees.append(attendee)
    who = (attendee.name if attendee else "") or given.name or given.attendee
    if attendee is not None and ruling.deed in {Deed.ANSWERED, Deed.FORWARDED}:
        _keep(attendee, meeting, given, now)
    meetings.note(
        session,
        meeting,
        ruling.deed,
        None,
        who=who,
        detail=given.comment or (ruling.reason if ruling.deed is not Deed.ANSWERED else ""),
        starts_at=given.starts_at if given.answer is Answer.PROPOSED else None,
        raw_id=raw_id,
        answer=given.answer,
    )
    if ruling.deed in {Deed.REFUSED, Deed.UNSURE}:
        return ruling
    notifications.tell(
        session, meeting.organizer_id, Kind.MEETING, f"answer:{raw_id or now.isoformat()}", who=who,
        title=meeting.title, preview=given.comment, meeting_id=meeting.id,
        conversation_id=meeting.conversation_id,
    )  # fmt: skip
    if ruling.deed is Deed.ANSWERED and attendee is not None and attendee.staff_id is None:
        _follows(session, meeting, attendee, who, now, calendar)
    return ruling


def _keep(attendee: Attendee, meeting: Meeting, given: Given, now: datetime) -> None:
    attendee.answer = given.answer
    attendee.answered_at = now
    attendee.answered_sequence = given.sequence if given.sequence is not None else meeting.sequence
    # A clock that goes ahead must not make later answers look old.
    attendee.answered_stamp = min(given.stamp or now, now)
    attendee.comment = given.comment[:1000]
    proposes = given.answer is Answer.PROPOSED
    attendee.proposed_start = given.starts_at if proposes else None
    attendee.proposed_end = given.ends_at if proposes else None


def _follows(
    session: Session,
    meeting: Meeting,
    attendee: Attendee,
    who: str,
    now: datetime,
    calendar: Calendar,
) -> None:
    """A client answered: follow-ups that end with a reply end, rules about accepting run, and who has to
    agree on another time gets a task."""
    if attendee.contact_id is not None:
        sequences_stops.stop_for_contacts(session, [attendee.contact_id], StopReason.REPLY)
    if attendee.answer == Answer.ACCEPTED and meeting.deal_id is not None:
        deal = session.get(Deal, meeting.deal_id)
        if deal is not None and deal.outcome is None:
            stages.run_rules(session, deal, calendar)
    if attendee.answer in {Answer.DECLINED, Answer.PROPOSED}:
        words = TASKS[Answer(attendee.answer)][meeting.organizer.language.value]
        session.add(
            Task(
                title=words.format(who=who, title=meeting.title)[:300],
                kind="meeting",
                assignee_id=meeting.organizer_id,
                contact_id=attendee.contact_id,
                account_id=meeting.account_id,
                conversation_id=meeting.conversation_id,
                deal_id=meeting.deal_id,
                due_at=calendar.add_days(now, 1),
            )
        )
        session.flush()


def _kin(session: Session, address: str) -> frozenset[str]:
    """The other addresses of whoever has this one."""
    whose = select(ContactPoint.contact_id).where(
        ContactPoint.kind == PointKind.EMAIL, ContactPoint.value == address
    )
    query = select(ContactPoint.value).where(
        ContactPoint.kind == PointKind.EMAIL, ContactPoint.contact_id.in_(whose)
    )
    return frozenset(session.scalars(query)) - {address}


def by_uid(session: Session, uids: Iterable[str]) -> dict[str, Meeting]:
    """Our meetings among some ids, held until the transaction ends."""
    wanted = {uid for uid in uids if uid}
    if not wanted:
        return {}
    query = (
        select(Meeting)
        .where(Meeting.uid.in_(wanted))
        .options(selectinload(Meeting.attendees))
        .with_for_update(of=Meeting)
    )
    return {one.uid: one for one in session.scalars(query)}
