"""Entering a stage: the deal moves, its document is queued and its follow-up begins, all or nothing."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deals, letters, outbox, sequences
from core.deals import Deal, LossReason, Outcome, Stage, StageChange
from core.sequences import AlreadyEnrolled
from core.staff import StaffMember
from core.worktime import Calendar


def enter_stage(
    session: Session,
    deal: Deal,
    stage: Stage,
    *,
    staff: StaffMember | None = None,
    reason: str = "",
    calendar: Calendar | None = None,
) -> tuple[StageChange, int | None]:
    """Move a deal, queue the document of its new stage and begin its follow-up, in the caller's transaction.

    Follow-ups of the stage before end. ``calendar`` is working time where the client's own is not known.

    Returns the logged change and the id of the queued delivery (None where the stage sends nothing).
    Raises what ``deals.move`` and ``letters.stage_document`` raise; then nothing has moved.
    """
    with session.begin_nested():
        change = deals.move(session, deal, stage, staff_id=staff.id if staff else None, reason=reason)
        session.refresh(deal)
        today = session.execute(select(func.current_date())).scalar_one()
        draft = letters.stage_document(session, deal, change, staff, today=today)
        delivery_id = outbox.queue(session, draft) if draft else None
        sequences.stop_for_deal(session, deal.id)
        _begin_follow_up(session, deal, stage, calendar or Calendar())
    return change, delivery_id


def close(session: Session, deal: Deal, outcome: Outcome, *, loss_reason: LossReason | None = None) -> None:
    """Close a deal as won or lost and end its follow-ups. Raises what ``deals.close`` raises."""
    deals.close(session, deal, outcome, loss_reason=loss_reason)
    sequences.stop_for_deal(session, deal.id)


def _begin_follow_up(session: Session, deal: Deal, stage: Stage, calendar: Calendar) -> None:
    sequence = sequences.current(session, stage.sequence) if stage.sequence else None
    if sequence is None or not sequence.steps or deal.contact is None:
        return
    now = session.execute(select(func.now())).scalar_one()
    due_at = calendar.add_days(now, sequence.steps[0].delay_days)
    # Somebody who is in it for another deal of theirs is not led through it twice at once.
    with suppress(AlreadyEnrolled):
        sequences.enrol(session, sequence, contact_id=deal.contact.id, deal_id=deal.id, due_at=due_at)
