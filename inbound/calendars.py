"""An invitation, its change or its cancelling (RFC 5545, 5546) read from a calendar part."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, datetime

from inbound import limits


@dataclass(frozen=True, slots=True)
class Invitation:
    """The first event of a calendar part. `method` is REQUEST, REPLY, CANCEL, PUBLISH … or empty."""

    method: str
    uid: str
    summary: str
    start: datetime | date | None
    end: datetime | date | None
    location: str
    organizer: str
    description: str


def read(data: bytes) -> Invitation | None:
    """Read a calendar; None for what is not one or is broken."""
    if b"BEGIN:VCALENDAR" not in data[:4000].upper() or len(data) > limits.CALENDAR_BYTES:
        return None
    import icalendar

    try:
        # The reader warns of guesses, as of a zone by its name; a suggestion may rest on them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendar = icalendar.Calendar.from_ical(data)
            event = next((part for part in calendar.walk("VEVENT")), None)
            if event is None:
                return None
            return Invitation(
                str(calendar.get("METHOD", "")).upper(),
                str(event.get("UID", "")),
                str(event.get("SUMMARY", "")),
                _moment(event.get("DTSTART")),
                _moment(event.get("DTEND")),
                str(event.get("LOCATION", "")),
                str(event.get("ORGANIZER", "")).removeprefix("MAILTO:").removeprefix("mailto:"),
                str(event.get("DESCRIPTION", "")),
            )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _moment(value: object) -> datetime | date | None:
    moment = getattr(value, "dt", None)
    return moment if isinstance(moment, date) else None
