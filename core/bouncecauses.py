"""Why a letter was not taken: the class by what the refusing server said, then by its code."""

from __future__ import annotations

import re
from typing import Final

from core.bouncewords import (
    BLOCKED,
    CLOSED,
    GROUP,
    NO_DOMAIN,
    PHRASES,
    POLICY,
    RATE,
    SENDER,
    TEMPORARY,
    BounceClass,
)

AFTER_DATA: Final = re.compile(
    r"in reply to (?:end of )?DATA|after (?:end of )?DATA|^55\d : user unknown", re.IGNORECASE
)
"""The address was taken, and then the letter refused."""
NO_MAIL: Final = re.compile(r"null ?mx|does ?n[o']t (?:accept|receive) (?:\S+ )?e?-?mail", re.IGNORECASE)
"""The domain takes no mail at all (RFC 7505)."""
GENERIC: Final = frozenset({"", "5.0.0", "4.0.0", "5.0", "4.0"})
"""Codes that say nothing."""
_REFUSED: Final = re.compile(r"(RCPT|\.): (5\d\d) ?((?:5\.\d{1,3}\.\d{1,3}(?!\d))?.*)", re.DOTALL)
_URL: Final = re.compile(r"(?:https?://|www\.)\S+")
_DOMAIN: Final = re.compile(r"domain|host|dns|mx\b|name service", re.IGNORECASE)
_TABLES: Final = (
    (BounceClass.POLICY, GROUP),
    (BounceClass.BLOCKED, SENDER),
    *PHRASES[:2],
    (BounceClass.INVALID, NO_DOMAIN),
    (BounceClass.TEMPORARY, RATE),
    (BounceClass.OTHER, CLOSED),
    *PHRASES[2:],
    (BounceClass.BLOCKED, BLOCKED),
    (BounceClass.POLICY, POLICY),
    (BounceClass.TEMPORARY, TEMPORARY),
)
_BY_STATUS: Final = (
    ("5.1.10", BounceClass.INVALID),
    ("5.1.7", BounceClass.BLOCKED),
    ("5.1.8", BounceClass.BLOCKED),
    ("5.1.", BounceClass.INVALID),
    ("4.1.", BounceClass.TEMPORARY),
    ("5.2.1", BounceClass.OTHER),
    ("5.2.2", BounceClass.FULL),
    ("4.2.2", BounceClass.FULL),
    ("5.2.3", BounceClass.SIZE),
    ("5.3.4", BounceClass.SIZE),
    ("5.4.1", BounceClass.TEMPORARY),
    ("5.4.4", BounceClass.INVALID),
    ("5.4.", BounceClass.TEMPORARY),
    ("5.3.", BounceClass.TEMPORARY),
    ("5.5.", BounceClass.POLICY),
    ("5.6.", BounceClass.POLICY),
    ("5.7.", BounceClass.POLICY),
    ("4.7.", BounceClass.TEMPORARY),
    ("4.", BounceClass.TEMPORARY),
)


def classify(status: str, diagnostic: str, text: str = "", subject: str = "") -> tuple[BounceClass, str]:
    """The class by what the refusing server said, then by its status code, then by the report's own words."""
    found = _by_words(diagnostic, status)
    if found is not None:
        return found
    specific = next((class_ for prefix, class_ in _BY_STATUS if status.startswith(prefix)), None)
    vague = specific is None or status in GENERIC or status.startswith(("5.3.0", "5.3.", "5.5.0", "5.4."))
    if specific is not None and not vague:
        return specific, f"status {status}"
    found = _by_words(f"{subject}\n{text[:4000]}" if text else subject, status)
    if found is not None:
        return found
    if specific is not None:
        return specific, f"status {status}"
    if status.startswith("4"):
        return BounceClass.TEMPORARY, f"reply code {status}"
    return BounceClass.OTHER, "no words that are known"


def of_refusal(noted: str) -> BounceClass | None:
    """The class of a permanent answer to a recipient, as the ledger notes it (``RCPT: 550 5.2.2 full``).

    None for what says nothing of the recipient: an answer at another step, or one to the letter itself
    (``.: 554 …``), unless it names the address or a full mailbox.
    """
    match = _REFUSED.match(noted)
    if match is None:
        return None
    step, code, words = match.groups()
    status = words.split(" ", 1)[0] if words.startswith("5.") else code
    class_, _ = classify(status, f"{code} {words}")
    if step == "." and class_ is not BounceClass.FULL and not status.startswith(("5.1.", "5.2.")):
        return None
    return class_


def _by_words(said: str, status: str) -> tuple[BounceClass, str] | None:
    """The first table that knows a phrase of `said`; addresses on the web are not words."""
    whole = said[:6000]
    said = _URL.sub(" ", whole)
    for class_, pattern in _TABLES:
        match = pattern.search(whole if class_ in (BounceClass.POLICY, BounceClass.BLOCKED) else said)
        if match is None:
            continue
        words = " ".join(match[0].split())[:60]
        if class_ is BounceClass.INVALID:
            if AFTER_DATA.search(said) and not status.startswith("5.1"):
                return BounceClass.POLICY, f"“{words}”, but only after the letter itself was sent"
            if status.startswith("4") and "unavailable" in match[0].lower():
                return BounceClass.TEMPORARY, f"“{words}”, with the temporary code {status}"
            if status.startswith("4") and _DOMAIN.search(match[0]) and not NO_MAIL.search(said):
                return BounceClass.TEMPORARY, f"“{words}”, with the temporary code {status}"
        return class_, f"the words “{words}”"
    return None
