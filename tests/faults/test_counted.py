"""A short draw of the counted faults; the long one is `make faults`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.faults.run import Draw, play

pytestmark = pytest.mark.long

SHORT = Draw(letters=200, documents=100, kills=12, crashes=1, minutes=5, seed=7)


@pytest.mark.faults
def test_kills_and_a_crash_lose_nothing_and_send_nothing_twice() -> None:
    # A short path: the database's socket stands in the folder.
    with tempfile.TemporaryDirectory(prefix="fdf") as folder:
        result, built = play(SHORT, Path(folder))
    assert {name: number for name, number in result.faults.items() if number} == {}
    assert (built.kills, built.crashes) == (SHORT.kills, SHORT.crashes)
