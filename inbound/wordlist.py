"""Word lists written as text: one place that splits them."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of `text`, which are parted by blanks."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of `text`, one a line, in order."""
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())
