"""The queue's twin in memory behaves as the real one: transactions, order, retries, giving up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.context import Context
from core.errors import InputRefused
from core.jobs import Registry, enqueue
from core.jobs_memory import MemoryQueue


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_job_appears_when_its_transaction_commits(registry: Registry, context: Context) -> None:
    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.kind", number=1)
        assert queue.waiting == []
    assert [job.payload for job in queue.waiting] == [{"number": 1}]


def test_a_job_vanishes_when_its_transaction_rolls_back(registry: Registry, context: Context) -> None:
    queue = MemoryQueue(registry, context)

    def fail(session: Session) -> None:
        enqueue(session, "a.kind")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), queue.context.transaction() as session:
        fail(session)
    assert queue.waiting == []


def test_a_second_job_with_the_same_key_is_not_enqueued(registry: Registry, context: Context) -> None:
    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        assert enqueue(session, "a.kind", dedupe="one") is not None
        assert enqueue(session, "a.kind", dedupe="one") is None
    assert len(queue.waiting) == 1


def test_jobs_run_by_priority_and_then_in_order(registry: Registry, context: Context) -> None:
    seen: list[int] = []

    @registry.job("a.kind")
    def handler(_context: Context, number: int) -> None:
        seen.append(number)

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        for number, priority in ((1, 0), (2, 5), (3, 0)):
            enqueue(session, "a.kind", number=number, priority=priority)
    assert queue.run() == 3
    assert seen == [2, 1, 3]


def test_a_delayed_job_waits_until_time_has_passed(registry: Registry, context: Context) -> None:
    registry.job("a.kind")(lambda _context: None)
    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.kind", delay=timedelta(minutes=5))
    assert queue.run() == 0
    queue.advance(timedelta(minutes=5))
    assert queue.run() == 1


def test_a_job_enqueued_by_a_job_runs_as_well(registry: Registry, context: Context) -> None:
    seen: list[str] = []

    @registry.job("a.first")
    def first(context: Context) -> None:
        with context.transaction() as session:
            enqueue(session, "a.second")

    @registry.job("a.second")
    async def second(_context: Context) -> None:
        seen.append("second")

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.first")
    assert queue.run() == 2
    assert seen == ["second"]


def test_a_failing_job_is_given_up_after_its_attempts(registry: Registry, context: Context) -> None:
    attempts: list[int] = []
    given_up: list[str] = []

    @registry.job("a.kind", attempts=3, given_up=lambda _context, error: given_up.append(str(error)))
    def handler(context: Context) -> None:
        assert context.call is not None
        attempts.append(context.call.attempt)
        raise OSError("away")

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.kind")
    for _ in range(3):
        queue.run()
        queue.advance(timedelta(minutes=10))
    assert attempts == [1, 2, 3]
    assert given_up == ["away"]
    assert [job.kind for job in queue.failed] == ["a.kind"]


def test_what_retrying_cannot_mend_is_given_up_at_once(registry: Registry, context: Context) -> None:
    @registry.job("a.kind", attempts=5)
    def handler(_context: Context) -> None:
        raise InputRefused

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.kind")
    assert queue.run() == 1
    assert len(queue.failed) == 1


def test_a_payload_that_is_not_json_is_refused_as_by_the_real_queue(
    registry: Registry, context: Context
) -> None:
    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session, pytest.raises(TypeError):
        enqueue(session, "a.kind", raw=b"bytes")


def test_jobs_that_enqueue_each_other_for_ever_are_noticed(registry: Registry, context: Context) -> None:
    @registry.job("a.kind")
    def handler(context: Context) -> None:
        with context.transaction() as session:
            enqueue(session, "a.kind")

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "a.kind")
    with pytest.raises(RuntimeError, match=r"a\.kind"):
        queue.run(limit=20)
