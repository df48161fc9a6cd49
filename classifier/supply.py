"""Texts from files: one letter to look at, or a company's own examples to train on."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator, Sequence
from email.header import decode_header, make_header
from email.message import Message as Mail
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from classifier.dataset import read_rows
from classifier.folders import FILE_LIMIT, contents_of
from classifier.ownlabels import keys_of
from classifier.text import Text
from core.errors import InputRefused
from core.intents import Intent
from core.labels import LabelExample

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
    """Store the labelled rows of a file as the company's examples; gives how many were not there before.

    Texts from outside teach the label for everything else.

    Raises:
        InputRefused: the file cannot be read, or a row has no label or several.
    """
    found: list[tuple[str, Text, str]] = []
    for number, row in enumerate(read_rows(path), start=1):
        if not row.outside and len(row.labels) != 1:
            told = "several labels" if row.labels else "no label"
            raise InputRefused(f"{path}: row {number} has {told}.", cure="Give the columns text and label.")
        found.append((row.label or Intent.OTHER.value, Text("", row.text), path.name))
    return _store(session, found)


def add_folders(session: Session, folder: Path, reader: ReadLetter | None = None) -> int:
    """Store the letters of a folder of folders (`folders.contents_of`) as examples; each folder's name is the
    label. What is neither mail nor text is left out. Gives how many were not there before."""
    return _store(session, list(_letters(folder, reader)))


def _store(session: Session, found: Sequence[tuple[str, Text, str]]) -> int:
    keys = keys_of(session, (label for label, _, _ in found))
    query = select(LabelExample.intent, LabelExample.subject, LabelExample.text)
    held = {(row.intent, row.subject, row.text) for row in session.execute(query)}
    fresh: dict[tuple[str, str, str], str] = {}
    for label, text, source in found:
        example = keys[label], text.subject[:300].strip(), text.body[:STORED_LIMIT].strip()
        if any(example[1:]) and example not in held:
            fresh.setdefault(example, source)
    values = [
        {"intent": intent, "subject": subject, "text": body, "source": source}
        for (intent, subject, body), source in fresh.items()
    ]
    if values:
        session.execute(insert(LabelExample), values)
    return len(values)


def _letters(folder: Path, reader: ReadLetter | None) -> Iterator[tuple[str, Text, str]]:
    for label, name, content in contents_of(folder):
        if is_mail(content, name) or _is_text(content):
            yield label, text_of(content, name, reader), f"{folder.name}/{label}"


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


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
