"""Rehearsals that somebody asked for: how far each is, and what it came to, until newer ones take its place.

They are played in the background, so that whoever asked may leave the page, come back, or break one off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, LargeBinary, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, deferred, joinedload, mapped_column, relationship

from core.db import Base, Id
from core.errors import IllegalTransition, NotFound
from core.rehearsal import Change, Report
from core.rehearsal_kept import change_as_json, change_of, packed, unpacked
from core.staff import StaffMember

REHEARSE: Final = "desk.rehearse"
"""The job that plays one."""
KEPT: Final = 10
"""Of one colleague; older ones make room for a new one."""


class RunState(StrEnum):
    """Where a rehearsal stands."""

    WAITING = "waiting"
    PLAYING = "playing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE: Final = (RunState.WAITING, RunState.PLAYING)
TRANSITIONS: Final[dict[RunState, frozenset[RunState]]] = {
    RunState.WAITING: frozenset({RunState.PLAYING, RunState.FAILED, RunState.CANCELLED}),
    RunState.PLAYING: frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED}),
    RunState.DONE: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}
"""A worker that takes over a dead one's goes on with one that is playing, from its beginning."""


class RehearsalRun(Base):
    """One rehearsal that somebody asked for."""

    __tablename__ = "rehearsal_run"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(Text)
    """``pipeline:b2b``, ``followup:after_offer``, ``routing``; empty for the rules in force."""
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The fields that were filled in, to go on from."""
    change: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """As it was when it was asked, whatever becomes of the draft."""
    days: Mapped[int]
    deals: Mapped[list[int]] = mapped_column(JSONB)
    letters: Mapped[list[int]] = mapped_column(JSONB)
    state: Mapped[RunState] = mapped_column(default=RunState.WAITING)
    part: Mapped[str] = mapped_column(Text, default="")
    """What is being played: ``letters``, ``deals``, ``follow_ups``."""
    played: Mapped[int] = mapped_column(default=0)
    of: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    report: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """As `core.rehearsal_kept` packs it."""
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    staff_member: Mapped[StaffMember] = relationship()

    @property
    def live(self) -> bool:
        """Whether it still goes on."""
        return self.state in LIVE


def ask(
    session: Session,
    staff_id: int,
    what: str,
    change: Change,
    *,
    days: int,
    deals: Sequence[int] = (),
    letters: Sequence[int] = (),
    form: Mapping[str, str] | None = None,
) -> RehearsalRun:
    """Have a change rehearsed in the background; a rehearsal of the same colleague that goes on is broken
    off, and the oldest of theirs make room.
    """
    session.execute(
        update(RehearsalRun)
        .where(RehearsalRun.staff_id == staff_id, RehearsalRun.state.in_(LIVE))
        .values(state=RunState.CANCELLED, ended_at=func.now())
    )
    newest = (
        select(RehearsalRun.id)
        .where(RehearsalRun.staff_id == staff_id)
        .order_by(RehearsalRun.id.desc())
        .limit(KEPT - 1)
    )
    session.execute(
        delete(RehearsalRun).where(RehearsalRun.staff_id == staff_id, RehearsalRun.id.not_in(newest))
    )
    # Whoever only reads the tables need not load the queue.
    from core.jobs import enqueue

    made = RehearsalRun(
        staff_id=staff_id, what=what, form=dict(form or {}), change=change_as_json(change), days=days,
        deals=list(deals), letters=list(letters),
    )  # fmt: skip
    session.add(made)
    session.flush()
    enqueue(session, REHEARSE, run_id=made.id)
    return made


def find(session: Session, run_id: int) -> RehearsalRun:
    """One rehearsal. Raises NotFound."""
    found = session.get(RehearsalRun, run_id, options=[joinedload(RehearsalRun.staff_member)])
    if found is None:
        raise NotFound
    return found


def lately(session: Session, limit: int = KEPT) -> Sequence[RehearsalRun]:
    """The newest rehearsals of everybody, with who asked."""
    query = select(RehearsalRun).options(joinedload(RehearsalRun.staff_member))
    return session.scalars(query.order_by(RehearsalRun.id.desc()).limit(limit)).all()


def begin(session: Session, run_id: int) -> RehearsalRun | None:
    """Begin to play one, or to play it anew; None for one that is over or gone."""
    run = session.get(RehearsalRun, run_id, with_for_update=True)
    if run is None or run.state not in LIVE:
        return None
    run.state, run.part, run.played, run.of = RunState.PLAYING, "", 0, 0
    session.flush()
    return run


def change_asked(run: RehearsalRun) -> Change:
    """The change it plays."""
    return change_of(run.change)


def report_of(run: RehearsalRun) -> Report | None:
    """What it came to; None as long as that is not known."""
    return unpacked(run.report) if run.report is not None else None


def goes_on(session: Session, run_id: int, part: str, played: int, of: int) -> bool:
    """Write down how far it is; False when somebody broke it off meanwhile."""
    return _while_playing(session, run_id, part=part, played=played, of=of)


def finish(session: Session, run_id: int, report: Report) -> bool:
    """Keep what it came to; False when it was broken off."""
    return _while_playing(
        session, run_id, state=RunState.DONE, report=packed(report), counts=report.counts(),
        ended_at=func.now(),
    )  # fmt: skip


def fail(session: Session, run_id: int, fault: str) -> None:
    """It could not be played, for a reason in words."""
    session.execute(
        update(RehearsalRun)
        .where(RehearsalRun.id == run_id, RehearsalRun.state.in_(LIVE))
        .values(state=RunState.FAILED, fault=fault[:500], ended_at=func.now())
    )


def cancel(session: Session, run: RehearsalRun) -> None:
    """Break it off. Raises IllegalTransition where it is over."""
    session.refresh(run, with_for_update={"of": RehearsalRun})
    if RunState.CANCELLED not in TRANSITIONS[RunState(run.state)]:
        raise IllegalTransition("The rehearsal is over already.")
    run.state, run.ended_at = RunState.CANCELLED, func.now()
    session.flush()


def _while_playing(session: Session, run_id: int, **values: Any) -> bool:
    done = session.execute(
        update(RehearsalRun)
        .where(RehearsalRun.id == run_id, RehearsalRun.state == RunState.PLAYING)
        .values(**values)
        .returning(RehearsalRun.id)
    )
    return done.first() is not None
