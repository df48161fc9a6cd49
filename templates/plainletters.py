"""Lithuanian in plain letters, for an SMS that is to cost less: what it would read like, and what it saves.

Nothing is done by itself: the writer sees both and chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from templates.segments import Segments, segments_of

_LETTERS: Final = str.maketrans(
    {
        **dict(zip("ąčęėįšųūžĄČĘĖĮŠŲŪŽ", "aceeisuuzACEEISUUZ", strict=True)),
        **dict.fromkeys("„“”«»″", '"'),
        **dict.fromkeys("‘’‚′`´", "'"),
        **dict.fromkeys("–—‐‑−", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009\u2007\t", " "),
        "…": "...",
        "•": "-",
        "№": "Nr.",
    }
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A text in plain letters, and how many parts it has before and after."""

    text: str
    before: Segments
    after: Segments

    @property
    def saves(self) -> int:
        """Parts that are saved."""
        return self.before.count - self.after.count


def plain_letters(text: str) -> str:
    """The same text without Lithuanian letters, quotes and dashes; other letters stay as they are."""
    return text.translate(_LETTERS)


def offer(text: str) -> Offer | None:
    """What plain letters would save; None where they save no part, as with Cyrillic."""
    plain = plain_letters(text)
    found = Offer(plain, segments_of(text), segments_of(plain))
    return found if found.saves > 0 else None
