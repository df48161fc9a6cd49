"""Background jobs on the same database, through PgQueuer: enqueued in the transaction that causes them.

    with context.transaction() as session:
        raw = store(session, letter)
        enqueue(session, "inbound.understand", raw_id=raw.id)      # commits or rolls back with the row

What kinds of jobs there are, and how a room declares them, stands in `core.jobkinds`. A job is a nudge to
look at the tables, never the only place where something stands. The in-memory twin is `core.jobs_memory`; the
process that runs jobs is `core.worker`, what stands in the queue tells `core.jobreport`. Nothing else knows
PgQueuer.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import re
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from typing import Any, Protocol, TypeVar

import asyncpg
import psycopg
import sqlalchemy as sa
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.drivers.psycopg import SyncPsycopgDriver
from pgqueuer.adapters.persistence.queries import Queries, SyncQueries
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import Job as Row
from pgqueuer.models import Schedule
from sqlalchemy.orm import Session

from core import jobpool
from core.context import Call, Context
from core.errors import DatabaseUnavailable, FrontdeskError
from core.jobkinds import PAGE, Job, Registry, Service, crash_delay, retry_delay, worth_retrying

__all__ = [
    "PAGE",
    "Call",
    "Context",
    "Job",
    "Registry",
    "Service",
    "enqueue",
    "enqueue_many",
    "install",
    "run_jobs",
]

Answer = TypeVar("Answer")


class Queue(Protocol):
    """Where `enqueue` puts jobs instead of PgQueuer, when `session.info["queue"]` holds one."""

    def put(
        self,
        session: Session,
        kind: str,
        payloads: Sequence[Mapping[str, Any]],
        *,
        dedupe: Sequence[str | None],
        delay: timedelta | None,
        priority: int,
    ) -> list[int | None]:
        """Take the jobs when the session's transaction commits."""
        ...


def enqueue(
    session: Session,
    kind: str,
    *,
    dedupe: str | None = None,
    delay: timedelta | None = None,
    priority: int = 0,
    **payload: Any,
) -> int | None:
    """Enqueue one job in the session's transaction; returns its number.

    None when a job with the same `dedupe` already waits or runs; the transaction goes on. A higher `priority`
    runs first. An `AsyncSession` does it with `await session.run_sync(lambda s: enqueue(s, …))`.
    """
    return enqueue_many(session, kind, [payload], dedupe=[dedupe], delay=delay, priority=priority)[0]


def enqueue_many(
    session: Session,
    kind: str,
    payloads: Sequence[Mapping[str, Any]],
    *,
    dedupe: Sequence[str | None] | None = None,
    delay: timedelta | None = None,
    priority: int = 0,
) -> list[int | None]:
    """Enqueue many jobs of one kind in one statement; one number (or None) for each payload, in order."""
    if not payloads:
        return []
    keys: list[str | None] = list(dedupe) if dedupe is not None else [None] * len(payloads)
    queue: Queue | None = session.info.get("queue")
    if queue is not None:
        return queue.put(session, kind, payloads, dedupe=keys, delay=delay, priority=priority)
    stored: list[bytes | None] = [json.dumps(payload, ensure_ascii=False).encode() for payload in payloads]
    delays: list[timedelta | None] = [delay] * len(payloads)
    numbers = SyncQueries(_InTransaction(session)).enqueue(
        [kind] * len(payloads), stored, [priority] * len(payloads), delays, keys, on_conflict="skip"
    )
    return list(numbers)


def install(engine: sa.Engine) -> None:
    """Create the queue's tables, or bring older ones up to date; running it again does nothing."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)  # noqa: S101 - the engine is ours and its driver is psycopg
        before = raw.autocommit
        connection.rollback()
        raw.autocommit = True
        try:
            queries = Queries(_Immediate(raw))  # type: ignore[arg-type] - it has what installing uses
            if _now(queries.schema_is_installed()):
                _now(queries.upgrade())
            else:
                _now(queries.install())
        finally:
            raw.autocommit = before


class _InTransaction:
    """PgQueuer's synchronous driver over the session's own connection, so inside its transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()

    def fetch(self, query: str, *arguments: object) -> list[dict[str, object]]:
        named = {f"p{number}": value for number, value in enumerate(arguments, start=1)}
        rows = self._connection.exec_driver_sql(_with_names(query), named).mappings()
        return [dict(row) for row in rows]


@cache
def _with_names(query: str) -> str:
    """`$1` as `%(p1)s`, which SQLAlchemy hands to the driver as it is."""
    return re.sub(r"\$(\d+)", r"%(p\1)s", query.replace("%", "%%"))


class _Immediate(SyncPsycopgDriver):
    """PgQueuer's asynchronous driver over a plain connection; nothing in it ever waits for an event loop."""

    async def fetch(self, query: str, *arguments: object) -> list[dict[str, object]]:  # type: ignore[override]
        return super().fetch(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        cursor = psycopg.RawCursor(self._connection)
        cursor.execute(query.encode(), arguments or None)
        return cursor.statusmessage or ""


def _now(work: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as finished:
        return finished.value
    work.close()
    raise RuntimeError("The queue's installation waited for something.")


class CrashedTooOften(FrontdeskError):
    """The job's worker died each time it ran."""

    cure = "Look at what it works on; run it again when the cause is gone."


@dataclass(frozen=True)
class Pace:
    """How a worker takes jobs; all times are in seconds."""

    threads: int = 8
    heartbeat: float = 60.0
    """A job whose worker has not been heard of for so long is taken over by another."""
    look: float = 5.0
    """The longest time between two looks at the queue, should a notification be lost."""


async def run_jobs(
    registry: Registry,
    context: Context,
    *,
    stop: asyncio.Event,
    queues: Iterable[str] = (),
    pace: Pace | None = None,
) -> None:
    """Run the jobs of these queues (all when none is named) until `stop` is set, then finish the running
    ones.

    Raises DatabaseUnavailable when the connection is lost: the process should end and be started again.
    """
    pace = pace or Pace()
    lost = asyncio.Event()

    threads = ThreadPoolExecutor(pace.threads, thread_name_prefix="job")
    try:
        async with jobpool.connections(context.engine.url, lost) as pool:
            ends = _Ends(stop, lost)
            while True:
                try:
                    return await _run(list(registry.of(queues)), context, ends, pace, pool, threads)
                except FailingListenerError:
                    # PgQueuer allows its probe ten seconds; a busy machine may need more and is well.
                    if stop.is_set() or lost.is_set():
                        raise
                    await _answers(pool)
                    structlog.get_logger(__name__).warning("notifications were late, listening anew")
    except _LOST as error:
        raise _lost(error) from error
    finally:
        # A thread that hangs must not keep the loop from ending.
        threads.shutdown(wait=False, cancel_futures=True)


async def _answers(pool: asyncpg.Pool) -> None:
    """Return when the database answers; raises OSError when it does not within PATIENCE."""
    async with asyncio.timeout(PATIENCE):
        await pool.fetchval("select 1")


PATIENCE = 30.0
"""Seconds the database gets to answer before it counts as gone."""

LOST_PATIENCE = 10.0
"""Seconds that running jobs get to finish after the queue's connection was cut."""

_LOST = (
    OSError,
    FailingListenerError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)


def _lost(error: BaseException) -> DatabaseUnavailable:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return DatabaseUnavailable(f"The job queue lost the database: {said[0]}")


@dataclass(frozen=True)
class _Ends:
    """What ends a run: being told to stop, or a lost connection."""

    stop: asyncio.Event
    lost: asyncio.Event

    async def either(self) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in (self.stop, self.lost)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


async def _run(
    jobs: list[Job],
    context: Context,
    ends: _Ends,
    pace: Pace,
    pool: asyncpg.Pool,
    threads: ThreadPoolExecutor,
) -> None:
    driver = AsyncpgPoolDriver(pool)
    queries = _WithHistory(driver)
    queuer = PgQueuer(connection=driver, queries=queries)
    for job in jobs:
        runner = partial(_execute, job, context, queries, threads)
        queuer.entrypoint(
            job.kind, concurrency_limit=job.concurrency, on_failure="hold", accepts_context=False
        )(runner)
        if job.periodic is not None:
            due = partial(_enqueue_periodic, job.kind, context, threads)
            queuer.schedule(job.kind, job.periodic, accepts_context=False)(due)
    running = asyncio.create_task(
        queuer.run(
            batch_size=pace.threads,
            max_concurrent_tasks=2 * pace.threads,
            dequeue_timeout=timedelta(seconds=pace.look),
            heartbeat_timeout=timedelta(seconds=pace.heartbeat),
            shutdown_on_listener_failure=True,
            log_aggregation_interval=timedelta(minutes=5),
        )
    )
    ending = asyncio.create_task(ends.either())
    await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    queuer.shutdown.set()
    if not ends.lost.is_set() or ends.stop.is_set():
        await running
        return
    # Running jobs have connections of their own and may well finish what they do.
    await asyncio.wait({running}, timeout=LOST_PATIENCE)
    running.cancel()
    raise DatabaseUnavailable("The job queue's connection to the database was cut.")


async def _enqueue_periodic(
    kind: str, context: Context, threads: ThreadPoolExecutor, _schedule: Schedule
) -> None:
    def put() -> None:
        with context.transaction() as session:
            enqueue(session, kind, dedupe=f"periodic:{kind}")

    await asyncio.get_running_loop().run_in_executor(threads, put)


@dataclass(frozen=True)
class _History:
    crashes: int
    crashed_just_now: bool


class _WithHistory(Queries):
    """Knows of each job it hands out how many workers have died with it.

    Each queueing and each pick is logged, so picks beyond queueings are deaths, and a pick that follows a
    pick is one that just happened.
    """

    history: dict[int, _History]

    async def dequeue(self, *arguments: Any, **named: Any) -> list[Row]:
        rows = await super().dequeue(*arguments, **named)
        if not rows:
            return rows
        told = await self.driver.fetch(
            "select job_id, count(*) filter (where status = 'picked') as picks,"
            " count(*) filter (where status = 'queued') as queueings,"
            " (array_agg(status::text order by id desc))[2] as before"
            " from pgqueuer_log where job_id = any($1::bigint[]) group by job_id",
            [row.id for row in rows],
        )
        if not hasattr(self, "history"):
            self.history = {}
        for line in told:
            crashes = max(0, int(str(line["picks"])) - int(str(line["queueings"])))
            self.history[int(str(line["job_id"]))] = _History(crashes, line["before"] == "picked")
        return rows


async def _execute(
    job: Job, context: Context, queries: _WithHistory, threads: ThreadPoolExecutor, row: Row
) -> None:
    """Run one job once; RetryRequested says again later, any other error that it was given up."""
    history = queries.history.pop(row.id, _History(0, False))
    if history.crashed_just_now and 2 <= history.crashes < job.crashes:
        raise RetryRequested(timedelta(seconds=crash_delay(history.crashes)), "set apart after a crash")
    # Each crash from the second on was followed by one setting apart, which PgQueuer counts as an attempt.
    attempt = max(1, row.attempts - max(0, history.crashes - 1) + 1)
    call = Call(int(row.id), job.kind, attempt, job.attempts, history.crashes)
    here = replace(context, call=call)
    payload: dict[str, Any] = json.loads(row.payload or b"{}")
    log = structlog.get_logger(__name__).bind(job=job.kind, job_id=call.id, attempt=attempt)
    run = partial(_in_thread, threads)
    error: BaseException
    if history.crashes >= job.crashes:
        error = CrashedTooOften(f"The job {job.kind} was given up: {history.crashes} workers died with it.")
    elif attempt > job.attempts:
        error = FrontdeskError(f"The job {job.kind} was given up after {job.attempts} attempts.")
    else:
        try:
            if inspect.iscoroutinefunction(job.function):
                await job.function(here, **payload)
            else:
                await run(partial(job.function, here, **payload))
        except Exception as raised:
            if worth_retrying(raised) and not call.last:
                delay = retry_delay(job, attempt, raised)
                log.warning("job failed, again later", seconds=round(delay, 1), error=type(raised).__name__)
                raise RetryRequested(timedelta(seconds=delay), type(raised).__name__) from raised
            error = raised
        else:
            return
    log.error("job given up", crashes=history.crashes, exc_info=error)
    if job.given_up is not None:
        try:
            await run(partial(job.given_up, here, error, **payload))
        except Exception as failure:
            again = retry_delay(job, attempt)
            log.exception("giving a job up failed, again later", seconds=round(again, 1))
            raise RetryRequested(timedelta(seconds=again), "giving up failed") from failure
    raise error


async def _in_thread(threads: ThreadPoolExecutor, work: partial[Any]) -> None:
    """Run it in one of the threads, so that the loop goes on and heartbeats with it."""

    def guarded() -> None:
        try:
            work()
        except (SystemExit, KeyboardInterrupt) as error:
            raise FrontdeskError(f"A job tried to end its worker ({type(error).__name__}).") from error

    await asyncio.get_running_loop().run_in_executor(threads, contextvars.copy_context().run, guarded)
