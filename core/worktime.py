"""Working time: when somebody may be written to, and when so many working hours or days will have passed.

All arithmetic is on the local clock of one zone and comes back in UTC, so that nine o'clock stays
nine o'clock when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import InputRefused

HORIZON = timedelta(days=366)
"""How far ahead working time is looked for; beyond it the calendar has none."""

MONDAY_TO_FRIDAY = range(5)


class NoWorkingTime(InputRefused):
    """The calendar has no working time within a year."""

    cure = "Give it at least one working day with hours."


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166-1, as LT) in a year; none for an unknown country."""
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of working time in a day, local clock, end not included."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise InputRefused(f"Working hours {self.start:%H:%M}–{self.end:%H:%M} end before they begin.")


OFFICE = Hours(time(9), time(18))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working week of a place: its zone, hours by weekday (Monday is 0), holidays of its country."""

    zone: str = "Europe/Vilnius"
    week: Mapping[int, tuple[Hours, ...]] = field(
        default_factory=lambda: dict.fromkeys(MONDAY_TO_FRIDAY, (OFFICE,))
    )
    country: str = "LT"

    def hours_on(self, day: date) -> tuple[Hours, ...]:
        """The working hours of a day; none on a holiday."""
        if self.country and day in public_holidays(self.country, day.year):
            return ()
        return tuple(self.week.get(day.weekday(), ()))

    def spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of working time from a moment on, in UTC, the first cut to begin no earlier than it.

        Ends after HORIZON.
        """
        zone = ZoneInfo(self.zone)
        start = since.astimezone(zone)
        day, last = start.date(), (since + HORIZON).astimezone(zone).date()
        while day <= last:
            for hours in self.hours_on(day):
                begin = _instant(day, hours.start, zone)
                end = _instant(day, hours.end, zone)
                if end > since and begin < end:
                    yield max(begin, since.astimezone(UTC)), end
            day += timedelta(days=1)

    def is_open(self, moment: datetime) -> bool:
        """Say whether a moment is working time."""
        return self.next_open(moment) == moment

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself when it is working time, else when working time next begins; UTC."""
        for begin, _ in self.spans(moment):
            return begin
        raise NoWorkingTime

    def add(self, moment: datetime, duration: timedelta) -> datetime:
        """The moment by which so much working time will have passed; UTC."""
        left = duration
        for begin, end in self.spans(moment):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise NoWorkingTime

    def add_days(self, moment: datetime, days: int) -> datetime:
        """The same time of day so many working days later, moved into working time; UTC.

        Friday at 10:00 and one day is Monday at 10:00, also across a change of the clocks.
        """
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone)
        day = local.date()
        limit = day + HORIZON
        left = days
        while left > 0:
            day += timedelta(days=1)
            if day > limit:
                raise NoWorkingTime
            left -= bool(self.hours_on(day))
        return self.next_open(_instant(day, local.time(), zone))

    def after(self, moment: datetime, days: int, hours: int = 0) -> datetime:
        """So many working days and then working hours later; UTC."""
        later = self.add_days(moment, days)
        return self.add(later, timedelta(hours=hours)) if hours else later

    def within(self, window: Mapping[str, Any] | None) -> Calendar:
        """This calendar with only the working time that a window allows (``read_window``)."""
        if not window:
            return self
        days, allowed = read_window(window)
        week = {day: _common(self.week.get(day, ()), allowed) for day in days}
        return Calendar(self.zone, {day: hours for day, hours in week.items() if hours}, self.country)

    def between(self, first: datetime, last: datetime) -> timedelta:
        """How much working time lies between two moments; nothing when they are the wrong way round.

        Counts at most HORIZON ahead of the first.
        """
        total = timedelta()
        for begin, end in self.spans(first):
            if begin >= last:
                break
            total += min(end, last.astimezone(UTC)) - begin
        return total


def read_window(window: Mapping[str, Any]) -> tuple[frozenset[int], Hours]:
    """The days (Monday is 0) and hours of ``{"days": [0, 4], "from": "10:00", "to": "16:00"}``.

    What is left out allows everything. Raises InputRefused for what is no day or no time of day.
    """
    days = window.get("days")
    if days is not None and (not days or not all(isinstance(day, int) and 0 <= day <= 6 for day in days)):
        raise InputRefused("The days of a window are numbers from 0 (Monday) to 6.")
    try:
        start = time.fromisoformat(str(window.get("from") or "00:00"))
        end = time.fromisoformat(str(window.get("to") or "23:59:59"))
    except ValueError as error:
        raise InputRefused("The hours of a window are written as 09:30.") from error
    return frozenset(days if days is not None else range(7)), Hours(start, end)


def _common(spans: Iterable[Hours], allowed: Hours) -> tuple[Hours, ...]:
    pairs = ((max(one.start, allowed.start), min(one.end, allowed.end)) for one in spans)
    return tuple(Hours(start, end) for start, end in pairs if start < end)


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A local time of day as an instant in UTC.

    A time that the day does not have (the clocks went forward) moves on by the length of the gap, 03:30 to
    04:30; one that it has twice is the first (PEP 495).
    """
    return datetime.combine(day, clock.replace(tzinfo=None, fold=0), tzinfo=zone).astimezone(UTC)
