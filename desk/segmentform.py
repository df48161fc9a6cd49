"""Conditions as the fields of a form and back: what was filled in so far, whole or not, and what was pressed.

A node has a place, as ``2.1`` for the first in the second; its fields carry it: ``mode:2``, ``fact:2.1``,
``not:2.1``, ``p:2.1:days``, and ``v:2.1:values:Vilnius`` for a ticked value. Nothing is judged here; that is
the affair of `core.segments_language.parse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.i18n import N_
from core.segments_language import FACTS, VERSION

Data = dict[str, Any]
Place = tuple[int, ...]

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (N_("Client"), (
        ("region", N_("Region")),
        ("industry", N_("Industry")),
        ("country", N_("Country")),
        ("size", N_("Number of employees")),
        ("source", N_("Where the client came from")),
        ("curator", N_("Curator")),
        ("tag", N_("Tag")),
    )),
    (N_("Contact"), (
        ("role", N_("Role in buying")),
        ("language", N_("Language")),
        ("reachable", N_("Has an address or number")),
        ("consent", N_("Consent")),
        ("list", N_("On a list")),
        ("added", N_("When added")),
    )),
    (N_("Purchases and interests"), (
        ("bought", N_("Bought")),
        ("interest", N_("Showed interest")),
    )),
    (N_("Deals"), (
        ("deal", N_("Open deal")),
        ("outcome", N_("Won or lost deal")),
    )),
    (N_("Letters and calls"), (
        ("silence", N_("Silence")),
        ("wrote", N_("Client got in touch")),
        ("written", N_("We wrote")),
        ("intent", N_("Wrote about")),
        ("mailed", N_("Mailing sent")),
    )),
)  # fmt: skip
"""What can be asked, as the list of choices shows it."""

WIDGETS: dict[str, tuple[tuple[str, str], ...]] = {
    "region": (("values", "open"),),
    "industry": (("values", "open"),),
    "country": (("values", "open"),),
    "source": (("values", "open"),),
    "tag": (("values", "open"),),
    "size": (("least", "number"), ("most", "number")),
    "curator": (("values", "ids"),),
    "role": (("values", "ticks"),),
    "language": (("values", "ticks"),),
    "reachable": (("channel", "one"),),
    "consent": (("channel", "one"), ("state", "one")),
    "list": (("list", "id"),),
    "added": (("when", "one"), ("days", "number")),
    "bought": (("products", "ticks"), ("days", "number")),
    "interest": (("products", "ticks"), ("confidence", "number"), ("days", "number")),
    "deal": (("stages", "ticks"),),
    "outcome": (("outcome", "one"), ("reasons", "ticks"), ("when", "one"), ("days", "number")),
    "silence": (("days", "number"),),
    "wrote": (("when", "one"), ("days", "number")),
    "written": (("when", "one"), ("days", "number")),
    "intent": (("values", "ticks"), ("days", "number")),
    "mailed": (("when", "one"), ("days", "number")),
}
"""The fields of each fact, in their order: ticks, ticks with room for others, one of a few, a number."""

LABELS: dict[str, str] = {
    "values": N_("Which"),
    "products": N_("Products"),
    "stages": N_("Stages"),
    "reasons": N_("Reasons"),
    "least": N_("at least, people"),
    "most": N_("at most, people"),
    "channel": N_("by"),
    "state": N_("what they said"),
    "list": N_("list"),
    "when": N_("when"),
    "days": N_("days"),
    "confidence": N_("confidence at least, %"),
    "outcome": N_("result"),
    "bought.days": N_("in the last … days; empty for ever"),
    "interest.days": N_("in the last … days; empty for ever"),
    "intent.days": N_("in the last … days; empty for ever"),
    "silence.days": N_("longer than … days"),
}
"""What stands beside a field: by fact and parameter, else by parameter."""

BEGINNINGS: dict[str, Data] = {
    "size": {"least": 10},
    "reachable": {"channel": "email"},
    "consent": {"channel": "email", "state": "granted"},
    "added": {"when": "within", "days": 30},
    "bought": {"products": []},
    "interest": {"products": [], "days": 180},
    "deal": {"stages": []},
    "outcome": {"outcome": "lost", "reasons": []},
    "silence": {"days": 60},
    "wrote": {"when": "within", "days": 30},
    "written": {"when": "within", "days": 30},
    "mailed": {"when": "within", "days": 30},
}
"""What a condition begins with; the others begin empty."""

FIRST_FACT = "region"


def begun(fact: str) -> Data:
    """A new condition."""
    return {"fact": fact, **{name: _copied(value) for name, value in BEGINNINGS.get(fact, {}).items()}}


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def read(fields: Mapping[str, str]) -> Data:
    """The conditions that were filled in; a form without any is an empty group."""
    nodes: dict[Place, Data] = {}
    for name in fields:
        kind, _, place = name.partition(":")
        if kind in {"mode", "fact"} and (spot := _place(place)) is not None:
            nodes[spot] = _group(fields, place) if kind == "mode" else _leaf(fields, place)
    top: Place = ()
    root = nodes.pop(top, {"group": "all", "of": []})
    made: dict[Place, Data] = {top: root}
    for spot in sorted(nodes):
        parent = made.get(spot[:-1])
        if parent is not None and "of" in parent:
            parent["of"].append(nodes[spot])
            made[spot] = nodes[spot]
    return {"version": VERSION, **root}


def _place(text: str) -> Place | None:
    if not text:
        return ()
    parts = text.split(".")
    if len(parts) > 8 or not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        return None
    return tuple(int(part) for part in parts)


def _group(fields: Mapping[str, str], place: str) -> Data:
    return {"group": fields.get(f"mode:{place}", "all"), "of": []}


def _leaf(fields: Mapping[str, str], place: str) -> Data:
    fact = fields[f"fact:{place}"] if fields[f"fact:{place}"] in FACTS else FIRST_FACT
    negated = {"not": True} if fields.get(f"not:{place}") == "1" else {}
    if fields.get(f"was:{place}") != fact:
        return begun(fact) | negated
    given: Data = {"fact": fact}
    for name, widget in WIDGETS[fact]:
        value = _value(fields, f"{place}:{name}", widget)
        if value is not None:
            given[name] = value
    if given.get("when") == "never":
        given.pop("days", None)
    if fact == "outcome":
        if given.get("when") and not given.get("days"):
            given["days"] = 90
        if not given.get("when"):
            given.pop("when", None)
            given.pop("days", None)
        if given.get("outcome") != "lost":
            given.pop("reasons", None)
    elif given.get("when") in {"within", "before"} and "days" not in given:
        given["days"] = 30
    return given | negated


def _value(fields: Mapping[str, str], name: str, widget: str) -> Any:
    if widget in {"ticks", "open", "ids"}:
        prefix = f"v:{name}:"
        ticked: list[Any] = [key.removeprefix(prefix) for key in fields if key.startswith(prefix)]
        if widget == "ids":
            return [int(one) for one in ticked if one.isascii() and one.isdecimal() and len(one) < 16]
        if widget == "open":
            others = (part.strip() for part in fields.get(f"t:{name}", "").replace(";", ",").split(","))
            ticked += [one for one in others if one and one not in ticked]
        return ticked
    text = fields.get(f"p:{name}", "").strip()
    if not text:
        return None
    if widget in {"number", "id"}:
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else text
    return text


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which button of the form was pressed."""

    what: str = ""
    place: Place = ()


def pressed(fields: Mapping[str, str]) -> Pressed:
    """What was pressed; nothing for a mere change."""
    what, _, place = fields.get("act", "").partition(":")
    return Pressed(what, _place(place) or ())


def after(data: Data, button: Pressed) -> Data:
    """The conditions after a button that adds or removes."""
    match button.what:
        case "add" | "group":
            group = _at(data, button.place)
            if group is not None and "of" in group:
                new = begun(FIRST_FACT)
                if button.what == "group":
                    other = "any" if group.get("group") == "all" else "all"
                    new = {"group": other, "of": [new]}
                group["of"].append(new)
        case "remove" if button.place:
            group = _at(data, button.place[:-1])
            number = button.place[-1]
            if group is not None and 0 < number <= len(group.get("of", [])):
                del group["of"][number - 1]
        case _:
            pass
    return data


def _at(data: Data, place: Place) -> Data | None:
    for number in place:
        inner = data.get("of", [])
        if not 0 < number <= len(inner):
            return None
        data = inner[number - 1]
    return data
