"""Follow-ups that fall due all at once after a gap are held until a person lets them go.

A gap is what a clock that jumped, a restored database or a long outage leaves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import notices
from core.db import Base
from core.sequences import Enrolment, EnrolmentState

GAP = timedelta(hours=6)
"""So long without a look is no matter of a restart."""
MOST = 500
"""So many due at once after a gap are no matter of a night."""
NOTED_EVERY = timedelta(minutes=1)
NAME = "follow-ups"
ALARM = "followups_held"


class Look(Base):
    """When due rows were last looked at, and since when they are held."""

    __tablename__ = "look"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    looked_at: Mapped[datetime]
    held_since: Mapped[datetime | None]


def is_flood(last_look: datetime, now: datetime, due: int) -> bool:
    """Whether so many due rows after such a gap are to be held: pure."""
    return now - last_look > GAP and due > MOST


def held(session: Session, now: datetime | None = None) -> bool:
    """Whether follow-ups are held, by the database's clock; notes the look, and raises the alarm when a flood
    begins.
    """
    now = now or session.execute(select(func.now())).scalar_one()
    look = session.get(Look, NAME)
    if look is None:
        session.execute(insert(Look).values(name=NAME, looked_at=now).on_conflict_do_nothing())
        return False
    if look.held_since is not None:
        return True
    if now - look.looked_at > GAP:
        due = due_now(session, now)
        if is_flood(look.looked_at, now, due):
            look.held_since = now
            notices.raise_alarm(session, ALARM, NAME, str(due))
            session.flush()
            return True
    # A clock that was set back is followed back.
    if abs(now - look.looked_at) > NOTED_EVERY:
        look.looked_at = now
        session.flush()
    return False


def due_now(session: Session, now: datetime) -> int:
    """How many are due, counted up to just more than MOST."""
    some = select(Enrolment.id).where(Enrolment.state == EnrolmentState.ACTIVE, Enrolment.due_at <= now)
    return session.scalar(select(func.count()).select_from(some.limit(MOST + 1).subquery())) or 0


def held_since(session: Session) -> datetime | None:
    """Since when follow-ups are held; None when they are not."""
    look = session.get(Look, NAME)
    return look.held_since if look else None


def release(session: Session) -> bool:
    """A person says that what is due may go; returns whether it was held."""
    look = session.get(Look, NAME, with_for_update=True)
    if look is None or look.held_since is None:
        return False
    look.held_since, look.looked_at = None, func.now()
    notices.clear_alarm(session, ALARM, NAME)
    session.flush()
    return True
