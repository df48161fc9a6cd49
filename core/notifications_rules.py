"""Whether a colleague gets a letter now, with what in it, and what need not be told any more: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.notifications import Kind, Way
from core.worktime import Calendar

SETTLE: Final = timedelta(minutes=2)
"""Who used the desk this long after something happened has had it before their eyes."""
GAP: Final = timedelta(minutes=5)
"""Least time between two letters to one colleague."""
LIVES: Final = timedelta(hours=24)
"""Later a notice says nothing new; days on which nobody works do not count."""
MOST_DAYS_OFF: Final = 10
"""So many days off in a row are looked at."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits to be told."""

    id: int
    kind: Kind
    way: Way
    created_at: datetime
    settled: bool = False
    """The colleague has read the conversation since, or the task is no longer open."""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What decides when one colleague is written to."""

    zone: str
    seen_at: datetime | None = None
    """When they last used the desk."""
    last_mail_at: datetime | None = None
    absent: bool = False
    away: timedelta = timedelta(minutes=10)
    digest: timedelta = timedelta(minutes=60)
    quiet_from: time = time(19)
    quiet_until: time = time(7, 30)
    quiet_days_off: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which notices go into a letter now, which are dropped, and why."""

    send: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()
    reason: str = ""


def is_quiet(person: Person, now: datetime, calendar: Calendar) -> bool:
    """Whether the colleague wants no letters at this moment."""
    local = now.astimezone(ZoneInfo(person.zone))
    if person.quiet_days_off and (person.absent or not calendar.hours_on(local.date())):
        return True
    begin, end, moment = person.quiet_from, person.quiet_until, local.time()
    if begin == end:
        return False
    return begin <= moment < end if begin < end else moment >= begin or moment < end


def decide(waiting: Sequence[Waiting], person: Person, now: datetime, calendar: Calendar) -> Verdict:
    """Decide for one colleague; `calendar` is the company's working time."""
    drop = tuple(one.id for one in waiting if _needless(one, person, now, calendar))
    left = [one for one in waiting if one.id not in drop]
    if not left:
        return Verdict(drop=drop, reason="nothing to tell")
    if person.seen_at is not None and now - person.seen_at < person.away:
        return Verdict(drop=drop, reason="at the desk")
    if is_quiet(person, now, calendar):
        return Verdict(drop=drop, reason="quiet hours")
    if person.last_mail_at is not None and now - person.last_mail_at < GAP:
        return Verdict(drop=drop, reason="written to a moment ago")
    urgent = any(one.way is Way.AT_ONCE for one in left)
    ripe = min(one.created_at for one in left) + person.digest <= now
    if not urgent and not ripe:
        return Verdict(drop=drop, reason="the digest waits for more")
    return Verdict(tuple(one.id for one in left), drop, "at once" if urgent else "digest")


def _needless(one: Waiting, person: Person, now: datetime, calendar: Calendar) -> bool:
    if one.settled or one.way is Way.NONE or _is_old(one, person, now, calendar):
        return True
    if one.due_at is not None and now - one.due_at > timedelta(hours=2):
        return True
    return person.seen_at is not None and person.seen_at > one.created_at + SETTLE


def _is_old(one: Waiting, person: Person, now: datetime, calendar: Calendar) -> bool:
    """Whether it is too late to be told; what came before a free weekend is told on Monday."""
    age = now - one.created_at
    if age <= LIVES or not person.quiet_days_off:
        return age > LIVES
    zone = ZoneInfo(person.zone)
    first, last = one.created_at.astimezone(zone).date(), now.astimezone(zone).date()
    days = (first + timedelta(days=number) for number in range(min((last - first).days, MOST_DAYS_OFF) + 1))
    return age > LIVES + timedelta(days=sum(not calendar.hours_on(day) for day in days))
