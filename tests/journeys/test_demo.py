"""The demonstration, whole: real programs, real sockets, and every one of its own checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

pytestmark = pytest.mark.long


def test_demo_once_plays_the_whole_scene_and_all_of_it_holds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desk.cli", "demo", "--once", "--folder", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        timeout=1_200,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "All of it holds." in done.stdout
