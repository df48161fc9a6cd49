"""What stands in the queue: jobs counted, those given up, run again, and the old log pruned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.jobs import enqueue

KEPT_LOG = timedelta(days=7)
"""The queue's log also counts crashes, so it is kept well beyond any retry."""


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
    """Delete old log rows of jobs that are done; returns how many.

    Of periodic work that was given up, only the last days are kept: it has been tried again many times since.
    """
    session.execute(
        sa.text(
            "delete from pgqueuer where status = 'failed' and dedupe_key like 'periodic:%'"
            " and updated < now() - :age"
        ),
        {"age": older_than},
    )
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
