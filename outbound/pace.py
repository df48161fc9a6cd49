"""How fast to go: letters a minute, and when to try the relay again after it failed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import FrontdeskError, LoginRefused
from outbound.pages import steady


@dataclass
class Rate:
    """At most so many letters a minute, evenly spread; 0 for no limit. Each worker process counts for
    itself.
    """

    per_minute: int
    _next: float = 0.0

    async def take(self) -> None:
        """Wait for the next letter's turn."""
        if not self.per_minute:
            return
        now = steady()
        turn = max(self._next, now)
        self._next = turn + 60.0 / self.per_minute
        if turn > now:
            await asyncio.sleep(turn - now)


@dataclass
class Patience:
    """When the relay may be tried again: doubling pauses, longer after a refused login, shared by all
    lines.
    """

    first: float = 1.0
    longest: float = 300.0
    after_login: float = 60.0
    """Least pause after a refused login, so that no account is locked by hammering."""
    clock: Callable[[], float] = steady
    failures: int = 0
    not_before: float = 0.0
    trying: asyncio.Lock = field(default_factory=asyncio.Lock)

    def left(self) -> float:
        """Seconds until the next attempt is allowed."""
        return max(0.0, self.not_before - self.clock())

    def failed(self, error: FrontdeskError) -> float:
        """An attempt failed; returns the seconds to wait."""
        self.failures += 1
        pause = min(self.first * 2.0 ** min(self.failures - 1, 20), self.longest)
        if isinstance(error, LoginRefused):
            pause = max(pause, self.after_login)
        pause *= random.uniform(0.8, 1.2)  # noqa: S311 - spreading load, no secret
        self.not_before = self.clock() + pause
        return pause

    def succeeded(self) -> None:
        """An attempt succeeded."""
        self.failures = 0
        self.not_before = 0.0


@dataclass
class PageSize:
    """How many letters to take at once: few enough to be gone in a moment, since a crash leaves at most a
    page open.
    """

    most: int = 40
    seconds: float = 2.0
    """How long a page should take."""
    _each: float = 0.02

    def now(self) -> int:
        """The size of the next page."""
        return max(1, min(self.most, int(self.seconds / self._each)))

    def took(self, letters: int, seconds: float) -> None:
        """A page of so many letters took so long."""
        if letters:
            self._each = 0.7 * self._each + 0.3 * max(seconds / letters, 1e-4)
