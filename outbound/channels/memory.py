"""The in-memory twin of a channel: keeps what it is given and answers as it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.errors import FrontdeskError
from outbound.channels.base import Letter, Outcome, Result


@dataclass
class MemoryChannel:
    """Every letter handed over stands in ``sent``; ``answers`` gives other outcomes by recipient address.

    ``faults`` are raised one by one when a line is opened. ``pause`` is how long a letter takes, in seconds.
    """

    lines: int = 2
    sent: list[Letter] = field(default_factory=list)
    answers: dict[str, deque[Outcome]] = field(default_factory=dict)
    faults: deque[FrontdeskError] = field(default_factory=deque)
    pause: float = 0.0

    def answer(self, address: str, *outcomes: Outcome) -> None:
        """The next outcomes for an address; after them it is taken as usual."""
        self.answers.setdefault(address, deque()).extend(outcomes)

    def line(self) -> MemoryLine:
        """Another line into the same memory."""
        return MemoryLine(self)


@dataclass
class MemoryLine:
    """One line of the memory channel."""

    channel: MemoryChannel
    ready: bool = False

    async def open(self) -> None:
        """Raise the next fault, if one is set."""
        if self.channel.faults:
            raise self.channel.faults.popleft()
        self.ready = True

    async def send(self, letter: Letter, may_finish: Callable[[], bool]) -> Sequence[Outcome]:
        """Keep the letter, or answer as told."""
        await asyncio.sleep(self.channel.pause)
        if not may_finish():
            return [Outcome(Result.UNTRIED, "the right to send it was lost")] * len(letter.recipients)
        outcomes: list[Outcome] = []
        for address in letter.recipients:
            scripted = self.channel.answers.get(address)
            outcomes.append(scripted.popleft() if scripted else Outcome(Result.SENT, "250 kept in memory"))
        if any(outcome.result in (Result.SENT, Result.UNCERTAIN) for outcome in outcomes):
            self.channel.sent.append(letter)
        return outcomes

    async def close(self) -> None:
        """Close."""
        self.ready = False
