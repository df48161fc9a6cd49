"""How a mailbox fares, as staff see it: cursor, last look, backlog, error, and the alarm when it stops."""

from __future__ import annotations

import threading
import time
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import config_sections, notices
from core.context import Context
from core.errors import FrontdeskError, LoginRefused
from core.intake import Mailbox, RawOrigin, find_or_add_mailbox
from inbound.lanes import Lanes
from inbound.patience import AFTER_LOGIN_REFUSED

log = structlog.get_logger(__name__)

ALARM: Final = "mailbox_failing"
ALARM_AFTER: Final = 300.0
"""Seconds of failing after which staff are told."""


def resume(session: Session, settings: config_sections.Mailbox, uidvalidity: int) -> tuple[int, Lanes]:
    """Where reading goes on: the row's id, and what is above the cursor with what of it is stored already.

    Under another UIDVALIDITY the folder is read again from its beginning; what is stored is known by content.
    """
    row = find_or_add_mailbox(session, settings.name, settings.folder, settings.address)
    row.address = settings.address
    if row.uidvalidity != uidvalidity:
        row.uidvalidity, row.last_uid = uidvalidity, 0
    session.flush()
    stored = session.scalars(
        select(RawOrigin.uid).where(
            RawOrigin.mailbox_id == row.id,
            RawOrigin.uidvalidity == uidvalidity,
            RawOrigin.uid > row.last_uid,
        )
    )
    return row.id, Lanes(row.last_uid, stored)


def note_success(session: Session, mailbox_id: int, *, cursor: int, backlog: int, got: bool) -> None:
    """The server answered, and everything up to the cursor is in this transaction or before it."""
    values: dict[str, object] = {
        "last_uid": func.greatest(Mailbox.last_uid, cursor),
        "backlog": backlog,
        "last_fetched_at": func.now(),
        "error": None,
        "failing_since": None,
        "login_refused_at": None,
    }
    if got:
        values["last_message_at"] = func.now()
    session.execute(
        update(Mailbox)
        .where(Mailbox.id == mailbox_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


class Keeper:
    """Keeps one mailbox's failures on record and raises and clears its alarm."""

    def __init__(self, context: Context, name: str, folder: str, address: str) -> None:
        self._context = context
        self._name, self._folder, self._address = name, folder, address
        self._failing = True  # until the first success, so that an alarm from an earlier process is cleared

    def wait_before_login(self, connection: sa.Connection) -> float:
        """Seconds still to pass since the server last refused our credentials, in whichever process."""
        passed = connection.scalar(
            select(func.extract("epoch", func.now() - Mailbox.login_refused_at)).where(
                Mailbox.name == self._name, Mailbox.folder == self._folder
            )
        )
        connection.commit()
        return 0.0 if passed is None else max(0.0, AFTER_LOGIN_REFUSED - float(passed))

    def wait_out(self, error: BaseException, seconds: float, stop: threading.Event) -> None:
        """Note the failure and wait; a long wait looks at the clock, so that the alarm comes in time."""
        until = time.monotonic() + seconds
        self._note(error, first=True)
        while (left := until - time.monotonic()) > 0 and not stop.wait(min(left, 60.0)):
            if until - time.monotonic() > 1.0:
                self._note(error, first=False)

    def _note(self, error: BaseException, *, first: bool) -> None:
        said = error.message if isinstance(error, FrontdeskError) else type(error).__name__
        self._failing = True
        try:
            with self._context.transaction() as session:
                row = find_or_add_mailbox(session, self._name, self._folder, self._address)
                row.error = str(error)[:1_000] if isinstance(error, FrontdeskError) else said
                if first and isinstance(error, LoginRefused):
                    row.login_refused_at = func.now()
                row.failing_since = func.coalesce(Mailbox.failing_since, func.now())
                session.flush()
                since = session.scalar(
                    select(func.extract("epoch", func.now() - Mailbox.failing_since)).where(
                        Mailbox.id == row.id
                    )
                )
                if float(since or 0) >= ALARM_AFTER:
                    notices.raise_alarm(session, ALARM, self._name, str(error)[:1_000])
        except SQLAlchemyError as trouble:
            log.warning("mailbox.not_noted", mailbox=self._name, error=said, database=type(trouble).__name__)

    def recovered(self) -> None:
        """The mailbox works: clear its alarm if one stood."""
        if not self._failing:
            return
        with self._context.transaction() as session:
            if notices.clear_alarm(session, ALARM, self._name):
                log.info("mailbox.recovered", mailbox=self._name)
        self._failing = False
