"""Lead thousands of clients through a simulated year while worker processes are killed, then count.

    python -m tests.faults.year [--enrolments 20000] [--kills 100] [--minutes 40]

The year is 2026 in Vilnius, both changes of the clocks in it, with clients in three more zones. Clients
answer, go on holiday and opt out at random. It takes a quarter of an hour on two busy cores. Exits 0 only if
no step of a follow-up was taken twice, none skipped, none outside allowed hours, none after a stop.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import consent, db, sequences_stops
from core.accounts import Channel
from core.config import load_settings
from core.consent import Scope, SuppressionReason
from core.context import Context
from core.localdb import LocalDatabase
from core.sequences import Sequence, SequenceStep, StepKind, StopReason
from core.worker import promote
from core.worktime import Calendar
from outbound.sequences import House, tick
from tests.faults.yearcount import YearCount, count

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2027, 1, 1, tzinfo=UTC)
LONGEST = datetime(2027, 6, 1, tzinfo=UTC)
"""Those who begin in December are led to their end in the next year."""
WORKERS = 2
HOPS = 1500
"""About so often the clock is set on in a year."""
HOUSE = House(Calendar())
PLACES = (None, "Europe/Moscow", "Europe/London", "America/Chicago")
START = "from tests.faults.year import work; import sys; work(sys.argv[1])"


@dataclass(frozen=True, slots=True)
class Draw:
    """How much of everything, and how long at most."""

    enrolments: int = 20_000
    kills: int = 100
    minutes: float = 40.0
    seed: int = 1


def work(url: str) -> None:
    """A worker process: the product's own look at what is due, by the simulated clock."""
    engine = db.make_engine(url, application="year")
    context = Context(settings=load_settings(file=None), engine=engine)
    while True:
        with engine.connect() as connection:
            now = connection.execute(text("select now_is from year_clock")).scalar_one()
        if not promote(context, "outbound.sequences", partial(tick, house=HOUSE, now=now)):
            time.sleep(0.02)


@dataclass
class Workers:
    """Worker processes, started again whenever one was killed."""

    url: str
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0

    def keep(self, wanted: int) -> None:
        """Start what is missing."""
        self.running = [one for one in self.running if one.poll() is None]
        while len(self.running) < wanted:
            with self.log.open("ab") as log:
                self.running.append(
                    subprocess.Popen([sys.executable, "-c", START, self.url], stdout=log, stderr=log)
                )

    def kill(self, chance: random.Random) -> None:
        """Kill -9 one of them, whatever it is at."""
        victim = chance.choice(self.running)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        self.kills += 1

    def end(self) -> None:
        """End them all."""
        for one in self.running:
            one.kill()
            one.wait()


def fill(engine: sa.Engine, draw: Draw) -> None:
    """Clients in four zones, two of three in a follow-up of letters and a task, the others of letters."""
    with db.transaction(engine) as session:
        session.execute(text("create table year_clock (now_is timestamptz not null)"))
        session.execute(text("insert into year_clock values (:now)"), {"now": BEGINS})
        long = Sequence(
            key="long",
            names={"en": "Long"},
            steps=[
                SequenceStep(position=1, kind=StepKind.EMAIL, delay_days=0, template="follow_up"),
                SequenceStep(position=2, kind=StepKind.TASK, delay_days=4, titles={"en": "Call"}),
                SequenceStep(
                    position=3, kind=StepKind.EMAIL, delay_days=2, delay_hours=3, template="follow_up",
                    window={"days": [0, 1, 2, 3], "from": "10:00", "to": "12:00"},
                ),
            ],
        )  # fmt: skip
        short = Sequence(
            key="short",
            names={"en": "Short"},
            steps=[
                SequenceStep(position=1, kind=StepKind.EMAIL, delay_days=0, template="follow_up"),
                SequenceStep(position=2, kind=StepKind.EMAIL, delay_days=3, template="follow_up"),
            ],
        )
        session.add_all([long, short])
        session.flush()
        given = {"long": long.id, "short": short.id, "count": draw.enrolments, "seed": draw.seed / 1000}
        session.execute(text("select setseed(:seed)"), given)
        for number, zone in enumerate(PLACES):
            session.execute(
                text("insert into account (name, zone, country) values (:name, :zone, :country)"),
                {"name": f"Place {number}", "zone": zone, "country": (None, "RU", "GB", "US")[number]},
            )
        session.execute(
            text(
                "insert into contact (name, position, language, source, account_id)"
                " select 'Client ' || n, '', 'lt', 'year', (select min(id) from account) + n % 4"
                " from generate_series(1, :count) n"
            ),
            given,
        )
        session.execute(
            text(
                "insert into contact_point (contact_id, kind, value, source)"
                " select id, 'email', 'c' || id || '@k' || id % 997 || '.test', 'year' from contact"
            )
        )
        session.execute(
            text(
                "insert into enrolment (sequence_id, sequence_key, contact_id, state, next_position, due_at)"
                " select case when id % 3 = 0 then :short else :long end,"
                " case when id % 3 = 0 then 'short' else 'long' end, id, 'active', 1,"
                " timestamptz '2026-01-01' + random() * interval '365 days' from contact"
            ),
            given,
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


class Story:
    """The course of one year."""

    def __init__(self, engine: sa.Engine, workers: Workers, draw: Draw) -> None:
        self.engine = engine
        self.workers = workers
        self.draw = draw
        self.chance = random.Random(draw.seed)
        self.now = BEGINS
        self.stopped: dict[int, datetime] = {}
        """Contact → when they answered or opted out."""
        self.away: dict[int, tuple[datetime, datetime]] = {}
        """Contact → since and until when they are away."""
        self._begun = time.monotonic()
        self._next_kill = 0.0

    def play(self) -> None:
        """Let the year pass; the clock stands while anything is due."""
        deadline = self._begun + self.draw.minutes * 60
        pace = max(0.5, (self.draw.minutes * 60 * 0.75) / max(1, self.draw.kills))
        while time.monotonic() < deadline:
            self.workers.keep(WORKERS)
            if self.workers.kills < self.draw.kills and time.monotonic() > self._next_kill:
                self._next_kill = time.monotonic() + self.chance.uniform(0.2, 1.6) * min(pace, 4.0)
                self.workers.kill(self.chance)
                continue
            if not self._due():
                if self._pass():
                    return
            else:
                time.sleep(0.03)

    def _due(self) -> bool:
        with self.engine.connect() as connection:
            query = "select exists (select 1 from enrolment where state = 'active' and due_at <= :now)"
            return bool(connection.execute(text(query), {"now": self.now}).scalar_one())

    def _pass(self) -> bool:
        """Clients act, what was queued leaves, and some hours pass; True when the story is over."""
        with db.transaction(self.engine) as session:
            session.execute(text("update delivery set state = 'sent' where state = 'queued' and id % 5 <> 0"))
            live = session.execute(
                text("select contact_id from enrolment where state = 'active' order by due_at limit 400")
            ).scalars().all()  # fmt: skip
            if not live and self.now > ENDS:
                return True
            for contact_id in self.chance.sample(live, min(len(live), self._acting())):
                self._act(session, contact_id)
            due = session.execute(text("select min(due_at) from enrolment where state = 'active'")).scalar()
            hop = self.now + timedelta(minutes=self.chance.choice([25, 60, 190, 300, 480]))
            self.now = max(hop, due or hop) if self.chance.random() < 0.9 else hop
            session.execute(text("update year_clock set now_is = :now"), {"now": self.now})
        return self.now > LONGEST

    def _acting(self) -> int:
        """How many clients act now: about one in seven over the year, however many there are."""
        rate = self.draw.enrolments * 0.2 / HOPS
        return int(rate) + (self.chance.random() < rate % 1)

    def _act(self, session: Session, contact_id: int) -> None:
        kind = self.chance.random()
        if kind < 0.5:
            sequences_stops.stop_for_contacts(session, [contact_id], StopReason.REPLY)
            self.stopped[contact_id] = self.now
        elif kind < 0.7:
            address = session.execute(
                text("select value from contact_point where contact_id = :id"), {"id": contact_id}
            ).scalar_one()
            consent.suppress(
                session, Channel.EMAIL, address, scope=Scope.MARKETING,
                reason=SuppressionReason.UNSUBSCRIBED, source="year",
            )  # fmt: skip
            sequences_stops.stop_for_contacts(session, [contact_id], StopReason.OPT_OUT)
            self.stopped[contact_id] = self.now
        else:
            until = self.now + timedelta(days=self.chance.randint(2, 20))
            if sequences_stops.pause_for_contacts(session, [contact_id], until):
                self.away[contact_id] = (self.now, until)


def play(
    draw: Draw, folder: Path, say: Callable[[str], None] = print, settings: dict[str, str] | None = None
) -> tuple[YearCount, Workers]:
    """Play a year in a folder and count."""
    begun = time.monotonic()
    with ExitStack() as stack:
        database = LocalDatabase(folder / "db", server_settings=settings or {})
        url = database.ensure()
        stack.callback(database.stop)
        engine = db.make_engine(url, application="year", statement_timeout=0)
        stack.callback(engine.dispose)
        db.migrate(engine)
        fill(engine, draw)
        workers = Workers(str(url), folder / "workers.log")
        stack.callback(workers.end)
        story = Story(engine, workers, draw)
        story.play()
        workers.end()
        with db.transaction(engine) as session:
            result = count(session, story.stopped, story.away)
    say(result.table(draw.enrolments, workers.kills, time.monotonic() - begun))
    return result, workers


def main() -> int:
    """Play a year as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in {name: one.default for name, one in Draw.__dataclass_fields__.items()}.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    draw = Draw(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="fdy") as folder:
        result, workers = play(draw, Path(folder))
        if result.faults or workers.kills < draw.kills:
            print(f"FAILED: {result.faults or 'not all kills were played'}")
            print((Path(folder) / "workers.log").read_text(errors="replace")[-4000:])
            return 1
    print("No step twice, none skipped, none outside allowed hours, none after a stop.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
