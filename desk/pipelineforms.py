"""A pipeline's document changed by forms: pure, one function a deed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InputRefused, NotFound
from core.pipelinespec import EVENTS, FIELDS, LONGEST_GUIDE
from core.values import LANGUAGES
from desk.forms import Form

Document = dict[str, Any]
SPARE_ROWS = 1
"""Empty rows offered below a checklist or rules."""


EMPTY_STAGE: Document = {
    "names": {}, "guide": {}, "checklist": [], "norm": "", "performer": "owner", "performer_rules": [],
    "template": "", "approver": "", "sequence": "", "required": [], "next": [],
    "proposed_on": [], "automatic_on": [],
}  # fmt: skip
EMPTY_ITEM: Document = {"key": "", "names": {}, "required": False}
EMPTY_RULE: Document = {"when": {}, "performer": ""}


def shown(stage: Mapping[str, Any]) -> Document:
    """A stage with every field, the empty ones too, as a page shows it."""
    return {**EMPTY_STAGE, **stage}


def rows(given: Sequence[Mapping[str, Any]], empty: Document, spare: int = SPARE_ROWS) -> list[Document]:
    """Rows of a form with every field, and some empty ones below."""
    return [{**empty, **row} for row in given] + [dict(empty) for _ in range(spare)]


def _index(document: Mapping[str, Any], key: str) -> int:
    for number, stage in enumerate(document["stages"]):
        if stage.get("key") == key:
            return number
    raise NotFound


def find(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A stage of a document. Raises NotFound."""
    return document["stages"][_index(document, key)]


def ordered(document: Mapping[str, Any], keys: Sequence[str]) -> Document:
    """The stages in another order. Raises InputRefused unless every one is named once."""
    present = {stage["key"]: stage for stage in document["stages"]}
    if sorted(keys) != sorted(present):
        raise InputRefused("The stages have changed meanwhile.", cure="Look at the present state.")
    return {**copy.deepcopy(dict(document)), "stages": [copy.deepcopy(present[key]) for key in keys]}


def shifted(document: Mapping[str, Any], key: str, by: int) -> Document:
    """A stage one place up (-1) or down (1); at the end it stays."""
    keys = [stage["key"] for stage in document["stages"]]
    here = _index(document, key)
    there = min(max(here + by, 0), len(keys) - 1)
    keys.insert(there, keys.pop(here))
    return ordered(document, keys)


def without(document: Mapping[str, Any], key: str) -> Document:
    """A document without a stage, and without the ways that led there."""
    changed = copy.deepcopy(dict(document))
    del changed["stages"][_index(document, key)]
    for stage in changed["stages"]:
        if key in stage.get("next", []):
            stage["next"] = [one for one in stage["next"] if one != key]
    return changed


def with_stage(document: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Document, str]:
    """A document with a new last stage, and its key."""
    changed = copy.deepcopy(dict(document))
    taken = {stage["key"] for stage in changed["stages"]}
    base = key_from(names.get("en", "")) or "stage"
    key = next(one for one in (base, *(f"{base}_{number}" for number in range(2, 99))) if one not in taken)
    changed["stages"].append({"key": key, "names": dict(names)})
    return changed, key


def key_from(name: str) -> str:
    """A key made from an English name: ``After-sale care`` → ``after_sale_care``."""
    plain = "".join(one if one.isascii() and one.isalnum() else "_" for one in name.lower())
    return "_".join(part for part in plain.split("_") if part)[:40].lstrip("0123456789_")


def names_of(form: Form, prefix: str) -> dict[str, str]:
    """The names in three languages that a form holds; those left empty are left out."""
    given = {language: form.line(f"{prefix}_{language}", longest=200) for language in ("en", "ru", "lt")}
    return {language: name for language, name in given.items() if name}


def head_of(document: Mapping[str, Any], form: Form) -> Document:
    """What a pipeline is called, and whether inquiries enter it."""
    changed = copy.deepcopy(dict(document))
    changed["names"] = names_of(form, "name")
    changed["standard"] = form.ticked("standard")
    changed["note"] = form.line("note", longest=300)
    return changed


def with_form(document: Mapping[str, Any], key: str, form: Form, topics: Sequence[str]) -> Document:
    """A stage as its form says; everything that is empty is left out."""
    changed = copy.deepcopy(dict(document))
    keys = [stage["key"] for stage in changed["stages"]]
    present = find(document, key)
    full = {
        "key": key,
        "names": names_of(form, "name"),
        "guide": {
            language: text
            for language in LANGUAGES
            if (text := form.text(f"guide_{language}", longest=LONGEST_GUIDE).strip())
        },
        "norm": _norm(form),
        "performer": form.line("performer") or "owner",
        "performer_rules": _rules(form),
        "template": form.line("template"),
        "approver": form.line("approver"),
        "sequence": form.line("sequence"),
        "required": [name for name in FIELDS if form.ticked(f"required_{name}")],
        "next": [one for one in keys if form.ticked(f"next_{one}")],
        "proposed_on": _events(form, "proposed", topics, present.get("proposed_on", [])),
        "automatic_on": _events(form, "automatic", topics, present.get("automatic_on", [])),
        "checklist": _checklist(form),
    }
    changed["stages"][_index(document, key)] = {
        name: value for name, value in full.items() if value and (name, value) != ("performer", "owner")
    }
    return changed


def _events(form: Form, prefix: str, topics: Sequence[str], present: Sequence[str]) -> list[str]:
    """The chosen ones, those that were there before in their order."""
    chosen = [one for one in (*topics, *EVENTS) if form.line(f"on_{one}") == prefix]
    return [one for one in present if one in chosen] + [one for one in chosen if one not in present]


def _norm(form: Form) -> str:
    parts = ((form.number("norm_days"), "d"), (form.number("norm_hours"), "h"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number)


def _rules(form: Form) -> list[dict[str, Any]]:
    rules = []
    for number in range(30):
        value, performer = form.line(f"rule_{number}_value"), form.line(f"rule_{number}_performer")
        if value and performer:
            rules.append({"when": {form.line(f"rule_{number}_field"): value}, "performer": performer})
    return rules


def _checklist(form: Form) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for number in range(31):
        names = names_of(form, f"item_{number}")
        if not names:
            continue
        taken = {item["key"] for item in items}
        base = form.line(f"item_{number}_key", longest=40) or key_from(names.get("en", "")) or "point"
        key = next(one for one in (base, *(f"{base}_{more}" for more in range(2, 99))) if one not in taken)
        item: dict[str, Any] = {"key": key, "names": names}
        if form.ticked(f"item_{number}_required"):
            item["required"] = True
        items.append(item)
    return items
