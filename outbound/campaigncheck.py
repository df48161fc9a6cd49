"""What is wrong with a campaign before it starts: findings, each saying how grave it is and where.

Nothing here asks anybody; `outbound.campaignfacts` reads what the checks need.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from core.accounts import Channel
from outbound.mailingtexts import Words

LARGEST = 102_400
"""Bytes of HTML after which Gmail cuts a letter."""
SMS_PARTS = 3
SUBJECT = 70
"""Characters of a subject that most programs show."""
MUCH_HELD = 0.2
"""Share of the audience left out that is worth a second look."""

Given = TypeVar("Given")

_LINK = re.compile(r"(?:https?|ftp|javascript|data|file|vbscript):[^\s\"'<>)\]]*", re.IGNORECASE)
_LOUD = re.compile(r"[A-ZĄČĘĖĮŠŲŪŽА-ЯЁ]{2,}")
_SHOUTS = re.compile(r"[!?]{3,}|!{2,}|[$€]{3,}")
_PICTURE = re.compile(r"<img\b", re.IGNORECASE)
_REMOTE = re.compile(r"<(?:script|form|iframe|object|embed|link)\b|\bon[a-z]+\s*=", re.IGNORECASE)
SHORTENERS = frozenset(
    {"bit.ly", "goo.gl", "tinyurl.com", "t.co", "ow.ly", "is.gd", "clck.ru", "vk.cc", "cutt.ly", "rb.gy"}
)
"""Hosts behind which spam hides, so that filters count against all who use them."""
ALLOWED = frozenset({"client", "staff", "company", "links"})
"""Groups of placeholders that a mailing has values for."""


class Gravity(StrEnum):
    """How grave a finding is."""

    STOP = "stop"
    """It must not start so."""
    WARN = "warn"
    NOTE = "note"


class Fault(StrEnum):
    """What was found."""

    NO_TEXT = "no_text"
    NO_AUDIENCE = "no_audience"
    MISSING_LANGUAGE = "missing_language"
    VARIANT_LANGUAGE = "variant_language"
    """A variant lacks a language that another one has, so that languages would be compared."""
    ONE_VARIANT = "one_variant"
    """A share is to try two texts, and only one is written."""
    NO_SHARE = "no_share"
    """Two texts are written, and no share is to try them."""
    BROKEN_TEMPLATE = "broken_template"
    UNKNOWN_PLACEHOLDER = "unknown_placeholder"
    """A placeholder that a mailing has no value for."""
    EMPTY_PLACEHOLDER = "empty_placeholder"
    """Some recipients have no value for it."""
    UNSAFE_LINK = "unsafe_link"
    INSECURE_LINK = "insecure_link"
    SHORTENED_LINK = "shortened_link"
    NO_UNSUBSCRIBE = "no_unsubscribe"
    """The company has no https address, so mail programs show no button to unsubscribe."""
    NO_SENDER_ADDRESS = "no_sender_address"
    """The company's postal address is not in the settings."""
    LOUD = "loud"
    LONG_SUBJECT = "long_subject"
    FALSE_REPLY = "false_reply"
    """The subject begins as if it answered."""
    ACTIVE_HTML = "active_html"
    ONLY_PICTURES = "only_pictures"
    TOO_LARGE = "too_large"
    SMS_PARTS = "sms_parts"
    SUPPRESSED = "suppressed"
    HELD_BACK = "held_back"
    NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: how grave, in which text, and what exactly."""

    fault: Fault
    gravity: Gravity
    place: str = ""
    """Variant and language, as ``A/lt``; empty where it is not of one text."""
    detail: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """A text rendered with sample values."""

    used: frozenset[str] = frozenset()
    """Placeholders it names."""
    size: int = 0
    """Bytes of its HTML, or characters of an SMS."""
    parts: int = 0
    """Of an SMS."""
    error: str = ""
    """Why it could not be rendered."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a campaign before it starts."""

    channel: Channel
    texts: Mapping[tuple[str, str], Words]
    """By variant and language."""
    tried: Mapping[tuple[str, str], Tried] = field(default_factory=dict)
    default_language: str = "en"
    audience: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    """How many of the audience write in each language; "" where it is not known."""
    without: Mapping[str, int] = field(default_factory=dict)
    """How many have no value for a placeholder."""
    without_address: int = 0
    suppressed: int = 0
    held_back: int = 0
    """How many the pressure budget would make wait now."""
    one_click: bool = True
    fictional: bool = False
    """Our own domain is one of those kept for examples (RFC 2606): a demonstration, which reaches nobody."""
    postal_address: str = ""
    test_percent: int = 0
    """The share that tries the variants."""


def _whole(facts: Facts) -> Iterable[Finding]:
    if not facts.texts:
        yield Finding(Fault.NO_TEXT, Gravity.STOP)
    if not facts.audience:
        yield Finding(Fault.NO_AUDIENCE, Gravity.STOP)
    variants = {variant for variant, _language in facts.texts}
    if facts.test_percent and len(variants) == 1:
        yield Finding(
            Fault.ONE_VARIANT, Gravity.STOP, detail=_other(variants.pop()), count=facts.test_percent
        )
    elif len(variants) > 1 and not facts.test_percent:
        yield Finding(Fault.NO_SHARE, Gravity.STOP)


def _other(variant: str) -> str:
    return "A" if variant == "B" else "B"


def _languages(facts: Facts) -> Iterable[Finding]:
    variants: dict[str, set[str]] = {}
    for variant, language in facts.texts:
        variants.setdefault(variant, set()).add(language)
    everywhere: set[str] = set().union(*variants.values()) if variants else set()
    for variant, known in sorted(variants.items()):
        for language in sorted(everywhere - known):
            yield Finding(Fault.VARIANT_LANGUAGE, Gravity.STOP, f"{variant}/{language}")
        for language, number in sorted(facts.languages.items()):
            if language and language not in known:
                falls_back = facts.default_language in known
                gravity = Gravity.WARN if falls_back else Gravity.STOP
                detail = facts.default_language if falls_back else ""
                yield Finding(Fault.MISSING_LANGUAGE, gravity, f"{variant}/{language}", detail, number)


def _templates(facts: Facts) -> Iterable[Finding]:
    for place, tried in _places(facts.tried):
        if tried.error:
            yield Finding(Fault.BROKEN_TEMPLATE, Gravity.STOP, place, tried.error)
            continue
        for name in sorted(tried.used):
            if name.partition(".")[0] not in ALLOWED:
                yield Finding(Fault.UNKNOWN_PLACEHOLDER, Gravity.STOP, place, name)
            elif facts.without.get(name):
                yield Finding(Fault.EMPTY_PLACEHOLDER, Gravity.WARN, place, name, facts.without[name])
        if facts.channel == Channel.SMS and tried.parts > SMS_PARTS:
            yield Finding(Fault.SMS_PARTS, Gravity.WARN, place, count=tried.parts)
        if facts.channel == Channel.EMAIL and tried.size > LARGEST:
            yield Finding(Fault.TOO_LARGE, Gravity.WARN, place, count=tried.size)


def _links(facts: Facts) -> Iterable[Finding]:
    for place, words in _places(facts.texts):
        for link in dict.fromkeys(_LINK.findall(f"{words.body}\n{words.html or ''}")):
            if fault := fault_of_link(link):
                gravity = Gravity.STOP if fault is Fault.UNSAFE_LINK else Gravity.WARN
                yield Finding(fault, gravity, place, link[:200])


def fault_of_link(link: str) -> Fault | None:
    """What is wrong with a link, as far as can be seen from here."""
    if len(link) > 2000 or any(ord(one) < 33 for one in link) or "%00" in link or "%0d" in link.lower():
        return Fault.UNSAFE_LINK
    try:
        parts = urlsplit(link)
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return Fault.UNSAFE_LINK
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return Fault.UNSAFE_LINK
    if host == "localhost" or "." not in host or _is_number(host):
        return Fault.UNSAFE_LINK
    if host.removeprefix("www.") in SHORTENERS:
        return Fault.SHORTENED_LINK
    return Fault.INSECURE_LINK if parts.scheme.lower() == "http" else None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


def _manner(facts: Facts) -> Iterable[Finding]:
    if facts.channel != Channel.EMAIL:
        return
    for place, words in _places(facts.texts):
        letters = [one for one in words.subject if one.isalpha()]
        loud = sum(map(len, _LOUD.findall(words.subject)))
        if (len(letters) > 8 and loud > len(letters) / 2) or _SHOUTS.search(words.subject + words.body):
            yield Finding(Fault.LOUD, Gravity.WARN, place, words.subject)
        if len(words.subject) > SUBJECT:
            yield Finding(Fault.LONG_SUBJECT, Gravity.NOTE, place, count=len(words.subject))
        if re.match(r"\s*(?:re|fwd?|fw|ats|на|отв)\s*:", words.subject, re.IGNORECASE):
            yield Finding(Fault.FALSE_REPLY, Gravity.STOP, place, words.subject)
        html = words.html or ""
        if _REMOTE.search(html):
            yield Finding(Fault.ACTIVE_HTML, Gravity.STOP, place)
        shown = re.sub(r"<[^>]*>|\s", "", html)
        if _PICTURE.search(html) and len(shown) < 100:
            yield Finding(Fault.ONLY_PICTURES, Gravity.WARN, place)


def _law(facts: Facts) -> Iterable[Finding]:
    if facts.channel != Channel.EMAIL:
        return
    if not facts.one_click:
        yield Finding(Fault.NO_UNSUBSCRIBE, Gravity.WARN if facts.fictional else Gravity.STOP)
    if not facts.postal_address:
        yield Finding(Fault.NO_SENDER_ADDRESS, Gravity.WARN)


def _people(facts: Facts) -> Iterable[Finding]:
    for fault, number in (
        (Fault.NO_ADDRESS, facts.without_address),
        (Fault.SUPPRESSED, facts.suppressed),
        (Fault.HELD_BACK, facts.held_back),
    ):
        if number:
            much = number > MUCH_HELD * max(1, facts.audience)
            yield Finding(fault, Gravity.WARN if much else Gravity.NOTE, count=number)


CHECKS: tuple[Callable[[Facts], Iterable[Finding]], ...] = (
    _whole, _languages, _templates, _links, _manner, _law, _people,
)  # fmt: skip
"""The checks, in the order in which their findings are shown."""


def _places(by_place: Mapping[tuple[str, str], Given]) -> Iterable[tuple[str, Given]]:
    return ((f"{variant}/{language}", given) for (variant, language), given in sorted(by_place.items()))


def findings(facts: Facts) -> list[Finding]:
    """Everything found; the campaign may start where nothing stops it."""
    return [finding for check in CHECKS for finding in check(facts)]


def may_start(found: Sequence[Finding]) -> bool:
    """Whether nothing found forbids the start."""
    return not any(one.gravity is Gravity.STOP for one in found)
