"""A whole house in a folder: database, mailboxes, relay and worker processes that can be killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from core import db, defaults, staff
from core.config import load_settings
from core.localdb import LocalDatabase
from core.staff import Role
from desk.demo.servers import MailServers
from tests import servers_imap
from tests.faults.relay import BadDayRelay

MAILBOXES = ("sales", "support")
DOMAIN = "house.test"
START = "from desk.cli import main; main()"


class Mail:
    """The IMAP side: Debian's Dovecot where it is installed, else the server from the package index."""

    def __init__(self, folder: Path) -> None:
        self._dovecot = servers_imap.start(folder) if servers_imap.installed() else None
        self._other: MailServers | None = None
        self.password = servers_imap.PASSWORD
        if self._dovecot is None:
            self._other = MailServers({f"{name}@{DOMAIN}": self.password for name in MAILBOXES})
            self._other.__enter__()

    @property
    def port(self) -> int:
        """Where it listens, in the clear on loopback."""
        return self._dovecot.port if self._dovecot else self._require().imap_port

    def username(self, mailbox: str) -> str:
        """What a mailbox signs in as."""
        return mailbox if self._dovecot else f"{mailbox}@{DOMAIN}"

    def deliver(self, mailbox: str, letters: Sequence[bytes]) -> None:
        """Put letters into a mailbox as a mail server does."""
        if self._dovecot:
            self._dovecot.deliver(mailbox, letters)
        else:
            self._require().deliver(f"{mailbox}@{DOMAIN}", *letters)

    def _require(self) -> MailServers:
        assert self._other is not None
        return self._other

    def stop(self) -> None:
        """End the server."""
        if self._dovecot:
            self._dovecot.stop()
        else:
            self._require().__exit__(None, None, None)


@dataclass
class Worker:
    """One worker process and when it was started."""

    process: subprocess.Popen[bytes]
    since: float


@dataclass
class House:
    """What a run of faults is played on."""

    folder: Path
    database: LocalDatabase
    engine: sa.Engine
    mail: Mail
    relay: BadDayRelay
    workers: list[Worker] = field(default_factory=list)
    kills: int = 0
    crashes: int = 0
    starts: int = 0

    def start_worker(self) -> None:
        """Start one worker process as a supervisor would."""
        log = (self.folder / "workers.log").open("ab")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
        environment["FRONTDESK_CONFIG"] = str(self.folder / "frontdesk.toml")
        process = subprocess.Popen(
            [sys.executable, "-c", START, "work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
        log.close()
        self.starts += 1
        self.workers.append(Worker(process, time.monotonic()))

    def keep_running(self, wanted: int) -> None:
        """Start workers for those that ended."""
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        while len(self.workers) < wanted:
            self.start_worker()

    def kill_one(self, chance: random.Random, *, least_age: float) -> bool:
        """Kill -9 a worker that has been up for a while, with the processes it started."""
        old = [one for one in self.workers if time.monotonic() - one.since >= least_age]
        if not old:
            return False
        worker = chance.choice(old)
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        self.kills += 1
        return True

    def kill_all(self) -> None:
        """End whatever still runs."""
        for worker in self.workers:
            if worker.process.poll() is None:
                os.killpg(worker.process.pid, signal.SIGKILL)
                worker.process.wait()

    def crash_database(self) -> None:
        """End the server as a power cut would, and start it again: it recovers from its log."""
        pid = self.database.postmaster_pid()
        self.database.stop(signal.SIGQUIT)
        self.crashes += 1
        assert pid is not None
        self.engine.dispose()
        self.database.ensure()

    def stop_workers(self) -> list[int]:
        """Ask all workers to end; returns their exit codes."""
        for worker in self.workers:
            worker.process.terminate()
        codes = [worker.process.wait(180) for worker in self.workers]
        self.workers.clear()
        return codes


@contextmanager
def house(folder: Path, seed: int) -> Iterator[House]:
    """Build a house with two mailboxes, three agents and nothing else; torn down when the block ends."""
    with ExitStack() as stack:
        mail = Mail(folder / "dovecot")
        stack.callback(mail.stop)
        relay = stack.enter_context(BadDayRelay(seed))
        _write_settings(folder, mail, relay)
        settings = load_settings(folder / "frontdesk.toml")
        database = LocalDatabase(settings.data_dir / "database")
        stack.callback(database.stop)
        engine = db.make_engine(database.ensure(), application="faults")
        stack.callback(engine.dispose)
        built = House(folder, database, engine, mail, relay)
        stack.callback(built.kill_all)
        db.migrate(engine)
        with db.transaction(engine) as session:
            defaults.install(session)
            for name, language in (("Rasa", "lt"), ("Андрей", "ru"), ("Emma", "en")):
                staff.add(
                    session,
                    email=f"agent-{language}@{DOMAIN}",
                    name=name,
                    role=Role.AGENT,
                    speaks=[language],
                    team="Sales",
                )
        yield built


def _write_settings(folder: Path, mail: Mail, relay: BadDayRelay) -> None:
    boxes = "".join(
        f"""
[[mailboxes]]
name = "{name}"
address = "{name}@{DOMAIN}"
host = "127.0.0.1"
port = {mail.port}
security = "plain"
username = "{mail.username(name)}"
password = "{mail.password}"
"""
        for name in MAILBOXES
    )
    path = folder / "frontdesk.toml"
    path.write_text(
        f"""
data_dir = "{folder / "data"}"

[company]
name = "Šiaurės siurbliai"

[relay]
host = "127.0.0.1"
port = {relay.port}
security = "plain"
from_address = "sales@{DOMAIN}"

[limits]
imap_poll_seconds = 2
retry_first_seconds = 3
retry_longest_seconds = 10

[log]
level = "warning"
format = "json"
{boxes}""",
        encoding="utf-8",
    )
    path.chmod(0o600)
