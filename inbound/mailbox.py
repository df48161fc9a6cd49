"""One mailbox watched for as long as its worker lives: found faults are waited out, never given up on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.config_sections import MailAuth, Mailbox
from core.context import Context
from core.errors import FrontdeskError, Unreachable
from core.jobkinds import Service
from inbound import health
from inbound.fetching import Fetcher
from inbound.imap import MailServer, Stopped
from inbound.oauth import TokenSource
from inbound.patience import wait_after
from inbound.visit import Visit

log = structlog.get_logger(__name__)

LOCK_CLASS: Final = 727_100_010
"""First key of the advisory lock that makes one worker the owner of a mailbox."""

NOT_OURS: Final = 10.0
"""Seconds after which a worker that does not own the mailbox tries to again."""


def services(context: Context) -> list[Service]:
    """The watchers of all mailboxes in the settings, one thread each."""
    return [
        Service(f"mailbox {mailbox.name}", "inbound", Watcher(context, mailbox).run)
        for mailbox in context.settings.mailboxes
    ]


class Watcher:
    """Fetches one mailbox: owner by lock, newest and oldest first in turn, then IDLE and polling."""

    def __init__(self, context: Context, settings: Mailbox) -> None:
        limits = context.settings.limits
        self._context = context
        self._settings = settings
        self._limits = limits
        self._fetcher = Fetcher(count=limits.imap_batch, largest=limits.mail_bytes)
        self._health = health.Keeper(context, settings.name, settings.folder, settings.address)
        self._tokens: TokenSource | None = None
        if settings.auth is not MailAuth.PASSWORD and settings.oauth is not None:
            kept = context.settings.data_dir / "tokens" / settings.name
            self._tokens = TokenSource(settings.oauth, store=kept)

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop; a fault is noted, waited out and tried again without end."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                with self._ownership() as connection:
                    if connection is None:
                        stop.wait(NOT_OURS)
                        continue
                    stop.wait(self._health.wait_before_login(connection))
                    self._watch(connection, stop)
            except Stopped:
                return
            except (FrontdeskError, SQLAlchemyError, OSError) as error:
                failures = (
                    1 if time.monotonic() - began > 2 * self._limits.imap_poll_seconds else failures + 1
                )
                wait = wait_after(failures, error)
                log.warning(
                    "mailbox.failed", mailbox=self._settings.name, error=_said(error), wait=round(wait)
                )
                self._health.wait_out(error, wait, stop)

    @contextmanager
    def _ownership(self) -> Iterator[sa.Connection | None]:
        """A connection that holds the mailbox's lock, or None when another worker does.

        Everything is committed over that same connection, so whoever lost the lock can commit nothing.
        """
        connection = self._context.engine.connect()
        try:
            name = f"{self._settings.name}/{self._settings.folder}"
            lock = sa.text("select pg_try_advisory_lock(:kind, hashtext(:name))")
            owned = connection.scalar(lock, {"kind": LOCK_CLASS, "name": name})
            connection.commit()
            yield connection if owned else None
        finally:
            with suppress(SQLAlchemyError):
                connection.invalidate()
            with suppress(SQLAlchemyError):
                connection.close()

    def _watch(self, connection: sa.Connection, stop: threading.Event) -> None:
        """One visit: sign in, and stay until the folder is renumbered, we must stop, or something breaks."""
        server = MailServer.sign_in(
            self._settings,
            tokens=self._tokens,
            stop=stop,
            operation_seconds=self._limits.imap_operation_seconds,
        )
        try:
            Visit(self._context, self._settings, self._fetcher, self._health, server, connection, stop).stay()
        finally:
            server.close()


def _said(error: BaseException) -> str:
    if isinstance(error, FrontdeskError):
        return error.message
    if isinstance(error, SQLAlchemyError):
        return f"The database failed: {type(error).__name__}."
    return str(Unreachable(f"The network failed: {error}."))
