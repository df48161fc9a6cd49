"""How many parts an SMS is sent in, which is what it costs (3GPP TS 23.038)."""

from __future__ import annotations

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
        units = sum(2 if character in _EXTENDED else 1 for character in text)
        encoding, single, several = "gsm7", 160, 153
    else:
        units = len(text.encode("utf-16-be")) // 2
        encoding, single, several = "ucs2", 70, 67
    count = 1 if units <= single else -(-units // several)
    return Segments(count, encoding, units)
