"""Mail servers and a watcher for the tests of this room."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from core.config import Settings, load_settings
from core.context import Context
from core.limits import Limits
from inbound.mailbox import Watcher
from tests import servers_imap
from tests.inbound.posting import OURS
from tests.servers_imap import PASSWORD, Dovecot


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot of this test's own, without TLS."""
    with servers_imap.running() as server:
        yield server


@pytest.fixture
def mail_context(engine: sa.Engine, settings: Settings, dovecot: Dovecot) -> Context:
    """A context whose one mailbox is at that Dovecot."""
    return context_for(engine, settings, dovecot.port)


def context_for(engine: sa.Engine, settings: Settings, port: int, **mailbox: object) -> Context:
    """A context with one mailbox at a port of this machine and short patience."""
    section = {
        "name": "sales", "address": OURS, "host": "127.0.0.1", "port": port, "security": "plain",
        "username": "sales", "password": PASSWORD, **mailbox,
    }  # fmt: skip
    limits = Limits(imap_operation_seconds=4, imap_poll_seconds=1, imap_batch=50)
    return Context(
        settings=load_settings(file=None, data_dir=settings.data_dir, mailboxes=[section], limits=limits),
        engine=engine,
    )


@contextmanager
def watching(context: Context) -> Iterator[Watcher]:
    """The mailbox's watcher in a thread of its own, as in a worker."""
    watcher = Watcher(context, context.settings.mailboxes[0])
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,), name="watcher")
    thread.start()
    try:
        yield watcher
    finally:
        stop.set()
        thread.join(120)
        assert not thread.is_alive()


def eventually(check: Callable[[], object], seconds: float = 180.0) -> None:
    """Wait until something holds; AssertionError when it does not in time."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)
