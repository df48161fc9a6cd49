"""The sample letters, and what each of them must be understood as."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "letters"
EXPECTATIONS = FOLDER / "expectations.toml"

TREATMENTS = frozenset({"acknowledged", "filed", "machine", "quarantined"})

_DATE = re.compile(rb"^Date: (.+)\r$", re.MULTILINE)
_STAMP = re.compile(rb"^(Date: |Received: .*; )(.+)\r$", re.MULTILINE)
_FILLER = b"=PADDING="


@dataclass(frozen=True, slots=True)
class Letter:
    """A sample letter and what must become of it; see the head of `expectations.toml`."""

    file: str
    mailboxes: tuple[str, ...]
    treatment: str
    language: str | None = None
    intent: str | None = None
    nasty: str = ""
    grow: int = 0

    @property
    def path(self) -> Path:
        """Where its bytes stand."""
        return FOLDER / self.file


@cache
def letters() -> tuple[Letter, ...]:
    """Every sample letter, in the order in which they are filed."""
    content = tomllib.loads(EXPECTATIONS.read_text(encoding="utf-8"))
    return tuple(
        Letter(
            file=one["file"],
            mailboxes=tuple(one["mailbox"]),
            treatment=one["treatment"],
            language=one.get("language"),
            intent=one.get("intent"),
            nasty=one.get("nasty", ""),
            grow=one.get("grow", 0),
        )
        for one in content["letter"]
    )


def bytes_of(chosen: Iterable[Letter], now: datetime | None = None) -> dict[str, bytes]:
    """The bytes of letters by file, as if all had come within the last day and the newest ten minutes ago."""
    stored = {letter.file: _grown(letter, letter.path.read_bytes()) for letter in chosen}
    dates = [moment for data in stored.values() if (moment := _date(data)) is not None]
    if not dates:
        return stored
    newest, arrived = max(dates), (now or datetime.now(UTC)) - timedelta(minutes=10)
    pace = min(1.0, timedelta(hours=20) / max(newest - min(dates), timedelta(hours=1)))
    return {
        file: _redated(data, lambda moment: arrived - (newest - moment) * pace)
        for file, data in stored.items()
    }


def _grown(letter: Letter, data: bytes) -> bytes:
    """A large attachment is not kept in the project: it is a JPEG's first bytes and noise, made here."""
    if not letter.grow:
        return data
    noise = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + hashlib.shake_128(b"picture").digest(letter.grow - 11)
    return data.replace(_FILLER, base64.encodebytes(noise).replace(b"\n", b"\r\n"), 1)


def _date(data: bytes) -> datetime | None:
    found = _DATE.search(data)
    return parsedate_to_datetime(found[1].decode("ascii")) if found else None


def _redated(data: bytes, moved: Callable[[datetime], datetime]) -> bytes:
    """The letter with the dates of its Date and Received fields put elsewhere; zones stay as they were."""

    def replaced(found: re.Match[bytes]) -> bytes:
        moment = parsedate_to_datetime(found[2].decode("ascii"))
        return found[1] + format_datetime(moved(moment).astimezone(moment.tzinfo)).encode() + b"\r"

    return _STAMP.sub(replaced, data, count=2)
