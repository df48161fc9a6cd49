"""Which letter of ours did not arrive, at whom, and why: delivery reports (RFC 3464) and free-text ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.bouncecauses import AFTER_DATA, GENERIC, NO_MAIL, classify
from core.bouncewords import BounceClass
from inbound import bouncesigns, bouncetext, deliverystatus, headers, mime, transfer
from inbound.deliverystatus import Record
from inbound.parsed import ParsedMail, PartInfo

__all__ = ["Bounce", "BounceClass", "classify", "read"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """One returned letter.

    `hard` is true only where the address itself does not exist: nothing else may suppress it at once.
    `status` is the enhanced code (RFC 3463) or else the SMTP reply code. `envelope_key` is what stands after
    the first plus in the address the report was sent to: it names the delivery where we signed it.
    `delayed` is true for a warning that delivery is still being tried. `reason` says what decided the class.
    """

    class_: BounceClass
    hard: bool
    recipients: tuple[str, ...]
    original_message_id: str
    status: str
    diagnostic: str
    envelope_key: str = ""
    reason: str = ""
    delayed: bool = False

    @property
    def recipient(self) -> str:
        """The first address that failed, empty where none is named."""
        return self.recipients[0] if self.recipients else ""


_ENHANCED: Final = re.compile(r"(?<![\d.])([245])[.-](\d{1,3})[.-](\d{1,3})(?![\d.]|\.\d)")
_REPLY: Final = re.compile(r"(?<![\d.@-])([45]\d\d)(?=[\s-]|$)")
_MESSAGE_ID: Final = re.compile(
    rb"^[> \t]{0,4}message-id[ \t]*:\s*<([^<>\s]{3,500})>", re.IGNORECASE | re.MULTILINE
)
_AT_DATA: Final = re.compile(r">>> ?(?:DATA|\.)\s*\n+\s*<<< ?5", re.IGNORECASE)
_NAME_ERROR: Final = re.compile(r"name service error|name server reply", re.IGNORECASE)
_DONE: Final = frozenset({"delivered", "relayed", "expanded"})


def read(mail: ParsedMail, raw: bytes | None = None) -> Bounce | None:
    """The bounce that a letter is, or None; also None for a report that everything was delivered.

    `raw` gives access to the parts of the report; without it only header fields and text are read.
    """
    why = bouncesigns.signs(mail)
    if not why:
        return None
    records = _records(mail, raw)
    failed = [record for record in records if record.action not in _DONE]
    if records and not failed:
        return None
    inner = _nested(mail, raw) if raw is not None and not records else None
    if inner is not None:
        return read(*inner)
    text = bouncetext.report_text(mail.text)
    recipients = _recipients(mail, failed, text)
    delayed = bool(failed) and all(record.action == "delayed" for record in failed)
    delayed = delayed or (not failed and bouncetext.is_delay(mail.subject, text))
    said = next((record for record in failed if record.diagnostic), failed[0] if failed else None)
    written = said.diagnostic if said and said.diagnostic else bouncetext.diagnostic(text)
    status = _status(said, written, text if not (said and said.status) else "")
    data = AFTER_DATA.search(text)
    class_, reason = classify(
        status, f"{written}\n{data[0]}" if data and written else written, text, mail.subject
    )
    if delayed and class_ is BounceClass.INVALID:
        class_, reason = BounceClass.TEMPORARY, "delivery is still being tried"
    return Bounce(
        class_,
        _is_hard(class_, status, delayed, written)
        and (status.startswith("5.1") or not _AT_DATA.search(text)),
        recipients,
        _original_id(mail, raw),
        status,
        written[:500],
        _envelope_key(mail),
        f"{why}; {reason}",
        delayed,
    )


def _is_hard(class_: BounceClass, status: str, delayed: bool, words: str) -> bool:
    """Only where nothing contradicts it.

    Not with a temporary code, nor with one of a filter or a living mailbox; nor with a bare `550`, which
    servers also say when it is the letter that they refuse (RFC 5321 §4.2.3).
    """
    if class_ is not BounceClass.INVALID or delayed or _NAME_ERROR.search(words):
        return False
    if status.startswith(("5.7", "5.2")):
        return NO_MAIL.search(words) is not None
    return not status or ("." in status and not status.startswith(("4", "5.3")))


def _records(mail: ParsedMail, raw: bytes | None) -> list[Record]:
    if raw is None:
        return []
    found: list[Record] = []
    for part in mail.parts:
        if part.content_type in {"message/delivery-status", "message/global-delivery-status"}:
            found += deliverystatus.read(raw, part)
    return found


def _nested(mail: ParsedMail, raw: bytes) -> tuple[ParsedMail, bytes] | None:
    """The report inside, where a gateway attached the real one to its own letter."""
    for part in mail.parts:
        if part.content_type == "message/rfc822" and part.path:
            data = transfer.decode(raw[part.start : part.end], part.encoding)
            if data.strip():
                inner = mime.parse(data)
                if any(one.content_type == "message/delivery-status" for one in inner.parts):
                    return inner, data
    return None


def _recipients(mail: ParsedMail, failed: list[Record], text: str) -> tuple[str, ...]:
    named = [record.recipient for record in failed if record.recipient and "..." not in record.recipient]
    if failed and not named and any(record.recipient for record in failed):
        return ()  # addresses blanked out by the reporting server name nobody
    if not any("@" in name for name in named):
        own = {address.address.lower() for address in (*mail.from_, *mail.to)}
        listed = [deliverystatus.address(one) for one in mail.headers.get("x-failed-recipients").split(",")]
        named = (
            [one for one in listed if "@" in one] or bouncetext.recipients(text, own, _domain(mail)) or named
        )
    return tuple(dict.fromkeys(named))[: deliverystatus.MAX_RECIPIENTS]


def _domain(mail: ParsedMail) -> str:
    return mail.from_[0].domain if mail.from_ else ""


def _status(said: Record | None, diagnostic: str, text: str) -> str:
    """The most telling code: enhanced in the server's own words, else the report's, else a reply code."""
    written = ""
    if said is not None:
        match = _ENHANCED.search(said.status)
        written = ".".join(match.groups()) if match else ""
    match = _ENHANCED.search(diagnostic)
    enhanced = ".".join(match.groups()) if match else ""
    if enhanced and (written in GENERIC or (enhanced not in GENERIC and enhanced[0] != "2")):
        return enhanced
    if written and written not in GENERIC:
        return written
    for place in (diagnostic, text[:3000]):
        match = _ENHANCED.search(place)
        if match and match[1] != "2" and ".".join(match.groups()) not in GENERIC:
            return ".".join(match.groups())
    reply = _REPLY.search(diagnostic)
    return written or (reply[1] if reply else "")


def _original_id(mail: ParsedMail, raw: bytes | None) -> str:
    """The Message-ID of the letter that came back: from its copy, else from the report's own fields."""
    if raw is not None:
        for part in mail.parts:
            if part.content_type in {
                "message/rfc822",
                "text/rfc822-headers",
                "message/global",
                "message/global-headers",
            }:
                found = _MESSAGE_ID.search(_head(raw, part))
                if found:
                    return headers.decode(found[1])
        root = mail.parts[0] if mail.parts else None
        found = _MESSAGE_ID.search(raw, root.start, min(root.end, root.start + 300_000)) if root else None
        if found:
            return headers.decode(found[1])
    found_text = _MESSAGE_ID.search(mail.text.encode("utf-8", "replace"))
    if found_text:
        return headers.decode(found_text[1])
    linked = mail.in_reply_to or mail.references
    return linked[-1] if linked else ""


def _head(raw: bytes, part: PartInfo) -> bytes:
    return transfer.decode(raw[part.start : min(part.end, part.start + 60_000)], part.encoding)


def _envelope_key(mail: ParsedMail) -> str:
    for name in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to"):
        for value in mail.headers.all(name):
            if "+" in value:
                return value.strip(" <>").partition("+")[2].rpartition("@")[0]
    for address in mail.to:
        if "+" in address.address:
            return address.address.partition("+")[2].rpartition("@")[0]
    return ""
