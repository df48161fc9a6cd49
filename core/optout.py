"""Whether an SMS asks not to be written to any more, in three languages.

Exchanges know the English words only, and only for some kinds of number, so we read them ourselves.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Wish(StrEnum):
    """What a one-word SMS asks for."""

    STOP = "stop"
    START = "start"


STOP_WORDS = frozenset(
    {
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        *("стоп", "отписаться", "отписка", "отпишите", "отказ", "отмена", "хватит"),
        *("atsisakau", "atsisakyti", "atsisakyt", "stabdyti", "stabdau", "nebesiuskite", "nebesiųskite"),
    }
)
START_WORDS = frozenset({"start", "unstop", "старт", "подписаться", "pradėti", "pradeti"})

STOP_PHRASES = frozenset(
    {
        *("no more", "do not text", "don t text", "stop texting"),
        *("не пишите", "больше не пишите", "не присылайте", "больше не присылайте", "не беспокойте"),
        *("neberašykite", "nerašykite", "daugiau nerašykite", "daugiau nesiųskite", "nesiųskite"),
    }
)
"""The same in a few words, and nothing else in the message."""
FILLERS = frozenset(
    {"please", "prašau", "prašom", "пожалуйста", "sms", "смс", "me", "man", "mums", "мне", "нам"}
)

_WORD = re.compile(r"\w+")


def wish_of(text: str) -> Wish | None:
    """What an SMS asks for: only where it is such a word or phrase, with punctuation or a “please” at most.

    A longer text that happens to hold the word (“please do not cancel the order”) is a person's message.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text[:200]).lower())
    words = [word for word in words if word not in FILLERS]
    if " ".join(words) in STOP_PHRASES:
        return Wish.STOP
    if len(words) != 1:
        return None
    if words[0] in STOP_WORDS:
        return Wish.STOP
    return Wish.START if words[0] in START_WORDS else None
