"""Workers killed while they ask Twilio: at most one SMS for each, and none forgotten."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.accounts import Channel
from core.outbox import Draft
from tests.twilio_local.outgoing import Outgoing, outgoing

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent.parent
NUMBERS = [f"+3706113{n:04d}" for n in range(12)]


@contextmanager
def worker(database_url: str, out: Outgoing, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.outbound.texting", database_url, out.api.base, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(180)


@pytest.mark.parametrize("moment", ["asked", "created", "answered"])
def test_worker_killed_while_it_asks_sends_nothing_twice_and_forgets_nothing(
    engine: sa.Engine, database_url: str, tmp_path: Path, moment: str
) -> None:
    """F04."""
    with outgoing(engine, tmp_path, dialling={"sms_to_block_a_day": 1000}) as out:
        killed = threading.Event()
        process: list[subprocess.Popen[bytes]] = []

        def kill(at: str) -> None:
            if at == moment and process and not killed.is_set():
                killed.set()
                process[0].kill()
                process[0].wait(60)

        out.creator.moment = kill
        out.queue(*(Draft(key=one, address=one, channel=Channel.SMS, body="Sveiki") for one in NUMBERS))
        with worker(database_url, out, tmp_path) as first:
            process.append(first)
            assert killed.wait(240)
        with worker(database_url, out, tmp_path):
            deadline = time.monotonic() + 240
            while {"queued", "claimed", "transmitting", "deferred"} & set(out.states()):
                assert time.monotonic() < deadline, out.states()
                time.sleep(0.2)
        out.reconcile()
        out.creator.carry_all()
        out.told()
        created = Counter(text.to for text in out.house.exchange.texts)
        states = dict(zip((one.address for one in out.deliveries()), out.states(), strict=True))
        assert max(created.values()) == 1
        assert {number for number, state in states.items() if state == "delivered"} == set(created)
        assert set(states.values()) <= {"delivered", "uncertain"}
        # Each of the two lines asks for one at a time.
        assert list(states.values()).count("uncertain") <= 2
