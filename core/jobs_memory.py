"""The job queue's twin in memory: the same enqueueing, retries, crash counting and giving up, without a
server.

    queue = MemoryQueue(registry, context)
    with queue.context.transaction() as session:
        enqueue(session, "inbound.understand", raw_id=7)
    queue.run()                                        # runs what is due now, in order
    queue.advance(timedelta(minutes=10)); queue.run()  # and what is due ten minutes later

Jobs appear when their session's transaction commits and vanish when it rolls back, as with the real one. It
runs handlers in the caller's thread, one after the other.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session

from core.context import Call, Context
from core.jobkinds import Registry, retry_delay, worth_retrying


@dataclass
class Waiting:
    """A job that waits, runs or has been given up."""

    id: int
    kind: str
    payload: dict[str, Any]
    due: timedelta
    priority: int = 0
    dedupe: str | None = None
    attempt: int = 1
    error: BaseException | None = None


class MemoryQueue:
    """Jobs in a list, with a clock of its own that only `advance` moves."""

    def __init__(self, registry: Registry, context: Context) -> None:
        self.registry = registry
        self.context = replace(context, session_info={**context.session_info, "queue": self})
        self.now = timedelta(0)
        self.waiting: list[Waiting] = []
        self.failed: list[Waiting] = []
        self.done: list[Waiting] = []
        self._numbers = itertools.count(1)
        self._uncommitted: WeakKeyDictionary[Session, list[Waiting]] = WeakKeyDictionary()

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
        """Take the jobs when the session's transaction commits; see `core.jobs.enqueue_many`."""
        if session not in self._uncommitted:
            self._uncommitted[session] = []
            event.listen(session, "after_commit", self._commit)
            event.listen(session, "after_rollback", self._roll_back)
        held = self._uncommitted[session]
        numbers: list[int | None] = []
        for payload, key in zip(payloads, dedupe, strict=True):
            if key is not None and any(job.dedupe == key for job in [*self.waiting, *held]):
                numbers.append(None)
                continue
            # What a real queue would store is what a handler gets: JSON and nothing else.
            stored = json.loads(json.dumps(payload))
            job = Waiting(
                next(self._numbers), kind, stored, self.now + (delay or timedelta(0)), priority, key
            )
            held.append(job)
            numbers.append(job.id)
        return numbers

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by

    def run(self, *, limit: int = 10_000) -> int:
        """Run what is due, and what that enqueues, until nothing is due; returns how many runs that were."""
        for count in range(limit):
            job = self._next()
            if job is None:
                return count
            self._run(job)
        raise RuntimeError(f"After {limit} runs there were still jobs due: {self.waiting[0].kind}")

    def _next(self) -> Waiting | None:
        due = [job for job in self.waiting if job.due <= self.now and job.kind in self.registry.jobs]
        return min(due, key=lambda job: (-job.priority, job.id), default=None)

    def _run(self, waiting: Waiting) -> None:
        job = self.registry.jobs[waiting.kind]
        call = Call(waiting.id, waiting.kind, waiting.attempt, job.attempts)
        here = replace(self.context, call=call)
        self.waiting.remove(waiting)
        try:
            if inspect.iscoroutinefunction(job.function):
                asyncio.run(job.function(here, **waiting.payload))
            else:
                job.function(here, **waiting.payload)
        except Exception as error:
            if worth_retrying(error) and not call.last:
                waiting.attempt += 1
                waiting.due = self.now + timedelta(seconds=retry_delay(job, call.attempt, error))
                self.waiting.append(waiting)
                return
            waiting.error = error
            self.failed.append(waiting)
            if job.given_up is not None:
                job.given_up(here, error, **waiting.payload)
        else:
            self.done.append(waiting)

    def _commit(self, session: Session) -> None:
        held = self._uncommitted[session]
        self.waiting.extend(held)
        held.clear()

    def _roll_back(self, session: Session) -> None:
        self._uncommitted[session].clear()
