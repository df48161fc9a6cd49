"""Which of our languages a text is in, also Russian in Latin letters and Lithuanian without its marks."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from classifier.languagewords import ENGLISH, FOREIGN, LITHUANIAN, RUSSIAN_LATIN, RUSSIAN_LATIN_ENDINGS

READ_LIMIT = 600
"""Characters that are read."""

_LATIN_WORD = re.compile("[a-zà-ɏ]+(?:'[a-z]+)?")
_FIRST_OF_CYRILLIC = bytes(range(0xD0, 0xD4))
_FIRST_OF_LATIN = string.ascii_letters.encode() + bytes(range(0xC3, 0xCA))
_NOT_RUSSIAN = re.compile("[іїєґўјљњћђџқңөүұһәғ]")
_RUSSIAN_ONLY = re.compile("[ыэё]")
_LITHUANIAN_MARKS = re.compile("[ąčęėįšųūž]")
_LITHUANIAN_ONLY = re.compile("[ėįų]")
_FOREIGN_MARKS = re.compile("[āēīķļņģśźżłńóöäüßõøåæéèêçñřůďťňáíýő]")
_TRANSLITERATED = re.compile("(?:zh|shch|sch|kh|ts|yu|ya|iya|yi|ij|yj|'|w)")
_NOISE = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+")


@dataclass(frozen=True, slots=True)
class Detected:
    """The language (ru, lt, en), None when none of these or not to be told; confidence 0 to 1; the reason."""

    language: str | None
    confidence: float
    reason: str


def detect(text: str, hint: str | None = None) -> Detected:
    """The language of a text; only its first characters count.

    `hint` (the contact's known language) decides only where the text itself does not.
    """
    seen = text[:READ_LIMIT]
    if "@" in seen or "://" in seen or "www." in seen:
        seen = _NOISE.sub(" ", seen)
    cyrillic, latin = _letters(seen)
    if cyrillic + latin < 2:
        return _hinted(hint, "no letters")
    if cyrillic > latin or (cyrillic >= 20 and cyrillic * 3 > latin):
        return _cyrillic(seen, cyrillic, hint)
    return _latin(seen, latin, hint)


def _letters(text: str) -> tuple[int, int]:
    """How many Cyrillic and how many Latin letters; counted on UTF-8, where the first byte tells the
    script."""
    coded = text.encode("utf-8", "replace")
    cyrillic = len(coded) - len(coded.translate(None, _FIRST_OF_CYRILLIC))
    return cyrillic, len(coded) - len(coded.translate(None, _FIRST_OF_LATIN))


def _hinted(hint: str | None, reason: str) -> Detected:
    return Detected(hint, 0.5, f"{reason}; known from the contact") if hint else Detected(None, 0.0, reason)


def _cyrillic(text: str, letters: int, hint: str | None) -> Detected:
    lowered = text.lower()
    strange = len(_NOT_RUSSIAN.findall(lowered))
    own = len(_RUSSIAN_ONLY.findall(lowered))
    if strange > own and strange * 40 > letters:
        return Detected(None, min(0.99, 0.6 + 4 * strange / letters), "Cyrillic, but not Russian")
    if letters < 4:
        return Detected("ru", 0.7, "Cyrillic letters, very short")
    if not own and letters > 120:
        name, sure = _general(text)
        if name != "ru" and sure > 0.9:
            return _hinted(hint, f"Cyrillic, looks like {name}")
    return Detected("ru", 0.99 if letters >= 12 else 0.9, "Cyrillic letters")


def _latin(text: str, letters: int, hint: str | None) -> Detected:
    lowered = text.lower()
    words = _LATIN_WORD.findall(lowered)
    votes = {"en": 0.0, "lt": 0.0, "ru": 0.0, "other": 0.0}
    for name, weight in filter(None, map(_vote, words)):
        votes[name] += weight
    if not lowered.isascii():
        votes["lt"] += 0.6 * min(8, len(_LITHUANIAN_ONLY.findall(lowered)))
        votes["lt"] += 0.3 * min(8, len(_LITHUANIAN_MARKS.findall(lowered)))
        votes["other"] += 0.9 * min(10, len(_FOREIGN_MARKS.findall(lowered)))
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    (best, most), (_, second) = ranked[0], ranked[1]
    share = most / max(len(words), 1)
    reasons = {
        "en": "English words",
        "lt": "Lithuanian words" + ("" if _LITHUANIAN_MARKS.search(lowered) else " without their marks"),
        "ru": "Russian in Latin letters",
        "other": "letters or words of another language",
    }
    if most >= 1 and most >= second * 1.6 and (share >= 0.12 or len(words) <= 4):
        if best == "other":
            return _hinted(None, reasons["other"])
        sure = min(0.99, 0.55 + 0.3 * min(1.0, share * 2) + 0.15 * (most - second) / most)
        return Detected(best, sure, reasons[best])
    return _doubtful(text, len(words), best if most > second else None, hint)


def _doubtful(text: str, words: int, leaning: str | None, hint: str | None) -> Detected:
    name, sure = _general(text)
    if name in {"en", "lt"} and (sure > 0.35 or leaning == name):
        return Detected(name, min(0.95, max(sure, 0.5)), "letter groups")
    if hint is not None and words <= 6:
        return _hinted(hint, "too short to tell")
    if leaning in {"ru", "lt", "en"}:
        return Detected(leaning, 0.5, "a few words")
    if words <= 2:
        return Detected(None, 0.0, "too short to tell")
    return Detected(None, sure, f"looks like {name}")


@lru_cache(maxsize=60_000)
def _vote(word: str) -> tuple[str, float] | None:
    if word in ENGLISH:
        return "en", 1.0
    if word in LITHUANIAN:
        return "lt", 1.0
    if word in RUSSIAN_LATIN:
        return "ru", 1.0
    if word in FOREIGN:
        return "other", 1.0
    if len(word) >= 5:
        if word.endswith(RUSSIAN_LATIN_ENDINGS) and _TRANSLITERATED.search(word):
            return "ru", 0.6
        if word.endswith(
            ("iame", "kite", "siu", "ius", "imas", "imo", "iai", "iu", "ami", "ome", "ejo", "uoti")
        ):
            return "lt", 0.4
        if word.endswith(("tion", "tions", "ing", "ment", "ness", "ly", "ed", "able", "ould", "ight")):
            return "en", 0.4
    return None


def _general(text: str) -> tuple[str, float]:
    return _identifier().classify(text)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
