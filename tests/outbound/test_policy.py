"""Whether a delivery may go is decided from facts alone, and the reason is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consent import Scope
from core.outbox import Purpose
from outbound.policy import SEND, Action, Facts, is_machine, verdict

FINE = Facts(
    purpose=Purpose.SERVICE,
    automatic=True,
    answers=False,
    address="ona@example.com",
    waited=timedelta(minutes=1),
    expired=False,
)


def test_what_nothing_speaks_against_is_sent():
    assert verdict(FINE) is SEND


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_closed_address_gets_nothing_for_any_purpose(purpose: Purpose):
    said = verdict(replace(FINE, purpose=purpose, suppression=Scope.EVERYTHING, suppression_reason="bounced"))
    assert said.action is Action.SUPPRESS
    assert "bounced" in said.reason


def test_an_opt_out_of_marketing_stops_marketing():
    facts = replace(FINE, purpose=Purpose.MARKETING, suppression=Scope.MARKETING)
    assert verdict(facts).action is Action.SUPPRESS


@pytest.mark.parametrize("purpose", [Purpose.ANSWER, Purpose.SERVICE, Purpose.STAFF])
def test_an_opt_out_of_marketing_lets_everything_else_through(purpose: Purpose):
    assert verdict(replace(FINE, purpose=purpose, suppression=Scope.MARKETING)) is SEND


def test_a_withdrawn_consent_stops_marketing_only():
    assert verdict(replace(FINE, purpose=Purpose.MARKETING, consent_withdrawn=True)).action is Action.SUPPRESS
    assert verdict(replace(FINE, purpose=Purpose.ANSWER, consent_withdrawn=True)) is SEND


def test_nothing_is_sent_to_ourselves():
    assert verdict(replace(FINE, ours=True)).action is Action.CANCEL


def test_a_notice_to_staff_may_go_to_an_address_of_ours():
    assert verdict(replace(FINE, ours=True, purpose=Purpose.STAFF)) is SEND


@pytest.mark.parametrize(
    "address",
    [
        "noreply@x.lt",
        "no-reply@x.lt",
        "No_Reply@x.lt",
        "do-not-reply@x.lt",
        "donotreply@x.lt",
        "mailer-daemon@x.lt",
        "MAILER-DAEMON@x.lt",
        "postmaster@x.lt",
        "bounces+17@x.lt",
        "bounce-22-ona=x.lt@list.lt",
        "noreply+abc@x.lt",
    ],
)
def test_an_automatic_letter_to_a_machine_is_cancelled(address: str):
    assert is_machine(address)
    assert verdict(replace(FINE, address=address)).action is Action.CANCEL


@pytest.mark.parametrize("address", ["ona@x.lt", "reply@x.lt", "bouncer@x.lt", "robotas@x.lt", "post@x.lt"])
def test_a_person_is_not_taken_for_a_machine(address: str):
    assert not is_machine(address)


def test_a_person_may_write_to_a_machine():
    assert verdict(replace(FINE, automatic=False, address="noreply@x.lt")) is SEND


def test_what_is_past_its_time_expires():
    assert verdict(replace(FINE, expired=True)).action is Action.EXPIRE


def test_an_automatic_answer_two_days_late_is_cancelled():
    late = replace(FINE, answers=True, waited=timedelta(days=2, minutes=1))
    assert verdict(late).action is Action.CANCEL
    assert verdict(replace(late, automatic=False)) is SEND


def test_a_closed_domain_makes_it_wait():
    said = verdict(replace(FINE, blocked=120.0))
    assert (said.action, said.wait) == (Action.DEFER, 120.0)


FACTS = st.builds(
    Facts,
    purpose=st.sampled_from(Purpose),
    automatic=st.booleans(),
    answers=st.booleans(),
    address=st.sampled_from(["ona@x.lt", "noreply@x.lt"]),
    waited=st.timedeltas(timedelta(0), timedelta(days=9)),
    expired=st.booleans(),
    suppression=st.sampled_from([None, *Scope]),
    consent_withdrawn=st.booleans(),
    ours=st.booleans(),
    blocked=st.floats(0, 5000),
)


@given(FACTS)
def test_every_verdict_but_sending_tells_its_reason(facts: Facts):
    said = verdict(facts)
    assert (said.action is Action.SEND) == (not said.reason)
    assert (said.wait > 0) == (said.action is Action.DEFER)


@given(FACTS)
def test_nothing_goes_to_a_closed_address_and_no_marketing_to_who_opted_out(facts: Facts):
    if facts.suppression is Scope.EVERYTHING or (
        facts.purpose is Purpose.MARKETING and (facts.suppression or facts.consent_withdrawn)
    ):
        assert verdict(facts).action is Action.SUPPRESS
