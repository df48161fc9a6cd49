"""How many parts an SMS is sent in, which is what it costs (3GPP TS 23.038)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class Segments:
    """Parts of one SMS: `encoding` is "gsm7" or "ucs2", `units` its length in that encoding."""

    count: int
    encoding: str
    units: int


def segments_of(text: str) -> Segments:
    """Count the parts of an SMS.

    160 septets fit one part and 153 each of several; one letter outside the GSM alphabet, such as Cyrillic
    or "ė", turns the whole text to UCS-2 with 70 and 67.
    """
    if all(character in _BASIC or character in _EXTENDED for character in text):
        widths = [2 if character in _EXTENDED else 1 for character in text]
        return Segments(_parts(widths, 160, 153), "gsm7", sum(widths))
    widths = [2 if character > "\uffff" else 1 for character in text]
    return Segments(_parts(widths, 70, 67), "ucs2", sum(widths))


def _parts(widths: Sequence[int], single: int, several: int) -> int:
    """How many parts characters of these widths take; none is cut in two."""
    if sum(widths) <= single:
        return 1
    parts, room = 1, several
    for width in widths:
        if width > room:
            parts, room = parts + 1, several
        room -= width
    return parts
