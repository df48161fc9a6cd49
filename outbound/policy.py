"""Whether a claimed delivery may go now: a pure verdict with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.campaigns import HOLDING, CampaignState
from core.consent import Scope
from core.outbox import Purpose


class Action(StrEnum):
    """What to do with a claimed delivery."""

    SEND = "send"
    SUPPRESS = "suppress"
    CANCEL = "cancel"
    EXPIRE = "expire"
    DEFER = "defer"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a delivery at the moment of its claim."""

    purpose: Purpose
    automatic: bool
    answers: bool
    """It answers a letter."""
    address: str
    waited: timedelta
    """Since it was queued."""
    expired: bool
    suppression: Scope | None = None
    """What the address's suppression stops, if there is one."""
    suppression_reason: str = ""
    consent_withdrawn: bool = False
    """The contact took back the consent to be written to by way of marketing."""
    letter_kept_back: bool = False
    """It is a copy of a letter whose own reader gets nothing."""
    ours: bool = False
    """The address is one of our own mailboxes."""
    campaign: CampaignState | None = None
    """State of the mailing it belongs to."""
    blocked: float = 0.0
    """Seconds for which the recipient's domain wants nothing of us."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, why, and for DEFER how many seconds to wait."""

    action: Action
    reason: str = ""
    wait: float = 0.0


SEND = Verdict(Action.SEND)

PAUSE = 20.0
"""Seconds after which a letter of a paused mailing asks again."""

ANSWER_IS_STALE = timedelta(days=2)
"""An automatic answer that comes later than this says nothing new to anybody."""

_MACHINE = re.compile(
    r"(?:mailer-?daemon|postmaster|no-?-?reply|do-?not-?reply|nereply|neatsakyti|bounces?|"
    r"(?:auto|robot)-?(?:reply|mailer|responder))(?:[+\-_.=].*)?",
)


def is_machine(address: str) -> bool:
    """Whether the local part of an address says that nobody reads it."""
    return _MACHINE.fullmatch(address.rpartition("@")[0].lower().replace("_", "-")) is not None


def verdict(facts: Facts) -> Verdict:
    """Decide; the first rule that applies wins, and what can never go is not made to wait."""
    if facts.suppression is Scope.EVERYTHING:
        return Verdict(Action.SUPPRESS, f"nothing may be sent to the address: {facts.suppression_reason}")
    if facts.purpose is Purpose.MARKETING:
        if facts.suppression is not None:
            return Verdict(Action.SUPPRESS, f"opted out of marketing: {facts.suppression_reason}")
        if facts.consent_withdrawn:
            return Verdict(Action.SUPPRESS, "the consent was withdrawn")
    if facts.letter_kept_back:
        return Verdict(Action.CANCEL, "the letter it copies was not sent")
    if facts.campaign is CampaignState.CANCELLED:
        return Verdict(Action.CANCEL, "the mailing was cancelled")
    if facts.ours and facts.purpose is not Purpose.STAFF:
        return Verdict(Action.CANCEL, "the address is our own")
    if facts.automatic and facts.purpose is not Purpose.STAFF and is_machine(facts.address):
        return Verdict(Action.CANCEL, "an automatic letter to a machine (RFC 3834 section 2)")
    if facts.expired:
        return Verdict(Action.EXPIRE, "not sent within its time")
    if facts.automatic and facts.answers and facts.waited > ANSWER_IS_STALE:
        return Verdict(Action.CANCEL, "too late for an automatic answer")
    if facts.campaign in HOLDING:
        return Verdict(Action.DEFER, "the mailing is paused", PAUSE)
    if facts.blocked > 0:
        return Verdict(Action.DEFER, "the recipient's domain wants less of us for now", facts.blocked)
    return SEND
