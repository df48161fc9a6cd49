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
    Colleague,
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
OWNER = Colleague(1, "+37060000001", team_id=1, speaks=frozenset({"lt"}), load=9)
SECOND = Colleague(2, "+37060000002", team_id=1, speaks=frozenset({"ru"}), load=1)
SUPPORT = Colleague(3, "+37060000003", team_id=2, speaks=frozenset({"lt", "ru"}), sells=False)
KNOWN = CallFacts(known=True, language="lt", owner_id=1, colleagues=(SECOND, OWNER, SUPPORT))


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
    away = replace(KNOWN, colleagues=(replace(OWNER, on_duty=False), SECOND))
    assert first_rung(callplan.greet(away, HOUSE)) == [2]


def test_owner_who_talks_already_is_not_rung() -> None:
    talking = replace(KNOWN, colleagues=(replace(OWNER, talking=True), SECOND))
    assert first_rung(callplan.greet(talking, HOUSE)) == [2]


def test_stranger_is_asked_for_a_language_then_a_topic_then_the_topics_team_is_rung() -> None:
    stranger = CallFacts(colleagues=(OWNER, SECOND, SUPPORT))
    (ask,) = callplan.greet(stranger, HOUSE).acts
    assert isinstance(ask, Ask)
    assert ask.step is Step.LANGUAGE
    language, plan = callplan.language_chosen("2", stranger, HOUSE, 1)
    assert language == "ru"
    assert isinstance(plan.acts[0], Ask)
    assert plan.acts[0].says[0].language == "ru"
    topic = callplan.topic_chosen("2", HOUSE)
    assert topic == "support_problem"
    facts = replace(callplan.with_language(stranger, "ru"), topic=topic, topic_team_id=2)
    assert first_rung(callplan.after_topic(topic, facts, HOUSE, 1)) == [3, 2, 1]


def test_silence_in_the_menu_ends_in_ringing_and_not_in_a_circle() -> None:
    facts = CallFacts(colleagues=(SECOND,))
    plan, asked = callplan.greet(facts, HOUSE), 0
    while isinstance(plan.acts[0], Ask):
        asked += 1
        _, plan = callplan.language_chosen("", facts, HOUSE, int(plan.acts[0].params["time"]))
    assert asked == callplan.MOST_ASKED
    assert first_rung(plan) == [2]


@pytest.mark.parametrize("facts", [KNOWN, CallFacts(colleagues=(OWNER,))], ids=["known", "stranger"])
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


colleagues = st.builds(
    Colleague,
    id=st.integers(1, 30),
    number=st.sampled_from(["", *(f"+3706000{n:04}" for n in range(20))]),
    team_id=st.none() | st.integers(1, 3),
    speaks=st.frozensets(st.sampled_from(LANGUAGES)),
    sells=st.booleans(),
    on_duty=st.booleans(),
    talking=st.booleans(),
    load=st.integers(0, 50),
)
anything = st.builds(
    CallFacts,
    blocked=st.booleans(),
    open=st.booleans(),
    language=st.none() | st.sampled_from([*LANGUAGES, "de"]),
    topic=st.none() | st.just("price_request"),
    known=st.booleans(),
    assignee_id=st.none() | st.integers(1, 30),
    owner_id=st.none() | st.integers(1, 30),
    curator_id=st.none() | st.integers(1, 30),
    topic_team_id=st.none() | st.integers(1, 3),
    colleagues=st.lists(colleagues, max_size=25, unique_by=lambda one: one.id).map(tuple),
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
            rung = {one.id: one for one in facts.colleagues}
            assert facts.open
            assert 1 <= len(act.telephones) <= callplan.MOST_RUNG
            assert len({one.number for one in act.telephones}) == len(act.telephones)
            assert all(rung[one.staff_id].on_duty and one.number for one in act.telephones)
            assert not act.record or isinstance(plan.acts[0], Say), "recorded without being told"
    assert not isinstance(plan.acts[-1], Say), "a call that nobody ends"


@given(anything, houses)
def test_the_same_facts_give_the_same_plan(facts: CallFacts, house: House) -> None:
    assert callplan.greet(facts, house) == callplan.greet(facts, house)


@given(anything, houses)
def test_the_clients_own_colleague_comes_before_all_others(facts: CallFacts, house: House) -> None:
    chosen, rule = callplan.rings(facts, house)
    owner = next((one for one in facts.colleagues if one.id == facts.owner_id), None)
    if owner is not None and owner.on_duty and not owner.talking and owner.number:
        assert (chosen[0].id, rule) == (owner.id, "owns_deal")


def test_of_a_team_who_answers_for_the_place_is_rung_before_the_less_loaded() -> None:
    several = (
        Colleague(1, "+37060000001", team_id=5, speaks=frozenset({"lt"}), load=0),
        Colleague(2, "+37060000002", team_id=5, speaks=frozenset({"lt"}), load=9),
        Colleague(3, "+37060000003", team_id=5, speaks=frozenset(), load=0),
    )
    facts = CallFacts(language="lt", topic_team_id=5, territory=frozenset({2, 3}), colleagues=several)
    chosen, rule = callplan.rings(facts, HOUSE)
    assert ([one.id for one in chosen], rule) == ([2, 1, 3], "topic_team")
