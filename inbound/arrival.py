"""When a letter came: by its server, else its last relay, else its writer, and never in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

CLOCKS_APART: Final = timedelta(days=1)
"""A letter that was written so long after it came shows that a clock is wrong."""


def came_at(
    stored_at: datetime,
    internal_date: datetime | None = None,
    received: datetime | None = None,
    written: datetime | None = None,
) -> datetime:
    """When a letter that we stored at `stored_at` came; all moments with a zone.

    `internal_date` is the mail server's (RFC 3501 section 2.3.3), `received` the topmost Received field's
    (RFC 5321 section 4.4), `written` the Date field's. What lies after `stored_at` is a wrong clock and not
    believed. A server's clock that puts the coming long before the writing is not believed either.
    """
    known = [None if one is None or one > stored_at else one for one in (internal_date, received, written)]
    server, relay, writer = known
    came = server or relay or writer or stored_at
    if writer is not None and writer - came > CLOCKS_APART:
        return writer
    return came


def aware(moment: datetime | None) -> datetime | None:
    """The moment with a zone; one written without is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
