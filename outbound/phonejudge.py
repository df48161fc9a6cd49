"""What Twilio's answer to a request means for the delivery it was made for: a pure decision."""

from __future__ import annotations

from typing import Final

from core.phonecodes import Blame, blame, in_words
from outbound.channels.base import Outcome, Result, Scope

ADMINISTRATOR: Final = Scope.RELAY
"""Scope of what an administrator has to look at."""


def judge(status: int, code: int | None, said: str = "") -> Outcome:
    """What an answer with an error means. Never called for one that took the request (2xx).

    Only what was certainly not processed may be tried again: that is 429, by Twilio's word. An error of the
    server (5xx), and whatever else makes no sense, may have come after the request was carried out.
    """
    reply = f"{status} {in_words(code)} {said}".replace("\n", " ").strip()[:500]
    whose = blame(code)
    if status == 429 or (whose is Blame.BUSY and 400 <= status < 500):
        return Outcome(Result.DEFERRED, reply, Scope.DESTINATION)
    if not 400 <= status < 500 or status == 408:
        return Outcome(Result.UNCERTAIN, reply)
    if whose is Blame.LOGIN or (whose is None and status in {401, 403}):
        return Outcome(Result.UNTRIED, reply, ADMINISTRATOR)
    if whose is Blame.OPTED_OUT:
        return Outcome(Result.REFUSED, reply, Scope.RECIPIENT, hard=True, opted_out=True)
    if whose is Blame.NUMBER:
        return Outcome(Result.REFUSED, reply, Scope.RECIPIENT, hard=True)
    if whose is Blame.ACCOUNT:
        return Outcome(Result.REFUSED, reply, ADMINISTRATOR)
    return Outcome(Result.REFUSED, reply)
