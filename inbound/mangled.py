"""UTF-8 that was read in a one-byte charset and written anew, as `РџСЂРёРІРµС‚` for `Привет`: put right."""

from __future__ import annotations

import re
from typing import Final

_SECOND: Final = r"[^\sA-Za-zА-Яа-яёЁ,.;:!?()-]"
_CYRILLIC: Final = re.compile(f"[РС]{_SECOND}[РС]{_SECOND}")
_WESTERN: Final = re.compile(r"[ÃÄÅÐÑ][^\x00-\x7fà-ÿÀ-Þ]")
"""The first byte of a letter in UTF-8 and a second one that no word has there.

Two patterns, because each begins with one set of letters, which is looked for faster. A single letter is
looked for much faster still, and most texts have none of them.
"""
_CYRILLIC_FIRST: Final = "РС"
_WESTERN_FIRST: Final = "ÃÄÅÐÑ"

_HOLES: Final = frozenset("\x81\x8d\x8f\x90\x98\x9d")
"""Bytes that the one-byte charsets of Windows leave free, and that programs pass on as they are."""


def suspect(text: str) -> bool:
    """Whether it is worth looking closer."""
    return _holds(text, _CYRILLIC_FIRST, _CYRILLIC) or _holds(text, _WESTERN_FIRST, _WESTERN)


def _holds(text: str, first: str, pattern: re.Pattern[str]) -> bool:
    return any(letter in text for letter in first) and pattern.search(text) is not None


def repaired(text: str) -> str:
    """`text` with its mangled lines put right.

    Only a line that is UTF-8 through and through, with two letters at least, is taken for such.
    """
    return "\n".join(_line(line) if suspect(line) else line for line in text.split("\n"))


def _line(line: str) -> str:
    codec = "cp1251" if "Р" in line or "С" in line else "cp1252"
    try:
        data = b"".join(
            letter.encode("latin-1") if letter in _HOLES else letter.encode(codec) for letter in line
        )
        right = data.decode("utf-8")
    except UnicodeError:
        return line
    return right if len(line) - len(right) >= 2 else line
