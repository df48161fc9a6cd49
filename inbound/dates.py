"""The Date field (RFC 5322 §3.3) and its many wrong forms, as an aware moment or nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_USUAL: Final = re.compile(
    r"\s*(?:[A-Za-z]{3},?\s+)?(\d{1,2})\s+([A-Za-z]{3})[a-z]*\.?\s+(\d{4})\s+(\d{1,2}):(\d{2})(?::"
    r"(\d{2}))?\s*([+-]\d{4})"
)
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}
_ISO: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
EARLIEST: Final = datetime(1982, 1, 1, tzinfo=UTC)
"""Mail had no such dates before RFC 822; an earlier one is a fault of the clock that wrote it."""


def read(value: str) -> datetime | None:
    """The moment written in a Date field; None where it is missing, impossible or before 1982.

    A date without a zone counts as UTC.
    """
    match = _USUAL.match(value)
    moment: datetime | None
    if match and match[2].lower() in _MONTHS:
        day, month, year, hour, minute, second, zone = match.groups()
        moment = _moment(
            (int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second or 0)), zone
        )
    else:
        moment = _unusual(value)
    return moment if moment is not None and moment >= EARLIEST else None


def _unusual(value: str) -> datetime | None:
    iso = _ISO.search(value)
    if iso:
        numbers = tuple(int(number or 0) for number in iso.groups()[:6])
        return _moment(numbers, (iso[7] or "+0000").replace("Z", "+0000").replace(":", ""))
    try:
        parts = parsedate_tz(value[:200])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if parts is None:
        return None
    offset = parts[9] or 0
    try:
        zone = timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else UTC
        return datetime(*parts[:5], min(parts[5], 59), tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def _moment(numbers: tuple[int, ...], zone: str) -> datetime | None:
    year, month, day, hour, minute, second = numbers
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    if minutes >= 24 * 60:
        minutes = 0
    offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
    try:
        return datetime(
            year, month, day, hour, minute, min(second, 59), tzinfo=timezone(offset) if offset else UTC
        )
    except (ValueError, OverflowError):
        return None
