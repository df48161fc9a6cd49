"""The connections that the job queue works with: watched, and cut rather than waited for when one is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import sqlalchemy as sa

CLOSING_PATIENCE = 10.0
"""Seconds that connections get to be given back at a clean end."""

_KNOWN = frozenset(
    {"host", "port", "user", "password", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "passfile"}
)
"""What asyncpg understands of an address that is written for libpq."""


@asynccontextmanager
async def connections(url: sa.URL, lost: asyncio.Event) -> AsyncIterator[asyncpg.Pool]:
    """A pool to the database at ``url``; ``lost`` is set as soon as one of its connections ends.

    When what uses the pool fails, its connections are cut: work that is under way may hold one for ever once
    the database is gone, and asyncpg waits for each without end when a pool is closed.
    """

    async def watch(connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _connection: lost.set())

    pool = await asyncpg.create_pool(
        _address(url),
        min_size=2,
        max_size=6,
        command_timeout=60,
        max_inactive_connection_lifetime=0,
        init=watch,
        server_settings={"application_name": "frontdesk jobs"},
    )
    try:
        yield pool
    except BaseException:
        pool.terminate()
        raise
    with suppress(TimeoutError):
        # asyncpg cuts what is left once closing is given up.
        await asyncio.wait_for(pool.close(), CLOSING_PATIENCE)


def _address(url: sa.URL) -> str:
    query = {name: value for name, value in url.query.items() if name in _KNOWN}
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
