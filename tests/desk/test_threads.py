"""Handlers and the ends of their transactions do not wait for one another."""

from __future__ import annotations

import asyncio
import threading

from desk.threads import AT_ONCE, ended, in_thread


async def test_a_transaction_ends_while_every_handler_waits() -> None:
    gate = threading.Event()
    wait = in_thread(gate.wait)
    handlers = [asyncio.ensure_future(wait()) for _ in range(AT_ONCE)]
    done = threading.Event()
    await ended(done.set)
    assert done.is_set()
    gate.set()
    assert all(await asyncio.gather(*handlers))
