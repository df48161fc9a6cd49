"""Views of the inbox that a person keeps under a name: a shelf, and what is left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.errors import InputRefused, NotFound

MOST = 30
"""So many views one person may keep."""
LONGEST = 60


class SavedView(Base):
    """One person's view: nobody else sees it."""

    __tablename__ = "saved_view"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    box: Mapped[str] = mapped_column(Text)
    """The shelf, as the inbox names it."""
    filters: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """By ``topic``, ``language``, ``team`` and ``waiting``; what is absent is not asked."""
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


_THEIRS = (
    select(SavedView)
    .where(SavedView.staff_id == bindparam("staff_id"))
    .order_by(func.lower(SavedView.name), SavedView.id)
)


def of(session: Session, staff_id: int) -> Sequence[SavedView]:
    """A person's views by name."""
    return session.scalars(_THEIRS, {"staff_id": staff_id}).all()


def save(session: Session, staff_id: int, name: str, box: str, filters: dict[str, str]) -> SavedView:
    """Keep a view; one of the same name is replaced. Raises InputRefused without a name or for too many."""
    if not name or len(name) > LONGEST:
        raise InputRefused("A view needs a name.", cure=f"Up to {LONGEST} characters.")
    mine = of(session, staff_id)
    same = next((one for one in mine if one.name.casefold() == name.casefold()), None)
    if same is None:
        if len(mine) >= MOST:
            raise InputRefused("You keep too many views.", cure="Remove one first.")
        same = SavedView(staff_id=staff_id, name=name, box=box, filters=filters)
        session.add(same)
    same.name, same.box, same.filters = name, box, filters
    session.flush()
    return same


def remove(session: Session, staff_id: int, view_id: int) -> SavedView:
    """Forget a view; the row comes back as it was, for undoing. Raises NotFound for somebody else's."""
    found = session.get(SavedView, view_id)
    if found is None or found.staff_id != staff_id:
        raise NotFound
    session.delete(found)
    session.flush()
    return found
