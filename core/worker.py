"""The process that does background work: jobs, promoters every second, and services as long as it lives.

It ends cleanly when told to stop, and by itself when the database is gone, for a supervisor to start it
again: a process that starts from nothing recovers from more than one that tries to mend itself.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from queue import SimpleQueue

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.context import Context
from core.errors import DatabaseUnavailable, FrontdeskError
from core.jobkinds import PAGE, Promoter, Registry, Service
from core.jobs import Pace, run_jobs

PROMOTE_EVERY = 1.0
SILENCE = 60.0
"""Seconds without an answer from the database after which the worker ends, whatever hangs in it."""
SERVICE_DELAYS = (1.0, 60.0)
"""Seconds before a service that ended is started again: at first and at most."""


class Outcome(IntEnum):
    """How a worker ended; the value is the process's exit code."""

    CLEAN = 0
    DATABASE_GONE = 75
    NOT_DRAINED = 76


@dataclass(frozen=True)
class Plan:
    """What one worker does."""

    registry: Registry
    services: Sequence[Service] = ()
    queues: Sequence[str] = ()
    pace: Pace = field(default_factory=Pace)
    drain_seconds: float = 30.0
    silence_seconds: float = SILENCE

    def serves(self, queue: str) -> bool:
        """Whether work of that queue is done here."""
        return not self.queues or queue in self.queues


class Worker:
    """Runs a plan until told to stop; `run` blocks, `stop` may be called from any thread or signal
    handler."""

    def __init__(self, plan: Plan, context: Context) -> None:
        self.plan = plan
        self.context = context
        self.draining = threading.Event()
        """Set once nothing new is taken."""
        self._stop = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._heard = time.monotonic()
        self._log = structlog.get_logger(__name__)

    def stop(self) -> None:
        """Take no new work, finish what runs, and end."""
        self._stop.set()
        self._wake()

    def run(self) -> Outcome:
        """Work until stopped; returns how it ended.

        Anything but CLEAN may leave threads behind that cannot be ended: the process should exit at once.
        """
        self._log.info("worker starts", queues=list(self.plan.queues) or ["all"])
        threads = [threading.Thread(target=self._promote, name="promoter", daemon=True)]
        threads += [
            threading.Thread(target=self._keep_running, args=(service,), name=service.name, daemon=True)
            for service in self.plan.services
            if self.plan.serves(service.queue)
        ]
        for thread in threads:
            thread.start()
        # In a thread of its own, so that what hangs in the loop cannot keep the process from ending.
        ended: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        threading.Thread(target=self._loop, args=(ended,), name="jobs", daemon=True).start()
        outcome = ended.get()
        self._stop.set()
        deadline = time.monotonic() + self.plan.drain_seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        running = [thread.name for thread in threads if thread.is_alive()]
        if running and outcome is Outcome.CLEAN:
            self._log.warning("threads did not end in time", threads=running)
            outcome = Outcome.NOT_DRAINED
        if isinstance(outcome, BaseException):
            raise outcome
        self._log.info("worker ends", outcome=outcome.name.lower())
        return outcome

    def _loop(self, ended: SimpleQueue[Outcome | BaseException]) -> None:
        async def main() -> None:
            ended.put(await self._jobs())

        try:
            asyncio.run(main())
        except BaseException as error:
            ended.put(error)

    async def _jobs(self) -> Outcome:
        """Run jobs until stopped, and watch that the database answers."""
        stopping, loop, wakened = asyncio.Event(), asyncio.get_running_loop(), asyncio.Event()
        self._wake = partial(loop.call_soon_threadsafe, wakened.set)
        jobs = asyncio.create_task(
            run_jobs(
                self.plan.registry,
                self.context,
                stop=stopping,
                queues=self.plan.queues,
                pace=self.plan.pace,
            )
        )
        while not self._stop.is_set() and not jobs.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(wakened.wait(), timeout=0.2)
            if time.monotonic() - self._heard > self.plan.silence_seconds:
                self._log.error("the database has been silent", seconds=self.plan.silence_seconds)
                jobs.cancel()
                return Outcome.DATABASE_GONE
        stopping.set()
        await asyncio.sleep(0.01)
        self.draining.set()
        done, _ = await asyncio.wait({jobs}, timeout=self.plan.drain_seconds)
        if not done:
            self._log.warning("jobs did not end in time", seconds=self.plan.drain_seconds)
            jobs.cancel()
            return Outcome.NOT_DRAINED
        try:
            jobs.result()
        except DatabaseUnavailable as error:
            self._log.error("the database is gone", error=str(error))
            return Outcome.DATABASE_GONE
        return Outcome.CLEAN

    def _promote(self) -> None:
        """Every second, let each promoter turn due rows into jobs."""
        promoters = [
            (name, promoter)
            for name, (queue, promoter) in self.plan.registry.promoters.items()
            if self.plan.serves(queue)
        ]
        while not self._stop.wait(PROMOTE_EVERY):
            for name, promoter in promoters:
                self._guarded(name, partial(promote, self.context, name, promoter))
            if not promoters:
                self._guarded("nothing", self._ask)

    def _guarded(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except (SQLAlchemyError, FrontdeskError) as error:
            self._log.warning("promoter failed, again in a second", promoter=name, error=type(error).__name__)
        except Exception:
            self._heard = time.monotonic()
            self._log.exception("promoter failed, again in a second", promoter=name)
        else:
            self._heard = time.monotonic()

    def _ask(self) -> None:
        with self.context.engine.connect() as connection:
            connection.execute(sa.text("select 1"))

    def _keep_running(self, service: Service) -> None:
        """Run a service, again and again with growing delays, until the worker stops."""
        first, longest = SERVICE_DELAYS
        delay = first
        log = self._log.bind(service=service.name)
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                service.run(self._stop)
            except Exception:
                log.exception("service failed, again later", seconds=round(delay, 1))
            else:
                if self._stop.is_set():
                    return
                log.warning("service ended by itself, again later", seconds=round(delay, 1))
            if time.monotonic() - begun > longest:
                delay = first
            self._stop.wait(delay * random.uniform(0.5, 1.5))  # noqa: S311 - spreading load, no secret
            delay = min(delay * 2, longest)


def promote(context: Context, name: str, promoter: Promoter) -> int:
    """Run one promoter until it finds less than a page, unless another worker is at it; returns rows
    moved."""
    key = zlib.crc32(name.encode())
    moved = 0
    lock = sa.text("select pg_try_advisory_xact_lock(7271, :key)").bindparams(key=key - 2**31)
    while True:
        with context.transaction() as session:
            if not session.scalar(lock):
                return moved
            page = promoter(session)
        moved += page
        if page < PAGE:
            return moved


def services_of(modules: Iterable[object], context: Context) -> list[Service]:
    """The services that rooms' `jobs` modules declare."""
    found: list[Service] = []
    for module in modules:
        declare: Callable[[Context], Iterable[Service]] | None = getattr(module, "services", None)
        if declare is not None:
            found.extend(declare(context))
    return found
