"""Domains that imitate another: two alphabets in one name, or shapes that the eye takes for each other."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterable
from typing import Final

_CYRILLIC_TWINS: Final = str.maketrans("аеорсухіјѕԁһӏьвкмнтзбг", "aeopcyxijsdhlbbkmht36r")
_SHAPES: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"), ("ii", "u"))
_DIGITS: Final = str.maketrans("0135678|!iI", "olesgtblll" + "l")
MIN_LENGTH: Final = 4
"""Shorter names differ by one letter too easily."""


def readable(domain: str) -> str:
    """The domain with its international labels as letters (RFC 5891), lower case."""
    labels = []
    for label in domain.lower().rstrip(".").split("."):
        if label.startswith("xn--"):
            with contextlib.suppress(UnicodeError, ValueError):
                label = label[4:].encode("ascii").decode("punycode")
        labels.append(label)
    return ".".join(labels)


def mixed_alphabets(domain: str) -> bool:
    """True where one label holds two alphabets: `аpple.com` with a Cyrillic а, but not `компания.рф`."""
    for label in readable(domain).split("."):
        alphabets = {unicodedata.name(letter, "?").split(" ", 1)[0] for letter in label if letter.isalpha()}
        if len(alphabets) > 1:
            return True
    return False


def skeleton(domain: str) -> str:
    """The shape of a name: what looks alike becomes the same."""
    text = unicodedata.normalize("NFKD", readable(domain))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = text.translate(_CYRILLIC_TWINS).translate(_DIGITS)
    for written, seen in _SHAPES:
        text = text.replace(written, seen)
    return text.replace("-", "")


def imitated(domain: str, known: Iterable[str]) -> str | None:
    """The known domain that `domain` imitates without being it or a part of it, or None.

    Same skeleton, one letter's difference in a long name, or the same name under another ending.
    """
    name = readable(domain)
    shape = skeleton(domain)
    for one in known:
        other = readable(one)
        if name == other or name.endswith(f".{other}") or other.endswith(f".{name}"):
            continue
        if shape == skeleton(one):
            return one
        own, theirs = _main_label(name), _main_label(other)
        if len(theirs) >= 7 and own != theirs and _one_edit(own, theirs) and name[-3:] == other[-3:]:
            return one
        if len(theirs) >= MIN_LENGTH and theirs != own and own in {f"{theirs}-{tail}" for tail in _TAILS}:
            return one
    return None


_TAILS: Final = frozenset(
    {"lt", "ru", "com", "eu", "mail", "group", "pay", "payment", "invoice", "office", "support", "info"}
)


def _main_label(domain: str) -> str:
    labels = domain.split(".")
    return labels[-2] if len(labels) > 1 else labels[0]


def _one_edit(one: str, other: str) -> bool:
    """True where one letter is added, left out, changed, or two neighbours changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    place = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    left, right = one[place:], other[place:]
    if len(one) == len(other):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:] and len(left) > 1)
    return left[1:] == right if len(one) > len(other) else left == right[1:]
