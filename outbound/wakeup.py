"""Hearing at once that something was queued, through PostgreSQL's LISTEN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import sqlalchemy as sa
import structlog

LONGEST_PAUSE = 30.0
SILENCE = 15.0
"""Seconds without a word after which the connection is tried."""


async def listen(url: sa.URL, channel: str, heard: Callable[[], None]) -> None:
    """Call ``heard`` for every notification, until cancelled; a lost connection is made again.

    Whoever relies on it looks into the tables once a second all the same.
    """
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    pause = 1.0
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=10)
            async with connection:
                await connection.execute(f'listen "{channel}"'.encode())
                heard()
                pause = 1.0
                while True:
                    async for _ in connection.notifies(timeout=SILENCE, stop_after=1):
                        heard()
                    await connection.execute("select 1")
        except psycopg.Error as error:
            structlog.get_logger(__name__).info("no notifications for now", error=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
