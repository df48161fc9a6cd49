"""`frontdesk serve`: the built-in database, the desk and the workers, each started again when it ends.

A child that ends is started again after a delay that grows while it keeps ending soon and is forgotten once
it has run for a minute. A stop (SIGTERM, SIGINT) is passed on, waited for, and at last enforced. A child
notices the death of its parent by the end of a pipe, its lifeline, that only the parent holds open.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

import structlog

from core.errors import FrontdeskError

DELAYS = (0.5, 30.0)
"""Seconds before a child is started again: at first and at most."""
STEADY = 60.0
"""A child that ran so long had started well."""
LOOK_EVERY = 0.2
CHECK_EVERY = 3.0


@dataclass
class Child:
    """One process that should always run."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    next_start: float = 0.0
    delay: float = DELAYS[0]
    starts: int = 0


@dataclass
class Supervisor:
    """Keeps children running until told to stop."""

    children: list[Child]
    before_start: Callable[[], object] = lambda: None
    """Called before a child is started and every few seconds: makes sure the database runs."""
    patience: float = 45.0
    """Seconds that children get to stop."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Stop all children and return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Start the children and keep them running until `stop`; returns when all have ended."""
        log = structlog.get_logger(__name__)
        lifeline, held = os.pipe()
        checked = 0.0
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                if now - checked > CHECK_EVERY:
                    checked = now
                    self._prepare(log)
                for child in self.children:
                    self._look_after(child, lifeline, now, log)
                self._stop.wait(LOOK_EVERY)
        finally:
            self._end_all(log)
            os.close(held)
            os.close(lifeline)

    def _prepare(self, log: structlog.stdlib.BoundLogger) -> bool:
        try:
            self.before_start()
        except (FrontdeskError, OSError) as error:
            log.error("not ready, trying again", error=str(error))
            return False
        return True

    def _look_after(self, child: Child, lifeline: int, now: float, log: structlog.stdlib.BoundLogger) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                if now - child.started > STEADY:
                    child.delay = DELAYS[0]
                return
            child.process = None
            child.next_start = now + child.delay * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load
            log.warning("process ended", process=child.name, code=code, again_in=round(child.delay, 1))
            child.delay = min(child.delay * 2, DELAYS[1])
        if now >= child.next_start and self._prepare(log):
            try:
                child.process = subprocess.Popen(  # noqa: S603 - our own program
                    [*child.arguments, "--lifeline", str(lifeline)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[lifeline],
                    # Ctrl-C at the terminal reaches us alone, and we end the children in order.
                    start_new_session=True,
                )
            except OSError as error:
                # No memory or no process left: that passes, and what runs must go on.
                log.error("process cannot be started", process=child.name, error=str(error))
                child.next_start = now + child.delay
                child.delay = min(child.delay * 2, DELAYS[1])
                return
            child.started = now
            child.starts += 1
            log.info("process started", process=child.name, pid=child.process.pid)

    def _end_all(self, log: structlog.stdlib.BoundLogger) -> None:
        running = [child for child in self.children if child.process is not None]
        for child in running:
            _signal(child.process, signal.SIGTERM)
        deadline = time.monotonic() + self.patience
        for child in running:
            assert child.process is not None  # noqa: S101 - chosen for it
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process killed, it did not end in time", process=child.name)
                _signal(child.process, signal.SIGKILL)
                child.process.wait()
            child.process = None


def _signal(process: subprocess.Popen[bytes] | None, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if process is not None:
            process.send_signal(which)


def frontdesk_command(*arguments: str) -> list[str]:
    """The command line of another `frontdesk` process with the same Python."""
    return [sys.executable, "-m", "desk.cli", *arguments]


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` when the process is told to end; a second time, end at once."""
    asked: list[int] = []

    def handler(number: int, _frame: FrameType | None) -> None:
        if asked:
            os._exit(128 + number)
        asked.append(number)
        stop()

    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)


def follow(lifeline: int | None, stop: Callable[[], None], *, patience: float = 45.0) -> None:
    """Call `stop` when the process that holds the other end of the lifeline dies, and end soon after at
    any rate."""
    if lifeline is None:
        return

    def wait() -> None:
        with suppress(OSError):
            os.read(lifeline, 1)
        stop()
        time.sleep(patience)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
