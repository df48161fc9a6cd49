"""What kinds of background work there are: each job's name, queue, attempts and function.

A room that has background work has a module `jobs` (`inbound/jobs.py`, `outbound/jobs.py`) with these two
names, which `desk.wiring` reads:

    registry = Registry()

    @registry.job("inbound.understand", queue="inbound", attempts=3, given_up=quarantine)
    def understand(context: Context, raw_id: int) -> None:
        with context.transaction() as session:
            ...

    @registry.job("outbound.reconcile", queue="outbound", periodic="*/5 * * * *")
    def reconcile(context: Context) -> None: ...

    @registry.promoter("outbound.due", queue="outbound")    # every second, one worker of the fleet at a time
    def promote(session: Session) -> int:                   # rows moved; again at once while PAGE or more
        ...

    def services(context: Context) -> Iterable[Service]:    # optional: threads as long-lived as the worker
        for mailbox in context.settings.mailboxes:
            yield Service(f"mailbox {mailbox.name}", "inbound", partial(watch, context, mailbox))

Rules for a job's function:

* it takes the context, then its payload as keyword arguments (JSON values only);
* a plain function runs in a thread, an `async def` in the worker's loop and must never block;
* it may run again after it succeeded (a worker may die before it could say so), so its effect is idempotent;
* it opens its own transactions; raising a `FrontdeskError` whose `retryable` is false gives up at once,
  anything else is tried again after a random, growing delay until `attempts` are used up or `crashes` workers
  have died with it;
* then `given_up(context, error, **payload)` is called once, and the job is held as failed until a person runs
  it again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.errors import FrontdeskError

Handler = TypeVar("Handler", bound=Callable[..., Any])
Promoter = Callable[[Session], int]
GivenUp = Callable[..., None]

PAGE = 200
"""How many rows one call of a promoter moves at most."""

LEAST_CRASHES = 5
"""A neighbour in the same batch dies with a poisonous job each time, so fewer would condemn the innocent."""

COLLISIONS = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of serialization failure, deadlock and lock timeout: the next attempt meets a free road."""


@dataclass(frozen=True)
class Job:
    """One kind of background work."""

    kind: str
    function: Callable[..., Any]
    queue: str = "default"
    attempts: int = 5
    crashes: int = LEAST_CRASHES
    given_up: GivenUp | None = None
    periodic: str | None = None
    """A cron expression of five fields, in UTC; the whole fleet enqueues it once each time."""
    concurrency: int = 0
    """How many may run at once over the whole fleet; 0 for no limit."""
    first_delay: float = 2.0
    """Seconds, about, between the first attempt and the second."""


@dataclass(frozen=True)
class Service:
    """A thread that runs as long as its worker; restarted with growing delays when it returns or raises."""

    name: str
    queue: str
    run: Callable[[threading.Event], None]
    """Runs until the event is set, and looks at it at least every second."""


class Registry:
    """The kinds of background work of one room, or of all."""

    def __init__(self, *parts: Registry) -> None:
        self.jobs: dict[str, Job] = {}
        self.promoters: dict[str, tuple[str, Promoter]] = {}
        for part in parts:
            for job in part.jobs.values():
                self.add(job)
            for name, (queue, promoter) in part.promoters.items():
                self.promoter(name, queue=queue)(promoter)

    def job(
        self,
        kind: str,
        *,
        queue: str = "default",
        attempts: int = 5,
        crashes: int = LEAST_CRASHES,
        given_up: GivenUp | None = None,
        periodic: str | None = None,
        concurrency: int = 0,
        first_delay: float = 2.0,
    ) -> Callable[[Handler], Handler]:
        """Declare a job; ValueError when the kind is taken or fewer than five crashes are allowed."""

        def declare(function: Handler) -> Handler:
            self.add(
                Job(kind, function, queue, attempts, crashes, given_up, periodic, concurrency, first_delay)
            )
            return function

        return declare

    def promoter(self, name: str, *, queue: str = "default") -> Callable[[Promoter], Promoter]:
        """Declare a function that turns due rows into jobs, every second."""

        def declare(function: Promoter) -> Promoter:
            if name in self.promoters:
                raise ValueError(f"The promoter {name} is declared twice.")
            self.promoters[name] = (queue, function)
            return function

        return declare

    def add(self, job: Job) -> None:
        """Add a job made elsewhere."""
        if job.kind in self.jobs:
            raise ValueError(f"The job {job.kind} is declared twice.")
        if job.attempts < 1 or job.crashes < LEAST_CRASHES:
            raise ValueError(f"The job {job.kind} allows too few attempts or crashes.")
        self.jobs[job.kind] = job

    def queues(self) -> list[str]:
        """The names of all queues."""
        return sorted({job.queue for job in self.jobs.values()})

    def of(self, queues: Iterable[str]) -> Iterator[Job]:
        """The jobs of these queues; of all when none is named."""
        wanted = set(queues)
        return (job for job in self.jobs.values() if not wanted or job.queue in wanted)


def worth_retrying(error: BaseException) -> bool:
    """Whether the same attempt may succeed later; unknown errors get the benefit of the doubt."""
    return error.retryable if isinstance(error, FrontdeskError) else True


def retry_delay(job: Job, attempt: int, error: BaseException | None = None) -> float:
    """Seconds until the next attempt: doubling, at most 300, give or take a half; a collision waits less."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in COLLISIONS:
        return random.uniform(0.05, 0.5)  # noqa: S311 - spreading load, no secret
    return min(job.first_delay * 2.0 ** (attempt - 1), 300.0) * random.uniform(0.5, 1.5)  # noqa: S311 - spreading load, no secret


def crash_delay(crashes: int) -> float:
    """Seconds apart for a job whose worker died again, so that it runs away from its neighbours."""
    return random.uniform(0.2, 1.0 * crashes)  # noqa: S311 - spreading load, no secret
