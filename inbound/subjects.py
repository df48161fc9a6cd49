"""Subjects without the prefixes that mail programs add, so that one topic has one name."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_REPLY: Final = (
    "re|aw|antw|antwort|sv|vs|ref|rv|res|odp|ответ|отв|на|нa|hа|ats|atsakymas|ats\\.|vá|ynt"
    "|yan|回复|回覆|答复|r|rif|re\\.|ho|вiдп|відп"
)
_FORWARD: Final = (
    "fwd|fw|wg|tr|i|inoltra|enc|doorst|vb|vl|pd|továbbítás|ilt|ilet|fs|rv|переслать|пересл|перес"
    "|пер|прс|пересылка|переслано|fwd\\."
    "|persiųsta|persiųstas|persiuntimas|persiunčiama|persiusta|pers|persl|pārsūtīts|edastatud|転送|转发"
)
_PREFIX: Final = re.compile(
    rf"^\s*(?:\[(?:external|ext|внешнее|išorinis|spam|extern)\]\s*)?(?:(?P<forward>{_FORWARD})|(?P<reply>{_REPLY}))"
    r"\.?\s*(?:[\[(^]\s*\d{1,3}\s*[\])]?|\*\d{1,3})?\s*[:：]\s*",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"^\s*\[[^\]]{1,40}\]\s*")
_SPACES: Final = re.compile(r"\s+")
_EDGES: Final = " \t-–—:.,;!?\"'«»„“”()[]"


def kind(subject: str) -> str:
    """`reply` or `forward` by the first prefix, or empty where there is none."""
    match = _PREFIX.match(subject[:300])
    if match is None:
        return ""
    return "forward" if match["forward"] else "reply"


def bare(subject: str) -> str:
    """The subject without reply and forward prefixes and without list tags, as written otherwise."""
    text = _SPACES.sub(" ", subject[:2000]).strip()
    for _ in range(30):
        match = _PREFIX.match(text)
        if match is None:
            match = _TAG.match(text)
            if match is None or match.end() == len(text):
                break
        text = text[match.end() :]
    return text.strip()


def normal(subject: str) -> str:
    """The subject's name for comparison: bare, folded, one blank between words, no marks around."""
    text = unicodedata.normalize("NFKC", bare(subject)).casefold()
    return _SPACES.sub(" ", text).strip(_EDGES)
