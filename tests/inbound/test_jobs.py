"""The background work of this room: a nudge reads everything, and nothing depends on one nudge."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from classifier.inforce import ClassifierInForce
from core.config import Settings
from core.context import Context
from core.intake import IntakeState, RawMessage
from core.jobs_memory import MemoryQueue
from inbound import jobs
from inbound.intake import UNDERSTAND
from inbound.knownsenders import KnownSenders
from inbound.readers import Readers, ReadersHere
from tests.inbound import posting
from tests.inbound.posting import letter


@pytest.fixture
def queue(engine: sa.Engine, settings: Settings) -> MemoryQueue:
    context = Context(settings=posting.mail_settings(settings), engine=engine)
    context.provide(Readers, ReadersHere)
    context.provide(KnownSenders, KnownSenders)
    context.provide(ClassifierInForce, posting.Keywords)
    with context.transaction() as session:
        posting.install(session)
    return MemoryQueue(jobs.registry, context)


def states(queue: MemoryQueue) -> list[IntakeState]:
    with queue.context.transaction() as session:
        return list(session.scalars(sa.select(RawMessage.state)))


def test_letter_that_is_stored_is_read_by_the_job_its_transaction_left(queue: MemoryQueue) -> None:
    posting.post(queue.context, [letter()])
    queue.run()

    assert states(queue) == [IntakeState.UNDERSTOOD]


def test_letter_whose_nudge_was_lost_is_found_within_a_second(queue: MemoryQueue) -> None:
    posting.post(queue.context, [letter()])
    queue.waiting.clear()
    with queue.context.transaction() as session:
        jobs.promote(session)
    queue.run()

    assert states(queue) == [IntakeState.UNDERSTOOD]


def test_nothing_is_asked_for_when_nothing_waits(queue: MemoryQueue) -> None:
    with queue.context.transaction() as session:
        jobs.promote(session)

    assert queue.waiting == []


def test_many_letters_are_read_by_two_at_once(queue: MemoryQueue) -> None:
    posting.post(queue.context, [letter(message_id=f"<{number}@v.lt>") for number in range(120)])

    assert [one.kind for one in queue.waiting] == [UNDERSTAND] * 2
    queue.run()
    assert states(queue) == [IntakeState.UNDERSTOOD] * 120
