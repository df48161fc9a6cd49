"""How a text asks, promises or advertises, by cues in three languages: what is wanted of whoever reads it.

`words/asking.txt` holds a cue a line, `name = pattern`; names in braces are parts of patterns below them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path

CUES = Path(__file__).parent / "words" / "asking.txt"

READ = 2_000
"""Characters in which cues are looked for."""

CROSS = "|"


def cues_of(text: str) -> list[str]:
    """The names of the cues in a text in lower case; each counts once."""
    head = text[:READ]
    return [f"a:{name}" for name, pattern in _cues() if pattern.search(head)]


def crossed_of(cues: Sequence[str], words: Iterable[str]) -> list[str]:
    """The names of pairs: of cues that stand in one text, and of its cues with its words.

    What a cue means depends on what stands beside it: "please" beside a question, "will you" beside "if".
    """
    named = [cue[2:] for cue in cues]
    both = [f"x:{first} & {second}" for first, second in combinations(named, 2)]
    return both + [f"x:{cue}{CROSS}{word}" for word in words for cue in named]


@lru_cache(maxsize=1)
def _cues() -> tuple[tuple[str, re.Pattern[str]], ...]:
    parts: dict[str, str] = {}
    found: list[tuple[str, re.Pattern[str]]] = []
    for line in CUES.read_text(encoding="utf-8").splitlines():
        name, _, pattern = line.partition(" = ")
        for part, meant in parts.items():
            pattern = pattern.replace(part, meant)
        if name.startswith("{"):
            parts[name] = pattern
        else:
            found.append((name, re.compile(pattern)))
    return tuple(found)
