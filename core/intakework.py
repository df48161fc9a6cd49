"""Work on stored letters: claiming them, counting attempts (also a dead worker's), settling them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.bulk import among, raw_connection, storable
from core.intake import MAX_ATTEMPTS, IntakeRun, IntakeState, RawMessage, tell_of_quarantine


@dataclass(frozen=True, slots=True)
class Claimed:
    """A stored letter whose row this transaction holds."""

    id: int
    data: bytes
    size: int
    truncated: bool
    source: str
    stored_at: datetime
    attempts: int
    internal_date: datetime | None = None
    files: list[list[Any]] | None = None


DEATHS_IN_COMPANY = 2
"""A worker's death counts against every letter of its batch, so that many more are allowed than of errors:
one that is quarantined has seen as many workers die while it was alone with them as it is given attempts."""

BATCH_AFTER_FAILURES = (200, 20, 1)
"""Most letters in one batch after none, one, two failures: so the culprit is narrowed down to one letter."""


def claim(
    session: Session,
    *,
    limit: int = BATCH_AFTER_FAILURES[0],
    max_bytes: int = 32_000_000,
    newest: bool = False,
) -> list[Claimed]:
    """Take the next stored letters for this transaction, oldest first; others' letters are passed over.

    Letters that failed before come in smaller batches and never beside others.
    """
    heads = session.execute(
        select(RawMessage.id, RawMessage.size, RawMessage.attempts)
        .where(RawMessage.state == IntakeState.STORED)
        .where(or_(RawMessage.not_before.is_(None), RawMessage.not_before <= func.now()))
        .order_by(RawMessage.id.desc() if newest else RawMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not heads:
        return []
    failures = heads[0].attempts
    most = min(limit, BATCH_AFTER_FAILURES[min(failures, len(BATCH_AFTER_FAILURES) - 1)])
    chosen: list[int] = []
    total = 0
    for head in heads:
        if head.attempts != failures or len(chosen) == most:
            continue
        total += head.size
        if chosen and total > max_bytes:
            break
        chosen.append(head.id)
    rows = raw_connection(session).execute(
        "SELECT id, data, size, truncated, source, stored_at, attempts, internal_date, files FROM raw_message"
        " WHERE id = ANY(%s) ORDER BY id",
        (chosen,),
        binary=True,
    )
    return [Claimed(*row) for row in rows]


def begin_run(session: Session, worker: str, raw_ids: Sequence[int]) -> int:
    """Say, in a transaction of its own, that a worker now works on letters it has claimed."""
    run = insert(IntakeRun).values(worker=worker, raw_ids=list(raw_ids)).returning(IntakeRun.id)
    return session.execute(run).scalar_one()


def end_run(session: Session, run_id: int) -> None:
    """Say, in the transaction that settles the letters, that the worker came through."""
    session.execute(delete(IntakeRun).where(IntakeRun.id == run_id))


def reap_runs(session: Session, max_attempts: int = MAX_ATTEMPTS) -> int:
    """Count an attempt for each letter whose worker died with it; returns how many there were.

    A living worker's letters are locked, so a run with a free letter is a dead one's.
    """
    reaped = 0
    for run in session.scalars(select(IntakeRun).with_for_update(skip_locked=True)).all():
        free = session.scalars(
            select(RawMessage.id)
            .where(RawMessage.id.in_(run.raw_ids), RawMessage.state == IntakeState.STORED)
            .with_for_update(skip_locked=True)
        ).all()
        settled = not free and not session.scalar(
            select(RawMessage.id)
            .where(RawMessage.id.in_(run.raw_ids), RawMessage.state == IntakeState.STORED)
            .limit(1)
        )
        if free:
            count_failures(
                session,
                dict.fromkeys(free, "The worker that was reading it died."),
                delay=timedelta(0),
                max_attempts=max_attempts + DEATHS_IN_COMPANY,
            )
            tell_of_quarantine(session)
            reaped += len(free)
        if free or settled:
            session.execute(delete(IntakeRun).where(IntakeRun.id == run.id))
    return reaped


def count_failures(
    session: Session,
    errors: Mapping[int, str],
    *,
    delay: timedelta = timedelta(seconds=30),
    max_attempts: int = MAX_ATTEMPTS,
) -> list[int]:
    """Count a failed attempt at each letter; those without any left are quarantined and returned."""
    if not errors:
        return []
    spent = RawMessage.attempts + 1 >= max_attempts
    quarantined: list[int] = []
    for raw_id, error in errors.items():
        state = session.execute(
            update(RawMessage)
            .where(RawMessage.id == raw_id, RawMessage.state == IntakeState.STORED)
            .values(
                attempts=RawMessage.attempts + 1,
                error=storable(error)[:2_000],
                not_before=func.now() + delay * (RawMessage.attempts + 1),
                state=case((spent, IntakeState.QUARANTINED), else_=IntakeState.STORED),
                settled_at=case((spent, func.now()), else_=None),
            )
            .returning(RawMessage.state)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if state == IntakeState.QUARANTINED:
            quarantined.append(raw_id)
    return quarantined


def settle(session: Session, understood: Sequence[int], ignored: Mapping[int, str]) -> None:
    """Bring claimed letters into their final states, the ignored ones with their reasons."""
    if understood:
        session.execute(
            update(RawMessage)
            .where(among(RawMessage.id, understood), RawMessage.state == IntakeState.STORED)
            .values(state=IntakeState.UNDERSTOOD, reason=None, error=None, settled_at=func.now())
        )
    if ignored:
        session.connection().execute(
            update(RawMessage)
            .where(RawMessage.id == bindparam("raw"), RawMessage.state == IntakeState.STORED)
            .values(state=IntakeState.IGNORED, reason=bindparam("why"), error=None, settled_at=func.now()),
            [{"raw": raw_id, "why": storable(reason)} for raw_id, reason in ignored.items()],
        )
