"""The supervisor: what ends is started again, what is told to stop stops, no child outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import DatabaseUnavailable
from desk.supervisor import Child, Supervisor

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0

CHILD = """
import os, signal, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
with (folder / "starts").open("a") as out:
    out.write(f"{os.getpid()}\\n")
def stop(*_):
    (folder / "stopped").write_text("cleanly")
    raise SystemExit(0)
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, stop)
if "dies" in sys.argv:
    raise SystemExit(75)
while True:
    time.sleep(0.05)
"""

FOLLOWER = """
import os, sys, time
from pathlib import Path
from desk.supervisor import follow
folder = Path(sys.argv[1])
def stop():
    (folder / "followed").write_text("stopped")
    os._exit(0)
follow(int(sys.argv[sys.argv.index("--lifeline") + 1]), stop)
(folder / "starts").write_text(str(os.getpid()))
while True:
    time.sleep(0.05)
"""

PARENT = """
import sys
from desk.supervisor import Child, Supervisor
Supervisor([Child("follower", [sys.executable, "-c", sys.argv[1], sys.argv[2]])]).run()
"""


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def starts(folder: Path) -> list[int]:
    return (
        [int(line) for line in (folder / "starts").read_text().split()]
        if (folder / "starts").exists()
        else []
    )


def child(folder: Path, *manners: str) -> Child:
    return Child("child", [sys.executable, "-c", CHILD, str(folder), *manners])


@contextmanager
def supervising(supervisor: Supervisor) -> Iterator[None]:
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield
    finally:
        supervisor.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with supervising(Supervisor([child(tmp_path)])):
        wait_for(lambda: starts(tmp_path), "the first start")
        os.kill(starts(tmp_path)[0], signal.SIGKILL)
        wait_for(lambda: len(starts(tmp_path)) == 2, "the second start")


def test_a_stop_is_passed_on_and_waited_for(tmp_path: Path) -> None:
    with supervising(Supervisor([child(tmp_path)])):
        wait_for(lambda: starts(tmp_path), "the start")
    assert (tmp_path / "stopped").read_text() == "cleanly"


def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = child(tmp_path, "deaf")
    with supervising(Supervisor([deaf], patience=0.3)):
        wait_for(lambda: starts(tmp_path), "the start")
    assert deaf.process is None
    assert not Path(f"/proc/{starts(tmp_path)[0]}").exists()


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    dying = child(tmp_path, "dies")
    with supervising(Supervisor([dying])):
        wait_for(lambda: dying.starts >= 2, "the second start")
    assert dying.delay >= 1.0


def test_nothing_is_started_before_the_database_is_ready(tmp_path: Path) -> None:
    answers = [DatabaseUnavailable("not yet"), DatabaseUnavailable("not yet"), None, None]
    asked: list[int] = []

    def ready() -> None:
        asked.append(len(starts(tmp_path)))
        answer = answers[min(len(asked), len(answers)) - 1]
        if answer is not None:
            raise answer

    with supervising(Supervisor([child(tmp_path)], before_start=ready)):
        wait_for(lambda: starts(tmp_path), "the start")
    assert asked[:2] == [0, 0]


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, FOLLOWER, str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: starts(tmp_path), "the child")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: (tmp_path / "followed").exists(), "the child's end")


def test_a_program_that_cannot_be_started_does_not_stop_the_others(tmp_path: Path) -> None:
    missing = Child("missing", ["/nonexistent/program"])
    with supervising(Supervisor([missing, child(tmp_path)])):
        wait_for(lambda: starts(tmp_path), "the other one")
    assert missing.process is None
    assert missing.delay > 0.5
