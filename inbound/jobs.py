"""The background work of this room: reading what is stored, and watching the mailboxes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from core.callnotes import UNDERSTAND as UNDERSTAND_CALL
from core.calls import Recording
from core.context import Context
from core.intake import IntakeState, RawMessage
from core.jobs import Registry, Service, enqueue
from core.phoneevents import APPLY, EventState, PhoneEvent
from core.search import is_waiting
from inbound import afterwards, calls, indexing, mailbox, reconcile, recordings
from inbound.intake import READERS, UNDERSTAND, nudge
from inbound.knownsenders import KnownSenders
from inbound.labelling import labeller
from inbound.pipeline import understand
from inbound.readers import Readers
from inbound.recordings import FETCH
from inbound.transcribing import TRANSCRIBE, transcribe_due
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


@registry.job(FETCH, queue="inbound", attempts=5, concurrency=1)
def fetch_recordings(context: Context) -> None:
    """Bring recordings that are due into our own storage."""
    recordings.fetch_due(context)


@registry.job(TRANSCRIBE, queue="inbound", attempts=5, concurrency=1)
def transcribe(context: Context) -> None:
    """Have recordings that are due written down."""
    transcribe_due(context)


@registry.job(UNDERSTAND_CALL, queue="inbound", attempts=5)
def understand_call(context: Context, call_id: int) -> None:
    """File what was said in a call, or noted of it."""
    calls.understand(context, call_id)


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
    """Every second: what of the telephone waits to be applied, fetched or written down."""
    if session.scalar(select(exists().where(PhoneEvent.state == EventState.STORED))):
        enqueue(session, APPLY, dedupe=APPLY)
    if session.scalar(select(exists().where(Recording.next_fetch_at <= func.now()))):
        enqueue(session, FETCH, dedupe=FETCH)
    if session.scalar(select(exists().where(Recording.next_transcript_at <= func.now()))):
        enqueue(session, TRANSCRIBE, dedupe=TRANSCRIBE)
    return 0


def services(context: Context) -> Iterable[Service]:
    """One thread for each mailbox."""
    return mailbox.services(context)
