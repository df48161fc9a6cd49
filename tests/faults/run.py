"""Play letters in and documents out while workers are killed and the database crashes, then count.

    python -m tests.faults.run [--letters 2000] [--documents 1000] [--kills 150] [--crashes 5] [--minutes 10]

Exits 0 only if nothing was lost, stored twice or sent twice, and every uncertain send is on the list.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import db, outbox
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from tests.faults.count import Count, count, table
from tests.faults.house import DOMAIN, MAILBOXES, House, house

WORKERS = 3
LEAST_AGES = (0.5, 2.5, 4.0)
"""Seconds a worker has lived when it is killed: some while starting, most at work."""

BODIES = (
    "Laba diena,\n\nprašome atsiųsti 10 siurblių CR-10 kainą.\n\nPagarbiai\nOna",
    "Здравствуйте!\n\nПришлите, пожалуйста, коммерческое предложение на 4 насоса.\n\nС уважением,\nИван",
    "Hello,\n\ncould you please send us your price list for pumps?\n\nBest regards,\nMary",
)
OPEN = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.TRANSMITTING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Draw:
    """How much of everything, and how long at most."""

    letters: int = 2000
    documents: int = 1000
    kills: int = 150
    crashes: int = 5
    minutes: float = 10.0
    seed: int = 1


def letter(token: str, number: int) -> bytes:
    """One letter from a client of its own, with the token as its subject."""
    body = BODIES[number % len(BODIES)]
    return (
        f"From: Client {number} <client{number}@company{number % 97}.test>\r\nTo: sales@{DOMAIN}\r\n"
        f"Subject: {token}\r\nMessage-ID: <{token}@company.test>\r\nDate: {formatdate(localtime=True)}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        f"{body}\r\n"
    ).encode()


def _queue_documents(session: Session, keys: list[str]) -> None:
    """Queue a page of personal letters; a key that is queued already is left alone."""
    outbox.queue_many(
        session,
        [
            Draft(
                key=key,
                address=f"{key}@receiver{number % 40}.test",
                purpose=Purpose.SERVICE,
                template="follow_up",
                language=("lt", "ru", "en")[number % 3],
                values={"client": {"name": "Ona"}, "staff": {"name": "Rasa", "email": f"rasa@{DOMAIN}"}},
            )
            for number, key in enumerate(keys)
        ],
    )


def _until_it_works(work: Callable[[], object], deadline: float) -> bool:
    """Do something that a crashing database may spoil, again and again."""
    while time.monotonic() < deadline:
        with suppress(DBAPIError):
            work()
            return True
        time.sleep(0.2)
    return False


class Story:
    """The course of one run: what is put in, and how much is still to be put in."""

    def __init__(self, built: House, draw: Draw) -> None:
        self.house = built
        self.draw = draw
        self.chance = random.Random(draw.seed)
        self.tokens = [f"T-{draw.seed}-{number}" for number in range(draw.letters)]
        self.keys = [f"d-{draw.seed}-{number}" for number in range(draw.documents)]
        self._letters = self._documents = 0
        self.deadline = time.monotonic() + draw.minutes * 60

    def put_in(self, share: float) -> None:
        """Put in letters and documents until this share of them is in."""
        upto = min(len(self.tokens), round(share * len(self.tokens)))
        while self._letters < upto:
            page = range(self._letters, min(upto, self._letters + 20))
            self.house.mail.deliver(self.chance.choice(MAILBOXES), [letter(self.tokens[n], n) for n in page])
            self._letters = page.stop
        upto = min(len(self.keys), round(share * len(self.keys)))
        if self._documents < upto:
            page = self.keys[self._documents : upto]
            if _until_it_works(lambda: self._queue(page), self.deadline):
                self._documents = upto

    def _queue(self, keys: list[str]) -> None:
        with db.transaction(self.house.engine) as session:
            _queue_documents(session, keys)

    def shake(self) -> None:
        """Kill and crash at random moments while everything is being put in."""
        draw, built = self.draw, self.house
        crash_at = {round((number + 1) * draw.kills / (draw.crashes + 1)) for number in range(draw.crashes)}
        while built.kills < draw.kills and time.monotonic() < self.deadline - 150:
            built.keep_running(WORKERS)
            time.sleep(self.chance.uniform(0.1, 1.0))
            self.put_in(min(1.0, (built.kills + 1) / max(1, draw.kills * 0.9)))
            if (
                built.kill_one(self.chance, least_age=self.chance.choice(LEAST_AGES))
                and built.kills in crash_at
            ):
                built.crash_database()

    def settle(self) -> None:
        """Let the workers finish in peace."""
        self.put_in(1.0)
        while time.monotonic() < self.deadline:
            self.house.keep_running(WORKERS)
            with suppress(DBAPIError):
                if self._rest() == 0:
                    return
            time.sleep(1.0)

    def _rest(self) -> int:
        with db.transaction(self.house.engine) as session:
            stored = session.scalar(select(func.count()).select_from(RawMessage)) or 0
            unread = session.scalar(select(func.count()).where(RawMessage.state == IntakeState.STORED))
            unsent = session.scalar(select(func.count()).where(Delivery.state.in_(OPEN)))
            return max(0, len(self.tokens) - stored) + (unread or 0) + (unsent or 0)


def play(draw: Draw, folder: Path, say: Callable[[str], None] = print) -> tuple[Count, House]:
    """Play one run in a folder and count."""
    begun = time.monotonic()
    with house(folder, draw.seed) as built:
        story = Story(built, draw)
        story.shake()
        say(f"{built.kills} kills and {built.crashes} crashes in {time.monotonic() - begun:.0f} s; settling")
        story.settle()
        codes = built.stop_workers()
        with db.transaction(built.engine) as session:
            session.execute(text("set local statement_timeout = 0"))
            result = count(session, story.tokens, story.keys, built.relay)
        say(table(result, kills=built.kills, crashes=built.crashes, seconds=time.monotonic() - begun))
        say(f"exit codes of the workers at the end: {codes}")
    return result, built


def main() -> int:
    """Play a run as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in Draw.__dataclass_fields__.items():
        parser.add_argument(f"--{name}", type=type(value.default), default=value.default)
    draw = Draw(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="fdf") as folder:
        result, built = play(draw, Path(folder))
        faults = {name: number for name, number in result.faults.items() if number}
        if faults or built.kills < draw.kills or built.crashes < draw.crashes:
            print(f"FAILED: {faults or 'not all faults were played'}")
            print((Path(folder) / "workers.log").read_text(errors="replace")[-6000:])
            return 1
    print("Nothing lost, nothing twice.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
