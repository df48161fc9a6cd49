"""Rehearsal: what was, beside what would have been under other rules, client by client; nothing is written.

The past is played again through the functions that decide in earnest, in a transaction in which the database
itself refuses every write. Three courses stand side by side: what happened, what the rules in force make of
it, and what the changed ones make of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputRefused
from core.routingrules import Rule

MOST_LETTERS = 5_000
MOST_DEALS = 1_000
MOST_FOLLOW_UPS = 2_000
LONGEST_DAYS = 366
CHOSEN = 500
"""Deals or letters that may be named one by one."""
MOST_SECONDS = 60.0
"""Of one rehearsal; what is played by then is shown, and that it is not all."""
SLACK = timedelta(hours=1)
"""A follow-up's step that would go out within it of the real one is no difference."""

Document = Mapping[str, Any]
Tell = Callable[[str, int, int], None]
"""What is played, how many of it, of how many."""


class Kind(StrEnum):
    """What a row is about."""

    ROUTED = "routed"
    MOVED = "moved"
    SENT = "sent"
    BEGUN = "begun"
    """A follow-up."""
    HANDED = "handed"
    """Who works on a deal in its stage."""


class Code(StrEnum):
    """What happened."""

    PERSON = "person"
    QUEUE = "queue"
    """Of a team, or the common one."""
    STAGE = "stage"
    PROPOSED = "proposed"
    """A person is asked."""
    NOT_NEXT = "not_next"
    LACKS = "lacks"
    GONE = "gone"
    """The stage is no longer there."""
    LETTER = "letter"
    TASK = "task"
    UNSENT = "unsent"
    """It could not be sent."""
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened, or would have."""

    code: Code
    key: str = ""
    """What tells one from another: an id, a stage, a template, a channel with its template."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By language, where it has a name of its own."""
    at: datetime | None = None
    why: str = ""
    who_id: int | None = None
    who: str | None = None
    """Whose a task is: empty for nobody's, None where nobody asks."""
    away: str = ""
    """In whose place, where they were away."""

    def same(self, other: Happening | None) -> bool:
        """Whether client and colleagues would see no difference; reasons make none."""
        if other is None or (self.code, self.key, self.who_id) != (other.code, other.key, other.who_id):
            return False
        return self.at is None or other.at is None or abs(self.at - other.at) <= SLACK


@dataclass(frozen=True, slots=True)
class Client:
    """Whom a row is about."""

    name: str
    """The company, else the person."""
    person: str = ""
    deal_id: int | None = None
    conversation_id: int | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of the past in its three courses."""

    at: datetime
    kind: Kind
    client: Client
    was: Happening | None
    now: Happening | None
    """By the rules in force today."""
    would: Happening | None

    @property
    def differs(self) -> bool:
        """Whether the changed rules make something else of it than what happened."""
        return self.was is not self.would and (self.was is None or not self.was.same(self.would))

    @property
    def by_change(self) -> bool:
        """Whether the change is what makes the difference: the rules in force would not have."""
        return self.now is not self.would and (self.now is None or not self.now.same(self.would))


@dataclass(frozen=True, slots=True)
class Change:
    """The rules to rehearse; what is left out stays as it is in force."""

    pipelines: Mapping[str, Document] = field(default_factory=dict)
    """By key, as `core.pipelinespec` describes them."""
    followups: Mapping[str, Document] = field(default_factory=dict)
    """By key, as `core.sequencespec` describes them."""
    routing: Sequence[Rule] | None = None

    @property
    def nothing(self) -> bool:
        """Whether it changes nothing: then the rules in force are played against what happened."""
        return not self.pipelines and not self.followups and self.routing is None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the past is played: a time, or chosen deals and letters."""

    since: datetime
    until: datetime
    deals: tuple[int, ...] = ()
    letters: tuple[int, ...] = ()
    """Ids of messages."""

    @property
    def chosen(self) -> bool:
        """Whether deals or letters are named one by one."""
        return bool(self.deals or self.letters)


@dataclass(slots=True)
class Report:
    """What a rehearsal comes to."""

    scope: Scope
    rows: list[Row] = field(default_factory=list)
    letters: int = 0
    deals: int = 0
    follow_ups: int = 0
    cut: bool = False
    """There was more than a rehearsal may play."""
    ends: float = field(default_factory=lambda: time.monotonic() + MOST_SECONDS)
    """When it is broken off, on this process's clock."""
    followups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the follow-ups that are played are called, by key and language."""
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the company calls templates, by key and language, where it has names of its own."""

    def late(self) -> bool:
        """Whether there is no time left; what is not played by then is left out, and said to be."""
        over = time.monotonic() > self.ends
        self.cut = self.cut or over
        return over

    def counts(self) -> dict[str, int]:
        """How many rows, how many of them differ, and how many of those by the change; clients likewise."""
        differ = [row for row in self.rows if row.differs]
        return {
            "rows": len(self.rows),
            "differ": len(differ),
            "by_change": sum(row.by_change for row in self.rows),
            "clients": len({row.client.name for row in differ}),
        }


def scope_of(session: Session, days: int, deals: Sequence[int] = (), letters: Sequence[int] = ()) -> Scope:
    """The last so many days until now by the database's clock, or what is named within a year.

    Raises InputRefused for a time or a choice that is too large.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InputRefused(f"A rehearsal covers 1 to {LONGEST_DAYS} days.")
    if len(deals) + len(letters) > CHOSEN:
        raise InputRefused(f"A rehearsal takes at most {CHOSEN} chosen deals and letters.")
    now = session.execute(select(func.now())).scalar_one()
    back = LONGEST_DAYS if deals or letters else days
    return Scope(now - timedelta(days=back), now, tuple(deals), tuple(letters))


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[Session]:
    """A session over one picture of the data in which the database refuses every write."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        engine.connect().execution_options(**options) as connection,
        Session(connection, autoflush=False, expire_on_commit=False) as session,
    ):
        try:
            yield session
        finally:
            session.rollback()
