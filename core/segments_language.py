"""The language of conditions: what may be asked about a contact, kept as data and checked against its schema.

    {"version": 1, "group": "all", "of": [
        {"fact": "region", "values": ["Vilnius"]},
        {"fact": "bought", "products": ["pump-cr"], "days": 365},
        {"fact": "bought", "products": ["filter-f2"], "not": true},
        {"group": "any", "of": [{"fact": "language", "values": ["lt"]}, {"fact": "silence", "days": 60}]}]}

`parse` is the only way from data to a tree; what it refuses is never compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.accounts import BuyingRole
from core.deals import LossReason, Outcome
from core.errors import InputRefused
from core.values import LANGUAGES

VERSION = 1
"""Of the language; a later one reads the earlier ones."""
MOST_NODES = 100
DEEPEST = 5
MOST_VALUES = 100
LONGEST_VALUE = 200
LONGEST_SPAN = 3650
"""Days."""


class Mode(StrEnum):
    """How the conditions of a group are taken together."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


class When(StrEnum):
    """On which side of a moment so many days ago something happened."""

    WITHIN = "within"
    BEFORE = "before"
    NEVER = "never"


class ConsentState(StrEnum):
    """What we know of a contact's wish to be written to."""

    GRANTED = "granted"
    REFUSED = "refused"
    """They took it back, or their address is on the suppression list."""
    UNKNOWN = "unknown"


class SegmentRefused(InputRefused):
    """The conditions of a segment are not well formed."""

    def __init__(self, path: tuple[int, ...], fault: str) -> None:
        self.path = path
        self.fault = fault
        place = f"Condition {'.'.join(str(number) for number in path)}" if path else "The conditions"
        super().__init__(f"{place}: {fault}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One thing asked about a contact, or its opposite."""

    fact: str
    given: Mapping[str, Any]
    """Parameters by name, checked; those left out are absent."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions taken together."""

    mode: Mode
    of: tuple[Leaf | Group, ...] = ()


Node = Leaf | Group
Check = Callable[[Any], Any]
"""Returns the value in its kept form, or raises ValueError with what is wrong."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a fact."""

    check: Check
    needed: bool = True


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_VALUE:
        raise ValueError(f"must be a text of at most {LONGEST_VALUE} characters")
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("holds characters that cannot be stored")
    return value


def _list(check: Check, *, empty: bool = False) -> Check:
    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > MOST_VALUES or not (value or empty):
            raise ValueError(f"must be a list of {0 if empty else 1} to {MOST_VALUES} values")
        return list(dict.fromkeys(check(one) for one in value))

    return check_all


def _one_of(values: type[StrEnum] | tuple[str, ...]) -> Check:
    known = tuple(str(one) for one in values)

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"must be one of: {', '.join(known)}")
        return value

    return check


_DAYS = Param(_whole(1, LONGEST_SPAN))
_IN_DAYS = Param(_whole(1, LONGEST_SPAN), needed=False)
_WORDS = {"values": Param(_list(_text))}
_PAST = Param(_one_of((When.WITHIN, When.BEFORE)))
_NUMBER = _whole(0, 2**53)
MAIL_CHANNELS = ("email", "sms", "voice")

FACTS: dict[str, dict[str, Param]] = {
    "region": _WORDS,
    "industry": _WORDS,
    "country": _WORDS,
    "source": _WORDS,
    "tag": _WORDS,
    "size": {
        "least": Param(_whole(0, 10_000_000), needed=False),
        "most": Param(_whole(0, 10_000_000), needed=False),
    },
    "curator": {"values": Param(_list(_NUMBER))},
    "role": {"values": Param(_list(_one_of(BuyingRole)))},
    "language": {"values": Param(_list(_one_of(tuple(LANGUAGES))))},
    "consent": {
        "channel": Param(_one_of(MAIL_CHANNELS)),
        "state": Param(_one_of(ConsentState)),
        "purpose": Param(_text, needed=False),
    },
    "reachable": {"channel": Param(_one_of(MAIL_CHANNELS))},
    "added": {"when": _PAST, "days": _DAYS},
    "list": {"list": Param(_NUMBER)},
    "bought": {"products": Param(_list(_text, empty=True)), "days": _IN_DAYS},
    "interest": {
        "products": Param(_list(_text, empty=True)),
        "days": _IN_DAYS,
        "confidence": Param(_whole(0, 100), needed=False),
    },
    "deal": {"stages": Param(_list(_text, empty=True))},
    "outcome": {
        "outcome": Param(_one_of(Outcome)),
        "reasons": Param(_list(_one_of(LossReason), empty=True), needed=False),
        "when": Param(_one_of((When.WITHIN, When.BEFORE)), needed=False),
        "days": _IN_DAYS,
    },
    "wrote": {"when": Param(_one_of(When)), "days": _IN_DAYS},
    "written": {"when": Param(_one_of(When)), "days": _IN_DAYS},
    "silence": {"days": _DAYS},
    "intent": {"values": Param(_list(_text)), "days": _IN_DAYS},
    "mailed": {"when": Param(_one_of(When)), "days": _IN_DAYS},
}
"""What may be asked, and with which parameters. A curator of 0 stands for nobody; per cent of confidence;
no products or stages stand for any."""


def parse(data: Any) -> Group:
    """The tree that data stands for. Raises SegmentRefused, naming the place, for what the schema lacks."""
    if not isinstance(data, dict):
        raise SegmentRefused((), "they must be an object.")
    if data.get("version") != VERSION:
        raise SegmentRefused((), f"their version must be {VERSION}.")
    nodes = _Counter()
    tree = _node({name: value for name, value in data.items() if name != "version"}, (), nodes)
    if isinstance(tree, Leaf):
        raise SegmentRefused((), "at the top there must be a group.")
    return tree


@dataclass(slots=True)
class _Counter:
    seen: int = 0


def _node(data: Any, path: tuple[int, ...], nodes: _Counter) -> Node:
    nodes.seen += 1
    if nodes.seen > MOST_NODES:
        raise SegmentRefused(path, f"there are more than {MOST_NODES} conditions.")
    if not isinstance(data, dict):
        raise SegmentRefused(path, "it must be an object.")
    if "group" in data:
        return _group(data, path, nodes)
    if "fact" in data:
        return _leaf(data, path)
    raise SegmentRefused(path, "it is neither a group nor a fact.")


def _group(data: dict[str, Any], path: tuple[int, ...], nodes: _Counter) -> Group:
    if unknown := sorted(map(str, data.keys() - {"group", "of"})):
        raise SegmentRefused(path, f"{unknown[0][:40]!r} is not known in a group.")
    if len(path) >= DEEPEST:
        raise SegmentRefused(path, f"groups stand at most {DEEPEST} deep.")
    mode, of = data["group"], data.get("of")
    if not isinstance(mode, str) or mode not in Mode.__members__.values():
        raise SegmentRefused(path, "its conditions are taken together as all, any or none.")
    if not isinstance(of, list):
        raise SegmentRefused(path, "what is in the group must be a list.")
    return Group(
        Mode(mode), tuple(_node(one, (*path, place), nodes) for place, one in enumerate(of, start=1))
    )


def _leaf(data: dict[str, Any], path: tuple[int, ...]) -> Leaf:
    fact = data["fact"]
    if not isinstance(fact, str) or fact not in FACTS:
        raise SegmentRefused(path, "nothing of that name can be asked.")
    params = FACTS[fact]
    if unknown := sorted(map(str, data.keys() - params.keys() - {"fact", "not"})):
        raise SegmentRefused(path, f"{unknown[0][:40]!r} is not known here.")
    if type(data.get("not", False)) is not bool:
        raise SegmentRefused(path, "'not' is true or false.")
    given: dict[str, Any] = {}
    for name, param in params.items():
        if data.get(name) is None:
            if param.needed:
                raise SegmentRefused(path, f"{name} is missing.")
            continue
        try:
            given[name] = param.check(data[name])
        except ValueError as error:
            raise SegmentRefused(path, f"{name} {error}.") from error
    _fits_together(fact, given, path)
    return Leaf(fact, given, bool(data.get("not", False)))


def _fits_together(fact: str, given: dict[str, Any], path: tuple[int, ...]) -> None:
    if fact == "size":
        if not given:
            raise SegmentRefused(path, "a size needs its least or its most.")
        if given.get("least", 0) > given.get("most", 10_000_000):
            raise SegmentRefused(path, "the least is more than the most.")
    if "when" in FACTS[fact] and "when" in given:
        if given["when"] == When.NEVER:
            given.pop("days", None)
        elif "days" not in given:
            raise SegmentRefused(path, "days is missing.")
    if fact == "outcome":
        if ("when" in given) != ("days" in given):
            raise SegmentRefused(path, "days and on which side of them go together.")
        if given["outcome"] == Outcome.WON and given.get("reasons"):
            raise SegmentRefused(path, "only a lost deal has reasons.")


def dump(tree: Group) -> dict[str, Any]:
    """The data a tree is kept as; `parse` gives the tree back."""
    return {"version": VERSION, **_dumped(tree)}


def _dumped(node: Node) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return {"fact": node.fact, **node.given, **({"not": True} if node.negated else {})}
    return {"group": node.mode.value, "of": [_dumped(one) for one in node.of]}


def leaves(node: Node) -> Iterator[Leaf]:
    """Every fact asked about, from left to right."""
    if isinstance(node, Leaf):
        yield node
    else:
        for one in node.of:
            yield from leaves(one)


EVERYBODY = Group(Mode.ALL)
"""No conditions: every contact."""
