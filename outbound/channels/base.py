"""The port every channel fills: a line takes one letter at a time and says exactly what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\D|$)")


class Result(StrEnum):
    """What became of a letter for one recipient."""

    SENT = "sent"
    """The server took responsibility (RFC 5321 section 6.1)."""
    DEFERRED = "deferred"
    """Certainly not taken, and may be tried again later."""
    REFUSED = "refused"
    """Certainly not taken, and never will be."""
    UNCERTAIN = "uncertain"
    """The line was lost when the server may have taken it already."""
    UNTRIED = "untried"
    """Certainly not taken, because it was never offered; nothing speaks against trying at once."""


class Scope(StrEnum):
    """What an answer speaks of, and so what has to wait or stop."""

    RECIPIENT = "recipient"
    LETTER = "letter"
    DESTINATION = "destination"
    """The recipient's domain: it is busy, or wants less of us."""
    RELAY = "relay"
    """Our own relay or its settings: nothing that is sent can be blamed for it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: three digits and its text, lines joined with a newline."""

    code: int
    text: str = ""

    @property
    def enhanced(self) -> str:
        """The enhanced status code in it (RFC 3463), such as ``5.1.1``; empty where there is none."""
        found = _ENHANCED.match(self.text)
        return found.group(0) if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}".replace("\n", " ").strip()[:500]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter for one recipient, and what the server said."""

    result: Result
    reply: str = ""
    scope: Scope = Scope.LETTER
    hard: bool = False
    """The address does not exist, so nothing may be sent to it again."""
    opted_out: bool = False
    """Its owner told the exchange that they want nothing of us, so nothing may be sent to it again."""
    sid: str = ""
    """The exchange's id of what it took."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a line takes: the envelope and the bytes, or the number and the words, ready to go.

    ``id`` is the delivery's; ``token`` goes into the envelope where the server takes it (RFC 3461 section
    4.4).
    """

    id: int
    sender: str
    recipients: tuple[str, ...]
    data: bytes
    token: str = ""


class Line(Protocol):
    """One connection that carries letters one after another."""

    @property
    def ready(self) -> bool:
        """Whether a letter can be handed over without connecting first."""
        ...

    async def open(self) -> None:
        """Connect where needed. Raises Unreachable, LoginRefused or ConfigurationError."""
        ...

    async def send(self, letter: Letter, may_finish: Callable[[], bool]) -> Sequence[Outcome]:
        """Hand a letter over: one outcome for each recipient, in order. Never raises for what a server does.

        ``may_finish`` is asked immediately before the step that cannot be taken back; where it says no, the
        letter is not transmitted and the outcome is UNTRIED.
        """
        ...

    async def close(self) -> None:
        """Say goodbye and close; harmless when closed already."""
        ...


@runtime_checkable
class Pipelined(Protocol):
    """A line that can begin the next letter together with the end of the one before."""

    def announce(self, letter: Letter) -> None:
        """Said before `send`: the letter that will be handed over after it, if nothing goes wrong.

        Only its envelope may travel early, so it is never taken by that alone; handing another letter over
        instead costs the connection.
        """
        ...


class Channel(Protocol):
    """A way out of the house."""

    @property
    def lines(self) -> int:
        """How many connections may be open at once."""
        ...

    def line(self) -> Line:
        """Another connection, not yet open."""
        ...
