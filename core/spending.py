"""What our telephone may cost: countries and kinds of line, and caps per number, day and month.

Decided from our own orders, in the transaction that writes the next one, one worker at a time: so no two can
both take the last of a cap. A day is the last 24 hours and a month the last 30 days, so that nothing is
released in a flood at midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts import Channel
from core.config import Settings
from core.dialling import may_call, may_text
from core.errors import InputRefused
from core.i18n import N_
from core.outbox import DeliveryState

LOCK: Final = 0x66645F7370656E64
"""Taken by whoever is about to spend, until their transaction ends."""
BLOCK_DIGITS: Final = 4
"""Numbers that differ in so many last digits are one block: made-up clients often have neighbouring ones."""
DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=30)
SPENT: Final = tuple(
    state.value
    for state in DeliveryState
    if state.value in {"transmitting", "sent", "uncertain", "delivered", "bounced", "complained"}
)
"""States of deliveries that cost money, or may have."""


class Cap(StrEnum):
    """Which rule says no."""

    LINE = "line"
    """The country or the kind of line."""
    LENGTH = "length"
    NUMBER = "number"
    BLOCK = "block"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Caps:
    """How much may be spent on one channel; units are parts of SMS, minutes of calls, or faxes."""

    countries: frozenset[str]
    to_number: int
    """Parts of SMS, calls or faxes to one number in a day."""
    to_block: int
    a_day: int
    a_month: int
    longest: int
    """Units of one SMS, call or fax."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent before on a channel."""

    to_number: int = 0
    to_block: int = 0
    a_day: int = 0
    a_month: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether something may be spent: the cap that forbids it, with its reason for people."""

    cap: Cap | None = None
    reason: str = ""

    @property
    def yes(self) -> bool:
        """Whether it may."""
        return self.cap is None

    @property
    def passes(self) -> bool:
        """Whether it may later, without anybody changing anything."""
        return self.cap in {Cap.NUMBER, Cap.BLOCK, Cap.DAY, Cap.MONTH}


class SpendingRefused(InputRefused):
    """Our telephone may not reach that number."""


REFUSALS: Final[dict[Cap, tuple[str, str]]] = {
    Cap.LINE: (
        N_("That number cannot be reached from here: its country or the kind of line is not allowed."),
        N_("An administrator can add a country to the settings."),
    ),
    Cap.LENGTH: (N_("It is longer than the company allows."), N_("Shorten it.")),
    Cap.NUMBER: (
        N_("This number has had as much from us in a day as the company allows."),
        N_("Try again tomorrow, or have an administrator raise the cap."),
    ),
    Cap.BLOCK: (
        N_("Numbers like this one have had as much from us in a day as the company allows."),
        N_("Try again tomorrow, or have an administrator raise the cap."),
    ),
    Cap.DAY: (
        N_("The company has spent as much in the last 24 hours as its cap allows."),
        N_("Try again later, or have an administrator raise the cap."),
    ),
    Cap.MONTH: (
        N_("The company has spent as much in the last 30 days as its cap allows."),
        N_("Try again later, or have an administrator raise the cap."),
    ),
}
"""What a person who waits for an answer is told, and what they can do about it."""


def caps_of(settings: Settings, channel: Channel) -> Caps:
    """The caps that the settings give a channel."""
    rules, countries = settings.dialling, frozenset(settings.phone.countries)
    if channel == Channel.SMS:
        return Caps(
            countries, rules.sms_to_number_a_day, rules.sms_to_block_a_day, rules.sms_a_day,
            rules.sms_a_month, rules.longest_sms_parts,
        )  # fmt: skip
    if channel == Channel.FAX:
        most = rules.faxes_to_number_a_day
        return Caps(countries, most, most * 10, rules.faxes_a_day, rules.faxes_a_month, 1)
    return Caps(
        countries,
        rules.calls_to_number_a_day,
        rules.calls_to_number_a_day * 10,
        rules.call_minutes_a_day,
        rules.call_minutes_a_month,
        settings.phone.longest_call_minutes,
    )


def rule(channel: Channel, number: str, units: int, caps: Caps, spent: Spent) -> Ruling:
    """Decide on one SMS of so many parts, one call of at most so many minutes, or one fax; pure."""
    allowed = (may_text if channel == Channel.SMS else may_call)(number, caps.countries)
    if not allowed.yes:
        return Ruling(Cap.LINE, allowed.reason)
    each = units if channel == Channel.SMS else 1
    if units > caps.longest:
        return Ruling(Cap.LENGTH, f"longer than {caps.longest} {UNITS[channel]}")
    for cap, before, adds, most, what in (
        (Cap.NUMBER, spent.to_number, each, caps.to_number, "to this number in a day"),
        (Cap.BLOCK, spent.to_block, each, caps.to_block, "to numbers like this one in a day"),
        (Cap.DAY, spent.a_day, units, caps.a_day, "in a day"),
        (Cap.MONTH, spent.a_month, units, caps.a_month, "in a month"),
    ):
        if before + adds > most:
            counted = "calls" if channel == Channel.VOICE and cap in _BY_COUNT else UNITS[channel]
            return Ruling(cap, f"the cap of {most} {counted} {what} is reached")
    return Ruling()


_BY_COUNT: Final = frozenset({Cap.NUMBER, Cap.BLOCK})
UNITS: Final = {Channel.SMS: "parts of SMS", Channel.VOICE: "minutes of calls", Channel.FAX: "faxes"}


_SPENT = text("""
select coalesce(sum(weight) filter (where o.number = :number and o.ordered_at > now() - :day), 0),
       coalesce(sum(weight) filter (where left(o.number, -:digits) = left(:number, -:digits)
                                    and o.ordered_at > now() - :day), 0),
       coalesce(sum(o.units) filter (where o.ordered_at > now() - :day), 0),
       coalesce(sum(o.units), 0)
from (select number, ordered_at, units, delivery_id,
             case when channel = 'sms' then units else 1 end as weight
      from phone_order where channel = :channel and ordered_at > now() - :month) o
join delivery d on d.id = o.delivery_id and d.state = any(cast(:spent as text[]))
""")


def alone(session: Session) -> None:
    """Wait until nobody else is about to spend; holds until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})


def spent_on(session: Session, channel: Channel, number: str) -> Spent:
    """What was spent on a channel, and on a number of it."""
    row = session.execute(
        _SPENT,
        {
            "channel": channel.value,
            "number": number,
            "digits": BLOCK_DIGITS,
            "day": DAY,
            "month": MONTH,
            "spent": list(SPENT),
        },
    ).one()
    return Spent(*(int(value) for value in row))


def ask(
    session: Session,
    settings: Settings,
    channel: Channel,
    number: str,
    units: int,
    also: Sequence[tuple[str, int]] = (),
) -> Ruling:
    """Whether a number may be written to or called now.

    ``also`` is what this transaction spends besides: number and units of each.
    """
    spent = spent_on(session, channel, number)
    for other, more in also:
        counts = more if channel == Channel.SMS else 1
        spent = Spent(
            spent.to_number + (counts if other == number else 0),
            spent.to_block + (counts if block_of(other) == block_of(number) else 0),
            spent.a_day + more,
            spent.a_month + more,
        )
    return rule(channel, number, units, caps_of(settings, channel), spent)


def block_of(number: str) -> str:
    """What neighbouring numbers have in common."""
    return number[:-BLOCK_DIGITS]


def insist(session: Session, settings: Settings, channel: Channel, number: str, units: int) -> None:
    """The same for a person who waits for an answer. Raises SpendingRefused, saying which rule it is."""
    ruling = ask(session, settings, channel, number, units)
    if ruling.cap is not None:
        said, cure = REFUSALS[ruling.cap]
        raise SpendingRefused(said, cure=cure)
