"""A short draw of the counted mailing; the long one is `python -m tests.faults.mailing`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.faults.mailing import Draw, play

pytestmark = pytest.mark.long

SHORT = Draw(recipients=1200, newcomers=300, suppressed=40, optouts=8, kills=4, pauses=2, minutes=5, seed=7)


@pytest.mark.faults
@pytest.mark.postfix
def test_a_mailing_under_kills_pauses_and_an_edited_segment_reaches_each_once() -> None:
    assert shutil.which("smtp-sink") or Path("/usr/sbin/smtp-sink").exists()
    # A short path: the database's socket stands in the folder.
    with tempfile.TemporaryDirectory(prefix="fdm") as folder:
        count = play(Path(folder), SHORT, say=lambda _line: None)
    assert {name: number for name, number in count.faults.items() if number} == {}
    assert count.audience == SHORT.recipients + SHORT.newcomers
    assert count.kills
    assert count.pauses
