"""Numbers as people write and read them: decimal comma or point, thousands apart or not."""

from __future__ import annotations

import re
from decimal import Decimal

from core.errors import InputRefused

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’]")
_PLAIN = re.compile(r"\d{1,15}(\.\d{0,6})?|\.\d{1,6}")
_ENGLISH_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def read_number(text: str, language: str) -> Decimal:
    """The number that somebody who reads a language wrote; never negative. Raises InputRefused.

    Of a comma and a point the last one marks the fraction. One alone does so too, but for a comma before
    three digits in English, which sets thousands apart.
    """
    bare = _SPACES.sub("", text)
    if "," in bare and "." in bare:
        grouping = "," if bare.rindex(".") > bare.rindex(",") else "."
        bare = bare.replace(grouping, "")
    elif language == "en" and _ENGLISH_THOUSANDS.fullmatch(bare):
        bare = bare.replace(",", "")
    bare = bare.replace(",", ".")
    if not bare.isascii() or not _PLAIN.fullmatch(bare):
        raise InputRefused("That is not a number.", cure="Write it as 1250 or 1250.50.")
    return Decimal(bare)


def write_number(value: Decimal, language: str, places: int = 0) -> str:
    """A number for a field to be changed: at least so many digits after the mark, no thousands apart."""
    whole, _, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    if not fraction:
        return whole
    return f"{whole}{'.' if language == 'en' else ','}{fraction}"
