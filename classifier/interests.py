"""Which products of the catalogue a text speaks of: names in any form, synonyms and article numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from classifier.languagewords import ENDINGS
from classifier.rules import unmarked

STUFFED = 8
"""A text that names more products than this names a catalogue, not an interest: confidence is halved."""

SHOWN = 12
"""Most interests given for one text."""

NAME_CONFIDENCE = 0.9
WORD_CONFIDENCE = 0.75
ARTICLE_CONFIDENCE = 0.98

_WORD = re.compile(r"[^\W_]+")
_JOINTS = re.compile(r"[^\w]|_")
_NAME, _CODE, _BOTH = 1, 2, 3
MEMO_LIMIT = 60_000

_ENDINGS = ENDINGS | {""}


@dataclass(frozen=True, slots=True)
class ProductTerms:
    """A product as the classifier needs it: key, names and synonyms in any language, article numbers."""

    key: str
    terms: tuple[str, ...]
    articles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interest:
    """A product spoken of: its key, how sure (0 to 1), and the words that show it."""

    product: str
    confidence: float
    reason: str


@dataclass(slots=True)
class Catalogue:
    """Products arranged so that a text is read once whatever their number."""

    by_start: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=lambda: defaultdict(list))
    by_article: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    _kinds: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, products: Sequence[ProductTerms]) -> Catalogue:
        """Arrange these products."""
        made = cls()
        for product in products:
            made.keys.add(product.key)
            for term in product.terms:
                words = tuple(_WORD.findall(unmarked(term.lower())))
                if words:
                    made.by_start[words[0][:4]].append((words, product.key))
            for article in product.articles:
                code = _JOINTS.sub("", unmarked(article.lower()))
                if len(code) >= 3:
                    made.by_article[code] = product.key
        return made

    def interests(self, folded: str) -> tuple[Interest, ...]:
        """The products a text (lower case, without marks) speaks of, surest first."""
        tokens = folded.split()
        if len(self._kinds) > MEMO_LIMIT:
            self._kinds.clear()
        for token in tokens:
            if token not in self._kinds:
                self._kinds[token] = self._kind(token)
        kinds = set(map(self._kinds.__getitem__, tokens))
        found: dict[str, Interest] = {}
        if kinds & {_NAME, _BOTH}:
            self._names(_WORD.findall(folded), found)
        if kinds & {_CODE, _BOTH}:
            self._articles(tokens, found)
        return _bounded(sorted(found.values(), key=lambda one: (-one.confidence, one.product)))

    def _kind(self, token: str) -> int:
        names = any(word[:4] in self.by_start for word in _WORD.findall(token))
        codes = bool(self.by_article) and any(map(str.isdigit, token))
        return _NAME * names + _CODE * codes

    def _names(self, words: list[str], found: dict[str, Interest]) -> None:
        for place, word in enumerate(words):
            for term, key in self.by_start.get(word[:4], ()):
                seen = words[place : place + len(term)]
                if len(seen) == len(term) and all(map(same_word, term, seen)):
                    sure = NAME_CONFIDENCE if len("".join(term)) > 6 else WORD_CONFIDENCE
                    _keep(found, Interest(key, sure, " ".join(seen)))

    def _articles(self, tokens: list[str], found: dict[str, Interest]) -> None:
        for place, token in enumerate(tokens):
            if self._kinds[token] in {_CODE, _BOTH}:
                code = _JOINTS.sub("", token)
                before = _JOINTS.sub("", tokens[place - 1]) if place else ""
                for written in (before + code, code):
                    key = self.by_article.get(written)
                    if key is not None:
                        _keep(found, Interest(key, ARTICLE_CONFIDENCE, token))
                        break


def _keep(found: dict[str, Interest], one: Interest) -> None:
    known = found.get(one.product)
    if known is None or known.confidence < one.confidence:
        found[one.product] = one


def _bounded(interests: list[Interest]) -> tuple[Interest, ...]:
    if len(interests) <= STUFFED:
        return tuple(interests)
    named = f"one of {len(interests)} products named"
    return tuple(Interest(i.product, i.confidence / 2, f"{i.reason}; {named}") for i in interests[:SHOWN])


@lru_cache(maxsize=20_000)
def same_word(term: str, word: str) -> bool:
    """True when the two are forms of one word: the same beginning and endings that grammar gives."""
    if term == word:
        return True
    common = 0
    for one, two in zip(term, word, strict=False):
        if one != two:
            break
        common += 1
    if common < 4 and not (common == 3 and len(term) <= 4):
        return False
    for length in range(common, max(common - 2, 2), -1):
        if term[length:] in _ENDINGS and word[length:] in _ENDINGS:
            return True
    return False
