"""The public mail with expected results, one loader a set; a set whose folder is absent is empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "mail"
OWN = Path(__file__).resolve().parents[1] / "tests" / "mail"


@dataclass(frozen=True)
class MimeCase:
    """A raw letter and what should be read from it; a field that is None has no expectation."""

    name: str
    raw: bytes
    subject: str | None
    sender: str | None
    text: str | None
    attachments: int | None


@dataclass(frozen=True)
class ReplyCase:
    """A body, its HTML if any, and the reply that should be found in it."""

    name: str
    text: str
    html: str | None
    reply: str


def folded(text: str | None) -> str:
    """Text without regard to blanks, for comparison."""
    return " ".join((text or "").split())


def stalwart() -> Iterator[MimeCase]:
    """stalwart's nasty letters with its own full parse."""
    for path in sorted((DATA / "stalwart").rglob("*.eml")):
        truth = path.with_suffix(".json")
        if truth.exists():
            yield _stalwart(path, json.loads(truth.read_text("utf-8")))


def _stalwart(path: Path, told: dict[str, Any]) -> MimeCase:
    parts = told["parts"]
    values = {
        header["name"]: header["value"] for header in parts[0]["headers"] if isinstance(header["name"], str)
    }
    texts = [parts[number]["body"].get("Text") for number in told["text_body"]]
    text = "\n".join(texts) if texts and all(isinstance(one, str) for one in texts) else None
    subject = values.get("subject")
    written = subject.get("Text") if isinstance(subject, dict) else None
    return MimeCase(
        path.stem,
        path.read_bytes(),
        written if written is None or "�" not in written else None,
        _first_address(values.get("from")),
        text if text is None or "�" not in text else None,
        len(told["attachments"]),
    )


def _first_address(value: Any) -> str | None:
    if isinstance(value, dict):
        if isinstance(value.get("address"), str):
            return value["address"]
        for inner in value.values():
            found = _first_address(inner)
            if found:
                return found
    if isinstance(value, list):
        for inner in value:
            found = _first_address(inner)
            if found:
                return found
    return None


UNSOUND = {
    "attachment_2_base64": "text",
    "attachment_7bit": "text",
    "attachment_8bit": "text",
    "attachment_message_rfc822": "text attachments",
    "forwarded_message": "text",
    "raw_email_with_mimepart_without_content_type": "text attachments",
    "multi_address_bounce1": "text attachments",
    "multi_address_bounce2": "text attachments",
    "multipart_report_multiple_status": "text",
    "report_422": "attachments",
    "report_530": "attachments",
    "content_transfer_encoding_plain": "text",
    "content_transfer_encoding_7-bit": "text",
    "raw_email6": "text",
    "invalid_subject_characters": "subject",
    "mix_caps_content_type": "sender",
    "raw_email_incorrect_header": "subject sender text",
    "example13": "subject sender text",
    "missing_content_disposition": "attachments",
    "text_with_content_id": "attachments",
    "example14": "subject",
}
"""Expectations of imap_tools' set that are its own faults, by looking at each letter.

An attached letter's text (or its base64) taken for the letter's own and its parts for files, 8-bit letters
dropped or garbled, a header lost at an odd field, an address with its name. In `example14` the blank between
a plain and an encoded word is lost, which only blanks between two encoded words are (RFC 2047 section 6.2).
The tables show what everybody reaches without them and with them.
"""


UNSOUND_BOUNCES = {"yale_01.txt"}
"""flufl.bounce's expectations that do not follow from the report: two addresses that stand nowhere in it,
guessed for one university. It names a person without a domain."""


def imap_tools_set(*, sound: bool = True) -> Iterator[MimeCase]:
    """imap_tools' letters; the expectations are what imap_tools itself reads, without the `UNSOUND` ones."""
    folder = DATA / "imap_tools"
    if not folder.exists():
        return
    known = json.loads((folder / "expected.json").read_text("utf-8"))
    for path in sorted(folder.rglob("*.eml")):
        told = known.get(path.name) or known.get(str(path.relative_to(folder)))
        if told is not None:
            unsound = UNSOUND.get(path.stem, "").split() if sound else []
            yield MimeCase(
                path.stem,
                path.read_bytes(),
                None if "subject" in unsound else told["subject"],
                None if "sender" in unsound else told["from_"],
                None if "text" in unsound else told["text"] or None,
                None if "attachments" in unsound else len(told["attachments"]),
            )


def crisp_replies() -> Iterator[ReplyCase]:
    """crisp's answers, which share one expected first piece."""
    folder = DATA / "reply-crisp"
    if folder.exists():
        reply = json.loads((folder / "expected.json").read_text("utf-8"))["expected"]
        for path in sorted(folder.rglob("*.txt")):
            yield ReplyCase(path.stem, path.read_text("utf-8"), None, reply)


def talon_replies() -> Iterator[ReplyCase]:
    """talon's HTML answers, which share one expected reply."""
    for path in sorted((DATA / "talon").rglob("*.html")):
        yield ReplyCase(path.stem, "", path.read_text("utf-8", "replace"), "Hi. I am fine. Thanks, Alex")


def own_replies(language: str) -> Iterator[ReplyCase]:
    """Our own cases in one language, written before the code that reads them."""
    from tests.mail.cases import read_cases

    for case in read_cases(OWN / "replies" / language):
        yield ReplyCase(case.title, case.text, case.html, case.expected["reply"])


def forwards() -> Iterator[tuple[str, str]]:
    """crisp's forwarded bodies that name the shared first sender; those that only quote him are left out."""
    for path in sorted((DATA / "forward-crisp").rglob("*.txt")):
        text = path.read_text("utf-8")
        if "john.doe@acme.com" in text and "variant_4" not in path.name:
            yield path.stem, text


def sisimai() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """sisimai's bounces with the reason of the first address."""
    folder = DATA / "sisimai"
    if folder.exists():
        known = json.loads((folder / "expected.json").read_text("utf-8"))
        for path in sorted(folder.rglob("*.eml")):
            if known.get(path.name):
                yield path.name, path.read_bytes(), known[path.name][0]


def flufl() -> Iterator[tuple[str, bytes, set[str]]]:
    """flufl.bounce's own bounces with the addresses that failed."""
    folder = DATA / "flufl-bounce"
    if folder.exists():
        known = json.loads((folder / "expected.json").read_text("utf-8"))
        for name, told in known.items():
            path = folder / "data" / name
            if path.exists():
                yield name, path.read_bytes(), {one.lower() for one in told["permanent"] + told["temporary"]}


def ham() -> list[bytes]:
    """The SpamAssassin ham."""
    return [
        path.read_bytes()
        for path in sorted((DATA / "spamassassin-public").rglob("*.txt"))
        if "ham" in str(path)
    ]


def every_file() -> list[Path]:
    """Every file of the data, whatever it is."""
    return sorted(path for path in DATA.rglob("*") if path.is_file()) if DATA.exists() else []
