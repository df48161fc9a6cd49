"""What Twilio's answers mean, and the documents of calls that we place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.phonecodes import CODES, Blame, blame, in_words
from outbound.channels.base import Result, Scope
from outbound.phonejudge import judge


@pytest.mark.parametrize(
    ("status", "code", "result", "hard"),
    [
        (429, 20429, Result.DEFERRED, False),
        (400, 14107, Result.DEFERRED, False),
        (400, 21610, Result.REFUSED, True),
        (400, 21614, Result.REFUSED, True),
        (400, 21211, Result.REFUSED, True),
        (400, 21408, Result.REFUSED, False),
        (400, 21617, Result.REFUSED, False),
        (400, None, Result.REFUSED, False),
        (404, 20404, Result.REFUSED, False),
        (401, 20003, Result.UNTRIED, False),
        (403, None, Result.UNTRIED, False),
        (500, None, Result.UNCERTAIN, False),
        (502, None, Result.UNCERTAIN, False),
        (503, 20429, Result.UNCERTAIN, False),
        (408, None, Result.UNCERTAIN, False),
        (302, None, Result.UNCERTAIN, False),
    ],
)
def test_answer_means_exactly_one_thing(status: int, code: int | None, result: Result, hard: bool) -> None:
    outcome = judge(status, code, "told")
    assert (outcome.result, outcome.hard) == (result, hard)


def test_opt_out_at_the_exchange_is_told_from_a_dead_number() -> None:
    assert judge(400, 21610).opted_out
    assert not judge(400, 21211).opted_out


def test_what_an_administrator_must_mend_blames_no_number() -> None:
    for code, whose in CODES.items():
        if whose is Blame.ACCOUNT:
            outcome = judge(400, code)
            assert (outcome.scope, outcome.hard) == (Scope.RELAY, False)


@given(st.integers(300, 599), st.one_of(st.none(), st.sampled_from(sorted(CODES)), st.integers(0, 99999)))
def test_only_what_was_certainly_not_processed_is_tried_again(status: int, code: int | None) -> None:
    outcome = judge(status, code)
    if outcome.result in {Result.DEFERRED, Result.UNTRIED}:
        assert 400 <= status < 500
        assert status == 429 or status in {401, 403} or blame(code) in {Blame.BUSY, Blame.LOGIN}
    if not 400 <= status < 500:
        assert outcome.result is Result.UNCERTAIN


def test_codes_are_told_in_words() -> None:
    assert in_words(30003) == "30003: the telephone cannot be reached"
    assert (in_words(99999), in_words(None)) == ("99999", "")
