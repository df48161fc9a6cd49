"""The background work of this room: reading what is stored, and watching the mailboxes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from core.context import Context
from core.intake import IntakeState, RawMessage
from core.jobs import Registry, Service, enqueue
from core.phoneevents import APPLY, EventState, PhoneEvent
from core.search import is_waiting
from inbound import afterwards, calls, indexing, mailbox, reconcile
from inbound.intake import READERS, UNDERSTAND, nudge
from inbound.knownsenders import KnownSenders
from inbound.labelling import labeller
from inbound.pipeline import understand
from inbound.readers import Readers
from inbound.twilioapi import TwilioApi
from inbound.work import Tools

registry = Registry()

MOST_BATCHES = 50
"""After so many batches a job ends and asks for the next, so that a worker told to stop can."""


@registry.job(UNDERSTAND, queue="inbound", attempts=5, concurrency=READERS)
def drain(context: Context, reader: int = 0) -> None:
    """Read what is stored until nothing waits; the oldest first, and now and then the newest."""
    tools = Tools(context.settings, context.port(Readers), labeller(context), context.port(KnownSenders))
    for number in range(MOST_BATCHES):
        outcome = understand(context, tools, newest=number % 4 == 3)
        if not outcome.total:
            return
    with context.transaction() as session:
        nudge(session, 1)


@registry.promoter("inbound.stored", queue="inbound")
def promote(session: Session) -> int:
    """Every second: if letters wait, ask for them to be read, so that nothing depends on one nudge."""
    waiting = select(
        exists().where(
            RawMessage.state == IntakeState.STORED,
            or_(RawMessage.not_before.is_(None), RawMessage.not_before <= func.now()),
        )
    )
    if session.scalar(waiting):
        nudge(session, 1)
    return 0


INDEX = "inbound.index"


@registry.job(INDEX, queue="inbound", attempts=5, concurrency=1)
def index_messages(context: Context) -> None:
    """Write the words by which new messages are found."""
    indexing.index(context)


@registry.promoter("inbound.searchable", queue="inbound")
def promote_index(session: Session) -> int:
    """Every second: if the words of messages are due, ask for them to be written."""
    if is_waiting(session):
        enqueue(session, INDEX, dedupe=INDEX)
    return 0


@registry.job(afterwards.LOOK_CLOSER, queue="inbound", attempts=5, concurrency=1, first_delay=60.0)
def look_closer(context: Context, message_ids: list[int]) -> None:
    """What need not be known before a letter is filed."""
    afterwards.look_closer(context, message_ids)


@registry.job(APPLY, queue="inbound", attempts=5, concurrency=1)
def apply_phone(context: Context) -> None:
    """Put on record what the telephone told us."""
    calls.drain(context)


@registry.job("inbound.reconcile", queue="inbound", periodic="*/3 * * * *", concurrency=1)
def reconcile_phone(context: Context) -> None:
    """Every three minutes: what Twilio holds and no webhook told us."""
    if context.settings.twilio is not None:
        reconcile.reconcile(context, TwilioApi(context.settings.twilio))


@registry.job("inbound.reconcile_whole", queue="inbound", periodic="41 2 * * *", concurrency=1)
def reconcile_phone_whole(context: Context) -> None:
    """Every night: the same over two whole days."""
    if context.settings.twilio is not None:
        reconcile.reconcile(context, TwilioApi(context.settings.twilio), whole=True)


@registry.promoter("inbound.phone")
def promote_phone(session: Session) -> int:
    """Every second: if events of the telephone wait, ask for them to be applied."""
    if session.scalar(select(exists().where(PhoneEvent.state == EventState.STORED))):
        enqueue(session, APPLY, dedupe=APPLY)
    return 0


def services(context: Context) -> Iterable[Service]:
    """One thread for each mailbox."""
    return mailbox.services(context)
