"""What a text is found by: its words without endings and without the marks of letters, and what somebody
who searches asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from classifier.rules import unmarked
from classifier.stems import stem

LEXEMES = 3_000
"""Different words of one text that it can be found by."""

LEXEME_CHARS = 60
"""Letters of a word that count; PostgreSQL holds at most 2,046 bytes in one."""

TERMS = 16
"""Words of one question that are looked at."""

_WORD = re.compile(r"[^\W_]+(?:[.@/_+-][^\W_]+)*")
"""Letters and digits, and what ties them into an address, a number or a compound."""
_PIECE = re.compile(r"[^\W_]+")
_ASKED = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))')
_QUOTES = str.maketrans("„“”«»", '"' * 5)


def folded(text: str) -> str:
    """The text in lower case, ąčęėįšųūž as their plain letters and ё as е."""
    return unmarked(text.lower()).replace("ё", "е")


def _plain(text: str) -> str:
    return text.lower().replace("ё", "е")


def _lexeme(word: str) -> str:
    """A word as it is looked up; digits keep their end."""
    made = folded(word) if any(map(str.isdigit, word)) else stem(word)
    return made[:LEXEME_CHARS]


def _forms(word: str) -> tuple[str, str]:
    """A word as it is looked up, and with all its letters, folded."""
    plain = _plain(word)
    return _lexeme(plain), folded(plain)


# Letters use the same few thousand words over and over.
_known_forms = lru_cache(maxsize=16_384)(_forms)


def lexemes(texts: Iterable[str]) -> list[str]:
    """The different words that texts are found by, in order of appearance, at most `LEXEMES`.

    What hangs together (`inv-2041`, `anna@firma.lt`) is found whole and by its parts.
    """
    found: dict[str, None] = {}
    for text in texts:
        for match in _WORD.finditer(_plain(text)):
            word = match.group()
            pieces = _PIECE.findall(word)
            if len(pieces) > 1:
                found[folded(word)[:LEXEME_CHARS]] = None
            for piece in pieces:
                found[_lexeme(piece)] = None
            if len(found) >= LEXEMES:
                return list(found)[:LEXEMES]
    return list(found)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a question: any of these lexemes answers it."""

    lexeme: str
    beginning: str = ""
    """Where the word may go on, the letters it begins with; empty where it is whole."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken apart: every term must be there, every phrase word for word, nothing of `without`."""

    terms: tuple[Term, ...] = ()
    phrases: tuple[str, ...] = ()
    """Folded, as they must stand in the folded text."""
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)


def asked(question: str) -> Asked:
    """What somebody asks for: words, ``"words in a row"``, ``-without``.

    The last word is taken for one that is still being typed, so that its beginning is enough.
    """
    terms: dict[str, Term] = {}
    phrases: list[str] = []
    without: list[str] = []
    text = _plain(question.translate(_QUOTES))
    parts = list(_ASKED.finditer(text))
    for number, part in enumerate(parts):
        phrase = part["phrase"]
        words = _WORD.findall(phrase if phrase is not None else part["word"])
        if part["minus"]:
            without.extend(_lexeme(piece) for word in words for piece in _PIECE.findall(word))
            continue
        if phrase is not None and len(words) > 1:
            phrases.append(" ".join(folded(phrase).split()))
        typing = phrase is None and number == len(parts) - 1 and not text.endswith((" ", ","))
        for word in words:
            for piece in _PIECE.findall(word):
                lexeme = _lexeme(piece)
                beginning = folded(piece)[:LEXEME_CHARS] if typing and len(piece) > 1 else ""
                terms[lexeme] = Term(lexeme, beginning)
    return Asked(tuple(terms.values())[:TERMS], tuple(phrases), tuple(without)[:TERMS])


class Marker:
    """Finds what answers a question in many texts; each different word is looked at once."""

    def __init__(self, question: Asked) -> None:
        self._terms = question.terms
        self._answers: dict[str, str] = {}

    def _answer(self, word: str) -> str:
        """The lexeme that the word answers; empty where it answers none."""
        found = self._answers.get(word)
        if found is None:
            made, start = _known_forms(word) if len(word) <= LEXEME_CHARS else _forms(word)
            right = (
                term.lexeme
                for term in self._terms
                if made == term.lexeme or (term.beginning and start.startswith(term.beginning))
            )
            found = self._answers[word] = next(right, "")
        return found

    def marked(self, text: str, *, around: int = 90) -> list[tuple[str, bool]]:
        """The place of a text that answers best, in pieces, each with whether it is what was asked for.

        About ``2 * around`` characters, cut between words, with … where the text goes on.
        """
        flat = " ".join(text.split())
        words = _PIECE.finditer(flat)
        hits = [(one.start(), one.end(), lexeme) for one in words if (lexeme := self._answer(one.group()))]
        return _cut(flat, hits, around)


def _cut(flat: str, hits: list[tuple[int, int, str]], around: int) -> list[tuple[str, bool]]:
    if not hits:
        begin, end = 0, min(len(flat), 2 * around)
    else:
        best = max(
            hits,
            key=lambda hit: (len({o[2] for o in hits if 0 <= o[0] - hit[0] <= 2 * around - 20}), -hit[0]),
        )
        begin = max(0, best[0] - around // 3)
        end = min(len(flat), begin + 2 * around)
    while begin and not flat[begin - 1].isspace() and begin < len(flat):
        begin += 1
    while end < len(flat) and end > begin and not flat[end].isspace():
        end -= 1
    pieces: list[tuple[str, bool]] = [("… ", False)] if begin else []
    at = begin
    for first, last, _ in hits:
        if first < at or last > end:
            continue
        if first > at:
            pieces.append((flat[at:first], False))
        pieces.append((flat[first:last], True))
        at = last
    if at < end:
        pieces.append((flat[at:end], False))
    if end < len(flat):
        pieces.append((" …", False))
    return pieces
