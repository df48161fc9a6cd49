"""A letter inside a letter: who wrote it first, when, to whom and about what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inbound.parsed import Address, ParsedMail


@dataclass(frozen=True, slots=True)
class Forward:
    """The first sender's letter as the forwarding program wrote it down."""

    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    date: datetime | None
    date_text: str
    subject: str
    text: str
    reason: str


def read(mail: ParsedMail, text: str) -> Forward | None:
    """The forwarded letter inside `text`, or None."""
    return None
