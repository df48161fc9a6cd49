"""When an automatic call may ring somebody: allowed hours by the callee's own clock.

The zone is the client's where it is on record, else those in which the number's country or area lies; where
that is several, the call must suit all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as numberzones

from core.worktime import public_holidays

DAYS_AHEAD = 15
"""How far the next allowed moment is looked for."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hours of the day and days of the week (Monday is 1)."""

    begins: time
    ends: time
    days: Collection[int]

    def holds(self, moment: datetime) -> bool:
        """Whether a local moment lies within."""
        return moment.isoweekday() in self.days and self.begins <= moment.time() < self.ends


def zones_of(number: str, client_zone: str | None, default: str) -> tuple[str, ...]:
    """The time zones a callee may be in; `default` where nothing is known."""
    if client_zone and _known(client_zone):
        return (client_zone,)
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return (default,)
    found = tuple(zone for zone in numberzones.time_zones_for_number(parsed) if _known(zone))
    return found or (default,)


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def country_of(number: str) -> str:
    """The country of a number (ISO 3166-1); empty where it says none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def next_allowed(now: datetime, zones: Sequence[str], allowed: Allowed, country: str = "") -> datetime | None:
    """`now` where it suits every zone, else the first moment after it that does; None where none does for
    days. No day suits that is a public holiday of ``country``. Moments are aware.
    """
    clocks = [ZoneInfo(zone) for zone in zones]

    def suits(moment: datetime) -> bool:
        local = [moment.astimezone(clock) for clock in clocks]
        return all(allowed.holds(one) and not is_holiday(one.date()) for one in local)

    def is_holiday(day: date) -> bool:
        return bool(country) and day in public_holidays(country, day.year)

    if suits(now):
        return now
    openings: set[datetime] = set()
    for clock in clocks:
        today = now.astimezone(clock).date()
        for ahead in range(DAYS_AHEAD):
            opens = datetime.combine(today + timedelta(days=ahead), allowed.begins, clock)
            # Through UTC and back: an hour that the clocks leave out becomes one that exists.
            openings.add(opens.astimezone(UTC))
    return next((moment for moment in sorted(openings) if moment > now and suits(moment)), None)
