"""Is a machine speaking? Auto-replies, lists, newsletters, receipts, bounces, complaints and our own mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from inbound.parsed import ParsedMail


class Kind(StrEnum):
    """What kind of machine wrote a letter; `none` is a person."""

    NONE = "none"
    AUTO_REPLY = "auto_reply"
    OUT_OF_OFFICE = "out_of_office"
    LIST = "list"
    NEWSLETTER = "newsletter"
    RECEIPT = "receipt"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Machine:
    """The verdict with its reason, and the date somebody will be back where it is written."""

    kind: Kind
    reason: str = ""
    return_date: date | None = None

    @property
    def is_machine(self) -> bool:
        """True for anything but a person; no automatic answer may go to it (RFC 3834 §2)."""
        return self.kind is not Kind.NONE


def screen(mail: ParsedMail, own_addresses: frozenset[str] = frozenset()) -> Machine:
    """Judge one letter. `own_addresses` are the company's own, lower case."""
    sender = mail.from_[0].address.lower() if mail.from_ else ""
    if sender in own_addresses:
        return Machine(Kind.OWN, f"From is our own address {sender}")
    if mail.headers.get("auto-submitted", "no").lower() not in {"", "no"}:
        return Machine(Kind.AUTO_REPLY, "Auto-Submitted says so")
    if "list-id" in mail.headers:
        return Machine(Kind.LIST, "List-Id says so")
    return Machine(Kind.NONE)
