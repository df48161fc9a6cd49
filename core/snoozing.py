"""A conversation put off until later: when that may be, and that it comes back by itself."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import Session

from core.conversations import Conversation, ConversationState
from core.errors import IllegalTransition, InputRefused

MORNING = time(9)
AFTERNOON = time(15)
LATEST = timedelta(days=366)
"""Nothing is put off for longer."""


class Later(StrEnum):
    """The times that are offered by name."""

    AFTERNOON = "afternoon"
    TOMORROW = "tomorrow"
    WEEK = "week"


def moments(now: datetime, zone: ZoneInfo) -> dict[Later, datetime]:
    """When each of the offered times is; the afternoon only while it is still to come."""
    here = now.astimezone(zone)
    found: dict[Later, datetime] = {}
    afternoon = datetime.combine(here.date(), AFTERNOON, zone)
    if afternoon > here:
        found[Later.AFTERNOON] = afternoon
    found[Later.TOMORROW] = datetime.combine(here.date() + timedelta(days=1), MORNING, zone)
    monday = here.date() + timedelta(days=7 - here.weekday())
    found[Later.WEEK] = datetime.combine(monday, MORNING, zone)
    return found


def moment_of(word: str, day: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment a person chose: one of the offered times, or the morning of a day as ``2026-12-01``.

    Raises InputRefused for what is neither, is past, or is more than a year ahead.
    """
    offered = moments(now, zone)
    if word in offered:
        return offered[Later(word)]
    try:
        chosen = datetime.combine(date.fromisoformat(day), MORNING, zone)
    except ValueError as error:
        raise InputRefused("Choose a day.") from error
    if not now < chosen <= now + LATEST:
        raise InputRefused("Choose a day that is still to come, within a year.")
    return chosen


def snooze(session: Session, conversation: Conversation, until: datetime | None) -> None:
    """Put an open conversation off, or take it back with None. IllegalTransition where it is done."""
    session.refresh(conversation, with_for_update={"of": Conversation})
    if until is not None and conversation.state != ConversationState.OPEN:
        raise IllegalTransition("Only an open conversation can be put off.")
    conversation.snoozed_until = until
    session.flush()


def awake() -> ColumnElement[bool]:
    """That a conversation is not put off now."""
    return or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= func.now())
