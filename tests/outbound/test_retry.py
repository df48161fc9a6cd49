"""Waits grow from five minutes to 4,000 seconds; domains are given room, and let be when they ask for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LoginRefused, Unreachable
from core.limits import Limits
from outbound.channels.base import Outcome, Reply, Result, Scope
from outbound.destinations import Destinations
from outbound.pace import PageSize, Patience
from outbound.retry import Step, judge, wait

SENT = Outcome(Result.SENT)
BUSY = Outcome(Result.DEFERRED, "451 4.7.1 slow down", Scope.DESTINATION)
FULL = Outcome(Result.DEFERRED, "450 4.2.2 full", Scope.RECIPIENT)


def test_waits_double_from_five_minutes_to_the_longest():
    limits = Limits.model_validate({})
    waits = [wait(n, limits.retry_first_seconds, limits.retry_longest_seconds, 0.0) for n in range(1, 7)]
    assert waits == [300, 600, 1200, 2400, 4000, 4000]


@given(st.integers(0, 10_000))
def test_a_wait_is_never_under_the_first_nor_a_fifth_over_the_longest(attempts: int):
    assert 300 <= wait(attempts, 300, 4000) <= 4800


@pytest.mark.parametrize(
    ("step", "reply", "result", "scope"),
    [
        (Step.DOT, Reply(250, "2.0.0 ok"), Result.SENT, Scope.LETTER),
        (Step.RCPT, Reply(451, "4.7.1 slow down"), Result.DEFERRED, Scope.DESTINATION),
        (Step.RCPT, Reply(450, "4.2.2 mailbox full"), Result.DEFERRED, Scope.RECIPIENT),
        (Step.RCPT, Reply(451, "4.2.0 mailbox busy"), Result.DEFERRED, Scope.RECIPIENT),
        (Step.DOT, Reply(452, "4.3.1 no space"), Result.DEFERRED, Scope.DESTINATION),
        (Step.MAIL, Reply(530, "5.7.0 authentication required"), Result.DEFERRED, Scope.RELAY),
        (Step.MAIL, Reply(553, "5.1.8 sender unknown"), Result.REFUSED, Scope.LETTER),
        (Step.DOT, Reply(552, "5.3.4 too big"), Result.REFUSED, Scope.LETTER),
        (Step.DATA, Reply(250, "what"), Result.DEFERRED, Scope.RELAY),
        (Step.DOT, Reply(354, "what"), Result.UNCERTAIN, Scope.LETTER),
    ],
)
def test_each_reply_is_understood_at_its_step(step: Step, reply: Reply, result: Result, scope: Scope):
    outcome = judge(step, reply)
    assert (outcome.result, outcome.scope, outcome.hard) == (result, scope, False)


@given(st.sampled_from(Step), st.integers(100, 999), st.text(max_size=30))
def test_only_a_2xx_after_the_final_dot_is_sent_and_nothing_before_it_is_uncertain(
    step: Step, code: int, words: str
):
    outcome = judge(step, Reply(code, words))
    assert (outcome.result is Result.SENT) == (step is Step.DOT and code // 100 == 2)
    if step is not Step.DOT:
        assert outcome.result in (Result.DEFERRED, Result.REFUSED)


def through(destinations: Destinations, outcome: Outcome, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        destinations.begin("x.lt")
        destinations.end("x.lt", outcome, now)


def test_a_new_domain_takes_five_at_once_and_no_more():
    destinations = Destinations()
    for _ in range(5):
        assert destinations.room("x.lt")
        destinations.begin("x.lt")
    assert not destinations.room("x.lt")
    assert destinations.room("y.lt")


def test_successes_widen_the_window_to_twenty():
    destinations = Destinations()
    through(destinations, SENT, 1000)
    assert destinations.window("x.lt") == 20


def test_a_run_of_deferrals_closes_the_domain_and_no_other():
    destinations = Destinations()
    through(destinations, BUSY, 3)
    assert destinations.blocked("x.lt", now=0.0) >= 300
    assert destinations.blocked("y.lt", now=0.0) == 0


def test_a_single_deferral_narrows_the_window_without_closing():
    destinations = Destinations()
    through(destinations, BUSY, 1)
    assert destinations.window("x.lt") == 2
    assert destinations.blocked("x.lt", now=0.0) == 0


def test_full_mailboxes_say_nothing_of_the_domain():
    destinations = Destinations()
    through(destinations, FULL, 100)
    assert destinations.window("x.lt") == 5
    assert destinations.blocked("x.lt", now=0.0) == 0


def test_a_domain_that_stays_busy_is_closed_for_longer_each_time():
    destinations = Destinations()
    through(destinations, BUSY, 3)
    first = destinations.blocked("x.lt", now=0.0)
    through(destinations, BUSY, 3, now=first + 1)
    assert destinations.blocked("x.lt", now=first + 1) >= 600
    through(destinations, SENT, 1, now=9999.0)
    through(destinations, BUSY, 3, now=9999.0)
    assert destinations.blocked("x.lt", now=9999.0) < 600


@given(st.lists(st.sampled_from([SENT, BUSY, FULL, Outcome(Result.UNCERTAIN)]), max_size=200))
def test_a_window_stays_between_one_and_twenty(outcomes: list[Outcome]):
    destinations = Destinations()
    for now, outcome in enumerate(outcomes):
        through(destinations, outcome, 1, float(now))
        assert 1 <= destinations.window("x.lt") <= 20


def test_domains_that_were_quiet_are_forgotten_before_memory_fills():
    destinations = Destinations()
    for number in range(25_000):
        destinations.begin(f"{number}.lt")
        destinations.end(f"{number}.lt", SENT, 0.0)
    assert len(destinations._domains) <= 10_000


def test_a_failing_relay_is_tried_ever_more_rarely_and_a_refused_login_never_within_a_minute():
    patience = Patience(clock=lambda: 0.0)
    pauses = [patience.failed(Unreachable()) for _ in range(12)]
    assert pauses[0] <= 1.2
    assert 240 <= pauses[-1] <= 360
    patience.succeeded()
    assert patience.left() == 0
    assert patience.failed(LoginRefused()) >= 48


def test_a_slow_relay_gets_small_pages_and_a_quick_one_large_pages():
    size = PageSize(most=40, seconds=2.0)
    for _ in range(30):
        size.took(10, 10.0)
    assert size.now() <= 2
    for _ in range(60):
        size.took(10, 0.05)
    assert size.now() == 40
