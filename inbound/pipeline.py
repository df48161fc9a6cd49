"""The pipeline: stored letters become history in batches, one transaction each; a bad letter stops none."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import intake, intakework
from core.context import Context
from core.intakework import Claimed
from inbound.steps import (
    acknowledge,
    assign,
    brake,
    classify,
    file,
    mark,
    meeting,
    noticereply,
    parse,
    react,
    recognise,
    screen,
    thread,
    verify,
)
from inbound.steps.write import write
from inbound.work import Batch, Item, Tools

log = structlog.get_logger(__name__)

Step = Callable[[Batch], None]

READING: tuple[tuple[str, Step], ...] = (("parse", parse.run),)
"""What needs nobody else to hold still."""

FILING: tuple[tuple[str, Step], ...] = (
    ("screen", screen.run),
    ("verify", verify.run),
    ("recognise", recognise.run),
    ("meeting", meeting.run),
    ("noticereply", noticereply.run),
    ("thread", thread.run),
    ("brake", brake.run),
    ("classify", classify.run),
    ("file", file.run),
    ("react", react.run),
    ("mark", mark.run),
    ("assign", assign.run),
    ("acknowledge", acknowledge.run),
)
"""What looks at clients and conversations that letters of another batch may be changing."""

STEPS: Final = READING + FILING
"""The order in which every letter is worked on; each step notes its reason in the letter's trail."""

FILING_LOCK: Final = 727_100_020
"""Key of the advisory lock under which batches are filed one after another, over all machines.

Filing a batch takes a few hundredths of a second; reading it, which takes far longer, is done side by side.
So two letters of one new client, in two batches at once, still make one client and one deal.
"""


@dataclass(slots=True)
class Outcome:
    """What became of one batch."""

    understood: int = 0
    ignored: int = 0
    failed: int = 0
    quarantined: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """Processor time of each step in this thread, for benchmarks."""

    @property
    def total(self) -> int:
        """Letters that were worked on."""
        return self.understood + self.ignored + self.failed


def understand(context: Context, tools: Tools, *, limit: int = 200, newest: bool = False) -> Outcome:
    """Work on the next batch of stored letters; an outcome of nought when none waits.

    Every letter ends understood, ignored with a reason, or counted as a failed attempt; what raises is the
    database or the machine, never a letter.
    """
    most = context.settings.limits.message_attempts
    with context.transaction() as session:
        intakework.reap_runs(session, most)
    with context.transaction() as session:
        claimed = intakework.claim(session, limit=limit, newest=newest)
        if not claimed:
            return Outcome()
        with _counted(context, session, [one.id for one in claimed]):
            return _work(session, tools, claimed, most)


@contextmanager
def _counted(context: Context, session: Session, raw_ids: Sequence[int]) -> Iterator[None]:
    """Commit beforehand that these letters are being worked on, so that a worker's death counts."""
    with context.transaction() as other:
        run_id = intakework.begin_run(other, f"{socket.gethostname()}:{os.getpid()}", raw_ids)
    try:
        yield
    except BaseException:
        # The worker lives and says so itself; a run that is left over would be counted as a death.
        with context.transaction() as other:
            intakework.end_run(other, run_id)
        raise
    intakework.end_run(session, run_id)


def _work(session: Session, tools: Tools, claimed: Sequence[Claimed], most: int) -> Outcome:
    outcome = Outcome()
    now = session.execute(select(func.now())).scalar_one()
    items = [Item(one) for one in claimed]
    batch = Batch(session, tools, items, now)
    _run(READING, batch, outcome)
    session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": FILING_LOCK})
    try:
        with session.begin_nested():
            _file(batch, outcome)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.warning("letters.one_by_one", letters=len(items), error=type(error).__name__)
        items = [_alone(session, tools, item, outcome) for item in items]
    _settle(session, items, most, outcome)
    return outcome


def _file(batch: Batch, outcome: Outcome) -> None:
    _run(FILING, batch, outcome)
    began = time.thread_time()
    write(batch)
    batch.session.flush()
    outcome.seconds["write"] = outcome.seconds.get("write", 0.0) + time.thread_time() - began


def _run(steps: Sequence[tuple[str, Step]], batch: Batch, outcome: Outcome) -> None:
    for name, step in steps:
        began = time.thread_time()
        step(batch)
        outcome.seconds[name] = outcome.seconds.get(name, 0.0) + time.thread_time() - began


def _alone(session: Session, tools: Tools, item: Item, outcome: Outcome) -> Item:
    """Work on one letter of a batch that failed; what is wrong with it then costs no other anything."""
    if item.failed is not None:
        return item
    fresh = Item(item.raw, item.reading, item.trail[:1])
    fresh.warnings = [one for one in item.warnings if one in {"truncated", "defects"}]
    try:
        with session.begin_nested():
            batch = Batch(session, tools, [fresh], session.execute(select(func.now())).scalar_one())
            _file(batch, outcome)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        session.expire_all()
        log.warning("letter.failed", raw_id=item.raw.id, error=type(error).__name__)
        fresh.failed = f"{type(error).__name__}: {str(error)[:500]}"
    return fresh


def _settle(session: Session, items: Sequence[Item], most: int, outcome: Outcome) -> None:
    failed = {item.raw.id: item.failed for item in items if item.failed is not None}
    ignored = {
        item.raw.id: item.ignored for item in items if item.ignored is not None and item.failed is None
    }
    understood = [item.raw.id for item in items if item.raw.id not in failed and item.raw.id not in ignored]
    intakework.settle(session, understood, ignored)
    quarantined = intakework.count_failures(session, failed, max_attempts=most)
    if quarantined:
        log.warning("letters.quarantined", raw_ids=quarantined)
        intake.tell_of_quarantine(session)
    outcome.understood += len(understood)
    outcome.ignored += len(ignored)
    outcome.failed += len(failed)
    outcome.quarantined += len(quarantined)


__all__ = ["FILING", "READING", "STEPS", "Outcome", "Step", "understand"]
