"""What can be decided by a written rule: sure intents, urgency, what is said about the deal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from classifier.cues import SIGNALS, SURE_INTENTS, URGENCY, Cue
from core.intents import Signal, Urgency

SURE_WITHIN = 700
"""A phrase that decides the intent must stand within so many characters; further on it is a footer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A value and the words that decided it; `weight` is a probability for intents, a count for the rest."""

    value: str
    found: str
    weight: float


def unmarked(text: str) -> str:
    """The text without the marks of Lithuanian and other Latin letters; Cyrillic stays as it is."""
    return _MARKED.sub(_folded, text)


def _folded(marked: re.Match[str]) -> str:
    letter = marked.group()
    return _FOLD.get(letter, letter)


def _fold_table() -> dict[str, str]:
    table = {"’": "'", "\u2011": "-"}
    for point in (*range(0x00C0, 0x0250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(point))[0]
        if base.isascii():
            table[chr(point)] = base
    return table


_FOLD = _fold_table()
_MARKED = re.compile("[\u00c0-\u024f\u1e00-\u1eff\u2011\u2019]")


def sure_intent(folded: str) -> Decision | None:
    """The intent that a phrase alone decides; `folded` is lower case without marks."""
    return next(iter(_found(SURE_INTENTS, folded[:SURE_WITHIN])), None)


def urgency(folded: str) -> Decision:
    """How urgent the words make it; the same word a hundred times counts once."""
    low = high = 0.0
    reasons: list[str] = []
    for decision in _found(URGENCY, folded):
        if decision.value == Urgency.LOW:
            low += decision.weight
        else:
            high += decision.weight
        reasons.append(decision.found)
    if low >= high and low > 0:
        return Decision(Urgency.LOW, ", ".join(reasons[:3]), low)
    if high > 0:
        return Decision(Urgency.HIGH, ", ".join(reasons[:3]), high)
    return Decision(Urgency.NORMAL, "", 0.0)


def signal(folded: str) -> Decision | None:
    """What the words say about the deal, the heaviest first; None when nothing."""
    totals: dict[str, float] = {}
    words: dict[str, str] = {}
    for decision in _found(SIGNALS, folded):
        if decision.found in words.get(decision.value, ""):
            continue
        totals[decision.value] = totals.get(decision.value, 0.0) + decision.weight
        words[decision.value] = f"{words.get(decision.value, '')}, {decision.found}".strip(", ")
    if not totals:
        return None
    order = list(Signal)
    best = max(totals, key=lambda value: (totals[value], -order.index(Signal(value))))
    return Decision(best, words[best], totals[best])


def bounded_urgency(value: Urgency, urgent_lately: int, limit: int = 3) -> tuple[Urgency, str]:
    """The urgency to act on when a sender wrote `urgent_lately` urgent messages in the last day, and why.

    One who cries "urgent" in every letter is answered like everybody else from the `limit`-th on.
    """
    if value is Urgency.HIGH and urgent_lately >= limit:
        return Urgency.NORMAL, f"already {urgent_lately} urgent messages from this sender in a day"
    return value, ""


def _found(cues: Iterable[Cue], folded: str) -> Iterable[Decision]:
    # A Russian text has few Latin letters, and what stands in it in ASCII stands in these few too.
    latin = folded if folded.isascii() else folded.encode("ascii", "ignore").decode("ascii")
    for cue in cues:
        if cue.needle in (latin if cue.latin else folded):
            match = cue.pattern.search(folded)
            if match:
                yield Decision(cue.value, match.group().strip(), cue.weight)
