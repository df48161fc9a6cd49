"""What ends a worker: being killed in the middle of a job, and a database that goes away or falls silent."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import db, jobpool, jobs
from core.config import Settings
from core.context import Context
from core.errors import DatabaseUnavailable
from core.jobs import Registry, enqueue, enqueue_many
from core.localdb import LocalDatabase
from core.worker import Outcome, Plan, Worker
from tests.core.working import PATIENCE, wait_for

pytestmark = pytest.mark.long

WORKER = """
import os, sys, time
from pathlib import Path
from core import db
from core.config import load_settings
from core.context import Context
from core.jobs import Pace, Registry
from core.worker import Plan, Worker

registry = Registry()
folder = Path(sys.argv[2])

def given_up(context, error, name):
    (folder / "given up").open("a").write(f"{name}\\n")

@registry.job("a.kill", crashes=5, given_up=given_up)
def kill(context, name):
    (folder / "starts").open("a").write(f"{name}\\n")
    os._exit(9)

@registry.job("a.once")
def once(context, name):
    (folder / "starts").open("a").write(f"{name}\\n")
    if context.call.crashes == 0:
        time.sleep(60)
    (folder / "done").open("a").write(f"{name} {context.call.crashes}\\n")

@registry.job("a.good")
def good(context, name):
    (folder / "done").open("a").write(f"{name}\\n")

context = Context(load_settings(None), db.make_engine(sys.argv[1]))
worker = Worker(Plan(registry, pace=Pace(threads=4, heartbeat=1, look=0.3)), context)
os._exit(worker.run())
"""


@contextmanager
def worker_process(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(folder)],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().splitlines() if (folder / name).exists() else []


def test_a_job_of_a_killed_worker_is_taken_over_by_a_living_one(
    context: Context, database_url: str, tmp_path: Path
) -> None:
    with context.transaction() as session:
        enqueue(session, "a.once", name="one")
    with worker_process(database_url, tmp_path) as first:
        wait_for(lambda: _lines(tmp_path, "starts"), "the start")
        first.send_signal(signal.SIGKILL)
        first.wait()
        with worker_process(database_url, tmp_path):
            wait_for(lambda: _lines(tmp_path, "done"), "the taking over")
    assert _lines(tmp_path, "done") == ["one 1"]


def test_a_job_that_kills_its_workers_is_given_up_and_its_neighbours_are_done(
    context: Context, database_url: str, tmp_path: Path
) -> None:
    with context.transaction() as session:
        enqueue(session, "a.kill", name="poison")
        enqueue_many(session, "a.good", [{"name": str(n)} for n in range(8)])
    deadline = time.monotonic() + 4 * PATIENCE
    while not _lines(tmp_path, "given up"):
        assert time.monotonic() < deadline
        with worker_process(database_url, tmp_path) as process:
            while process.poll() is None and not _lines(tmp_path, "given up"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    assert len(_lines(tmp_path, "starts")) == 5
    assert _lines(tmp_path, "given up") == ["poison"]
    assert set(_lines(tmp_path, "done")) >= {str(n) for n in range(8)}


def test_a_worker_ends_when_the_database_is_gone(context: Context, database_url: str) -> None:
    worker = Worker(Plan(Registry(), pace=jobs.Pace(threads=1, look=1), drain_seconds=5), context)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(worker.run()))
    thread.start()
    others = sa.text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'frontdesk jobs'"
    )

    def cut() -> bool:
        with context.engine.connect() as connection:
            return len(connection.execute(others).all()) > 0

    wait_for(cut, "the worker's connections")
    thread.join(PATIENCE)
    assert outcomes == [Outcome.DATABASE_GONE]


def test_a_worker_ends_when_the_database_is_frozen(settings: Settings) -> None:
    folder = Path(tempfile.mkdtemp(prefix="fdj"))
    database = LocalDatabase(folder / "db", server_settings={"fsync": "off"})
    engine = db.make_engine(database.ensure())
    frozen: list[int] = []
    outcomes: list[Outcome] = []
    plan = Plan(Registry(), pace=jobs.Pace(threads=1, look=0.3), drain_seconds=1, silence_seconds=4)
    try:
        db.migrate(engine)
        worker = Worker(plan, Context(settings, engine))
        thread = threading.Thread(target=lambda: outcomes.append(worker.run()), daemon=True)
        thread.start()
        wait_for(lambda: _workers_connections(engine), "the worker's connections")
        frozen = [int(name) for name in os.listdir("/proc") if _works_in(name, database.data)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: outcomes, "the worker's end")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        engine.dispose()
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)
    assert outcomes == [Outcome.DATABASE_GONE]


def _works_in(name: str, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{name}/cwd") == str(folder)
    except OSError:
        return False


def _workers_connections(engine: sa.Engine) -> int:
    counted = sa.text("select count(*) from pg_stat_activity where application_name = 'frontdesk jobs'")
    with engine.connect() as connection:
        return int(connection.scalar(counted) or 0)


async def test_connections_are_cut_when_a_fault_ends_their_use(engine: sa.Engine) -> None:
    lost = asyncio.Event()

    async def use() -> None:
        async with jobpool.connections(engine.url, lost) as pool:
            await pool.acquire()
            raise DatabaseUnavailable("The database went away.")

    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(use(), PATIENCE)
    await asyncio.wait_for(lost.wait(), PATIENCE)
