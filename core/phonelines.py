"""How our telephone is: when each number last rang, whether webhooks come, and what was spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import notices, spending
from core.accounts import Channel
from core.calls import Call
from core.config import Settings
from core.phoneevents import EventKind, EventState, PhoneEvent
from core.phoneorders import PhoneOrder

NEWEST: Final = 500
"""Events that are looked at, so that the page takes as long in a large history as in a small one."""
LATE: Final = timedelta(days=1)
ALARM: Final = "webhooks_refused"


class Health(StrEnum):
    """Whether an exchange's webhooks reach us."""

    SILENT = "silent"
    """Nothing was told yet."""
    WELL = "well"
    LOSING = "losing"
    """Some of the last day came only from the exchange's lists."""
    REFUSED = "refused"
    """What comes is not believed: a token or the public address is wrong."""


@dataclass(frozen=True, slots=True)
class Number:
    """One of our numbers."""

    number: str
    last_call_at: datetime | None = None
    last_text_at: datetime | None = None
    recorded: bool = False
    recorded_out: bool = False
    texts_from: bool = False
    """SMS of ours come from it."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What came of the last day, of the newest `NEWEST` events at most."""

    health: Health
    last_at: datetime | None = None
    by_webhook: int = 0
    by_list: int = 0
    """What no webhook told, and the exchange's lists did."""
    waiting: int = 0
    """Stored, and not applied yet."""
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Spend:
    """What the last 24 hours took of one channel's caps."""

    channel: Channel
    a_day: int
    day_cap: int
    a_month: int
    month_cap: int

    @property
    def share(self) -> float:
        """Of the tighter cap, from 0 to 1."""
        parts = ((self.a_day, self.day_cap), (self.a_month, self.month_cap))
        return min(1.0, max((spent / cap if cap else 1.0) for spent, cap in parts))


@dataclass(frozen=True, slots=True)
class Lines:
    """All of it."""

    numbers: tuple[Number, ...]
    webhooks: Webhooks
    spends: tuple[Spend, ...]


def read(session: Session, settings: Settings) -> Lines | None:
    """How our telephone is; None where the settings name none."""
    if settings.twilio is None:
        return None
    numbers = settings.twilio.numbers
    called, texted = _newest_calls(session, numbers), _newest_texts(session, numbers)
    return Lines(
        numbers=tuple(
            Number(
                number,
                called.get(number),
                texted.get(number),
                recorded=number in settings.phone.recorded_numbers,
                recorded_out=number in settings.phone.recorded_calls_out,
                texts_from=number == (settings.dialling.sms_from or numbers[0]),
            )
            for number in numbers
        ),
        webhooks=_webhooks(session),
        spends=tuple(_spend(session, settings, one) for one in _channels(settings)),
    )


def _channels(settings: Settings) -> tuple[Channel, ...]:
    return (Channel.SMS, Channel.VOICE, *((Channel.FAX,) if settings.phone.fax_gateway else ()))


def _newest_calls(session: Session, numbers: Sequence[str]) -> dict[str, datetime]:
    """When each number was last rung, or last called from; of the newest calls only."""
    newest = (
        select(Call.caller, Call.called, func.coalesce(Call.started_at, Call.created_at).label("at"))
        .order_by(Call.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    found: dict[str, datetime] = {}
    for caller, called, at in session.execute(select(newest)):
        for number in {caller, called} & set(numbers):
            found[number] = max(found.get(number, at), at)
    return found


def _newest_texts(session: Session, numbers: Sequence[str]) -> dict[str, datetime]:
    """When an SMS last came in to each number, or left from it; of the newest events and orders only."""
    came = (
        select(PhoneEvent.kind, PhoneEvent.facts["called"].astext, PhoneEvent.received_at)
        .order_by(PhoneEvent.id.desc())
        .limit(NEWEST)
    )
    left = (
        select(PhoneOrder.sender, PhoneOrder.ordered_at)
        .where(PhoneOrder.channel == Channel.SMS, PhoneOrder.sid.is_not(None))
        .order_by(PhoneOrder.id.desc())
        .limit(NEWEST)
    )
    rows: list[tuple[str, datetime]] = [
        (to, at) for kind, to, at in session.execute(came) if kind == EventKind.SMS_IN
    ]
    rows += [(sender, at) for sender, at in session.execute(left)]
    found: dict[str, datetime] = {}
    for number, at in rows:
        if number in numbers:
            found[number] = max(found.get(number, at), at)
    return found


def _webhooks(session: Session) -> Webhooks:
    newest = (
        select(PhoneEvent.source, PhoneEvent.received_at, PhoneEvent.state)
        .order_by(PhoneEvent.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    lately = newest.c.received_at > func.now() - LATE
    row = session.execute(
        select(
            func.max(newest.c.received_at).filter(newest.c.source == "webhook"),
            func.count().filter(newest.c.source == "webhook", lately),
            func.count().filter(newest.c.source != "webhook", lately),
        )
    ).one()
    states = dict(
        session.execute(
            select(PhoneEvent.state, func.count())
            .where(PhoneEvent.state.in_([EventState.STORED, EventState.QUARANTINED]))
            .group_by(PhoneEvent.state)
        ).all()
    )
    refused = any(one.kind == ALARM for one in notices.open_alarms(session))
    return Webhooks(
        health_of(refused=refused, by_webhook=row[1], by_list=row[2], ever=row[0] is not None),
        *row,
        waiting=states.get(EventState.STORED, 0),
        quarantined=states.get(EventState.QUARANTINED, 0),
    )


def health_of(*, refused: bool, by_webhook: int, by_list: int, ever: bool) -> Health:
    """How webhooks fare; a fact or two that only a list told are no loss worth a word."""
    if refused:
        return Health.REFUSED
    if by_list > 2 and by_list * 20 > by_webhook + by_list:
        return Health.LOSING
    return Health.WELL if ever else Health.SILENT


def _spend(session: Session, settings: Settings, channel: Channel) -> Spend:
    caps, spent = spending.caps_of(settings, channel), spending.spent_on(session, channel, "")
    return Spend(channel, spent.a_day, caps.a_day, spent.a_month, caps.a_month)
