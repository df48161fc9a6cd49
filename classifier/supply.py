"""Texts from files: one letter to look at, or a company's own examples to train on."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from email.message import Message as Mail
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from classifier.dataset import read_rows
from classifier.text import Text
from core.errors import InputRefused
from core.labels import LabelExample

FILE_LIMIT = 50_000_000
STORED_LIMIT = 4_000
"""Characters of an example that are kept; the classifier reads less."""

ReadLetter = Callable[[bytes], Text]


def text_of(content: bytes, name: str, reader: ReadLetter | None = None) -> Text:
    """What stands in a file: a mail when its name or its beginning says so, else plain text.

    `reader` reads mail as the intake does; without it the first plain part is taken.
    """
    if len(content) > FILE_LIMIT:
        raise InputRefused(f"{name} is larger than {FILE_LIMIT // 1_000_000} MB.")
    if is_mail(content, name):
        return (reader or simple_letter)(content)
    return Text("", content.decode("utf-8", "replace"))


def is_mail(content: bytes, name: str) -> bool:
    """True for `.eml` and for what begins as a mail begins."""
    head = content[:4_000].lower()
    return name.lower().endswith(".eml") or (
        b"\nfrom:" in b"\n" + head and (b"\nsubject:" in head or b"\ndate:" in head or b"\nreceived:" in head)
    )


def simple_letter(content: bytes) -> Text:
    """Subject and first plain part of a mail; never raises on bad mail."""
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    subject = str(make_header(_decoded(mail.get("Subject", ""))))
    return Text(subject, _plain_part(mail))


def add_rows(session: Session, path: Path) -> int:
    """Store the labelled rows of a file as the company's examples; gives how many.

    Raises:
        InputRefused: the file cannot be read, or a row has no label.
    """
    rows = read_rows(path)
    without = next((number for number, row in enumerate(rows, start=1) if not row.labels), None)
    if without is not None:
        raise InputRefused(f"{path}: row {without} has no label.", cure="Give the columns text and label.")
    values = [
        {"intent": row.label, "text": row.text[:STORED_LIMIT], "subject": "", "source": path.name}
        for row in rows
    ]
    if values:
        session.execute(insert(LabelExample), values)
    return len(values)


def add_folders(session: Session, folder: Path, reader: ReadLetter | None = None) -> int:
    """Store the letters of a folder of folders as examples; each folder's name is the label."""
    values = [
        {
            "intent": label,
            "subject": text.subject[:300],
            "text": text.body[:STORED_LIMIT],
            "source": f"{folder.name}/{label}",
        }
        for label, text in _letters(folder, reader)
    ]
    if values:
        session.execute(insert(LabelExample), values)
    return len(values)


def _letters(folder: Path, reader: ReadLetter | None) -> Iterator[tuple[str, Text]]:
    for labelled in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(labelled.rglob("*")):
            if path.is_file() and path.stat().st_size <= FILE_LIMIT:
                yield labelled.name, (reader or simple_letter)(path.read_bytes())


def _decoded(value: object) -> list[tuple[bytes, str | None]]:
    from email.errors import HeaderParseError

    try:
        parts = decode_header(str(value))
        for part, charset in parts:
            if isinstance(part, bytes) and charset is not None:
                part.decode(charset)
    except (HeaderParseError, LookupError, UnicodeDecodeError):
        return [(str(value).encode("utf-8", "replace"), "utf-8")]
    return [(part.encode() if isinstance(part, str) else part, charset) for part, charset in parts]


def _plain_part(mail: Mail) -> str:
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and not part.get_filename():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _as_text(payload, part.get_content_charset())
    return ""


def _as_text(payload: bytes, charset: str | None) -> str:
    try:
        return payload.decode(charset or "utf-8", "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
