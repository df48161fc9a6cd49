"""Which letter of ours did not arrive, at whom, and why: delivery reports (RFC 3464) and the free-text ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inbound.parsed import ParsedMail


class BounceClass(StrEnum):
    """Why a letter came back."""

    INVALID = "invalid"
    FULL = "full"
    BLOCKED = "blocked"
    POLICY = "policy"
    SIZE = "size"
    TEMPORARY = "temporary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bounce:
    """One returned letter. `hard` is true only where the address itself does not exist.

    `status` is the enhanced code (RFC 3463) or an SMTP reply code; `envelope_key` is what stands after the
    plus in the address the report was sent to, which names the delivery where we signed it.
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


def read(mail: ParsedMail, raw: bytes | None = None) -> Bounce | None:
    """The bounce a letter is, or None. `raw` gives access to the report parts."""
    if mail.return_path != "" or not mail.from_:
        return None
    if not mail.from_[0].address.lower().startswith(("mailer-daemon", "postmaster")):
        return None
    return Bounce(BounceClass.OTHER, False, (), "", "", "")
