"""kill -9 of a real worker wherever it hurts: each letter is stored once and filed once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import ledger
from core.context import Context
from core.conversations import Message
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery
from tests.gates import gate
from tests.inbound import posting
from tests.inbound.conftest import eventually
from tests.inbound.posting import letter
from tests.servers_imap import Dovecot

pytestmark = [pytest.mark.dovecot, pytest.mark.long]


def worker(url: str, dovecot: Dovecot, folder: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.inbound.worker_process", url, str(dovecot.port), str(folder)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
    )


def clients(first: int, last: int) -> list[bytes]:
    """Letters of so many clients, each of whom wants a price."""
    return [
        letter(sender=f"k@imone{number}.lt", message_id=f"<{number}@imone{number}.lt>")
        for number in range(first, last + 1)
    ]


def settled(context: Context) -> int:
    with context.transaction() as session:
        query = sa.select(sa.func.count()).where(RawMessage.state != IntakeState.STORED)
        return session.scalar(query) or 0


def each_once(context: Context, count: int) -> None:
    with context.transaction() as session:
        states = session.execute(
            sa.select(RawMessage.state, sa.func.count()).group_by(RawMessage.state)
        ).all()
        assert dict(states) == {IntakeState.UNDERSTOOD: count}
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == count
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == count
        assert ledger.balance(session).sound


PLACES = {
    "the bytes are written and not committed": ("insert", "raw_message"),
    "the cursor is moved and not committed": ("update", "mailbox"),
    "letters are claimed and their run is not announced": ("insert", "intake_run"),
    "messages are written": ("insert", "message"),
    "the acknowledgement is queued": ("insert", "delivery"),
    "the letters are settled": ("update", "raw_message"),
    "the run is taken back and nothing is committed": ("delete", "intake_run"),
}
"""Where a worker is killed: it waits there at a gate in the database, of which its own code knows nothing."""


@pytest.mark.parametrize("place", PLACES)
def test_worker_that_dies_at_a_place_leaves_its_letters_to_the_next(
    mail_context: Context, dovecot: Dovecot, database_url: str, tmp_path: Path, place: str
) -> None:
    with mail_context.transaction() as session:
        posting.install(session)
    dovecot.deliver("sales", clients(1, 25))
    with gate(mail_context.engine, *PLACES[place]) as closed:
        first = worker(database_url, dovecot, tmp_path)
        try:
            closed.wait()
        finally:
            first.kill()
            first.wait()
    second = worker(database_url, dovecot, tmp_path)
    try:
        eventually(lambda: settled(mail_context) == 25)
    finally:
        second.kill()
        second.wait()

    each_once(mail_context, 25)


@pytest.mark.faults
def test_workers_killed_at_random_lose_nothing_and_double_nothing(
    mail_context: Context, dovecot: Dovecot, database_url: str, tmp_path: Path
) -> None:
    with mail_context.transaction() as session:
        posting.install(session)
    dice = random.Random(7)
    posted = 0
    for _ in range(6):
        dovecot.deliver("sales", clients(posted + 1, posted + 30))
        posted += 30
        process = worker(database_url, dovecot, tmp_path)
        time.sleep(dice.uniform(1.0, 4.0))
        process.kill()
        process.wait()
    last = worker(database_url, dovecot, tmp_path)
    try:
        eventually(lambda: settled(mail_context) == posted)
    finally:
        last.kill()
        last.wait()

    each_once(mail_context, posted)
