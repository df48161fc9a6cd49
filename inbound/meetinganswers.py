"""An answer to one of our invitations, read from a calendar part (METHOD:REPLY or COUNTER, RFC 5546)."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime
from typing import Any, Final

from inbound import limits

Answer = tuple[str, str, int, str, str, str, str, str, str, str, str]
"""Method, uid, sequence (-1 for none), attendee's address, name, PARTSTAT, comment, beginning, end and
DTSTAMP (ISO 8601, or empty), the program that wrote it."""

METHODS: Final = frozenset({"REPLY", "COUNTER"})
LONGEST: Final = 1000
"""Characters of a comment, a name or an id that are read."""
HIGHEST: Final = 2**31 - 1
"""The highest SEQUENCE (RFC 5545 section 3.3.8); a higher one counts as this."""
_METHOD: Final = re.compile(rb"^METHOD[^:\r\n]{0,100}:\s*(?:REPLY|COUNTER)\s*$", re.IGNORECASE | re.MULTILINE)


def read(data: bytes) -> Answer | None:
    """Read an answer; None for a calendar that is none, is broken, or answers for nobody in particular."""
    if len(data) > limits.CALENDAR_BYTES or _METHOD.search(data) is None:
        return None
    import icalendar

    try:
        # The reader warns of guesses, as of a zone by its name; they do no harm here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendar = icalendar.Calendar.from_ical(data)
            event = next((part for part in calendar.walk("VEVENT")), None)
            return None if event is None else _answer(calendar, event)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _answer(calendar: Any, event: Any) -> Answer | None:
    attendee = event.get("ATTENDEE")
    if isinstance(attendee, list):
        # A reply names one (RFC 5546 section 3.2.3); a counter may repeat all of them.
        attendee = attendee[0] if len(attendee) == 1 else _who_spoke(attendee)
    method = str(calendar.get("METHOD", "")).strip().upper()
    if method not in METHODS:
        return None
    parameters = getattr(attendee, "params", {})
    comment = event.get("COMMENT", "") or parameters.get("X-RESPONSE-COMMENT", "")
    if isinstance(comment, list):
        comment = comment[0]
    sequence = event.get("SEQUENCE")
    return (
        method,
        _text(event.get("UID", "")),
        max(-1, min(int(sequence), HIGHEST)) if sequence is not None else -1,
        re.sub(r"^mailto:", "", _text(attendee or ""), flags=re.IGNORECASE).strip()[:320],
        _text(parameters.get("CN", "")),
        str(parameters.get("PARTSTAT", "NEEDS-ACTION")).upper()[:40],
        _text(comment).strip(),
        _moment(event.get("DTSTART")),
        _moment(event.get("DTEND")),
        _moment(event.get("DTSTAMP")),
        _text(calendar.get("PRODID", ""))[:200],
    )


def _text(value: object) -> str:
    """A text as the database holds it, of bounded length."""
    return str(value).replace("\0", "").encode(errors="ignore").decode()[:LONGEST]


def _who_spoke(attendees: list[Any]) -> Any:
    spoken = [one for one in attendees if one.params.get("PARTSTAT", "NEEDS-ACTION") != "NEEDS-ACTION"]
    return spoken[0] if len(spoken) == 1 else None


def _moment(value: object) -> str:
    """A moment in UTC; one without a zone is taken as UTC, a day alone as none."""
    moment = getattr(value, "dt", None)
    if not isinstance(moment, datetime):
        return ""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat()
