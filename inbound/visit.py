"""One visit to a mailbox, from signing in until something breaks: drain what waits, then wait for news."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from core.config_sections import Mailbox
from core.context import Context
from core.errors import FrontdeskError
from inbound import health
from inbound.fetching import Batch, Fetcher
from inbound.imap import MailServer
from inbound.intake import Origin, store

log = structlog.get_logger(__name__)

LONGEST_IDLE: Final = 240.0
"""Seconds after which IDLE is begun anew: servers and firewalls drop a line that is silent for longer."""

LOOK_AGAIN: Final = 5.0
"""Seconds after which new mail is looked for while a backlog drains."""


class DiskNearlyFull(FrontdeskError):
    """There is too little free space to fetch more mail."""

    cure = "Free some space in data_dir; nothing is lost, fetching goes on by itself."
    retryable = True


class Renumbered(FrontdeskError):
    """The folder has got another UIDVALIDITY, so that its UIDs mean other messages now."""

    retryable = True


class Visit:
    """Reads one folder over one signed-in connection; commits over the connection that holds the lock."""

    def __init__(
        self,
        context: Context,
        settings: Mailbox,
        fetcher: Fetcher,
        keeper: health.Keeper,
        server: MailServer,
        connection: sa.Connection,
        stop: threading.Event,
    ) -> None:
        self._context = context
        self._settings = settings
        self._fetcher = fetcher
        self._health = keeper
        self._server = server
        self._connection = connection
        self._stop = stop
        folder = server.open(settings.folder)
        self._uidvalidity, self._exists = folder.uidvalidity, folder.exists
        with self._session() as session:
            self._row_id, self._lanes = health.resume(session, settings, self._uidvalidity)

    def stay(self) -> None:
        """Fetch and wait until told to stop or the folder is numbered anew."""
        idle = min(LONGEST_IDLE, self._context.settings.limits.imap_poll_seconds)
        with ThreadPoolExecutor(1, f"store {self._settings.name}") as storing:
            try:
                while not self._stop.is_set():
                    self.look(storing)
                    self._server.wait_for_news(idle)
                    self._look_afresh()
            except Renumbered:
                log.warning("mailbox.renumbered", mailbox=self._settings.name)

    def look(self, storing: ThreadPoolExecutor) -> None:
        """Fetch everything that is there now, and note that we looked."""
        self._list()
        self._drain(storing)
        again = self._fetcher.again(self._server, self._lanes)
        storing.submit(self._commit, again, self._lanes.cursor()).result()

    def _list(self) -> None:
        lanes = self._lanes
        lanes.list(self._server.uids_above(lanes.highest_listed, self._exists))

    def _look_afresh(self) -> None:
        """Open the folder again: how much it holds, and whether its UIDs still mean the same."""
        fresh = self._server.open(self._settings.folder)
        if fresh.uidvalidity != self._uidvalidity:
            raise Renumbered
        self._exists = fresh.exists

    def _drain(self, storing: ThreadPoolExecutor) -> None:
        """Fetch while the batch before is being stored; look for newer mail every few seconds."""
        pending: Future[None] | None = None
        looked = time.monotonic()
        try:
            while not self._stop.is_set():
                self._check_disk()
                if time.monotonic() - looked > LOOK_AGAIN:
                    self._look_afresh()
                    self._list()
                    looked = time.monotonic()
                batch = self._fetcher.next(self._server, self._lanes)
                if pending is not None:
                    pending.result()
                    pending = None
                if not batch:
                    return
                pending = storing.submit(self._commit, batch, self._lanes.cursor())
        finally:
            if pending is not None:
                pending.result()

    def _commit(self, batch: Batch, cursor: int) -> None:
        """Bytes, origins, cursor and nudge in one transaction."""
        with self._session() as session:
            if batch:
                origin = Origin(self._row_id, self._uidvalidity, batch.absent)
                kept = store(session, batch.letters, source=self._settings.name, origin=origin)
                log.info(
                    "mailbox.stored",
                    mailbox=self._settings.name,
                    stored=len(kept.new_ids),
                    duplicates=kept.duplicates,
                    absent=len(batch.absent),
                )
            health.note_success(
                session, self._row_id, cursor=cursor, backlog=len(self._lanes), got=bool(batch.letters)
            )
        self._health.recovered()

    def _check_disk(self) -> None:
        settings = self._context.settings
        if settings.database_url is not None or not settings.data_dir.is_dir():
            return
        if shutil.disk_usage(settings.data_dir).free < settings.limits.free_disk_bytes:
            raise DiskNearlyFull

    @contextmanager
    def _session(self) -> Iterator[Session]:
        info = self._context.session_info
        with Session(self._connection, expire_on_commit=False, info=info) as session, session.begin():
            yield session
