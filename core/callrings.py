"""Whose telephones a call rings, and in what order: the company's routing rules, asked until nobody is left.

A letter goes to whom the rules name first. A call goes on to whom they would name without the one before. So
every rule of letters holds for calls: topics, languages, territories, absences, rules of the company's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.routing import Facts, Roster, decide
from core.routingrules import OWN, Rule

MOST_RUNG: Final = 10
"""Telephones rung for one call; the largest number Twilio takes in one `<Dial>`."""
SPOKEN_FIRST: Final = (("owns_deal", "keeps_conversation"), ("prefer_language", "prefer_territory"),
                       ("prefer_language", "prefer_industry"))  # fmt: skip
"""Where both rules are in force, the first of each pair goes before the second when people talk: a caller
wants whoever sells to them, and a word that is not understood helps nobody."""
NOBODY: Final = "nobody_here"


@dataclass(frozen=True, slots=True)
class Line:
    """Who could be rung now."""

    roster: Roster
    numbers: Mapping[int, str]
    """Telephones (E.164) of those who work the phone and do not talk, by their ids."""


@dataclass(frozen=True, slots=True)
class Telephone:
    """One telephone of ours to ring."""

    number: str
    staff_id: int


@dataclass(frozen=True, slots=True)
class Rung:
    """Whom to ring, in order, and the rule that put the first of them there."""

    telephones: tuple[Telephone, ...]
    rule: str


def spoken(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules in the order in which they hold for a talk."""
    ordered = list(rules)
    for first, second in SPOKEN_FIRST:
        places = {rule.kind: place for place, rule in enumerate(ordered) if rule.kind != OWN}
        if first in places and second in places and places[second] < places[first]:
            ordered.insert(places[second], ordered.pop(places[first]))
    return tuple(ordered)


def order(facts: Facts, line: Line, most: int = MOST_RUNG) -> Rung:
    """Whom a call rings, in order; nobody off duty or on the telephone, no telephone twice; pure.

    A rule of the company's own that names a team keeps the call in that team: when all of it were rung, or
    nobody of it is there, the caller may leave a message, and the team finds the task.
    """
    everybody = line.roster
    left = replace(
        everybody,
        here={number: one for number, one in everybody.here.items() if number in line.numbers},
        rules=spoken(everybody.rules),
        # Those that fit are the same whoever is asked for.
        places=everybody.places_of(facts),
    )
    first, chosen = None, {}
    while len(chosen) < most:
        decision = decide(facts, left)
        first = first or decision
        if decision.staff_id is None:
            break
        del left.here[decision.staff_id]
        chosen.setdefault(line.numbers[decision.staff_id], decision.staff_id)
    telephones = tuple(Telephone(number, staff_id) for number, staff_id in chosen.items())
    return Rung(telephones, first.rule if first else NOBODY)
