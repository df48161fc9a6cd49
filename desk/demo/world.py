"""What the parts of the demonstration share: its folder, settings, database, mail servers and programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db
from core.config import Settings
from core.errors import FrontdeskError
from desk.demo.programs import Program
from desk.demo.servers import MailServers

LOOK_EVERY = 0.2


class Stuck(FrontdeskError):
    """The demonstration does not go on."""

    cure = "See the programs' own words above."


@dataclass(slots=True)
class World:
    """One demonstration while it lasts."""

    folder: Path
    settings: Settings
    engine: sa.Engine
    servers: MailServers
    programs: list[Program] = field(default_factory=list)
    appended: int = 0
    """Letters that were filed into our mailboxes."""
    distinct: int = 0
    """Different letters among them."""

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction on the demonstration's database."""
        with db.transaction(self.engine) as session:
            yield session

    @property
    def own_addresses(self) -> frozenset[str]:
        """Our mailboxes."""
        return frozenset(self.servers.mailboxes)

    def wait_until(self, what: str, condition: Callable[[Session], bool], *, seconds: float = 180.0) -> None:
        """Wait until it holds; Stuck when it does not in time, or when a program has ended by itself."""
        deadline = time.monotonic() + seconds
        while True:
            with self.transaction() as session:
                if condition(session):
                    return
            self.check_programs()
            if time.monotonic() > deadline:
                words = "\n".join(program.last_words() for program in self.programs)
                raise Stuck(f"After {seconds:.0f} seconds still not: {what}.\n{words}\n")
            time.sleep(LOOK_EVERY)

    def stay(self, look: Callable[[Session], None]) -> None:
        """Look once a second until interrupted; Stuck when a program ends by itself."""
        while True:
            self.check_programs()
            with self.transaction() as session:
                look(session)
            time.sleep(1.0)

    def check_programs(self) -> None:
        """Raise Stuck when a program has ended by itself."""
        for program in self.programs:
            if program.ended is not None:
                name = " ".join(program.arguments)
                raise Stuck(f"`frontdesk {name}` ended with {program.ended}:\n{program.last_words()}\n")
