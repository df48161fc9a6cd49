"""What time it is: one place, always with a zone."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC.

    Leases and due times use the database's own clock instead, so that machines whose clocks differ agree.
    """
    return datetime.now(UTC)
