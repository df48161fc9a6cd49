"""Who gets a conversation, and why."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import routing
from core.routing import Candidate, Facts, Roster, decide
from core.staff import Absence, Role
from tests.core.people import colleague

SALES, SUPPORT = 1, 2


def _someone(
    staff_id: int, team: int | None = SALES, speaks: str = "lt ru en", load: int = 0, role: str = "agent"
) -> Candidate:
    return Candidate(staff_id, team, role, frozenset(speaks.split()), load)


def _roster(*people: Candidate) -> Roster:
    return Roster({one.id: one for one in people})


def test_a_conversation_stays_with_whom_it_has() -> None:
    facts = Facts(assignee_id=1, owner_id=2, curator_id=3)
    assert decide(facts, _roster(_someone(1), _someone(2), _someone(3))).rule == "keeps_conversation"


def test_the_deals_owner_comes_before_the_curator() -> None:
    decision = decide(Facts(owner_id=2, curator_id=3), _roster(_someone(2), _someone(3)))
    assert (decision.rule, decision.staff_id) == ("owns_deal", 2)


def test_somebody_who_is_away_is_passed_over() -> None:
    decision = decide(Facts(owner_id=2, curator_id=3), _roster(_someone(3)))
    assert (decision.rule, decision.staff_id) == ("curates_account", 3)


def test_a_topic_goes_to_whom_in_its_team_speaks_the_language() -> None:
    people = _roster(
        _someone(1, SUPPORT, "en", 0), _someone(2, SUPPORT, "ru", 9), _someone(3, SALES, "ru", 0)
    )
    decision = decide(Facts(language="ru", topic_team_id=SUPPORT), people)
    assert (decision.rule, decision.staff_id) == ("topic_team", 2)


def test_a_team_in_which_nobody_speaks_the_language_still_gets_its_topic() -> None:
    assert decide(Facts(language="ru", topic_team_id=SALES), _roster(_someone(1, SALES, "en"))).staff_id == 1


def test_load_is_shared_as_choices_are_made() -> None:
    people = _roster(_someone(1), _someone(2))
    chosen = []
    for _ in range(4):
        decision = decide(Facts(topic_team_id=SALES), people)
        assert decision.staff_id is not None
        people.chosen(decision.staff_id)
        chosen.append(decision.staff_id)
    assert chosen == [1, 2, 1, 2]


def test_with_nobody_here_it_waits_in_its_teams_queue() -> None:
    decision = decide(Facts(topic_team_id=SUPPORT, mailbox_team_id=SALES), _roster())
    assert (decision.rule, decision.staff_id, decision.team_id) == ("nobody_here", None, SUPPORT)


def test_marketing_is_not_given_clients_letters_by_load_alone() -> None:
    assert decide(Facts(), _roster(_someone(1, None, role="marketing"))).staff_id is None


people_lists = st.lists(
    st.builds(
        _someone,
        st.integers(1, 50),
        st.sampled_from([1, 2, None]),
        st.sampled_from(["lt", "ru", "en ru"]),
        st.integers(0, 20),
    ),
    unique_by=lambda one: one.id,
)
ids = st.none() | st.integers(1, 50)


@given(
    people_lists,
    st.builds(
        Facts,
        st.sampled_from(["lt", "ru", None]),
        st.none(),
        ids,
        ids,
        ids,
        st.sampled_from([1, 2, None]),
        st.sampled_from([1, 2, None]),
    ),
)
def test_whoever_is_chosen_is_here(people: list[Candidate], facts: Facts) -> None:
    decision = decide(facts, _roster(*people))
    assert decision.staff_id is None or decision.staff_id in {one.id for one in people}


@given(people_lists.filter(bool))
def test_somebody_is_always_found_while_an_agent_is_here(people: list[Candidate]) -> None:
    assert decide(Facts(), _roster(*people)).staff_id is not None


def test_the_roster_leaves_out_who_is_away_or_has_left(session: Session) -> None:
    here, away, gone = (colleague(session, name) for name in ("Rasa", "Jonas", "Vilius"))
    admin = colleague(session, "Admin", role=Role.ADMIN)
    day = timedelta(days=1)
    session.add(Absence(staff_id=away.id, first_day=date.today() - day, last_day=date.today() + day))  # noqa: DTZ011 - a span around any zone's today
    gone.active = False
    session.flush()
    assert set(routing.roster(session).here) & {here.id, away.id, gone.id, admin.id} == {here.id}


def test_a_likely_topic_decides_where_neither_topic_nor_mailbox_does() -> None:
    people = _roster(_someone(1, SALES), _someone(2, SUPPORT))
    assert decide(Facts(likely_team_id=SUPPORT), people).staff_id == 2
    assert decide(Facts(likely_team_id=SUPPORT, mailbox_team_id=SALES), people).staff_id == 1
