"""How long a mail server is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LoginRefused, Unreachable
from inbound.patience import LONGEST, hint, wait_after


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("NO [b'Server Busy. Suggested Backoff Time: 90000 milliseconds']", 90),
        ("Account exceeded command or bandwidth limits", 900),
        ("NO [THROTTLED] slow down", 60),
        ("[ALERT] Too many simultaneous connections. (Failure)", 60),
        ("connection reset", 0),
    ],
)
def test_server_that_says_how_long_is_obeyed(said: str, seconds: float) -> None:
    assert hint(said) == seconds


def test_signing_in_is_tried_at_most_once_a_minute() -> None:
    assert wait_after(1, LoginRefused(), scatter=0.0) >= 60


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_grow_to_five_minutes_and_are_scattered(failures: int, chance: float) -> None:
    wait = wait_after(failures, Unreachable(), chance)

    assert 1.5 <= wait <= LONGEST * 1.25
    assert wait_after(failures + 1, Unreachable(), chance) >= wait
