"""The programs of the demonstration: the real ones, each in a process of its own, with one settings file."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from core.config import PREFIX, Settings, load_settings
from desk import settingsfile
from desk.demo import people, switchboard
from desk.demo.servers import HOST, MailServers

SETTINGS_FILE = "frontdesk.toml"
HEADER = "# Written by `frontdesk demo`; the servers it names live as long as the demonstration.\n\n"
ENTRY = "from desk.cli import main; main()"
STOP_SECONDS = 30.0
ANSWER_SECONDS = 120.0


def mailbox_keys() -> dict[str, str]:
    """A fresh password for each of our mailboxes, by address."""
    return {address: secrets.token_hex(12) for address in people.mailboxes().values()}


def port_or_any(wanted: int) -> int:
    """That port if nobody listens there, else 0, which lets the system choose."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, wanted))
        except OSError:
            return 0
    return wanted


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return trial.getsockname()[1]


def write_settings(
    folder: Path,
    servers: MailServers,
    *,
    desk_port: int,
    telephone: str,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Write the demonstration's settings file, readable by nobody else, and read it as the programs will.

    `overrides` replaces whole sections or values of it.
    """
    content: dict[str, Any] = {
        "data_dir": str(folder / "data"),
        "company": people.company()["company"] | {"public_url": f"http://{HOST}:{desk_port}"},
        "desk": {"host": HOST, "port": desk_port, "processes": 1},
        "workers": {"processes": 1, "threads": 4, "drain_seconds": 10},
        "log": {"level": "info", "format": "json"},
        "limits": {"imap_poll_seconds": 5},
        "relay": {
            "host": HOST,
            "port": servers.smtp_port,
            "security": "plain",
            "from_address": people.mailboxes()["sales"],
        },
        "twilio": {
            "account_sid": switchboard.ACCOUNT,
            "auth_token": switchboard.TOKEN,
            "api_base": telephone,
            "numbers": [people.number()],
        },
        "phone": {
            "opens": "00:00",
            "closes": "23:59:59",
            "days": [1, 2, 3, 4, 5, 6, 7],
            "holidays": "",
            "recorded_numbers": [people.number()],
            "fax_gateway": "{number}@fax.example",
            "transcription": {"engine": "twilio"},
            "topics": people.company()["topic"],
        },
        "mailboxes": [
            {
                "name": one["name"],
                "address": people.mailboxes()[one["name"]],
                "host": HOST,
                "port": servers.imap_port,
                "security": "plain",
                "password": servers.mailboxes[people.mailboxes()[one["name"]]],
                "team": one["team"],
            }
            for one in people.company()["mailbox"]
        ],
    } | dict(overrides or {})
    path = folder / SETTINGS_FILE
    settingsfile.write(path, settingsfile.render(content, HEADER))
    return load_settings(path)


def _environment(folder: Path) -> dict[str, str]:
    """Our own variables, but for the settings: those are in the folder's file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return environment | {"FRONTDESK_CONFIG": str(folder / SETTINGS_FILE)}


def answer_of(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a `frontdesk …` command to its end; returns its exit code and what it said."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ENTRY, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(folder),
        text=True,
        errors="replace",
        timeout=ANSWER_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


class Program:
    """One `frontdesk …` process, told to stop when the block ends; what it says goes into a file.

    When we are killed it notices by the end of a pipe that only we hold open, and ends in order.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.arguments = arguments
        self.log_file = folder / f"{arguments[0]}.log"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._held: int | None = None

    def __enter__(self) -> Program:
        lifeline, self._held = os.pipe()
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", ENTRY, *self.arguments, "--lifeline", str(lifeline)],
                stdin=subprocess.DEVNULL,
                pass_fds=[lifeline],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(self._folder),
                # Ctrl-C at the terminal is for us alone: we end the programs in order.
                start_new_session=True,
            )
        os.close(lifeline)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @property
    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._process.poll() if self._process is not None else None

    def last_words(self, lines: int = 15) -> str:
        """The end of what it said."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
