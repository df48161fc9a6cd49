"""Handlers that talk to the database run in threads, so that the loop stays free for live streams.

Our own wrapper rather than the framework's `sync_to_thread`, which in Litestar 2.25 wraps a handler twice
when another method shares its path.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import structlog

log = structlog.get_logger("desk.threads")

AT_ONCE = 4
WORKING = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="desk")
"""Threads in which handlers work. Python computes for one of them at a time, and each waits for all others
after every query: see docs/decisions/0192-five-pages-at-a-time.md and 0194."""
TELEPHONE = ThreadPoolExecutor(4, thread_name_prefix="desk-phone")
"""Threads in which webhooks are answered: a call waits behind no page, and few threads wait less for each
other than many would."""
ENDING = ThreadPoolExecutor(4, thread_name_prefix="desk-end")
"""Threads in which transactions end, so that no commit queues behind a handler waiting for a connection."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


async def ended(work: Callable[[], None]) -> None:
    """Commit or roll back."""
    await _in(ENDING, work)


async def _in(threads: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    run = functools.partial(contextvars.copy_context().run, work)
    running = asyncio.get_running_loop().run_in_executor(threads, run)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # The visitor is gone, but the thread goes on: its session must not be closed under its hands.
        await asyncio.wait([running])
        if running.done() and not running.cancelled() and (fault := running.exception()) is not None:
            log.info("desk.fault_without_visitor", kind=type(fault).__name__)
        raise


def in_thread(work: Callable[Given, Answer]) -> Callable[Given, Coroutine[Any, Any, Answer]]:
    """The same function as a coroutine that runs in a thread."""

    @functools.wraps(work)
    async def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return await _in(WORKING, functools.partial(work, *args, **kwargs))

    return run


def in_phone_thread(work: Callable[Given, Answer]) -> Callable[Given, Coroutine[Any, Any, Answer]]:
    """The same in one of the threads that are kept for webhooks."""

    @functools.wraps(work)
    async def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return await _in(TELEPHONE, functools.partial(work, *args, **kwargs))

    return run
