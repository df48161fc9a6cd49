"""A pipeline as one document: what its file and its screen edit, checked as a whole before it is in force.

{"key": "b2b", "standard": true, "names": {"en": …}, "note": "",
 "stages": [{"key": "demo", "names": {…}, "guide": {…}, "checklist": [{"key", "names", "required"}],
             "norm": "3d 4h", "performer": "team:Sales",
             "performer_rules": [{"when": {"language": "ru"}, "performer": "person:…"}],
             "template": "demo_invitation", "approver": "role:head", "sequence": "after_demo",
             "required": ["need"], "next": ["technical_proposal"],
             "proposed_on": ["demo_request"], "automatic_on": []}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.i18n import N_
from core.intents import Intent
from core.values import LANGUAGES

FIELDS: dict[str, str] = {
    "account": N_("the client’s company"),
    "contact": N_("a contact"),
    "owner": N_("who owns the deal"),
    "source": N_("how they heard of us"),
    "initiative": N_("whose initiative it was"),
    "event": N_("what set it off"),
    "need": N_("what the client needs"),
    "solution": N_("what we propose"),
    "lines": N_("at least one product"),
    "payment_terms": N_("the terms of payment"),
    "delivery_terms": N_("the terms of delivery"),
    "interest": N_("the degree of interest"),
    "payment": N_("a payment"),
    "paid": N_("the whole sum paid"),
    "delivery_note": N_("a delivery note"),
}
"""What a stage may ask for before it is left, and its name."""

EVENTS: dict[str, str] = {
    "paid": N_("the whole sum is paid"),
    "delivered": N_("a delivery note is entered"),
    "checklist": N_("the checklist is complete"),
    "meeting_accepted": N_("the client accepted a meeting or a demo"),
    "call_talked": N_("a call reached the client"),
    "call_agreed": N_("a call agreed on the next step"),
    "call_refused": N_("the client said no in a call"),
}
"""What may move a deal beside the topics of letters."""

RULE_KEYS = ("territory", "industry", "product", "language")
"""What a rule about performers may ask; see `core.performers`."""

PERFORMER = re.compile(
    r"owner|curator|person:[^@\s]+@[^@\s]+|role:(?:agent|marketing|support|head|admin)|team:\S.*"
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NORM = re.compile(r"(?:(\d{1,3})d)?\s*(?:(\d{1,3})h)?")
MOST_STAGES = 40
MOST_ITEMS = 30
LONGEST_NAME = 80
LONGEST_GUIDE = 4_000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and where: ``("stages", 2, "template")``."""

    path: Path
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the message's placeholders stand for; kept apart so that it can be translated."""

    @property
    def text(self) -> str:
        """The message in English."""
        return self.message % self.values if self.values else self.message

    @property
    def place(self) -> str:
        """The path as people write it: ``stages[3].template``, stages counted from 1."""
        out = ""
        for part in self.path:
            out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
        return out


@dataclass(frozen=True, slots=True)
class Known:
    """What there is in this company; what is None is not checked (a file checked without a database)."""

    templates: frozenset[str] | None = None
    sequences: frozenset[str] | None = None
    people: frozenset[str] | None = None
    teams: frozenset[str] | None = None
    topics: frozenset[str] = frozenset(intent.value for intent in Intent)


STAGE_FIELDS: dict[str, type | tuple[type, ...]] = {
    "key": str,
    "names": dict,
    "guide": dict,
    "checklist": list,
    "norm": str,
    "performer": str,
    "performer_rules": list,
    "template": str,
    "approver": str,
    "sequence": str,
    "required": list,
    "next": list,
    "proposed_on": list,
    "automatic_on": list,
}
"""Every field of a stage and what it holds; a test compares the manual with it."""
PIPELINE_FIELDS: dict[str, type | tuple[type, ...]] = {
    "key": str,
    "standard": bool,
    "names": dict,
    "note": str,
    "stages": list,
}

_KIND_NAMES = {str: "text in quotes", dict: "a table", list: "a list in brackets", bool: "true or false"}


def read_norm(norm: str) -> tuple[int | None, int | None]:
    """Working days and hours of ``"3d 4h"``; nothing of "". Raises ValueError for anything else."""
    found = _NORM.fullmatch(norm.strip())
    if found is None:
        raise ValueError(norm)
    days, hours = (int(part) if part else None for part in found.groups())
    return days or None, hours or None


def write_norm(days: int | None, hours: int | None) -> str:
    """The same the other way round."""
    return " ".join(part for part in (f"{days}d" if days else "", f"{hours}h" if hours else "") if part)


def check(document: Mapping[str, Any], known: Known | None = None) -> list[Fault]:
    """Everything that is wrong with a pipeline, in the document's order; empty when it may be in force."""
    return list(_pipeline(document, known or Known()))


def _shape(document: Any, fields: Mapping[str, Any], at: Path) -> Iterator[Fault]:
    for name, value in document.items():
        if name not in fields:
            yield Fault((*at, name), N_("there is no such field"))
        elif not isinstance(value, fields[name]):
            yield Fault((*at, name), N_("this must be %(kind)s"), {"kind": _KIND_NAMES[fields[name]]})


def _pipeline(document: Mapping[str, Any], known: Known) -> Iterator[Fault]:
    wrong = list(_shape(document, PIPELINE_FIELDS, ()))
    yield from wrong
    if wrong:
        return
    yield from _key(document.get("key", ""), ("key",))
    yield from _names(document.get("names", {}), ("names",))
    stages = document.get("stages", [])
    if not stages:
        yield Fault(("stages",), N_("a pipeline needs at least one stage"))
    if len(stages) > MOST_STAGES:
        yield Fault(("stages",), N_("a pipeline has at most %(most)d stages"), {"most": MOST_STAGES})
    keys = [stage.get("key", "") if isinstance(stage, dict) else "" for stage in stages]
    for number, stage in enumerate(stages):
        at: Path = ("stages", number)
        if not isinstance(stage, dict):
            yield Fault(at, N_("this must be %(kind)s"), {"kind": "a table"})
            continue
        wrong = list(_shape(stage, STAGE_FIELDS, at))
        yield from wrong
        if not wrong:
            yield from _stage(stage, at, keys, known)
    yield from _ways(stages, keys)


def _key(key: Any, at: Path) -> Iterator[Fault]:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        yield Fault(at, N_("a key is small Latin letters, digits and _, and begins with a letter"))


def _names(names: Any, at: Path, *, longest: int = LONGEST_NAME, needed: bool = True) -> Iterator[Fault]:
    for language, name in names.items():
        if language not in LANGUAGES:
            yield Fault((*at, language), N_("there is no such language"))
        elif not isinstance(name, str):
            yield Fault((*at, language), N_("this must be %(kind)s"), {"kind": _KIND_NAMES[str]})
        elif len(name) > longest:
            yield Fault((*at, language), N_("this is longer than %(most)d characters"), {"most": longest})
    if needed:
        for language in LANGUAGES:
            if not str(names.get(language) or "").strip():
                yield Fault((*at, language), N_("the name in this language is missing"))


def _stage(stage: Mapping[str, Any], at: Path, keys: Sequence[str], known: Known) -> Iterator[Fault]:
    yield from _key(stage.get("key", ""), (*at, "key"))
    if keys.count(stage.get("key", "")) > 1 and keys.index(stage.get("key", "")) != at[1]:
        yield Fault((*at, "key"), N_("another stage has this key"))
    yield from _names(stage.get("names", {}), (*at, "names"))
    yield from _names(stage.get("guide", {}), (*at, "guide"), longest=LONGEST_GUIDE, needed=False)
    try:
        read_norm(stage.get("norm", ""))
    except ValueError:
        yield Fault((*at, "norm"), N_("a norm is written as 3d, 4h or 1d 4h: working days and hours"))
    yield from _performer(stage.get("performer", "owner"), (*at, "performer"), known)
    if stage.get("approver"):
        yield from _performer(stage["approver"], (*at, "approver"), known)
    for number, rule in enumerate(stage.get("performer_rules", [])):
        yield from _rule(rule, (*at, "performer_rules", number), known)
    for name, there in (("template", known.templates), ("sequence", known.sequences)):
        value = stage.get(name, "")
        unknown = there is not None and value not in there
        # Templates known as sms/… and voice/… are for steps of follow-ups alone; a stage sends a letter.
        if value and (unknown or (name == "template" and "/" in value)):
            yield Fault((*at, name), N_("there is no “%(key)s”"), {"key": value})
    yield from _members(stage.get("required", []), (*at, "required"), frozenset(FIELDS))
    yield from _members(stage.get("next", []), (*at, "next"), frozenset(keys) - {stage.get("key", "")})
    for name in ("proposed_on", "automatic_on"):
        yield from _members(stage.get(name, []), (*at, name), known.topics | frozenset(EVENTS))
    yield from _checklist(stage.get("checklist", []), (*at, "checklist"))


def _members(values: Sequence[Any], at: Path, allowed: frozenset[str]) -> Iterator[Fault]:
    for number, value in enumerate(values):
        if value not in allowed:
            yield Fault((*at, number), N_("there is no “%(key)s”"), {"key": value})


def _performer(performer: Any, at: Path, known: Known) -> Iterator[Fault]:
    if not isinstance(performer, str) or not PERFORMER.fullmatch(performer):
        yield Fault(at, N_("a performer is owner, curator, person:…@…, role:… or team:…"))
        return
    kind, _, who = performer.partition(":")
    there = {"person": known.people, "team": known.teams}.get(kind)
    if there is not None and who not in there:
        yield Fault(at, N_("there is no “%(key)s”"), {"key": who})


def _rule(rule: Any, at: Path, known: Known) -> Iterator[Fault]:
    if not isinstance(rule, dict) or not isinstance(rule.get("when"), dict) or not rule["when"]:
        yield Fault(at, N_('a rule needs what it asks: when = { language = "ru" }'))
        return
    for name, value in rule["when"].items():
        if name not in RULE_KEYS or not isinstance(value, str) or not value:
            yield Fault((*at, "when", name), N_("a rule asks for territory, industry, product or language"))
    yield from _performer(rule.get("performer", ""), (*at, "performer"), known)


def _checklist(items: Sequence[Any], at: Path) -> Iterator[Fault]:
    if len(items) > MOST_ITEMS:
        yield Fault(at, N_("a checklist has at most %(most)d points"), {"most": MOST_ITEMS})
    seen: set[str] = set()
    for number, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get("names", {}), dict):
            yield Fault((*at, number), N_("this must be %(kind)s"), {"kind": "a table"})
            continue
        yield from _key(item.get("key", ""), (*at, number, "key"))
        if item.get("key") in seen:
            yield Fault((*at, number, "key"), N_("another point has this key"))
        seen.add(item.get("key", ""))
        yield from _names(item.get("names", {}), (*at, number, "names"), longest=200)


def _ways(stages: Sequence[Any], keys: Sequence[str]) -> Iterator[Fault]:
    """Every stage can be reached from the first one."""
    ways = {
        stage.get("key", ""): stage.get("next") or list(keys) for stage in stages if isinstance(stage, dict)
    }
    reached, waiting = set(keys[:1]), list(keys[:1])
    while waiting:
        for key in ways.get(waiting.pop(), ()):
            if key not in reached:
                reached.add(key)
                waiting.append(key)
    for number, key in enumerate(keys):
        if key not in reached:
            yield Fault(("stages", number, "key"), N_("no stage leads here"))
