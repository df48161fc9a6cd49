"""Jobs on the real queue: enqueueing, retries, giving up, periodic work and clean stops."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import jobreport, jobs
from core.context import Context
from core.errors import FrontdeskError, InputRefused
from core.jobs import Registry, Service, enqueue, enqueue_many
from core.worker import Outcome, Plan, Worker, promote
from tests.core.working import PATIENCE, wait_for, working


def test_a_job_commits_with_the_rows_that_cause_it(session: Session) -> None:
    enqueue(session, "a.kind", number=7)
    assert jobreport.counts(session) == [jobreport.Standing("a.kind", "queued", 1)]


def test_a_job_vanishes_when_its_transaction_rolls_back(context: Context) -> None:
    def fail() -> None:
        with context.transaction() as session:
            enqueue(session, "a.kind")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with context.transaction() as session:
        assert jobreport.counts(session) == []


def test_a_second_job_with_the_same_key_is_not_enqueued_and_the_transaction_goes_on(session: Session) -> None:
    assert enqueue(session, "a.kind", dedupe="one") is not None
    assert enqueue(session, "a.kind", dedupe="one") is None
    assert session.scalar(sa.text("select count(*) from pgqueuer")) == 1


def test_many_jobs_are_numbered_in_the_order_of_their_payloads(session: Session) -> None:
    numbers = enqueue_many(
        session, "a.kind", [{"n": n} for n in range(5)], dedupe=["x", None, "x", None, "y"]
    )
    assert numbers[2] is None
    given = [number for number in numbers if number is not None]
    assert given == sorted(given)
    assert len(given) == 4


def test_a_payload_reaches_its_function_unchanged(context: Context) -> None:
    registry, seen = Registry(), []

    @registry.job("a.kind")
    def handler(_context: Context, text: str, numbers: list[int]) -> None:
        seen.append((text, numbers))

    with context.transaction() as session:
        enqueue(session, "a.kind", text="Sąskaita „№ 5“ \\ $1 %s", numbers=[1, 2])
    with working(registry, context):
        wait_for(lambda: seen, "the job")
    assert seen == [("Sąskaita „№ 5“ \\ $1 %s", [1, 2])]


def test_an_asynchronous_function_runs_in_the_workers_loop(context: Context) -> None:
    registry, seen = Registry(), []

    @registry.job("a.kind")
    async def handler(_context: Context) -> None:
        await asyncio.sleep(0)
        seen.append(threading.current_thread().name)

    with context.transaction() as session:
        enqueue(session, "a.kind")
    with working(registry, context):
        wait_for(lambda: seen, "the job")
    assert seen == ["jobs"]


def test_a_failing_job_is_tried_again_until_it_succeeds(context: Context) -> None:
    registry, attempts = Registry(), []

    @registry.job("a.kind", first_delay=0.01)
    def handler(context: Context) -> None:
        assert context.call is not None
        attempts.append(context.call.attempt)
        if len(attempts) < 3:
            raise OSError("the relay is away")

    with context.transaction() as session:
        enqueue(session, "a.kind")
    with working(registry, context):
        wait_for(lambda: len(attempts) == 3, "the third attempt")
    assert attempts == [1, 2, 3]
    with context.transaction() as session:
        assert jobreport.counts(session) == []


def test_a_job_that_fails_each_time_is_given_up_once_and_held(context: Context) -> None:
    registry, attempts, given_up = Registry(), [], []

    def on_giving_up(_context: Context, error: BaseException, number: int) -> None:
        given_up.append((str(error), number))

    @registry.job("a.kind", attempts=3, first_delay=0.01, given_up=on_giving_up)
    def handler(_context: Context, number: int) -> None:
        attempts.append(number)
        raise OSError("the relay is away")

    with context.transaction() as session:
        enqueue(session, "a.kind", number=7)
    with working(registry, context):
        wait_for(lambda: given_up, "giving up")
    assert attempts == [7, 7, 7]
    assert given_up == [("the relay is away", 7)]
    with context.transaction() as session:
        (held,) = jobreport.failed(session)
    assert held["kind"] == "a.kind"
    assert held["payload"] == {"number": 7}
    assert "the relay is away" in held["error"]


def test_an_error_that_retrying_cannot_mend_is_given_up_at_once(context: Context) -> None:
    registry, attempts = Registry(), []

    @registry.job("a.kind", attempts=5)
    def handler(_context: Context) -> None:
        attempts.append(1)
        raise InputRefused

    with context.transaction() as session:
        enqueue(session, "a.kind")
    with working(registry, context):
        wait_for(lambda: _failed(context), "giving up")
    assert attempts == [1]


def _failed(context: Context) -> int:
    with context.transaction() as session:
        return len(jobreport.failed(session))


def test_a_held_job_runs_again_with_all_its_attempts(context: Context) -> None:
    registry, broken, seen = Registry(), [True], []

    @registry.job("a.kind", attempts=1)
    def handler(context: Context, number: int) -> None:
        if broken:
            raise OSError("broken")
        assert context.call is not None
        seen.append((number, context.call.attempt, context.call.crashes))

    with context.transaction() as session:
        enqueue(session, "a.kind", number=3)
    with working(registry, context):
        wait_for(lambda: _failed(context), "giving up")
        broken.clear()
        with context.transaction() as session:
            (held,) = jobreport.failed(session)
            assert jobreport.run_again(session, held["id"]) is not None
        wait_for(lambda: seen, "the second life")
    assert seen == [(3, 1, 0)]


def test_a_job_that_tries_to_end_its_worker_only_fails(context: Context) -> None:
    registry, others = Registry(), []

    @registry.job("a.exit", attempts=1)
    def leaver(_context: Context) -> None:
        sys.exit(3)

    @registry.job("a.kind")
    def handler(_context: Context) -> None:
        others.append(1)

    with context.transaction() as session:
        enqueue(session, "a.exit")
    with working(registry, context):
        wait_for(lambda: _failed(context), "the failure")
        with context.transaction() as session:
            enqueue(session, "a.kind")
        wait_for(lambda: others, "the other job")


def test_a_worker_takes_only_the_queues_it_was_given(context: Context) -> None:
    registry, seen = Registry(), []

    @registry.job("in.kind", queue="inbound")
    def incoming(_context: Context) -> None:
        seen.append("in")

    @registry.job("out.kind", queue="outbound")
    def outgoing(_context: Context) -> None:
        seen.append("out")

    with context.transaction() as session:
        enqueue(session, "out.kind", priority=9)
        enqueue(session, "in.kind")
    worker = Worker(Plan(registry, queues=["inbound"], pace=jobs.Pace(threads=2, look=1)), context)
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_for(lambda: seen, "the inbound job")
    worker.stop()
    thread.join(PATIENCE)
    assert seen == ["in"]


def test_a_stopped_worker_finishes_what_it_runs_and_takes_nothing_new(context: Context) -> None:
    registry, release, begun, done = Registry(), threading.Event(), threading.Event(), []

    @registry.job("a.kind")
    def handler(_context: Context, number: int) -> None:
        begun.set()
        release.wait(PATIENCE)
        done.append(number)

    with context.transaction() as session:
        enqueue(session, "a.kind", number=1)
    with working(registry, context) as worker:
        assert begun.wait(PATIENCE)
        worker.stop()
        assert worker.draining.wait(PATIENCE)
        with context.transaction() as session:
            enqueue(session, "a.kind", number=2)
        release.set()
    assert done == [1]
    with context.transaction() as session:
        assert jobreport.counts(session) == [jobreport.Standing("a.kind", "queued", 1)]


def test_a_worker_says_when_its_jobs_do_not_end_in_time(context: Context) -> None:
    registry, release, begun = Registry(), threading.Event(), threading.Event()

    @registry.job("a.kind")
    def handler(_context: Context) -> None:
        begun.set()
        release.wait(PATIENCE)

    with context.transaction() as session:
        enqueue(session, "a.kind")
    worker = Worker(Plan(registry, pace=jobs.Pace(threads=1, look=1), drain_seconds=0.2), context)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.run()))
    thread.start()
    assert begun.wait(PATIENCE)
    worker.stop()
    thread.join(PATIENCE)
    release.set()
    assert outcomes == [Outcome.NOT_DRAINED]


def test_a_service_that_fails_is_started_again(context: Context) -> None:
    starts: list[int] = []

    def run(stop: threading.Event) -> None:
        starts.append(1)
        if len(starts) == 1:
            raise OSError("the mailbox is away")
        stop.wait(PATIENCE)

    with working(Registry(), context, (Service("mailbox", "inbound", run),)):
        wait_for(lambda: len(starts) == 2, "the second start")


def test_a_promoter_turns_due_rows_into_jobs_every_second(context: Context) -> None:
    registry, seen = Registry(), []
    with context.engine.begin() as connection:
        connection.execute(sa.text("create table timer (id int primary key)"))
        connection.execute(sa.text("insert into timer select generate_series(1, 5)"))

    @registry.promoter("timers")
    def due(session: Session) -> int:
        rows = session.scalars(sa.text("delete from timer returning id")).all()
        for row in rows:
            enqueue(session, "a.kind", number=row)
        return len(rows)

    @registry.job("a.kind")
    def handler(_context: Context, number: int) -> None:
        seen.append(number)

    with working(registry, context):
        wait_for(lambda: len(seen) == 5, "all five")
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_a_promoter_waits_while_another_worker_is_at_it(context: Context) -> None:
    calls: list[int] = []

    def inner(_session: Session) -> int:
        calls.append(1)
        return 0

    def outer(_session: Session) -> int:
        # A second worker, meanwhile, finds the lock taken.
        assert promote(context, "timers", inner) == 0
        return 1

    assert promote(context, "timers", outer) == 1
    assert calls == []


def test_a_periodic_job_is_enqueued_once_by_two_workers(context: Context) -> None:
    registry, seen = Registry(), []

    @registry.job("a.tick", periodic="* * * * *")
    def tick(_context: Context) -> None:
        seen.append(1)

    with working(registry, context), working(registry, context):
        wait_for(lambda: _scheduled(context), "the schedule")
        with context.engine.begin() as connection:
            connection.execute(
                sa.text("update pgqueuer_schedules set next_run = now() - interval '1 second'")
            )
    # Both are asked again at their next start, and only one of them finds it due.
    with working(registry, context), working(registry, context):
        wait_for(lambda: seen, "the tick")
    assert seen == [1]


def _scheduled(context: Context) -> int:
    with context.engine.connect() as connection:
        return int(connection.scalar(sa.text("select count(*) from pgqueuer_schedules")) or 0)


def test_the_log_of_finished_jobs_is_pruned_and_that_of_waiting_ones_kept(session: Session) -> None:
    enqueue(session, "a.kind")
    session.execute(
        sa.text(
            "insert into pgqueuer_log (job_id, status, entrypoint, priority, created)"
            " values (999999, 'successful', 'a.kind', 0, now() - interval '8 days')"
        )
    )
    session.execute(sa.text("update pgqueuer_log set created = now() - interval '8 days'"))
    assert jobreport.prune(session) == 1
    assert session.scalar(sa.text("select count(*) from pgqueuer_log")) == 1


def test_a_kind_is_declared_once() -> None:
    registry = Registry()
    registry.job("a.kind")(print)
    with pytest.raises(ValueError, match=r"a\.kind"):
        registry.job("a.kind")(print)


def test_installing_the_queue_again_changes_nothing(context: Context) -> None:
    jobs.install(context.engine)
    jobs.install(context.engine)
    with context.transaction() as session:
        assert jobreport.counts(session) == []


def test_giving_up_is_tried_again_when_it_fails(context: Context) -> None:
    registry, calls = Registry(), []

    def given_up(_context: Context, _error: BaseException) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the database was away")

    @registry.job("a.kind", attempts=1, first_delay=0.01, given_up=given_up)
    def handler(_context: Context) -> None:
        raise FrontdeskError

    with context.transaction() as session:
        enqueue(session, "a.kind")
    with working(registry, context):
        wait_for(lambda: _failed(context), "giving up")
    assert len(calls) == 2
