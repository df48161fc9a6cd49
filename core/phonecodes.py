"""What Twilio's error codes mean for us: whom or what each of them speaks of.

Codes of requests that were refused and of messages that did not arrive, as Twilio's error dictionary gives
them. A code that is not in the table is judged by the status it came with.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Blame(StrEnum):
    """What a code speaks of, and so what follows from it."""

    OPTED_OUT = "opted_out"
    """The callee told the exchange that they want nothing of us: on the suppression list, never again."""
    NUMBER = "number"
    """There is no such number, or it takes no SMS: on the suppression list."""
    MESSAGE = "message"
    """This message only: too long, filtered, or the phone is off."""
    ACCOUNT = "account"
    """Our account may not do this: an administrator has to look."""
    LOGIN = "login"
    """Our credentials are refused; nothing else can be blamed for it."""
    BUSY = "busy"
    """Too much at once; the request was not processed."""


CODES: Final[dict[int, Blame]] = {
    20003: Blame.LOGIN,
    20429: Blame.BUSY,
    14107: Blame.BUSY,
    10004: Blame.BUSY,
    22005: Blame.BUSY,
    21610: Blame.OPTED_OUT,
    21211: Blame.NUMBER,
    21214: Blame.NUMBER,
    21217: Blame.NUMBER,
    21612: Blame.NUMBER,
    21614: Blame.NUMBER,
    21216: Blame.MESSAGE,
    21602: Blame.MESSAGE,
    21617: Blame.MESSAGE,
    21210: Blame.ACCOUNT,
    21212: Blame.ACCOUNT,
    21215: Blame.ACCOUNT,
    21408: Blame.ACCOUNT,
    21603: Blame.ACCOUNT,
    21606: Blame.ACCOUNT,
    21608: Blame.ACCOUNT,
    30001: Blame.BUSY,
    30002: Blame.ACCOUNT,
    30003: Blame.MESSAGE,
    30004: Blame.MESSAGE,
    30005: Blame.NUMBER,
    30006: Blame.NUMBER,
    30007: Blame.MESSAGE,
    30008: Blame.MESSAGE,
    30010: Blame.MESSAGE,
}

WORDS: Final[dict[int, str]] = {
    21211: "there is no such number",
    21214: "the number cannot be called",
    21215: "the account may not call that country",
    21216: "the account may not call that number",
    21217: "there is no such number",
    21408: "the account may not write to that country",
    21610: "the number opted out of our SMS",
    21612: "no SMS goes to that number",
    21614: "no SMS goes to that number",
    21617: "the SMS is too long",
    30003: "the telephone cannot be reached",
    30004: "the number refuses our SMS",
    30005: "the number is not in use",
    30006: "no SMS goes to that number",
    30007: "the network took it for spam",
    30008: "the network does not say why",
}


def blame(code: int | None) -> Blame | None:
    """What a code speaks of; None where it is not known or there is none."""
    return CODES.get(code) if code is not None else None


def in_words(code: int | None) -> str:
    """A code for people: ``30003: the telephone cannot be reached``; empty for none."""
    if code is None:
        return ""
    return f"{code}: {WORDS[code]}" if code in WORDS else str(code)
