"""A short draw of the counted year; the long one is `python -m tests.faults.year`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import FAST
from tests.faults.year import Draw, play

pytestmark = pytest.mark.long


def test_a_year_of_follow_ups_with_killed_workers_keeps_every_promise(tmp_path: Path) -> None:
    said: list[str] = []
    result, workers = play(
        Draw(enrolments=80, kills=5, minutes=4.0, seed=7), tmp_path, said.append, settings=FAST
    )
    assert workers.kills == 5, said
    assert result.faults == {}, said
    assert result.finished + result.stopped == 80
