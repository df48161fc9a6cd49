"""Small common words by which a language in Latin letters is known; the lists are in `classifier/words`."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "words"


def words(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


ENGLISH = words("english")
LITHUANIAN = words("lithuanian")
RUSSIAN_LATIN = words("russian_latin")
FOREIGN = words("foreign")
RUSSIAN_LATIN_ENDINGS = tuple(sorted(words("russian_latin_endings")))
ENDINGS = words("endings")
"""What grammar adds to a noun or adjective, in the three languages, Lithuanian without marks."""
