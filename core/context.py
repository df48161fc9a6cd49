"""What a job, a service or a command is given: the settings, the engine and the ports built for this process.

`desk.wiring` builds one a process and provides the ports, each under its own class and built on first use:

    context.provide(Readers, lambda: ReaderProcesses(…))     # desk.wiring
    readings = context.port(Readers).read(letters)            # a job in inbound
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db
from core.config import Settings
from core.errors import ConfigurationError

Port = TypeVar("Port")


class Ports:
    """Things built once a process, when first asked for."""

    def __init__(self) -> None:
        self._factories: dict[type, Callable[[], Any]] = {}
        self._built: dict[type, Any] = {}
        self._lock = threading.RLock()

    def provide(self, kind: type[Port], factory: Callable[[], Port]) -> None:
        """Say how the port is built; a later call wins, so that a test can put a twin there."""
        with self._lock:
            self._factories[kind] = factory
            self._built.pop(kind, None)

    def port(self, kind: type[Port]) -> Port:
        """The port of that class; ConfigurationError when nothing provides it."""
        with self._lock:
            if kind not in self._built:
                if kind not in self._factories:
                    raise ConfigurationError(f"Nothing provides {kind.__module__}.{kind.__qualname__} here.")
                self._built[kind] = self._factories[kind]()
            return self._built[kind]

    def close(self) -> None:
        """Close what was built and knows how to be closed."""
        with self._lock:
            built, self._built = list(self._built.values()), {}
        for port in built:
            close = getattr(port, "close", None)
            if callable(close):
                close()


@dataclass(frozen=True)
class Call:
    """Which attempt at which job this is."""

    id: int
    kind: str
    attempt: int
    """1 for the first."""
    attempts: int
    """How many there will be at most."""
    crashes: int = 0
    """How many workers have died with this job in their hands."""

    @property
    def last(self) -> bool:
        """Whether a failure now would be the last one."""
        return self.attempt >= self.attempts


@dataclass(frozen=True)
class Context:
    """What a job is given beside its payload."""

    settings: Settings
    engine: sa.Engine
    ports: Ports = field(default_factory=Ports)
    call: Call | None = None
    session_info: dict[Any, Any] = field(default_factory=dict)
    """Put into `Session.info` of each session; the in-memory queue is found there."""

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with db.transaction(self.engine, info=self.session_info) as session:
            yield session

    def provide(self, kind: type[Port], factory: Callable[[], Port]) -> None:
        """Say how a port is built."""
        self.ports.provide(kind, factory)

    def port(self, kind: type[Port]) -> Port:
        """The port of that class."""
        return self.ports.port(kind)
