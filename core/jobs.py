"""Background jobs on the same database, through PgQueuer: enqueued in the transaction that causes them.

    with context.transaction() as session:
        raw = store(session, letter)
        enqueue(session, "inbound.understand", raw_id=raw.id)      # commits or rolls back with the row

What kinds of jobs there are, and how a room declares them, stands in `core.jobkinds`. A job is a nudge to
look at the tables, never the only place where something stands. The in-memory twin is `core.jobs_memory`; the
process that runs jobs is `core.worker`. Nothing else knows PgQueuer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Protocol, TypeVar

import psycopg
import sqlalchemy as sa
from pgqueuer.adapters.drivers.psycopg import SyncPsycopgDriver
from pgqueuer.adapters.persistence.queries import Queries, SyncQueries
from sqlalchemy.orm import Session

from core.context import Call, Context
from core.errors import NotFound
from core.jobkinds import PAGE, Job, Registry, Service

__all__ = [
    "PAGE",
    "Call",
    "Context",
    "Job",
    "Registry",
    "Service",
    "Standing",
    "counts",
    "enqueue",
    "enqueue_many",
    "failed",
    "install",
    "prune",
    "run_again",
]

Answer = TypeVar("Answer")
KEPT_LOG = timedelta(days=7)
"""The queue's log also counts crashes, so it is kept well beyond any retry."""


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
    keys = list(dedupe) if dedupe is not None else [None] * len(payloads)
    queue: Queue | None = session.info.get("queue")
    if queue is not None:
        return queue.put(session, kind, payloads, dedupe=keys, delay=delay, priority=priority)
    return SyncQueries(_InTransaction(session)).enqueue(
        [kind] * len(payloads),
        [json.dumps(payload, ensure_ascii=False).encode() for payload in payloads],
        [priority] * len(payloads),
        [delay] * len(payloads),
        keys,
        on_conflict="skip",
    )


@dataclass(frozen=True)
class Standing:
    """How many jobs of one kind are in one state."""

    kind: str
    state: str
    """queued, picked or failed."""
    count: int


def counts(session: Session) -> list[Standing]:
    """All jobs that are not done, counted by kind and state."""
    rows = session.execute(
        sa.text("select entrypoint, status::text, count(*) from pgqueuer group by 1, 2 order by 1, 2")
    )
    return [Standing(kind, state, count) for kind, state, count in rows]


def failed(session: Session, limit: int = 100) -> list[dict[str, Any]]:
    """Jobs that were given up, newest first: `id, kind, payload, since, error`."""
    rows = session.execute(
        sa.text(
            "select job.id, job.entrypoint as kind, job.payload, job.updated as since,"
            " (select log.traceback ->> 'exception_message' from pgqueuer_log log"
            "   where log.job_id = job.id and log.traceback is not null"
            "   order by log.id desc limit 1) as error"
            " from pgqueuer job where job.status = 'failed' order by job.updated desc limit :limit"
        ),
        {"limit": limit},
    ).mappings()
    return [{**row, "payload": json.loads(row["payload"] or b"{}")} for row in rows]


def run_again(session: Session, job_id: int) -> int | None:
    """Put a failed job back as a new one, with all its attempts; NotFound when it is not among the failed."""
    row = session.execute(
        sa.text(
            "delete from pgqueuer where id = :id and status = 'failed'"
            " returning entrypoint, payload, priority"
        ),
        {"id": job_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no failed job with that number.")
    return enqueue(session, row.entrypoint, priority=row.priority, **json.loads(row.payload or b"{}"))


def prune(session: Session, *, older_than: timedelta = KEPT_LOG) -> int:
    """Delete old log rows of jobs that are done; returns how many."""
    done = session.execute(
        sa.text(
            "delete from pgqueuer_log log where log.created < now() - :age"
            " and not exists (select 1 from pgqueuer job where job.id = log.job_id)"
        ),
        {"age": older_than},
    )
    session.execute(
        sa.text("delete from pgqueuer_statistics where created < now() - :age"), {"age": older_than}
    )
    return int(getattr(done, "rowcount", 0))


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
