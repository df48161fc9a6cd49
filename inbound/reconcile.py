"""Nothing lost while we were down: what Twilio lists becomes the rows that its webhooks would have made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select

from core import phoneevents, phoneorders
from core.accounts import Channel
from core.calls import Call
from core.context import Context
from core.jobs import enqueue
from core.phoneevents import APPLY, EventKind, PhoneEvent, Told
from inbound.twilio import PROVIDER
from inbound.twilioapi import TwilioApi, in_pages

OVERLAP: Final = timedelta(hours=48)
"""How far back lists are read: to their end at night, to what is known by day."""
KNOWN_PAGES: Final = 2
OPEN_FOR: Final = timedelta(minutes=2)
"""A call still open after so long is asked for by its id: a queued one has no start and is in no list."""
MOST_OPEN: Final = 100
LISTED_AFTER: Final = timedelta(minutes=30)
"""A call that waits to be placed, and an SMS that waits to be sent, have no place in a list by day yet."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """How many facts were new to us."""

    calls: int = 0
    recordings: int = 0
    messages: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.calls + self.recordings + self.messages


def reconcile(context: Context, api: TwilioApi, *, whole: bool = False) -> Found:
    """Read Twilio's lists and store what no webhook told; nothing that is known is stored twice.

    Raises Unreachable or LoginRefused; what was read before stays.
    """

    def keep(page: list[Told]) -> int:
        with context.transaction() as session:
            new = phoneevents.keep(session, page)
            if new:
                enqueue(session, APPLY, dedupe=APPLY)
            return len(new)

    with context.transaction() as session:
        moment: datetime = session.execute(select(func.now())).scalar_one()
    since = (moment - OVERLAP).date()
    until_known = 0 if whole else KNOWN_PAGES
    found = Found(
        calls=in_pages(api.calls(since), keep, until_known=until_known),
        recordings=in_pages(api.recordings(since), keep, until_known=until_known),
        messages=in_pages(api.messages(since), keep, until_known=until_known),
    )
    still = [told for sid in _open_ones(context, moment) if (told := api.call(sid)) is not None]
    found = Found(found.calls + (keep(still) if still else 0), found.recordings, found.messages)
    sought = [told for channel, number in _open_orders(context) for told in _look_up(api, channel, number)]
    if sought:
        keep(sought)
    if found.total:
        log.info("phone.reconciled", calls=found.calls, recordings=found.recordings, messages=found.messages)
    return found


def _open_ones(context: Context, moment: datetime) -> list[str]:
    with context.transaction() as session:
        query = (
            select(Call.sid)
            .where(Call.provider == PROVIDER, Call.ended_at.is_(None), Call.created_at < moment - OPEN_FOR)
            .order_by(Call.id)
            .limit(MOST_OPEN)
        )
        return list(session.scalars(query))


def _open_orders(context: Context) -> list[tuple[Channel, str]]:
    """Channel and number of what may have been ordered: each is looked for by itself, and never ordered
    again.
    """
    with context.transaction() as session:
        phoneorders.settle_known(session)
        orders = phoneorders.open_ones(session)
        for order in orders:
            phoneorders.looked_for(session, order)
        return list(dict.fromkeys((Channel(order.channel), order.dialled) for order in orders))


def _look_up(api: TwilioApi, channel: Channel, number: str) -> Iterator[Told]:
    return api.texts_to(number) if channel == Channel.SMS else api.calls_to(number)


@dataclass(frozen=True, slots=True)
class PhoneBooks:
    """What Twilio holds of the last two days against what is on record here."""

    calls: int
    missing_calls: tuple[str, ...]
    messages: int
    missing_messages: tuple[str, ...]
    waiting: int
    """Events stored and not applied yet."""
    quarantined: int
    calls_out: int = 0
    messages_out: int = 0
    lost: tuple[str, ...] = ()
    """Ids of calls and SMS that were taken from us, and that Twilio's lists do not hold."""
    foreign: tuple[str, ...] = ()
    """Ids of calls and SMS in Twilio's lists that were not ordered from here; others may use the account."""
    uncertain: int = 0
    """Orders of which nobody knows yet whether Twilio took them."""

    @property
    def sound(self) -> bool:
        """Whether nothing is missing."""
        return not (self.missing_calls or self.missing_messages or self.lost or self.quarantined)


def compare(context: Context, api: TwilioApi) -> PhoneBooks:
    """Compare Twilio's lists with our rows; changes nothing. Raises Unreachable or LoginRefused."""
    with context.transaction() as session:
        moment: datetime = session.execute(select(func.now())).scalar_one()
    since = (moment - OVERLAP).date()
    legs = [told for told in api.calls(since) if told.facts["parent"] is None]
    texts = list(api.messages(since))
    outside = {told.subject for told in legs if told.facts["direction"] == "in"}
    written = {told.subject for told in texts if told.kind is EventKind.SMS_IN}
    placed = {told.subject for told in legs} - outside
    sent = {told.subject for told in texts} - written
    with context.transaction() as session:
        known = set(session.scalars(select(Call.sid).where(Call.sid.in_(outside))))
        read = set(
            session.scalars(
                select(PhoneEvent.subject).where(
                    PhoneEvent.kind == EventKind.SMS_IN, PhoneEvent.subject.in_(written)
                )
            )
        )
        states = phoneevents.counts(session)
        ordered = phoneorders.ids_since(session, moment - LISTED_AFTER, moment - OVERLAP)
        ours = phoneorders.known_ids(session, placed | sent)
        uncertain = len(phoneorders.open_ones(session, limit=1000))
    return PhoneBooks(
        calls=len(outside),
        missing_calls=tuple(sorted(outside - known)),
        messages=len(written),
        missing_messages=tuple(sorted(written - read)),
        waiting=states["stored"],
        quarantined=states["quarantined"],
        calls_out=len(placed),
        messages_out=len(sent),
        lost=tuple(sorted(ordered - placed - sent)),
        foreign=tuple(sorted((placed | sent) - ours)),
        uncertain=uncertain,
    )
