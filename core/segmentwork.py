"""The background work of segments and cards: letters and members are counted, doubles are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from core import cardscores, contactfacts, likelydoubles, segments, segments_kept
from core.context import Context
from core.jobkinds import Registry
from core.segments import Segment

registry = Registry()

LONGEST = "set local statement_timeout = '600s'"


@contextmanager
def patient(context: Context) -> Iterator[Session]:
    """A transaction whose statements may take as long as counting everything takes."""
    with context.transaction() as session:
        session.execute(text(LONGEST))
        yield session


@registry.job("core.facts", queue="default", periodic="* * * * *", concurrency=1)
def count_letters(context: Context) -> None:
    """Add what was written since the last minute to what is known of each contact."""
    with patient(context) as session:
        contactfacts.bring_up_to_date(session)


@registry.job("core.facts_anew", queue="default", periodic="41 2 * * *", concurrency=1)
def count_anew(context: Context) -> None:
    """Every night: count all letters anew, for what was corrected or merged."""
    with patient(context) as session:
        contactfacts.rebuild(session)


@registry.job("core.segments", queue="default", periodic="* * * * *", concurrency=1)
def refresh_members(context: Context) -> None:
    """Refresh each segment that has changed, or was last refreshed a while ago; each in a transaction."""
    with context.transaction() as session:
        segments_kept.clear_old(session)
        old = func.now() - timedelta(seconds=segments.REFRESH_EVERY)
        due = select(Segment.id).where(
            Segment.archived_at.is_(None), or_(Segment.counted_at.is_(None), Segment.counted_at < old)
        )
        ids = list(session.scalars(due.order_by(Segment.counted_at.nulls_first())))
    for segment_id in ids:
        with patient(context) as session:
            found = session.get(Segment, segment_id, with_for_update=True)
            if found is not None and found.archived_at is None:
                segments.refresh(session, found)


@registry.job("core.cards", queue="default", periodic="*/10 * * * *", concurrency=1)
def score_cards(context: Context) -> None:
    """How full each client's card is by now; what the desk changes is counted at once."""
    with patient(context) as session:
        cardscores.count_all(session)


@registry.job("core.doubles", queue="default", periodic="11 3 * * *", concurrency=1)
def look_for_doubles(context: Context) -> None:
    """Every night: which clients and people may be one and the same."""
    with patient(context) as session:
        likelydoubles.look(session)
