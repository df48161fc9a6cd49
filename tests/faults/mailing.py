"""Play a mailing while workers are killed, it is paused and its segment edited, then count every copy.

    python -m tests.faults.mailing [--recipients 50000] [--kills 60] [--pauses 8] [--minutes 30]

Postfix's `smtp-sink` keeps what it takes, one file a letter. Exits 0 only
if each of the audience got exactly one letter or is on the list of those whose fate is open, and nobody got
one who had opted out.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import campaign_verbs, consent, db, defaults
from core.accounts import Account, Channel
from core.campaigns import CampaignRecipient, CampaignState
from core.consent import Scope, SuppressionReason
from core.localdb import LocalDatabase
from core.outbox import Delivery, DeliveryState
from core.segments import add as add_segment
from core.segments import change as change_segment
from core.segments import get as get_segment
from core.segments_language import parse
from tests.outbound.audiences import SALUTATION, TEXTS, now, people
from tests.ports import free_port

WORKERS = 2
START = "from desk.cli import main; main()"
TO = re.compile(rb"^X-Rcpt-Args: <([^>]+)>", re.MULTILINE)
VILNIUS = {"version": 1, "group": "all", "of": [{"fact": "region", "values": ["Vilnius"]}]}
EDITED = {"version": 1, "group": "all", "of": [{"fact": "region", "values": ["Vilnius", "Kaunas"]}]}


@dataclass(frozen=True, slots=True)
class Draw:
    """How much of everything, and how long at most."""

    recipients: int = 50_000
    newcomers: int = 2_000
    """Contacts that the edit of the segment adds while recipients are written down."""
    suppressed: int = 500
    optouts: int = 60
    """People who opt out while it runs."""
    kills: int = 60
    pauses: int = 8
    minutes: float = 30.0
    seed: int = 1


@dataclass
class Count:
    """What came of it; everything in ``faults`` must be nought."""

    audience: int = 0
    sent: int = 0
    uncertain: int = 0
    kills: int = 0
    pauses: int = 0
    slowest_optout: float = 0.0
    """Seconds between an opt-out's commit and the last letter taken for that address; 0 where none was."""
    seconds: float = 0.0
    state: str = ""
    faults: Counter[str] = field(default_factory=Counter)


class Sink:
    """Postfix's server that keeps each letter in a file of its own; some commands it refuses for now."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        self.folder = folder
        self.port = free_port()
        folder.mkdir()
        folder.chmod(0o777)
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [program, *user, "-d", "%M.", f"127.0.0.1:{self.port}", "500"], cwd=folder
        )

    def taken(self) -> dict[str, list[float]]:
        """When each address was given a letter."""
        found: dict[str, list[float]] = {}
        for entry in os.scandir(self.folder):
            with open(entry.path, "rb") as file:
                head = file.read(4096)
            for address in TO.findall(head):
                found.setdefault(address.decode(), []).append(entry.stat().st_mtime)
        return found

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


class Story:
    """One mailing and what is done to it."""

    def __init__(self, folder: Path, draw: Draw, say: Callable[[str], None]) -> None:
        self.draw = draw
        self.folder = folder
        self.say = say
        self.chance = random.Random(draw.seed)
        self.count = Count()
        self.opted_out: dict[str, float] = {}
        self._workers: list[tuple[subprocess.Popen[bytes], float]] = []
        self.sink = Sink(folder / "sink")
        self.database = LocalDatabase(folder / "data" / "database")
        self.engine = db.make_engine(self.database.ensure(), application="faults")
        self._settings()

    def _settings(self) -> None:
        path = self.folder / "frontdesk.toml"
        path.write_text(
            f'data_dir = "{self.folder / "data"}"\n[company]\nname = "Šiaurės siurbliai"\n[relay]\n'
            f'host = "127.0.0.1"\nport = {self.sink.port}\nsecurity = "plain"\n'
            'from_address = "sales@house.test"\nmax_connections = 4\n[limits]\nretry_first_seconds = 2\n'
            "retry_longest_seconds = 5\n[pressure]\ntouches = 100\n"
            '[log]\nlevel = "warning"\nformat = "json"\n',
            encoding="utf-8",
        )
        path.chmod(0o600)

    def prepare(self) -> None:
        """The audience, those who must not be reached, and the mailing, started."""
        draw = self.draw
        db.migrate(self.engine)
        with db.transaction(self.engine) as session:
            session.execute(text("set local statement_timeout = 0"))
            defaults.install(session)
            accounts = {}
            for region in ("Vilnius", "Kaunas"):
                accounts[region] = Account(name=region, region=region)
                session.add(accounts[region])
            session.flush()
            for region, number, first in (
                ("Vilnius", draw.recipients, 0),
                ("Kaunas", draw.newcomers, draw.recipients),
            ):
                people(session, number, spread=200, first=first)
                session.execute(
                    text("update contact set account_id = :id where account_id is null"),
                    {"id": accounts[region].id},
                )
            everybody = list(session.scalars(text("select value from contact_point order by id")))
            self.suppressed = self.chance.sample(everybody, draw.suppressed)
            for address in self.suppressed:
                self._close(session, address)
            self.candidates = [one for one in everybody if one not in set(self.suppressed)]
            segment = add_segment(session, "Vilnius", parse(VILNIUS))
            made = campaign_verbs.create(session, "Rudens pasiūlymas", segment_id=segment.id)
            for language, (subject, body) in TEXTS.items():
                campaign_verbs.write(session, made, language, subject=subject, body=SALUTATION + body)
            campaign_verbs.start(session, made, now=now(session))
            self.segment_id, self.campaign_id = segment.id, made.id

    def _close(self, session: Session, address: str) -> None:
        consent.suppress(
            session,
            Channel.EMAIL,
            address,
            scope=Scope.MARKETING,
            reason=SuppressionReason.UNSUBSCRIBED,
            source="faults",
        )

    def keep_running(self) -> None:
        """Start workers for those that ended."""
        self._workers = [one for one in self._workers if one[0].poll() is None]
        while len(self._workers) < WORKERS:
            log = (self.folder / "workers.log").open("ab")
            environment = {name: value for name, value in os.environ.items() if "FRONTDESK_" not in name}
            environment["FRONTDESK_CONFIG"] = str(self.folder / "frontdesk.toml")
            process = subprocess.Popen(
                [sys.executable, "-c", START, "work", "--queues", "outbound"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
            log.close()
            self._workers.append((process, time.monotonic()))

    def kill_one(self) -> None:
        """Kill -9 a worker that works already."""
        old = [process for process, since in self._workers if time.monotonic() - since > 3.0]
        if old:
            victim = self.chance.choice(old)
            os.killpg(victim.pid, signal.SIGKILL)
            victim.wait()
            self.count.kills += 1

    def edit_segment(self) -> None:
        """Add a second region to the segment."""
        with db.transaction(self.engine) as session:
            segment = get_segment(session, self.segment_id)
            change_segment(
                session, segment, name="Vilnius, Kaunas", tree=parse(EDITED), revision=segment.revision
            )

    def pause(self) -> None:
        """Pause for a moment."""
        with suppress(DBAPIError), db.transaction(self.engine) as session:
            made = campaign_verbs.get(session, self.campaign_id)
            if made.state == CampaignState.RUNNING:
                campaign_verbs.pause(session, made)
        time.sleep(self.chance.uniform(0.3, 1.5))
        with suppress(DBAPIError), db.transaction(self.engine) as session:
            made = campaign_verbs.get(session, self.campaign_id)
            if made.state == CampaignState.PAUSED:
                campaign_verbs.resume(session, made, now=now(session))
                self.count.pauses += 1

    def opt_out(self) -> None:
        """Somebody opts out now."""
        address = self.candidates.pop(self.chance.randrange(len(self.candidates)))
        with db.transaction(self.engine) as session:
            self._close(session, address)
        self.opted_out[address] = time.time()

    def play(self) -> None:
        """Kills, pauses, opt-outs and one edit at random moments, then peace until it is over."""
        draw = self.draw
        deadline = time.monotonic() + draw.minutes * 60
        acts = [self.kill_one] * draw.kills + [self.pause] * draw.pauses + [self.opt_out] * draw.optouts
        self.chance.shuffle(acts)
        self.edit_segment()
        while time.monotonic() < deadline:
            self.keep_running()
            time.sleep(self.chance.uniform(0.05, 0.6))
            with suppress(DBAPIError):
                if acts and self._begun():
                    acts.pop()()
                if not acts or self._over():
                    break
        while time.monotonic() < deadline and not self._over():
            self.keep_running()
            time.sleep(0.5)

    def _begun(self) -> bool:
        with db.transaction(self.engine) as session:
            return session.scalar(select(Delivery.id).limit(1)) is not None

    def _over(self) -> bool:
        with suppress(DBAPIError), db.transaction(self.engine) as session:
            return campaign_verbs.get(session, self.campaign_id).state == CampaignState.FINISHED
        return False

    def result(self) -> Count:
        """Count copies against the audience and the books."""
        count, faults = self.count, self.count.faults
        taken = self.sink.taken()
        with db.transaction(self.engine) as session:
            session.execute(text("set local statement_timeout = 0"))
            count.state = str(campaign_verbs.get(session, self.campaign_id).state)
            rows = session.execute(
                select(CampaignRecipient.contact_id, Delivery.address, Delivery.state)
                .outerjoin(Delivery, Delivery.id == CampaignRecipient.delivery_id)
                .where(CampaignRecipient.campaign_id == self.campaign_id)
            ).all()
        closed = {*self.suppressed, *self.opted_out}
        states = {address: state for _, address, state in rows if address}
        count.audience = len(rows)
        count.sent = sum(state == DeliveryState.SENT for state in states.values())
        uncertain = {address for address, state in states.items() if state == DeliveryState.UNCERTAIN}
        count.uncertain = len(uncertain)
        expected = self.draw.recipients + self.draw.newcomers
        faults["not written down"] = max(0, expected - len(rows))
        faults["written down twice"] = len(rows) - len({contact for contact, _, _ in rows})
        faults["two copies"] = sum(len(times) > 1 for times in taken.values())
        faults["sent but not taken"] = sum(
            state == DeliveryState.SENT and address not in taken for address, state in states.items()
        )
        faults["taken but neither sent nor open"] = sum(
            states.get(address) not in (DeliveryState.SENT, DeliveryState.UNCERTAIN) for address in taken
        )
        faults["still waiting"] = sum(
            state in (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
            for state in states.values()
        )
        faults["suppressed and reached"] = len(set(self.suppressed) & set(taken))
        open_or_closed = closed | uncertain
        reached = set(taken) | open_or_closed
        faults["skipped"] = expected - len(reached & {f"{one}" for one in self._everybody()})
        late = [max(taken[address]) - since for address, since in self.opted_out.items() if address in taken]
        count.slowest_optout = max([0.0, *late])
        faults["opted out over 60 s before"] = sum(one > 60 for one in late)
        faults["not finished"] = int(count.state != "finished")
        return count

    def _everybody(self) -> Iterator[str]:
        for number in range(self.draw.recipients + self.draw.newcomers):
            within = number if number < self.draw.recipients else number - self.draw.recipients
            yield f"client{number}@company{within % 200}.example"

    def stop(self) -> None:
        """End everything that runs."""
        for process, _ in self._workers:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.engine.dispose()
        self.database.stop()
        self.sink.stop()


@contextmanager
def story(folder: Path, draw: Draw, say: Callable[[str], None] = print) -> Iterator[Story]:
    """A run, torn down when the block ends."""
    made = Story(folder, draw, say)
    try:
        yield made
    finally:
        made.stop()


def play(folder: Path, draw: Draw, say: Callable[[str], None] = print) -> Count:
    """Play one run in a folder and count."""
    with story(folder, draw, say) as run:
        run.prepare()
        begun = time.monotonic()
        run.play()
        count = run.result()
        count.seconds = time.monotonic() - begun
    for name in ("audience", "sent", "uncertain", "kills", "pauses", "slowest_optout", "seconds", "state"):
        say(f"{name:<32}{getattr(count, name)}")
    for name, number in count.faults.items():
        say(f"{name:<32}{number}")
    return count


def main() -> int:
    """Play a run as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in Draw.__dataclass_fields__.items():
        parser.add_argument(f"--{name}", type=type(value.default), default=value.default)
    draw = Draw(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="fdm") as folder:
        count = play(Path(folder), draw)
        if any(count.faults.values()):
            print((Path(folder) / "workers.log").read_text(errors="replace")[-3000:])
            return 1
    print("Each once, nobody twice, nobody who must not be reached.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
