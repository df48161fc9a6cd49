"""Everything that can be understood of one letter from its bytes alone, in one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from inbound import (
    authenticity,
    automail,
    bounces,
    calendars,
    forwards,
    meetinganswers,
    mime,
    quoting,
    signature,
    subjects,
)
from inbound.automail import Kind, Machine
from inbound.bounces import Bounce
from inbound.calendars import Invitation
from inbound.forwards import Forward
from inbound.meetinganswers import Answer
from inbound.parsed import ParsedMail
from inbound.quoting import Split
from inbound.signature import Person

_ATTACHED_LETTER: Final = 300_000
"""Bytes of an attached letter read for its header fields."""


@dataclass(frozen=True, slots=True)
class Understood:
    """One letter read and judged; `language` is ru, lt, en or None, of the new part."""

    mail: ParsedMail
    split: Split
    machine: Machine
    bounce: Bounce | None
    forward: Forward | None
    language: str | None
    language_confidence: float
    language_reason: str
    invitation: Invitation | None = None
    answer: Answer | None = None
    """What it answers to an invitation of ours."""

    def person(self) -> Person:
        """What the signature says of the sender; read when asked for, because it takes longest."""
        sender = self.mail.from_[0] if self.mail.from_ else None
        return signature.read(self.split.signature, sender, self.split.reply)

    def warnings(self) -> tuple[authenticity.Finding, ...]:
        """The tricks that its sender fields play, as far as the letter alone shows."""
        return authenticity.findings(self.mail)


def understand(raw: bytes, own_addresses: frozenset[str] = frozenset()) -> Understood:
    """Read and judge one letter. Raises UnreadableMail where there is nothing to read."""
    mail = mime.parse(raw)
    split = quoting.split(mail.text, mail.html)
    machine = automail.screen(mail, own_addresses)
    bounce = None
    if machine.kind is Kind.BOUNCE:
        bounce = bounces.read(mail, raw)
        if bounce is None:
            machine = Machine(Kind.RECEIPT, "a report that everything was delivered")
    forward = None
    if machine.kind not in {Kind.BOUNCE, Kind.RECEIPT, Kind.COMPLAINT}:
        forward = _forward(mail, split, raw)
    if forward is not None and not split.forward and split.quoted:
        split = replace(split, forward=split.quoted, quoted="")
    language, confidence, reason = _language(mail, split, forward)
    invitation, answer = _calendar(mail, raw)
    return Understood(mail, split, machine, bounce, forward, language, confidence, reason, invitation, answer)


def _forward(mail: ParsedMail, split: Split, raw: bytes) -> Forward | None:
    if split.forward or split.quoted:
        found = forwards.read(mail, mail.text)
        if found is not None:
            return found
    marked = subjects.kind(mail.subject) == "forward"
    if not marked and len(split.reply) > 400:
        return None
    for part in mail.parts:
        if part.path and (part.content_type == "message/rfc822" or part.file_name.lower().endswith(".eml")):
            data = mime.attachment_bytes(raw, part.path)[:_ATTACHED_LETTER]
            if data.strip(b" \t\r\n\0"):
                return forwards.of_attached(mime.parse(data))
    return None


def _language(mail: ParsedMail, split: Split, forward: Forward | None) -> tuple[str | None, float, str]:
    from classifier.language import detect

    found = None
    for text in (split.reply, forward.text if forward else "", mail.text, mail.subject):
        if text.strip():
            found = detect(text)
            if found.language is not None:
                break
    return (found.language, found.confidence, found.reason) if found else (None, 0.0, "there is no text")


def _calendar(mail: ParsedMail, raw: bytes) -> tuple[Invitation | None, Answer | None]:
    for part in mail.parts:
        if part.content_type == "text/calendar" or part.file_name.lower().endswith(".ics"):
            data = mime.attachment_bytes(raw, part.path or "1")
            return calendars.read(data), meetinganswers.read(data)
    return None, None
