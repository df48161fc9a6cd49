"""Everything that can be understood of one letter from its bytes alone, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from inbound import automail, bounces, forwards, mime, quoting
from inbound.automail import Machine
from inbound.bounces import Bounce
from inbound.forwards import Forward
from inbound.parsed import ParsedMail
from inbound.quoting import Split


@dataclass(frozen=True, slots=True)
class Understood:
    """One letter read and judged; `language` is ru, lt, en or None."""

    mail: ParsedMail
    split: Split
    machine: Machine
    bounce: Bounce | None
    forward: Forward | None
    language: str | None
    language_confidence: float
    language_reason: str


def understand(raw: bytes, own_addresses: frozenset[str] = frozenset()) -> Understood:
    """Read and judge one letter. Raises UnreadableMail where there is nothing to read."""
    mail = mime.parse(raw)
    split = quoting.split(mail.text, mail.html)
    machine = automail.screen(mail, own_addresses)
    bounce = bounces.read(mail, raw)
    if bounce is not None:
        machine = Machine(automail.Kind.BOUNCE, "a delivery report")
    forward = forwards.read(mail, mail.text)
    language, confidence, reason = _language(split.reply or mail.text or mail.subject)
    return Understood(mail, split, machine, bounce, forward, language, confidence, reason)


def _language(text: str) -> tuple[str | None, float, str]:
    from classifier.language import detect

    found = detect(text)
    return found.language, found.confidence, found.reason
