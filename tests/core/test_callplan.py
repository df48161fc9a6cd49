"""The plan of a call: who is rung, what is asked, and what no plan may ever do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import callplan
from core.callplan import (
    Ask,
    CallFacts,
    CallPlan,
    Connect,
    Hangup,
    House,
    Reject,
    Ring,
    RingStaff,
    Say,
    Step,
    Voicemail,
)
from core.callrings import MOST_RUNG, Line, order, spoken
from core.routing import Candidate, Facts, Place, Roster, decide
from core.routingrules import DEFAULT, Rule
from core.staff import Role

LANGUAGES = ("lt", "ru", "en")


def words(about: str) -> dict[str, Say]:
    return {language: Say(f"{about} {language}", language) for language in LANGUAGES}


HOUSE = House(
    languages=LANGUAGES,
    default_language="lt",
    language_prompts=tuple(words("press").values()),
    topics=("price_request", "support_problem"),
    topic_prompts={one: (Say("sales", one), Say("support", one)) for one in LANGUAGES},
    greeting=words("greeting"),
    closed=words("closed"),
    busy=words("busy"),
    goodbye=words("goodbye"),
)


def colleague(
    number: int, team_id: int | None, *speaks: str, load: int = 0, role: Role = Role.AGENT
) -> Candidate:
    return Candidate(number, team_id, role, frozenset(speaks), load)


def line(*several: Candidate, talking: int = 0, places: tuple[Place, ...] = ()) -> Line:
    """A line to some colleagues, of whom one may be talking; the support topic goes to team 2."""
    roster = Roster({one.id: one for one in several}, {"support_problem": 2}, places=places)
    return Line(roster, {one.id: f"+3706000{one.id:04}" for one in several if one.id != talking})


OWNER = colleague(1, 1, "lt", load=9)
SECOND = colleague(2, 1, "ru", load=1)
SUPPORT = colleague(3, 2, "lt", "ru", role=Role.SUPPORT)
KNOWN = CallFacts(known=True, language="lt", client=Facts(owner_id=1), line=line(SECOND, OWNER, SUPPORT))


def first_rung(plan: CallPlan) -> list[int]:
    ring = plan.acts[-1]
    assert isinstance(ring, RingStaff)
    return [one.staff_id for one in ring.telephones]


def test_known_caller_is_put_through_to_the_owner_of_the_deal_first() -> None:
    plan = callplan.greet(KNOWN, HOUSE)
    assert first_rung(plan) == [1, 2]
    assert "owns_deal" in plan.reason


def test_ringing_is_the_first_act_where_nothing_is_recorded() -> None:
    assert isinstance(callplan.greet(KNOWN, HOUSE).acts[0], RingStaff)


def test_whoever_is_recorded_was_told_so_in_their_language() -> None:
    said, ring = callplan.greet(KNOWN, replace(HOUSE, record=True)).acts
    assert said == HOUSE.greeting["lt"]
    assert isinstance(ring, RingStaff)
    assert ring.record


def test_owner_who_is_away_is_not_rung() -> None:
    away = replace(KNOWN, line=line(SECOND))
    assert first_rung(callplan.greet(away, HOUSE)) == [2]


def test_owner_who_talks_already_is_not_rung() -> None:
    talking = replace(KNOWN, line=line(OWNER, SECOND, talking=1))
    assert first_rung(callplan.greet(talking, HOUSE)) == [2]


def test_stranger_is_asked_for_a_language_then_a_topic_then_the_topics_team_is_rung() -> None:
    stranger = CallFacts(line=line(OWNER, SECOND, SUPPORT))
    (ask,) = callplan.greet(stranger, HOUSE).acts
    assert isinstance(ask, Ask)
    assert ask.step is Step.LANGUAGE
    language, plan = callplan.language_chosen("2", stranger, HOUSE, 1)
    assert language == "ru"
    assert isinstance(plan.acts[0], Ask)
    assert plan.acts[0].says[0].language == "ru"
    topic = callplan.topic_chosen("2", HOUSE)
    assert topic == "support_problem"
    facts = callplan.with_language(stranger, "ru")
    assert first_rung(callplan.after_topic(topic, facts, HOUSE, 1)) == [3, 2, 1]


def test_silence_in_the_menu_ends_in_ringing_and_not_in_a_circle() -> None:
    facts = CallFacts(line=line(SECOND))
    plan, asked = callplan.greet(facts, HOUSE), 0
    while isinstance(plan.acts[0], Ask):
        asked += 1
        _, plan = callplan.language_chosen("", facts, HOUSE, int(plan.acts[0].params["time"]))
    assert asked == callplan.MOST_ASKED
    assert first_rung(plan) == [2]


@pytest.mark.parametrize("facts", [KNOWN, CallFacts(line=line(OWNER))], ids=["known", "stranger"])
def test_out_of_hours_a_message_is_asked_for_and_nobody_is_rung(facts: CallFacts) -> None:
    (act,) = callplan.greet(replace(facts, open=False), HOUSE).acts
    assert isinstance(act, Voicemail)
    assert act.says == (HOUSE.closed["lt"],)


def test_nobody_who_took_it_leads_to_voicemail_in_the_callers_language() -> None:
    (act,) = callplan.rung(False, replace(KNOWN, language="ru"), HOUSE).acts
    assert isinstance(act, Voicemail)
    assert act.says == (HOUSE.busy["ru"],)


def test_silence_after_the_tone_is_no_message() -> None:
    assert callplan.left(0, KNOWN, HOUSE).acts == (Hangup(),)
    assert callplan.left(7, KNOWN, HOUSE).acts == (HOUSE.goodbye["lt"], Hangup())


@pytest.mark.parametrize("key", ["", "2", "11", "*", "१", "1 "])
def test_only_the_key_one_takes_a_call(key: str) -> None:
    assert callplan.accept(key).acts == (Hangup(),)
    assert callplan.accept("1").acts == (Connect(),)


def test_blocked_number_is_refused_before_anything_else() -> None:
    assert callplan.greet(replace(KNOWN, blocked=True), HOUSE).acts == (Reject(),)


numbers = st.none() | st.integers(1, 30)
candidates = st.builds(
    Candidate,
    id=st.integers(1, 30),
    team_id=st.none() | st.integers(1, 3),
    role=st.sampled_from([Role.AGENT, Role.SUPPORT, Role.HEAD]),
    speaks=st.frozensets(st.sampled_from(LANGUAGES)),
    load=st.integers(0, 50),
)
rosters = st.builds(
    Roster,
    here=st.lists(candidates, max_size=25).map(lambda several: {one.id: one for one in several}),
    teams_of_topics=st.sampled_from([{}, {"price_request": 1}]),
    rules=st.permutations(DEFAULT).map(tuple)
    | st.sampled_from([DEFAULT, (), (Rule("custom", {}, None, 2),)]),
    places=st.sampled_from([(), (Place("all", frozenset({"LT"}), frozenset(), frozenset({1, 2, 3})),)]),
)
lines = st.builds(
    Line,
    rosters,
    st.dictionaries(st.integers(1, 30), st.sampled_from([f"+3706000{n:04}" for n in range(20)])),
)
anything = st.builds(
    CallFacts,
    blocked=st.booleans(),
    open=st.booleans(),
    language=st.none() | st.sampled_from([*LANGUAGES, "de"]),
    known=st.booleans(),
    client=st.builds(
        Facts,
        assignee_id=numbers,
        owner_id=numbers,
        curator_id=numbers,
        country=st.sampled_from([None, "LT"]),
    ),
    line=st.none() | lines,
)
houses = st.builds(
    replace, st.just(HOUSE), record=st.booleans(), voicemail=st.booleans(), ring=st.sampled_from(Ring),
    topics=st.sampled_from([(), HOUSE.topics]),
)  # fmt: skip
steps = st.sampled_from(["greet", "language", "topic", "rung", "left"])


def planned(step: str, facts: CallFacts, house: House, key: str, time: int) -> CallPlan:
    match step:
        case "greet":
            return callplan.greet(facts, house)
        case "language":
            return callplan.language_chosen(key, facts, house, time)[1]
        case "topic":
            return callplan.after_topic(callplan.topic_chosen(key, house), facts, house, time)
        case "rung":
            return callplan.rung(False, facts, house)
        case _:
            return callplan.left(time, facts, house)


@given(steps, anything, houses, st.text(max_size=3), st.integers(0, 4))
def test_every_plan_of_any_step_keeps_the_promises(
    step: str, facts: CallFacts, house: House, key: str, time: int
) -> None:
    plan = planned(step, facts, house, key, time)
    assert plan.acts
    assert plan.reason
    for place, act in enumerate(plan.acts):
        last = place == len(plan.acts) - 1
        assert isinstance(act, Say) or last, "whatever follows a question, a ring or a hang-up is never done"
        if isinstance(act, Reject):
            assert place == 0
        if isinstance(act, RingStaff):
            assert facts.open
            assert facts.line is not None
            assert 1 <= len(act.telephones) <= MOST_RUNG
            assert len({one.number for one in act.telephones}) == len(act.telephones)
            assert all(facts.line.roster.here[one.staff_id] for one in act.telephones)
            assert all(facts.line.numbers[one.staff_id] == one.number for one in act.telephones)
            assert not act.record or isinstance(plan.acts[0], Say), "recorded without being told"
    assert not isinstance(plan.acts[-1], Say), "a call that nobody ends"


@given(anything, houses)
def test_the_same_facts_give_the_same_plan(facts: CallFacts, house: House) -> None:
    assert callplan.greet(facts, house) == callplan.greet(facts, house)


@given(rosters, numbers, st.integers(1, 30))
def test_the_owner_of_the_deal_is_rung_before_all_others_under_the_shipped_rules(
    roster: Roster, assignee: int | None, owner: int
) -> None:
    free = Line(replace(roster, rules=DEFAULT), {one: f"+3706000{one:04}" for one in roster.here})
    rung = order(Facts(assignee_id=assignee, owner_id=owner), free)
    if owner in roster.here:
        assert (rung.telephones[0].staff_id, rung.rule) == (owner, "owns_deal")


@given(rosters)
def test_a_call_goes_first_where_a_letter_would_that_nobody_owns(roster: Roster) -> None:
    facts = Facts(language="lt", country="LT", topic_team_id=1)
    free = Line(roster, {one: f"+3706000{one:04}" for one in roster.here})
    decision = decide(facts, replace(roster, rules=spoken(roster.rules)))
    assert order(facts, free).rule == decision.rule
    assert [one.staff_id for one in order(facts, free).telephones][:1] == (
        [decision.staff_id] if decision.staff_id is not None else []
    )


@given(st.permutations(DEFAULT))
def test_talks_keep_every_rule_and_only_bring_owner_and_language_forward(rules: list[Rule]) -> None:
    ordered = spoken(rules)
    kinds = [rule.kind for rule in ordered]
    assert sorted(kinds) == sorted(rule.kind for rule in rules)
    assert kinds.index("owns_deal") < kinds.index("keeps_conversation")
    assert kinds.index("prefer_language") < kinds.index("prefer_territory")
    moved = {"owns_deal", "prefer_language"}
    assert [one for one in kinds if one not in moved] == [one.kind for one in rules if one.kind not in moved]


def test_of_a_team_who_speaks_the_language_is_rung_first_and_then_who_answers_for_the_place() -> None:
    several = (colleague(1, 5, "lt"), colleague(2, 5, "lt", load=9), colleague(3, 5))
    latvia = Place("Latvia", frozenset({"LV"}), frozenset(), frozenset({2, 3}))
    facts = CallFacts(
        language="lt", client=Facts(topic_team_id=5, country="LV"), line=line(*several, places=(latvia,))
    )
    rung = callplan.rings(facts, HOUSE)
    assert ([one.staff_id for one in rung.telephones], rung.rule) == ([2, 1, 3], "topic_team")


def test_a_rule_of_the_companys_own_keeps_a_call_in_its_team() -> None:
    ours = Rule("custom", {"language": "ru"}, team_id=2)
    free = line(OWNER, SECOND, SUPPORT)
    free = replace(free, roster=replace(free.roster, rules=(ours, *DEFAULT)))
    assert [one.staff_id for one in order(Facts(language="ru"), free).telephones] == [3]
    empty = replace(free, numbers={1: "+37060000001"})
    assert order(Facts(language="ru"), empty).telephones == ()
    assert order(Facts(language="lt"), empty).rule == "least_loaded"


def test_a_call_is_offered_to_twenty_colleagues_but_rings_ten() -> None:
    many = line(*(colleague(one, 1, "lt", load=one) for one in range(1, 21)))
    assert [one.staff_id for one in order(Facts(), many).telephones] == list(range(1, 11))
