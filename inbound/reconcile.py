"""Nothing lost while we were down: what Twilio lists becomes the rows that its webhooks would have made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select

from core import phoneevents
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

    @property
    def sound(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing_calls and not self.missing_messages and not self.quarantined


def compare(context: Context, api: TwilioApi) -> PhoneBooks:
    """Compare Twilio's lists with our rows; changes nothing. Raises Unreachable or LoginRefused."""
    with context.transaction() as session:
        moment: datetime = session.execute(select(func.now())).scalar_one()
    since = (moment - OVERLAP).date()
    outside = {
        told.subject for told in api.calls(since)
        if told.facts["parent"] is None and told.facts["direction"] == "in"
    }  # fmt: skip
    written = {told.subject for told in api.messages(since)}
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
    return PhoneBooks(
        calls=len(outside),
        missing_calls=tuple(sorted(outside - known)),
        messages=len(written),
        missing_messages=tuple(sorted(written - read)),
        waiting=states["stored"],
        quarantined=states["quarantined"],
    )
