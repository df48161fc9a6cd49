"""Entering a stage: the deal moves and what the stage sends is queued, both or neither."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deals, letters, outbox
from core.deals import Deal, Stage, StageChange
from core.staff import StaffMember


def enter_stage(
    session: Session, deal: Deal, stage: Stage, *, staff: StaffMember | None = None, reason: str = ""
) -> tuple[StageChange, int | None]:
    """Move a deal and queue the document of its new stage, in the caller's transaction.

    Returns the logged change and the id of the queued delivery (None where the stage sends nothing).
    Raises what ``deals.move`` and ``letters.stage_document`` raise; then nothing has moved.
    """
    with session.begin_nested():
        change = deals.move(session, deal, stage, staff_id=staff.id if staff else None, reason=reason)
        session.refresh(deal)
        today = session.execute(select(func.current_date())).scalar_one()
        draft = letters.stage_document(session, deal, change, staff, today=today)
        delivery_id = outbox.queue(session, draft) if draft else None
    return change, delivery_id
