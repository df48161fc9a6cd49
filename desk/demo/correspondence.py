"""The sample letters, what each must be understood as, and the letters that can only be made as the scene goes on."""

from __future__ import annotations

import base64
import random
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "letters"
EXPECTATIONS = FOLDER / "expectations.toml"

TREATMENTS = frozenset({"acknowledged", "filed", "machine", "quarantined"})

_DATE = re.compile(rb"^Date: (.+)\r$", re.MULTILINE)
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
    """The bytes of letters by file, moved in time together so that the newest was written ten minutes ago."""
    stored = {letter.file: _grown(letter, letter.path.read_bytes()) for letter in chosen}
    dates = [moment for data in stored.values() if (moment := _date(data)) is not None]
    if not dates:
        return stored
    shift = (now or datetime.now(UTC)) - timedelta(minutes=10) - max(dates)
    return {file: _moved(data, shift) for file, data in stored.items()}


def _grown(letter: Letter, data: bytes) -> bytes:
    """A large attachment is not kept in the project: it is a JPEG's first bytes and noise, made here."""
    if not letter.grow:
        return data
    noise = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + random.Random(7).randbytes(letter.grow - 11)  # noqa: S311
    return data.replace(_FILLER, base64.encodebytes(noise).replace(b"\n", b"\r\n"), 1)


def _date(data: bytes) -> datetime | None:
    found = _DATE.search(data)
    return parsedate_to_datetime(found[1].decode("ascii")) if found else None


def _moved(data: bytes, shift: timedelta) -> bytes:
    moment = _date(data)
    if moment is None:
        return data
    return _DATE.sub(b"Date: " + format_datetime(moment + shift).encode() + b"\r", data, count=1)


def reply_to(sent: bytes, *, sender: str, name: str, mailbox: str, words: str) -> bytes:
    """A client's answer to a letter of ours, as a mail program writes it: same thread, our text quoted."""
    from email import message_from_bytes, policy

    ours = message_from_bytes(sent, policy=policy.compat32)
    rfc_id = ours["Message-ID"].strip()
    return "\r\n".join(
        (
            f"Date: {format_datetime(datetime.now(UTC))}",
            f"From: {name} <{sender}>",
            f"To: {mailbox}",
            f"Subject: Re: {' '.join((ours['Subject'] or '').split())}",
            f"Message-ID: <reply.{random.randbytes(8).hex()}@{sender.partition('@')[2]}>",  # noqa: S311
            f"In-Reply-To: {rfc_id}",
            f"References: {rfc_id}",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
            "",
            words,
            "",
            f"On Mon, 16 Nov 2026 at 15:20, {mailbox} wrote:",
            "",
            "> Please find our offer attached.",
            "",
        )
    ).encode()


def bounce_of(sent: bytes, *, returns_to: str, recipient: str) -> bytes:
    """The report that a letter of ours could not be delivered (RFC 3464), as a server abroad sends it."""
    head = sent.partition(b"\r\n\r\n")[0]
    boundary = "=_report_7f3a"
    before = "\r\n".join(
        (
            "Return-Path: <>",
            f"Date: {format_datetime(datetime.now(UTC))}",
            "From: MAILER-DAEMON@mx.abroad.example (Mail Delivery System)",
            f"To: {returns_to}",
            "Subject: Undelivered Mail Returned to Sender",
            f"Message-ID: <bounce.{random.randbytes(8).hex()}@mx.abroad.example>",  # noqa: S311
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "This is the mail system at host mx.abroad.example.",
            "",
            "Your message could not be delivered to one recipient.",
            "",
            f"<{recipient}>: host mx.abroad.example said: 550 5.1.1 User unknown",
            "",
            f"--{boundary}",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.abroad.example",
            "",
            f"Final-Recipient: rfc822; {recipient}",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 User unknown",
            "",
            f"--{boundary}",
            "Content-Type: text/rfc822-headers",
            "",
            "",
        )
    )
    return before.encode() + head + f"\r\n\r\n--{boundary}--\r\n".encode()
