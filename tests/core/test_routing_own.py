"""Rules of a company's own, and what is preferred among several colleagues."""

from __future__ import annotations

from core.routing import Candidate, Facts, Place, Roster, decide
from core.routingrules import DEFAULT, Rule, conditions_of

SALES, SUPPORT = 1, 2


def _one(staff_id: int, team: int, speaks: str = "lt ru", load: int = 0, industries: str = "") -> Candidate:
    known = frozenset(industries.split())
    return Candidate(staff_id, team, "agent", frozenset(speaks.split()), load, frozenset(), known)


def _roster(*people: Candidate, rules: tuple[Rule, ...] = DEFAULT, places: tuple[Place, ...] = ()) -> Roster:
    return Roster({one.id: one for one in people}, rules=rules, places=places)


def test_a_rule_of_our_own_holds_when_all_its_conditions_do() -> None:
    own = Rule("custom", {"topic": "order", "industry": "Vandentvarka"}, staff_id=2)
    people = _roster(_one(1, SALES), _one(2, SUPPORT), rules=(own, *DEFAULT))
    decision = decide(Facts(intent="order", industry="vandentvarka", topic_team_id=SALES), people)
    assert (decision.staff_id, conditions_of(decision.rule)) == (2, own.conditions)
    assert decide(Facts(intent="order", topic_team_id=SALES), people).staff_id == 1


def test_a_rule_that_names_somebody_away_is_passed_over_and_a_team_keeps_it() -> None:
    person = Rule("custom", {"topic": "order"}, staff_id=9)
    assert decide(Facts(intent="order"), _roster(_one(1, SALES), rules=(person, *DEFAULT))).staff_id == 1
    team = Rule("custom", {"topic": "order"}, team_id=SUPPORT)
    decision = decide(Facts(intent="order"), _roster(_one(1, SALES), rules=(team, *DEFAULT)))
    assert (decision.staff_id, decision.team_id) == (None, SUPPORT)


def test_within_a_team_territory_goes_before_industry_language_and_load() -> None:
    place = Place("Kaunas", frozenset(), frozenset({"Kaunas"}), frozenset({3}))
    people = _roster(
        _one(1, SALES, load=0), _one(2, SALES, load=5, industries="energetika"), _one(3, SALES, "en", load=9),
        places=(place,),
    )  # fmt: skip
    facts = Facts(language="ru", topic_team_id=SALES, region="Kaunas", industry="Energetika")
    assert decide(facts, people).staff_id == 3
    assert decide(Facts("ru", topic_team_id=SALES, industry="Energetika"), people).staff_id == 2
    assert decide(Facts("ru", topic_team_id=SALES), people).staff_id == 1


def test_a_rule_may_ask_for_the_clients_segment_and_the_stage_of_the_deal() -> None:
    rule = Rule("custom", {"segment": "Atvėstantys", "stage": "contract"}, staff_id=2, segment_id=7)
    people = _roster(_one(1, SALES), _one(2, SUPPORT), rules=(rule, *DEFAULT))
    assert people.asks_for_segments
    assert decide(Facts(segments=frozenset({3, 7}), stage="contract"), people).staff_id == 2
    assert decide(Facts(segments=frozenset({3}), stage="contract"), people).staff_id == 1
    assert decide(Facts(segments=frozenset({7}), stage="demo"), people).staff_id == 1
    assert not _roster(_one(1, SALES)).asks_for_segments
