"""What whoever works in a stage has ticked off for one deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.deals import Deal, hold
from core.errors import NotFound
from core.pipelines import Stage
from core.staff import StaffMember


class ChecklistMark(Base):
    """A point of a stage's checklist is done for a deal. A stage keeps its key through versions, so its marks
    stay.
    """

    __tablename__ = "checklist_mark"

    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), primary_key=True, autoincrement=False)
    stage_key: Mapped[str] = mapped_column(Text, primary_key=True)
    item: Mapped[str] = mapped_column(Text, primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    done_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a checklist and who did it when, if anybody did."""

    key: str
    names: Mapping[str, str]
    required: bool
    done_at: datetime | None = None
    by: str | None = None

    def name(self, language: str) -> str:
        """What to do, in a language, else in English."""
        return self.names.get(language) or self.names.get("en", self.key)


def points(session: Session, deal: Deal, stage: Stage | None = None) -> list[Point]:
    """The checklist of a deal's present stage, or of another one, in its order."""
    stage = stage or deal.stage
    if not stage.checklist:
        return []
    rows = session.execute(
        select(ChecklistMark.item, ChecklistMark.done_at, StaffMember.name)
        .outerjoin(StaffMember, ChecklistMark.staff_id == StaffMember.id)
        .where(ChecklistMark.deal_id == deal.id, ChecklistMark.stage_key == stage.key)
    )
    done = {item: (at, by) for item, at, by in rows}
    return [
        Point(item["key"], item["names"], bool(item.get("required")), *done.get(item["key"], (None, None)))
        for item in stage.checklist
    ]


def complete(items: list[Point]) -> bool:
    """Whether there is a checklist and nothing of it is open."""
    return bool(items) and all(item.done_at is not None for item in items)


def tick(session: Session, deal: Deal, item: str, *, done: bool, by: int | None) -> None:
    """Tick a point of the present stage off, or take the tick back.

    Raises NotFound for a point that the stage does not have, DealClosed for a closed deal.
    """
    hold(session, deal)
    if item not in {point["key"] for point in deal.stage.checklist}:
        raise NotFound
    if done:
        row = insert(ChecklistMark).values(deal_id=deal.id, stage_key=deal.stage.key, item=item, staff_id=by)
        session.execute(row.on_conflict_do_nothing())
        return
    session.execute(
        delete(ChecklistMark).where(
            ChecklistMark.deal_id == deal.id,
            ChecklistMark.stage_key == deal.stage.key,
            ChecklistMark.item == item,
        )
    )
