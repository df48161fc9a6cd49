"""A letter that leaves later: the times offered, a time of one's own, and the change of a time chosen."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.errors import IllegalTransition, InputRefused
from core.outbox import WAKE_UP, Delivery, DeliveryEvent, DeliveryState
from core.worktime import Calendar, NoWorkingTime

MORNING = time(9)
LATEST = timedelta(days=366)
"""Nothing is written for longer ahead."""
SOON = timedelta(minutes=1)
"""What leaves within it is on its way; what leaves later has a time of its own that is told."""
CHANGEABLE = frozenset({DeliveryState.QUEUED, DeliveryState.HELD})
"""Nobody has begun to send it yet."""


class When(StrEnum):
    """The times that are offered by name."""

    OPENING = "opening"
    """As the working day of whoever reads it begins."""
    TOMORROW = "tomorrow"
    WEEK = "week"


def moments(now: datetime, theirs: Calendar) -> dict[When, datetime]:
    """When each of the offered times is, in UTC, by the calendar of whoever will read the letter.

    The beginning of their working day is offered out of their hours only, tomorrow only where it is a working
    day, and no moment twice.
    """
    zone = ZoneInfo(theirs.zone)
    today = now.astimezone(zone).date()
    morning = datetime.combine(today + timedelta(days=1), MORNING, zone).astimezone(UTC)
    monday = datetime.combine(today + timedelta(days=7 - today.weekday()), MORNING, zone).astimezone(UTC)
    found: dict[When, datetime] = {}
    if theirs.hours_on(today + timedelta(days=1)):
        found[When.TOMORROW] = morning
    found.setdefault(When.WEEK, monday)
    try:
        opens = theirs.next_open(now)
    except NoWorkingTime:
        opens = now
    if opens > now and opens not in found.values():
        found = {When.OPENING: opens, **found}
    if found.get(When.TOMORROW) == monday:
        del found[When.WEEK]
    return found


def chosen(word: str, own: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment a form names: none where it names no time, an offered one, or ``own``.

    What is given without a zone is on the clock of ``zone``, in which the answer is.

    Raises InputRefused for what is no moment, is past, or is more than a year ahead.
    """
    if not word:
        return None
    try:
        at = datetime.fromisoformat(own if word == "own" else word)
    except ValueError as error:
        raise InputRefused("Choose a day and a time.") from error
    at = (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(zone)
    if not now < at <= now + LATEST:
        raise InputRefused("Choose a moment that is still to come, within a year.")
    return at


def change(session: Session, delivery_id: int, at: datetime, *, staff_id: int) -> datetime:
    """Let a letter with all its copies leave at another time; returns when it would have left.

    It is given up as long after it as before. Raises IllegalTransition where it has left or is leaving.
    """
    query = (
        select(Delivery)
        .where(or_(Delivery.id == delivery_id, Delivery.copy_of_id == delivery_id))
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.scalars(query).all()
    letter = next((one for one in found if one.id == delivery_id), None)
    if letter is None or letter.copy_of_id is not None or letter.state not in CHANGEABLE:
        raise IllegalTransition("It has left already, or was taken back.")
    before = letter.due_at
    for one in found:
        if one.state in CHANGEABLE:
            one.expires_at = at + (one.expires_at - one.due_at)
            one.due_at = at
    session.add(
        DeliveryEvent(
            delivery_id=delivery_id, state=letter.state, detail="its time was changed", staff_id=staff_id
        )
    )
    session.flush()
    session.execute(select(func.pg_notify(WAKE_UP, "")))
    return before
