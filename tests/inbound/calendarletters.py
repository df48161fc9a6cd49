"""Answers to invitations in the forms of three calendar programs, written here after their manners."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, make_msgid

from core.meetings import Meeting
from tests.inbound.posting import OURS

SAID = {"ACCEPTED": "Accepted", "DECLINED": "Declined", "TENTATIVE": "Tentatively Accepted"}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _letter(sender: str, to: str, subject: str, text: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"], message["Date"] = (
        make_msgid(domain="mail.example"),
        format_datetime(datetime.now(UTC)),
    )
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def _calendar(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()


def google(
    meeting: Meeting, address: str, said: str, *, stamp: datetime | None = None, to: str = OURS
) -> bytes:
    """As Google Calendar: from the person, by its own machine, the sequence kept, a text of its own."""
    message = _letter(
        f"Ona Petraitė <{address}>",
        to,
        f"{SAID[said]}: {meeting.title}",
        f"{address} has replied to this invitation.\n\n{meeting.title}\n\nInvitation from Google Calendar: "
        "https://calendar.google.com/calendar/\n",
        Sender="Google Calendar <calendar-notification@google.com>",
        Auto_Submitted="auto-generated",
    )
    part = _calendar(
        [
            "BEGIN:VCALENDAR", "PRODID:-//Google Inc//Google Calendar 70.9054//EN", "VERSION:2.0",
            "CALSCALE:GREGORIAN", "METHOD:REPLY", "BEGIN:VEVENT", f"DTSTART:{_utc(meeting.starts_at)}",
            f"DTEND:{_utc(meeting.ends_at)}", f"DTSTAMP:{_utc(stamp or datetime.now(UTC))}",
            f"ORGANIZER;CN=Jonas:mailto:{to}", f"UID:{meeting.uid}",
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={said};CN=Ona",
            f"  Petraitė;X-NUM-GUESTS=0:mailto:{address}", "CREATED:20260901T080000Z",
            f"LAST-MODIFIED:{_utc(datetime.now(UTC))}", f"SEQUENCE:{meeting.sequence}", "STATUS:CONFIRMED",
            f"SUMMARY:{meeting.title}", "TRANSP:OPAQUE", "END:VEVENT", "END:VCALENDAR",
        ]
    )  # fmt: skip
    message.add_alternative(part, maintype="text", subtype="calendar", params={"method": "REPLY"})
    message.add_attachment(part, maintype="application", subtype="ics", filename="invite.ics")
    return message.as_bytes()


def outlook(
    meeting: Meeting, address: str, said: str, *, method: str = "REPLY", start: datetime | None = None,
    text: str = "", to: str = OURS,
) -> bytes:  # fmt: skip
    """As Exchange: only a calendar part beside the words typed, a zone of its own, no Auto-Submitted."""
    message = _letter(
        f"Ona Petraitė <{address}>",
        to,
        f"{'New Time Proposed' if method == 'COUNTER' else SAID[said]}: {meeting.title}",
        text + "\n",
        Thread_Topic=meeting.title,
        X_MS_Has_Attach="",
        Accept_Language="lt-LT, en-US",
    )
    begin = start or meeting.starts_at
    part = _calendar(
        [
            "BEGIN:VCALENDAR", f"METHOD:{method}", "PRODID:Microsoft Exchange Server 2010", "VERSION:2.0",
            "BEGIN:VTIMEZONE", "TZID:FLE Standard Time", "BEGIN:STANDARD", "DTSTART:16010101T040000",
            "TZOFFSETFROM:+0300", "TZOFFSETTO:+0200",
            "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "END:VTIMEZONE",
            "BEGIN:VEVENT", f"ATTENDEE;PARTSTAT={said};CN=Ona Petraitė:mailto:{address.upper()}",
            f"COMMENT;LANGUAGE=lt-LT:{text}", f"UID:{meeting.uid}",
            f"SUMMARY;LANGUAGE=lt-LT:{SAID[said]}: {meeting.title}", f"DTSTART:{_utc(begin)}",
            f"DTEND:{_utc(begin + (meeting.ends_at - meeting.starts_at))}", "CLASS:PUBLIC", "PRIORITY:5",
            f"DTSTAMP:{_utc(datetime.now(UTC))}", "TRANSP:OPAQUE", "STATUS:CONFIRMED",
            f"SEQUENCE:{meeting.sequence}", "X-MICROSOFT-CDO-APPT-SEQUENCE:0", "END:VEVENT", "END:VCALENDAR",
        ]
    )  # fmt: skip
    message.add_alternative(part, maintype="text", subtype="calendar", params={"method": method})
    return message.as_bytes()


def counter_of_all(letter: bytes, other: str) -> bytes:
    """A letter with a counter, its calendar part naming another person too, who has accepted."""
    message = message_from_bytes(letter, policy=default)
    part = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    more = f"ATTENDEE;PARTSTAT=ACCEPTED;CN=Jonas:mailto:{other}\r\nATTENDEE;".encode()
    part.set_payload(text.replace(b"ATTENDEE;PARTSTAT=TENTATIVE", more + b"PARTSTAT=NEEDS-ACTION", 1))
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = "8bit"
    return message.as_bytes()


def apple(meeting: Meeting, address: str, said: str, *, sender: str | None = None, to: str = OURS) -> bytes:
    """As Apple's Calendar: the sequence left out, a sentence of its own, the part called iCal."""
    message = _letter(
        f"Ona <{sender or address}>",
        to,
        f"{SAID[said]}: {meeting.title}",
        f"Ona {SAID[said].lower()} your invitation to {meeting.title}.\n",
        X_Mailer="Apple Mail (2.3774.600.62)",
    )
    part = _calendar(
        [
            "BEGIN:VCALENDAR", "CALSCALE:GREGORIAN", "VERSION:2.0", "METHOD:REPLY",
            "PRODID:-//Apple Inc.//macOS 14.5//EN", "BEGIN:VEVENT", "CREATED:20260901T080000Z",
            f"UID:{meeting.uid}", f"DTSTART:{_utc(meeting.starts_at)}", f"DTEND:{_utc(meeting.ends_at)}",
            f"ATTENDEE;CN=Ona;CUTYPE=INDIVIDUAL;EMAIL={address};PARTSTAT={said}:mailto:{address}",
            f"DTSTAMP:{_utc(datetime.now(UTC))}", f"ORGANIZER:mailto:{to}", f"SUMMARY:{meeting.title}",
            "END:VEVENT", "END:VCALENDAR",
        ]
    )  # fmt: skip
    message.add_attachment(
        part, maintype="text", subtype="calendar", filename="iCal-20261122.ics", params={"method": "REPLY"}
    )
    return message.as_bytes()
