"""A meeting as a calendar part of a letter: invitation, change, cancelling (RFC 5545, 5546, 6047)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from enum import StrEnum

from icalendar import Calendar, Event, vCalAddress, vText

from core.meetings import Answer, Attendee, Meeting, link_of

PRODUCT = "-//frontdesk//meetings//EN"


class Method(StrEnum):
    """What a calendar part asks for (RFC 5546 section 1.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    DECLINECOUNTER = "DECLINECOUNTER"


PARTSTAT: dict[Answer, str] = {
    Answer.NONE: "NEEDS-ACTION",
    Answer.ACCEPTED: "ACCEPTED",
    Answer.DECLINED: "DECLINED",
    Answer.TENTATIVE: "TENTATIVE",
    Answer.PROPOSED: "TENTATIVE",
}


def written(
    meeting: Meeting,
    method: Method,
    *,
    organizer: tuple[str, str],
    stamp: datetime,
    only: Attendee | None = None,
    sent_by: str | None = None,
) -> str:
    """The calendar as text with CRLF, lines folded at 75 octets.

    `organizer` is the name and address that answers are to go to; `sent_by` the address the letter comes
    from where that is another. A cancelling names only those it is for, `only` where it is one of them.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", _line(meeting.title))
    if meeting.agenda:
        event.add("description", _clean(meeting.agenda))
    if meeting.place:
        event.add("location", _line(meeting.place))
        if link_of(meeting.place):
            event.add("url", meeting.place)
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _organizer(*organizer, sent_by))
    for one in meeting.attendees:
        if (only is None or one is only) and (one.invited or only is not None):
            event.add("attendee", _attendee(one, method), encode=False)
    calendar.add_component(event)
    return calendar.to_ical().decode("utf-8")


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _organizer(name: str, address: str, sent_by: str | None) -> vCalAddress:
    value = vCalAddress(f"mailto:{address}")
    value.params["CN"] = vText(_parameter(name or address))
    if sent_by is not None and sent_by != address:
        value.params["SENT-BY"] = vText(f"mailto:{sent_by}")
    return value


def _attendee(one: Attendee, method: Method) -> vCalAddress:
    value = vCalAddress(f"mailto:{one.address}")
    value.params["CN"] = vText(_parameter(one.name or one.address))
    value.params["CUTYPE"] = vText("INDIVIDUAL")
    value.params["ROLE"] = vText("REQ-PARTICIPANT")
    value.params["PARTSTAT"] = vText(PARTSTAT[Answer(one.answer)])
    if method is Method.REQUEST:
        value.params["RSVP"] = vText("TRUE")
    return value


def _parameter(text: str) -> str:
    """A parameter's value may hold neither quotes nor control characters (RFC 5545 section 3.2)."""
    return _clean(text).replace('"', "").replace("^", "").replace("\n", " ").strip()[:120]


def _clean(text: str) -> str:
    """Without control characters, halves of characters and what some readers take for line ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(one for one in plain if one == "\n" or unicodedata.category(one) not in _UNFIT)


_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
