"""Running a worker inside a test, and waiting for what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core import jobs
from core.context import Context
from core.jobs import Registry, Service
from core.worker import Outcome, Plan, Worker

PATIENCE = 180.0


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until it holds, failing the test after a patience no healthy run needs."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


@contextmanager
def working(registry: Registry, context: Context, services: tuple[Service, ...] = ()) -> Iterator[Worker]:
    """A worker in a thread, stopped and checked to have ended cleanly."""
    pace = jobs.Pace(threads=4, heartbeat=30, look=1)
    worker = Worker(Plan(registry, services=services, pace=pace, drain_seconds=60), context)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.run()))
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(PATIENCE)
    assert outcomes == [Outcome.CLEAN]
