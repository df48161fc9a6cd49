"""How much each recipient domain takes from us at once: slow start, and backing off when it defers.

After Postfix's qmgr(8): a domain begins with a small window of letters under way, every success widens it,
every deferral that speaks of the domain halves it, and a run of them closes the domain for a while, so that
the rest goes on at full speed. Each worker process learns for itself; what it defers, it defers in the
database for all.
"""

from __future__ import annotations

from dataclasses import dataclass

from outbound import retry
from outbound.channels.base import Outcome, Result, Scope

REMEMBERED = 10_000
"""Domains kept in mind; quiet ones are forgotten first."""


@dataclass(slots=True)
class _Domain:
    window: float
    under_way: int = 0
    failed: float = 0.0
    """Deferrals in a row, each counted as one over the window of its moment; 1 is a whole window failed."""
    closed: int = 0
    """Times in a row it was closed."""
    closed_until: float = 0.0


class Destinations:
    """The windows of all domains. Times are seconds of one steady clock, given by the caller."""

    def __init__(self, first: int = 5, most: int = 20, wait: float = 300.0, longest: float = 4000.0) -> None:
        self._first = first
        self._most = most
        self._wait = wait
        self._longest = longest
        self._domains: dict[str, _Domain] = {}

    def room(self, domain: str) -> bool:
        """Whether another letter to the domain may get under way."""
        known = self._domains.get(domain)
        return known is None or known.under_way < int(known.window)

    def window(self, domain: str) -> int:
        """How many letters may be under way to the domain at once."""
        known = self._domains.get(domain)
        return self._first if known is None else int(known.window)

    def blocked(self, domain: str, now: float) -> float:
        """Seconds for which the domain stays closed; 0 when it is open."""
        known = self._domains.get(domain)
        return 0.0 if known is None else max(0.0, known.closed_until - now)

    def begin(self, domain: str) -> None:
        """A letter to the domain gets under way."""
        known = self._domains.get(domain)
        if known is None:
            if len(self._domains) >= REMEMBERED:
                self._forget()
            known = self._domains[domain] = _Domain(float(self._first))
        known.under_way += 1

    def end(self, domain: str, outcome: Outcome, now: float) -> None:
        """A letter to the domain is no longer under way, and this is what became of it."""
        known = self._domains[domain]
        known.under_way -= 1
        if outcome.result is Result.SENT:
            known.window = min(float(self._most), known.window + 1.0 / known.window)
            known.failed = 0.0
            known.closed = 0
        elif outcome.result is Result.DEFERRED and outcome.scope is Scope.DESTINATION:
            known.failed += 1.0 / known.window
            known.window = max(1.0, known.window / 2)
            if known.failed >= 1.0 and known.closed_until <= now:
                known.closed += 1
                known.closed_until = now + retry.wait(known.closed, self._wait, self._longest)
                known.failed = 0.0

    def _forget(self) -> None:
        quiet = [name for name, domain in self._domains.items() if not domain.under_way and not domain.closed]
        for name in quiet[: len(quiet) // 2 + 1]:
            del self._domains[name]
