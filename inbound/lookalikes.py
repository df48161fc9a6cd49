"""Domains that imitate another: two alphabets in one name, or shapes that the eye takes for each other."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
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
    if domain.isascii() and "xn--" not in domain.lower():
        return False
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


class Known:
    """Domains that somebody might imitate, each with its age; asked once a letter, so asking is cheap.

    `ages` maps a domain to a number that is smaller the longer we know it; an impostor that has become known
    itself is still told from the older one it imitates.
    """

    __slots__ = ("_ages", "_by_name", "_by_shape", "_near")

    def __init__(self, ages: Mapping[str, int]) -> None:
        self._ages: dict[str, int] = {}
        self._by_shape: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        self._near: dict[str, list[str]] = {}
        for domain, age in ages.items():
            self.add(domain, age)

    def add(self, domain: str, age: int) -> None:
        """Watch one domain more; one that is watched already keeps its age."""
        domain = readable(domain)
        if domain in self._ages:
            return
        self._ages[domain] = age
        name = _main_label(domain)
        self._by_shape.setdefault(skeleton(domain), []).append(domain)
        self._by_name.setdefault(name, []).append(domain)
        if len(name) >= LONG_ENOUGH:
            for one in _shortened(name):
                self._near.setdefault(one, []).append(domain)

    def __contains__(self, domain: object) -> bool:
        return isinstance(domain, str) and readable(domain) in self._ages

    def imitated(self, domain: str) -> str | None:
        """The older domain that `domain` imitates without being it or a part of it, or None.

        Same skeleton, one letter's difference in a long name, or the same name with a tail.
        """
        name = readable(domain)
        own, age = _main_label(name), self._ages.get(name)
        for other in self._candidates(name, own):
            if name == other or name.endswith(f".{other}") or other.endswith(f".{name}"):
                continue
            if age is not None and self._ages[other] >= age:
                continue
            return other
        return None

    def _candidates(self, name: str, own: str) -> Iterator[str]:
        yield from self._by_shape.get(skeleton(name), ())
        for near in (own, *_shortened(own)):
            for other in self._near.get(near, ()):
                if _one_edit(own, _main_label(other)) and name[-3:] == other[-3:]:
                    yield other
        for near in _shortened(own):
            for other in self._by_name.get(near, ()):
                if len(near) >= LONG_ENOUGH and name[-3:] == other[-3:]:
                    yield other
        plain, dash, tail = own.rpartition("-")
        if dash and tail in _TAILS and len(plain) >= MIN_LENGTH:
            yield from self._by_name.get(plain, ())


def imitated(domain: str, known: Iterable[str]) -> str | None:
    """The same, asked once: which of the domains in `known` another domain imitates."""
    return Known(dict.fromkeys(known, 0)).imitated(domain)


LONG_ENOUGH: Final = 7
"""Letters of a name that one letter's difference makes an imitation; shorter ones are alike by chance."""


def _shortened(name: str) -> set[str]:
    """The name with each of its letters left out: two names one edit apart share one of these."""
    return {name[:place] + name[place + 1 :] for place in range(len(name))}


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
