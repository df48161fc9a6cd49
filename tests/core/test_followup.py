"""The rules that decide a due step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.followup import Action, DueStep, Taken, came_of, decide
from core.sequences import Result, StepKind, StopReason
from core.worktime import Calendar

WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _step(**changes: object) -> DueStep:
    return DueStep(**{"now": WEDNESDAY, "kind": StepKind.EMAIL, "calendar": Calendar(), **changes})  # pyright: ignore[reportArgumentType]


def test_a_step_without_an_objection_is_taken() -> None:
    assert decide(_step()).action is Action.TAKE


@pytest.mark.parametrize(
    ("changes", "stop"),
    [({"has_address": False}, StopReason.NO_ADDRESS), ({"opted_out": True}, StopReason.OPT_OUT)],
)
def test_nobody_to_write_to_ends_it(changes: dict[str, object], stop: StopReason) -> None:
    verdict = decide(_step(**changes))
    assert (verdict.action, verdict.stop) == (Action.STOP, stop)


def test_a_letter_waits_for_morning() -> None:
    verdict = decide(_step(now=datetime(2026, 11, 18, 20, 0, tzinfo=UTC)))
    assert (verdict.action, verdict.until) == (Action.WAIT, datetime(2026, 11, 19, 7, 0, tzinfo=UTC))


def test_a_letter_keeps_its_distance_from_the_last_one() -> None:
    verdict = decide(_step(last_touch_at=WEDNESDAY - 3 * HOUR))
    assert (verdict.action, verdict.until) == (Action.WAIT, WEDNESDAY + 21 * HOUR)


def test_a_task_for_a_colleague_needs_neither_address_nor_distance() -> None:
    step = _step(kind=StepKind.TASK, has_address=False, opted_out=True, last_touch_at=WEDNESDAY)
    assert decide(step).action is Action.TAKE


def test_the_weeks_budget_holds_a_letter_back_until_the_oldest_is_a_week_old() -> None:
    touches = tuple(WEDNESDAY - timedelta(days=days) for days in (6, 4, 2))
    verdict = decide(_step(touches=touches, last_touch_at=touches[-1]))
    assert (verdict.action, verdict.until) == (Action.WAIT, WEDNESDAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("result", "came"),
    [
        (Result.MACHINE, Result.REPLIED),
        (Result.NO_ANSWER, Result.REPLIED),
        (Result.ANSWERED, Result.ANSWERED),
    ],
)
def test_a_reply_after_a_call_that_reached_nobody_is_what_came_of_it(result: Result, came: Result) -> None:
    last = Taken(
        StepKind.VOICE, WEDNESDAY, result, result_at=WEDNESDAY + HOUR, replied_at=WEDNESDAY + 2 * HOUR
    )
    assert came_of(last).result is came


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(moments, st.lists(st.integers(0, 7 * 24), max_size=6), st.integers(0, 72))
def test_whatever_is_taken_keeps_every_rule(now: datetime, ages: list[int], gap: int) -> None:
    touches = tuple(sorted(now - timedelta(hours=age) for age in ages))
    step = _step(
        now=now, touches=touches, last_touch_at=max(touches, default=None), least_gap=timedelta(hours=gap)
    )
    verdict = decide(step)
    if verdict.action is Action.TAKE:
        assert step.calendar.is_open(now)
        assert not touches or touches[-1] + step.least_gap <= now
        assert sum(at + timedelta(days=7) > now for at in touches) < step.budget.touches
    else:
        assert verdict.until is not None
        assert verdict.until > now or verdict.until >= now - timedelta(days=7)


@given(moments, st.lists(st.integers(0, 7 * 24), max_size=6))
def test_waiting_never_stands_still(now: datetime, ages: list[int]) -> None:
    """A step that waits is looked at later, never again at the same moment: no busy loop."""
    touches = tuple(sorted(now - timedelta(hours=age) for age in ages if age < 7 * 24))
    verdict = decide(_step(now=now, touches=touches, last_touch_at=max(touches, default=None)))
    if verdict.action is Action.WAIT:
        assert verdict.until is not None
        assert verdict.until > now
