"""A letter may propose the next stage, never a step back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.defaults import STAGES
from core.intents import Intent
from core.proposals import SUGGESTS, Place, propose

PLACES = {key: Place(position, key, position) for position, (key, *_) in enumerate(STAGES, start=1)}


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


def test_every_proposal_is_a_stage_of_the_standard_pipeline() -> None:
    assert set(SUGGESTS.values()) <= set(PLACES)


def test_a_company_without_that_stage_gets_no_proposal() -> None:
    assert (
        propose("demo_request", PLACES["first_contact"], {"first_contact": PLACES["first_contact"]}) is None
    )
