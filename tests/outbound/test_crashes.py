"""Workers killed or frozen at the worst moments: nothing lost, nothing sent twice, what is uncertain is
listed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from core import outbox, outbox_pages
from core.context import Context
from core.outbox import Delivery
from tests.outbound.conftest import draft, queue
from tests.servers_smtp import RecordingServer

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent.parent
LEASE = 8.0
PENDING = ("queued", "claimed", "transmitting", "deferred")


@contextmanager
def worker(database_url: str, server: RecordingServer, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A dispatcher in a process of its own; stopped politely at the end if it still lives."""
    given = [database_url, str(server.port), str(LEASE), str(folder)]
    command = [sys.executable, "-m", "tests.outbound.dispatching", *given]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(180)


def counts(context: Context) -> dict[str, int]:
    with context.transaction() as session:
        return {state: count for state, count in outbox.counts(session).items() if count}


def until(true: Callable[[], bool], patience: float = 240.0) -> None:
    """Wait for something another process brings about."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def settled(context: Context) -> bool:
    """Whether nothing is pending; what waits for its retry is made due."""
    with context.transaction() as session:
        for delivery in session.scalars(select(Delivery).where(Delivery.state == "deferred")):
            delivery.due_at = delivery.created_at
    return not any(counts(context).get(state) for state in PENDING)


def books_balance(context: Context, server: RecordingServer, queued: int) -> dict[str, int]:
    """What the server holds against what is on record; returns the counts by state."""
    with context.transaction() as session:
        states = {
            address: str(state)
            for address, state in session.execute(select(Delivery.address, Delivery.state))
        }
    sent = {address for address, state in states.items() if state == "sent"}
    uncertain = {address for address, state in states.items() if state == "uncertain"}
    held = set(server.copies)
    assert len(states) == queued
    assert {address: number for address, number in server.copies.items() if number > 1} == {}
    assert sent <= held
    assert held <= sent | uncertain
    assert sent | uncertain == set(states)
    return counts(context)


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "DATA", ".", "250"])
def test_a_worker_killed_at_any_step_loses_nothing_and_sends_nothing_twice(
    company: Callable[..., Context], database_url: str, smtp: RecordingServer, tmp_path: Path, step: str
):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(12)))
    killed = threading.Event()
    process: list[subprocess.Popen[bytes]] = []

    def kill(at: str) -> None:
        if at == step and process and not killed.is_set():
            killed.set()
            process[0].kill()
            process[0].wait(60)

    smtp.watch = kill
    with worker(database_url, smtp, tmp_path) as first:
        process.append(first)
        assert killed.wait(180)
    with worker(database_url, smtp, tmp_path):
        until(lambda: settled(context))
    found = books_balance(context, smtp, 12)
    # What each of the two lines had between its final dot and the answer, and nothing else of their pages.
    assert found.get("uncertain", 0) <= 2


@pytest.mark.faults
@pytest.mark.parametrize(("machines", "kills"), [(1, 6), (2, 2)])
def test_workers_killed_at_random_lose_nothing_and_send_nothing_twice(
    company: Callable[..., Context],
    database_url: str,
    smtp: RecordingServer,
    tmp_path: Path,
    machines: int,
    kills: int,
):
    chance = random.Random(7)
    letters = 100
    context = company(smtp.port)
    smtp.pause = 0.01
    queue(context, *(draft(number) for number in range(letters)))
    for number in range(kills):
        with worker(database_url, smtp, tmp_path / str(number % machines)) as process:
            before, more = len(smtp.received), chance.randint(1, 12)
            until(lambda before=before, more=more: len(smtp.received) >= before + more or settled(context))
            time.sleep(chance.random() * 0.03)
            process.kill()
    with worker(database_url, smtp, tmp_path / str(kills % machines)):
        until(lambda: settled(context))
    found = books_balance(context, smtp, letters)
    # Another machine cannot see how far a dead worker came, so a page of each line stays open.
    assert found.get("uncertain", 0) <= kills * (2 if machines == 1 else 20)


def test_a_worker_frozen_past_its_lease_sends_nothing_on_waking(
    company: Callable[..., Context], database_url: str, smtp: RecordingServer, tmp_path: Path
):
    context = company(smtp.port)
    queue(context, draft(1))
    frozen = threading.Event()
    process: list[subprocess.Popen[bytes]] = []

    def freeze(at: str) -> None:
        if at == "DATA" and process and not frozen.is_set():
            process[0].send_signal(signal.SIGSTOP)
            frozen.set()

    smtp.watch = freeze
    with worker(database_url, smtp, tmp_path) as first:
        process.append(first)
        assert frozen.wait(180)
        lapsed: dict[str, int] = {}

        def swept() -> bool:
            with context.transaction() as session:
                lapsed.update(outbox_pages.sweep(session))
            return bool(lapsed)

        until(swept)
        assert lapsed == {"uncertain": 1}
        assert smtp.received == []
        os.kill(first.pid, signal.SIGCONT)
        # It knows that it wrote no dot, says so, and the letter goes out in its proper way.
        until(lambda: settled(context) and bool(counts(context).get("sent")))
    assert smtp.copies == {"client1@company1.example": 1}


def test_a_polite_stop_under_load_leaves_nothing_uncertain(
    company: Callable[..., Context], database_url: str, smtp: RecordingServer, tmp_path: Path
):
    context = company(smtp.port)
    smtp.pause = 0.02
    queue(context, *(draft(number) for number in range(60)))
    for wanted in (5, 20):
        with worker(database_url, smtp, tmp_path) as process:
            until(lambda wanted=wanted: len(smtp.received) >= wanted)
            process.terminate()
            assert process.wait(180) == 0
        assert set(counts(context)) <= {"sent", "queued", "deferred"}
    with worker(database_url, smtp, tmp_path):
        until(lambda: settled(context))
    assert books_balance(context, smtp, 60) == {"sent": 60}
