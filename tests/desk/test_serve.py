"""`frontdesk serve`, whole: it starts from nothing, answers, survives its parts and stops cleanly."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.config import PREFIX
from core.errors import ConfigurationError
from core.localdb import LocalDatabase
from desk.serving import check_address, side_by_side
from tests.ports import free_port

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0


@dataclass
class Served:
    """A running `frontdesk serve`."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def database(self) -> LocalDatabase:
        return LocalDatabase(self.folder / "data" / "database")

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until it holds; where it never does, what the programs said of themselves tells why."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.said()[-8_000:]}"
            time.sleep(0.1)


@pytest.fixture
def served() -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="fds"))
    port = free_port()
    (folder / "frontdesk.toml").write_text(
        f'data_dir = "data"\n[desk]\nport = {port}\n[log]\nformat = "json"\n'
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "desk.cli", "--config", str(folder / "frontdesk.toml"), "serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    running = Served(process, folder, port)
    try:
        running.wait_for(running.answers, "the desk")
        running.wait_for(lambda: '"worker starts"' in running.said(), "the worker")
        yield running
    finally:
        process.kill()
        process.wait()
        running.database.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def test_it_stops_cleanly_and_takes_its_database_along(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0
    assert served.database.postmaster_pid() is None
    assert "Traceback" not in served.said()


def test_a_killed_desk_leaves_its_neighbour_at_work_and_comes_back(served: Served) -> None:
    def started() -> list[int]:
        lines = [json.loads(line) for line in served.said().splitlines() if line.startswith("{")]
        news = [line for line in lines if line.get("event") == "process started"]
        return [line["pid"] for line in news if line["process"].startswith("desk ")]

    served.wait_for(lambda: listening(served.port) == 2, "the second desk")
    os.kill(started()[0], signal.SIGKILL)
    served.wait_for(lambda: len(started()) == 3, "the desk that was killed")
    served.wait_for(served.answers, "the desk")


def listening(port: int) -> int:
    """Sockets that take visitors there (proc(5), /proc/net/tcp: state 0A)."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


def command(folder: Path, *options: str) -> list[str]:
    settings = str(folder / "frontdesk.toml")
    return [sys.executable, "-m", "desk.cli", "--config", settings, "serve", *options]


def test_it_ends_with_whoever_started_it_and_takes_its_database_along() -> None:
    folder = Path(tempfile.mkdtemp(prefix="fds"))
    (folder / "frontdesk.toml").write_text('data_dir = "data"\n')
    database = LocalDatabase(folder / "data" / "database")
    lifeline, held = os.pipe()
    process = subprocess.Popen(
        command(folder, "--no-desk", "--workers", "0", "--lifeline", str(lifeline)),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        pass_fds=[lifeline],
        stderr=subprocess.DEVNULL,
    )
    os.close(lifeline)
    try:
        deadline = time.monotonic() + PATIENCE
        while database.postmaster_pid() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.close(held)
        assert process.wait(PATIENCE) == 0
        assert database.postmaster_pid() is None
    finally:
        process.kill()
        process.wait()
        database.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("host", ["203.0.113.7", "999.1.1.1"])
def test_an_address_of_another_machine_names_its_setting(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^desk\.host: .* is no address of this machine"):
        check_address(host, 8080)


@pytest.mark.parametrize(("asked", "names"), [(1, ["desk"]), (2, ["desk 1", "desk 2"])])
def test_as_many_desks_as_asked_for_share_an_address(asked: int, names: list[str]) -> None:
    desks = side_by_side(asked, "127.0.0.1", 8443)
    assert [one.name for one in desks] == names
    assert desks[0].arguments[-4:] == ["--host", "127.0.0.1", "--port", "8443"]


def test_a_port_that_is_taken_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "frontdesk.toml").write_text(f'data_dir = "data"\n[desk]\nport = {port}\n')
        done = subprocess.run(
            command(tmp_path),
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"nothing can listen on 127.0.0.1:{port}" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_killed_database_comes_back_without_a_human(served: Served) -> None:
    first = served.database.postmaster_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    served.wait_for(lambda: served.database.postmaster_pid() not in {None, first}, "the database")
    served.wait_for(lambda: served.said().count('"worker starts"') >= 2, "the worker")
    served.wait_for(served.answers, "the desk")
