"""Handlers that talk to the database run in threads, so that the loop stays free for live streams.

Our own wrapper rather than the framework's `sync_to_thread`, which in Litestar 2.25 wraps a handler twice
when another method shares its path.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def in_thread(work: Callable[Given, Answer]) -> Callable[Given, Coroutine[Any, Any, Answer]]:
    """The same function as a coroutine that runs in a thread."""

    @functools.wraps(work)
    async def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return await asyncio.to_thread(work, *args, **kwargs)

    return run
