"""Meeting: an answer to one of our invitations is written down, and belongs to the meeting's conversation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from core.bulk import storable
from core.meetings import Answer, Deed, Meeting
from core.meetings_answers import Given, Ruling, by_uid, take
from core.values import BadAddress, normal_email
from core.worktime import Calendar
from inbound.authenticity import Verdict
from inbound.work import Batch, Item

ANSWERS: Final = {
    "ACCEPTED": Answer.ACCEPTED,
    "DECLINED": Answer.DECLINED,
    "TENTATIVE": Answer.TENTATIVE,
}
"""What is an answer among the values of PARTSTAT (RFC 5545 section 3.2.12)."""

MACHINE: Final = "calendar"
"""What wrote a letter that holds an answer and not a word of its own."""

PROGRAMS: Final = ("google", "apple", "icloud")
"""Programs whose answers come with a text that they wrote themselves."""

SERVICES: Final = frozenset(
    {
        "calendar-notification@google.com",
        "info@calendar.yandex.ru",
        "noreply@email.apple.com",
        "noreply@insideicloud.icloud.com",
    }
)
"""Calendar services that answer by mail from an address of their own."""

HEARD: Final = frozenset({Deed.ANSWERED, Deed.OUTDATED})
"""What belongs into the history of the meeting's conversation."""


def run(batch: Batch) -> None:
    """Find the meetings that letters of the batch answer; what answers none of ours goes on as any letter."""
    items = [item for item in batch.on_their_way() if item.reading.calendar is not None]
    if not items:
        return
    ours = by_uid(batch.session, (item.reading.calendar[1] for item in items if item.reading.calendar))
    for item in items:
        meeting = ours.get(item.reading.calendar[1]) if item.reading.calendar else None
        given = read(item, meeting) if meeting is not None else None
        if meeting is not None and given is not None:
            _heard(batch, item, meeting, given)


def read(item: Item, meeting: Meeting) -> Given | None:
    """The answer a letter holds; None where it says nothing about coming, or for nobody."""
    if item.reading.calendar is None:
        return None
    method, uid, sequence, address, name, partstat, comment, starts, ends, stamp, _ = item.reading.calendar
    answer = Answer.PROPOSED if method == "COUNTER" else ANSWERS.get(partstat)
    attendee = _normal(address) or item.sender
    invited = {one.address for one in meeting.attendees}
    if method == "COUNTER" and attendee != item.sender and item.sender in invited:
        # A counter may repeat all attendees with what they said before; its sender is who proposes.
        attendee, name = item.sender, ""
    if answer is None or attendee is None:
        return None
    if answer is Answer.PROPOSED and not starts:
        return None
    return Given(
        uid=uid,
        attendee=attendee,
        name=storable(name or item.sender_name),
        answer=answer,
        sender=item.sender or "",
        sequence=sequence if sequence >= 0 else None,
        stamp=_moment(stamp),
        comment=storable(comment),
        starts_at=_moment(starts),
        ends_at=_moment(ends),
        forged=_forged(item),
        service=item.sender in SERVICES,
    )


def _heard(batch: Batch, item: Item, meeting: Meeting, given: Given) -> None:
    ruling = take(
        batch.session,
        meeting,
        given,
        raw_id=item.raw.id,
        now=item.came_at,
        calendar=Calendar(zone=batch.tools.settings.company.timezone),
    )
    item.note("meeting", f"{_said(given, ruling)} for meeting {meeting.id}: {ruling.reason}")
    unsure = ruling.deed is Deed.UNSURE and item.staff_id is None
    if item.staff_id is not None or (not unsure and _colleagues(item, given, ruling)):
        item.ignore("meeting", "a colleague answered an invitation")
        return
    if unsure:
        # A person looks at it: whoever learnt the id of an invitation speaks for nobody else.
        item.machine, item.beside = None, meeting.conversation_id
        item.warnings.append("answers_for_another")
        return
    if ruling.deed in HEARD:
        item.joins = meeting.conversation_id
    if item.machine is not None or not _speaks(item):
        item.machine = MACHINE


def _colleagues(item: Item, given: Given, ruling: Ruling) -> bool:
    """Whether an answer for a colleague comes from them, or from a calendar service in their name; a letter
    of anybody else that names a colleague is read as any other."""
    if ruling.attendee is None or ruling.attendee.staff_id is None:
        return False
    wordless = given.answer is not Answer.PROPOSED and not _speaks(item)
    return ruling.attendee.address == given.sender or wordless


def _said(given: Given, ruling: Ruling) -> str:
    return (
        given.answer.value if ruling.deed is Deed.ANSWERED else f"{given.answer.value} ({ruling.deed.value})"
    )


def _speaks(item: Item) -> bool:
    """Whether a person wrote something beside the answer, so that somebody has to read it."""
    program = (item.reading.calendar or ("",) * 11)[10].lower()
    if any(name in program for name in PROGRAMS):
        return False
    return bool(item.reading.reply.strip())


def _forged(item: Item) -> bool:
    domain = (item.sender or "").rpartition("@")[2]
    return bool(domain) and item.checks is not None and item.checks.verdict(domain) is Verdict.DENIED


def _normal(address: str) -> str | None:
    try:
        return normal_email(address) if address else None
    except BadAddress:
        return None


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
