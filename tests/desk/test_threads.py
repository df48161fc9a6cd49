"""Handlers and the ends of their transactions do not wait for one another."""

from __future__ import annotations

import asyncio
import threading

import pytest

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


async def test_a_handler_whose_visitor_left_ends_before_its_session_does() -> None:
    """What closes the session runs when the request is over; the thread must not use it any more then."""
    begun, gate, ended_at_last = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()
        ended_at_last.set()

    request = asyncio.ensure_future(in_thread(work)())
    await asyncio.to_thread(begun.wait)
    request.cancel()
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.05, gate.set)
    with pytest.raises(asyncio.CancelledError):
        await request
    assert ended_at_last.is_set()
