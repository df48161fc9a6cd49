"""How much of a page a worker takes into memory at once: as much as the heaviest single letter may bring."""

from __future__ import annotations

from collections.abc import Mapping

from core.limits import LETTER_FILES_BYTES


def beyond(sizes: Mapping[int, int], most: int = LETTER_FILES_BYTES) -> set[int]:
    """Of letters with the bytes that their files have, those without room beside the ones before them.

    The first always has, however heavy, so that every page moves something.
    """
    total, left = 0, set[int]()
    for one, size in sizes.items():
        if total and total + size > most:
            left.add(one)
        else:
            total += size
    return left
