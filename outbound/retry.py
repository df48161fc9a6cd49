"""What a server's answer means, and how long to wait before trying again: pure decisions."""

from __future__ import annotations

import random
from enum import StrEnum

from outbound.channels.base import Outcome, Reply, Result, Scope


class Step(StrEnum):
    """The step of a transaction that a reply answers."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "."


NO_SUCH_ADDRESS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""Enhanced codes that say the recipient's address is no good (RFC 3463 section 3.2, RFC 7505 section 4).

5.1.7 and 5.1.8 speak of our own address, 5.1.5 of success and 5.1.4 of a doubt, so none of them condemns
anybody."""

NOT_SIGNED_IN = frozenset({530, 535, 538})
"""The relay wants a login or a protected line first (RFC 4954 section 6, RFC 3207 section 4)."""

BUSY_CODES = frozenset({421, 451, 454})
RECIPIENT_CLASSES = ("4.1.", "4.2.")
"""The recipient's address or mailbox (RFC 3463 sections 3.2 and 3.3), say a full mailbox."""


def judge(step: Step, reply: Reply) -> Outcome:
    """What a reply means for the recipient it concerns.

    A permanent refusal ends this delivery; it closes the address only where the enhanced code says that the
    address does not exist. A reply that makes no sense at its step defers before the final dot and is
    uncertain after it.
    """
    said = f"{step}: {reply}"
    kind = reply.code // 100
    if step is Step.DOT and kind == 2:
        return Outcome(Result.SENT, str(reply))
    if kind == 4:
        return Outcome(Result.DEFERRED, said, _temporary_scope(step, reply))
    if kind == 5:
        if reply.code in NOT_SIGNED_IN and step is Step.MAIL:
            return Outcome(Result.DEFERRED, said, Scope.RELAY)
        about_recipient = step in (Step.RCPT, Step.DOT)
        hard = about_recipient and reply.enhanced in NO_SUCH_ADDRESS
        return Outcome(
            Result.REFUSED, said, Scope.RECIPIENT if hard or step is Step.RCPT else Scope.LETTER, hard
        )
    if step is Step.DOT:
        return Outcome(Result.UNCERTAIN, said, Scope.LETTER)
    return Outcome(Result.DEFERRED, said, Scope.RELAY)


def _temporary_scope(step: Step, reply: Reply) -> Scope:
    enhanced = reply.enhanced
    if enhanced.startswith(RECIPIENT_CLASSES):
        return Scope.RECIPIENT
    if reply.code in BUSY_CODES or enhanced.startswith(("4.3.", "4.4.", "4.7.")):
        return Scope.DESTINATION
    return Scope.RECIPIENT if step is Step.RCPT else Scope.LETTER


def wait(attempts: int, first: float, longest: float, spread: float | None = None) -> float:
    """Seconds until the next attempt: ``first`` after the first, doubled each time, at most ``longest``.

    Up to a fifth is added at random (``spread``, 0 to 1), so that what failed together does not come back
    together.
    """
    doubled = min(first * 2.0 ** min(max(attempts - 1, 0), 30), longest)
    chance = random.random() if spread is None else spread  # noqa: S311 - spreading load, no secret
    return doubled * (1 + 0.2 * chance)
