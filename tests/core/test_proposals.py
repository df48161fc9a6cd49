"""A letter may propose the next stage, never a step back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intents import Intent
from core.proposals import Place, propose
from core.standardpipeline import DOCUMENT

PLACES = {
    stage["key"]: Place(position, stage["key"], position, frozenset(stage.get("proposed_on", ())))
    for position, stage in enumerate(DOCUMENT["stages"], start=1)
}


@pytest.mark.parametrize(
    ("intent", "present", "proposed"),
    [
        ("demo_request", "first_contact", "demo"),
        ("contract", "commercial_offer", "contract"),
        ("order", "technical_proposal", "contract"),
        ("price_request", "commercial_offer", None),
        ("demo_request", "payment", None),
        ("other", "first_contact", None),
        (None, "first_contact", None),
    ],
)
def test_what_is_asked_for_proposes_its_stage(intent: str | None, present: str, proposed: str | None) -> None:
    found = propose(intent, PLACES[present], PLACES)
    assert (found.key if found else None) == proposed


@given(st.sampled_from([*Intent, None]), st.sampled_from(list(PLACES.values())))
def test_a_proposal_never_leads_back(intent: str | None, present: Place) -> None:
    found = propose(intent, present, PLACES)
    assert found is None or found.position > present.position


def test_only_a_stage_that_may_follow_is_proposed() -> None:
    present = Place(1, "first_contact", 1, leads_to=frozenset({"need_identified"}))
    assert propose("demo_request", present, PLACES) is None


def test_a_company_without_that_stage_gets_no_proposal() -> None:
    assert (
        propose("demo_request", PLACES["first_contact"], {"first_contact": PLACES["first_contact"]}) is None
    )
