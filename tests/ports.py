"""Ports for servers of tests: each worker of the run has its own, below those that connections are given."""

from __future__ import annotations

import itertools
import os
import socket

FIRST, EACH = 20_000, 1_500
WORKERS = 8
"""Workers that have ports of their own; a ninth shares the first one's."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_numbers = itertools.count(os.getpid())


def free_port() -> int:
    """A port nobody listens on, and which no connection that begins meanwhile is given."""
    for number in itertools.islice(_numbers, EACH):
        port = FIRST + _worker * EACH + number % EACH
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
