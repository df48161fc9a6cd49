"""What a subject is about, without reply marks and tags: tells an answer from a new topic."""

from __future__ import annotations

import re
from typing import Final

_REPLY: Final = r"re|aw|antw|sv|vs|odp|rv|res|ref|ats|atsakymas|atb|ha|ответ|отв|на"
_FORWARD: Final = (
    r"fw|fwd|wg|tr|vb|vl|pd|enc|persi[ųu]sta|persi[ųu]sti|pers|peradresuota|пересл|переслано|fyi"
)
_MARK: Final = re.compile(rf"\s*(?:(?:{_REPLY}|{_FORWARD})\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)", re.IGNORECASE)
_REPLY_MARK: Final = re.compile(
    rf"\s*(?:\[[^\]]{{1,40}}\]\s*)*(?:{_REPLY})\s*(?:\[\d+\]|\(\d+\))?\s*[:：]", re.IGNORECASE
)
_TAG: Final = re.compile(
    r"\s*[\[\(*#]\s*(?:ext|external|išorinis|внешнее|spam\??|\*+spam\*+)[^\])]*[\])*#]\s*", re.IGNORECASE
)
_SPACES: Final = re.compile(r"\s+")

LONGEST: Final = 300


def topic_of(subject: str) -> str:
    """The subject folded for comparing: no reply or forward marks, no tags of mail filters, lower case."""
    rest = subject[: 2 * LONGEST]
    while True:
        shorter = _TAG.sub(" ", _MARK.sub("", rest, count=1) if _MARK.match(rest) else rest, count=1)
        if shorter == rest:
            break
        rest = shorter
    return _SPACES.sub(" ", rest).strip(" .!-–—").casefold()[:LONGEST]


def marked_as_reply(subject: str) -> bool:
    """Whether the subject begins with a reply mark in any of the usual languages."""
    return _REPLY_MARK.match(subject) is not None
