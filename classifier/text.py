"""A message as the classifier sees it: subject and newly written words, free of tricks, cut to a bound."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

BODY_LIMIT = 1_500
"""Characters of the body that are read; what a letter is about is said at its beginning."""

SUBJECT_LIMIT = 300

TEXT_LIMIT = 20_000
"""Characters of a text from a data file that are read."""

_REPLY_PREFIX = re.compile(
    r"^(?:\s*(?:re|fwd?|fw|aw|ответ|отв|пересл|ats|persiųsta|pers)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DIGITS = re.compile("[1-9]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_LATIN_LETTER, _CYRILLIC_LETTER = "[A-Za-z\u0130\u0131\u017f]", "[А-Яа-яЁё\u1c80-\u1c86]"
_MIXED = re.compile(f"{_LATIN_LETTER}(?:(?<={_CYRILLIC_LETTER}{_LATIN_LETTER})|(?={_CYRILLIC_LETTER}))")
"""A Latin letter beside a Cyrillic one; it begins with one set of letters, which is looked for fast."""
_WORD = re.compile(r"\w+")

_LATIN_TWINS = "aceopxyABCEHKMOPTXY"
_CYRILLIC_TWINS = "асеорхуАВСЕНКМОРТХУ"
_TO_CYRILLIC = str.maketrans(_LATIN_TWINS, _CYRILLIC_TWINS)
_TO_LATIN = str.maketrans(_CYRILLIC_TWINS, _LATIN_TWINS)
_CYRILLIC = re.compile(_CYRILLIC_LETTER)
_LATIN = re.compile(_LATIN_LETTER)


@dataclass(frozen=True, slots=True)
class Text:
    """One message to classify.

    `body` holds only what the sender newly wrote and could be seen: quotes, signatures and hidden text are
    taken away before (`inbound.quoting`). `channel` is email, sms, call or note; a call's body is its
    transcript.
    """

    subject: str = ""
    body: str = ""
    channel: str = "email"
    language_hint: str | None = None


def visible(text: str) -> str:
    """The text without characters that show nothing and without look-alike letters of another alphabet."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    return _WORD.sub(_one_alphabet, text) if _CYRILLIC.search(text) and _MIXED.search(text) else text


def _one_alphabet(found: re.Match[str]) -> str:
    word = found.group()
    if not _MIXED.search(word):
        return word
    as_cyrillic = word.translate(_TO_CYRILLIC)
    if not _LATIN.search(as_cyrillic):
        return as_cyrillic
    as_latin = word.translate(_TO_LATIN)
    return word if _CYRILLIC.search(as_latin) else as_latin


def plain(text: Text) -> str:
    """Subject and body in one string, within the bounds, visible characters only; case kept."""
    subject = _REPLY_PREFIX.sub("", text.subject[:SUBJECT_LIMIT])
    return visible(f"{subject}\n{text.body[:BODY_LIMIT]}".strip())


def features_of(plain_text: str) -> str:
    """What the features are counted on: lower case, addresses and links one word each, digits as 0."""
    if "@" in plain_text:
        plain_text = _ADDRESS.sub("xaddress", plain_text)
    if "://" in plain_text or "www." in plain_text:
        plain_text = _URL.sub("xlink", plain_text)
    return _DIGITS.sub("0", plain_text).lower()


def prepared(text: str, limit: int = TEXT_LIMIT) -> str:
    """Any text as a company's own labelled texts are counted on: visible characters, lower case, bounded."""
    return visible(text[:limit]).lower()
