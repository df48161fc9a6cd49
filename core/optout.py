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

_WORD = re.compile(r"\w+")


def wish_of(text: str) -> Wish | None:
    """What an SMS asks for: only where it is one such word, with punctuation or a “please” at most.

    A longer text that happens to hold the word (“please do not cancel the order”) is a person's message.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text[:200]).lower())
    words = [word for word in words if word not in {"please", "prašau", "пожалуйста", "sms"}]
    if len(words) != 1:
        return None
    if words[0] in STOP_WORDS:
        return Wish.STOP
    return Wish.START if words[0] in START_WORDS else None
