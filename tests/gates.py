"""A gate in the database: whoever changes a table waits there, so that a test can do something to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

KEY = 424_242


class Gate:
    """A closed gate; `reached` says that somebody stands before it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def reached(self) -> bool:
        """Whether somebody waits at the gate."""
        query = "select count(*) from pg_locks where locktype = 'advisory' and objid = :key and not granted"
        return bool(self._connection.scalar(sa.text(query), {"key": KEY}))

    def wait(self, seconds: float = 120.0) -> None:
        """Until somebody stands there; AssertionError when nobody comes in time."""
        until = time.monotonic() + seconds
        while not self.reached():
            assert time.monotonic() < until, "nobody came to the gate"
            time.sleep(0.02)


@contextmanager
def gate(engine: sa.Engine, event: str, table: str) -> Iterator[Gate]:
    """Hold up whoever does the event (INSERT, UPDATE, DELETE) to the table, until the block ends.

    The trigger waits for a lock that this connection holds: the statement is under way, nothing of it is
    committed, and the program that sent it knows nothing of the gate.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": KEY})
        connection.execute(
            sa.text(
                "create or replace function test_gate() returns trigger language plpgsql as $$"
                f" begin perform pg_advisory_xact_lock_shared({KEY}); return null; end $$"
            )
        )
        made = f"create trigger test_gate after {event} on {table} for each statement execute function"
        connection.execute(sa.text(f"{made} test_gate()"))
        try:
            yield Gate(connection)
        finally:
            connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": KEY})
            connection.execute(sa.text(f"drop trigger test_gate on {table}"))
            connection.execute(sa.text("drop function test_gate()"))
