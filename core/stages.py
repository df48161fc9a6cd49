"""Entering a stage: the deal moves, its document is queued, its follow-up begins, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import (
    deals,
    handover,
    letters,
    notices,
    outbox,
    performers,
    pipelines,
    proposals,
    readiness,
    sequences,
    sequences_stops,
    stages_back,
)
from core.deals import Deal, LossReason, Outcome, Stage, StageChange, WinReason
from core.errors import FrontdeskError, InputRefused
from core.followup import due_after
from core.outbox import Delivery, DeliveryState, Draft
from core.performers import Choice
from core.readiness import Lack, NotReady
from core.sequences import AlreadyEnrolled, Enrolment, Sequence
from core.staff import StaffMember
from core.worktime import Calendar

log = structlog.get_logger(__name__)

MOST_HOPS = 10
"""Rules that lead a deal on by themselves end after so many stages: they go round in a circle."""
LOOP_ALARM = "rules_circle"


class NotNext(InputRefused):
    """The stage does not follow the one the deal is in."""

    cure = "Choose one of the stages that may follow, or change the pipeline."


@dataclass(frozen=True, slots=True)
class Outlook:
    """What moving a deal would do, before it is done."""

    stage: Stage
    allowed: bool
    lacks: list[Lack]
    draft: Draft | None
    """What would be sent to the client."""
    fault: FrontdeskError | None
    """Why it cannot be sent."""
    begins: Sequence | None
    ends: list[str]
    """Names of the follow-ups that would end."""
    performer: Choice


def outlook(session: Session, deal: Deal, stage: Stage, staff: StaffMember | None, language: str) -> Outlook:
    """What moving a deal to a stage would send, begin, end and hand over; nothing is changed."""
    draft, fault = None, None
    today = session.execute(select(func.current_date())).scalar_one()
    savepoint = session.begin_nested()
    try:
        change = StageChange(id=0, deal_id=deal.id, to_stage=stage)
        with session.no_autoflush:
            draft = letters.stage_document(session, deal, change, staff, today=today)
    except FrontdeskError as error:
        fault = error
    finally:
        savepoint.rollback()
    begins = sequences.current(session, stage.sequence) if stage.sequence else None
    ending = sequences.live_of(session, deal_id=deal.id)
    return Outlook(
        stage=stage,
        allowed=may_follow(deal.stage, stage),
        lacks=readiness.lacks(session, deal),
        draft=draft,
        fault=fault,
        begins=begins,
        ends=[one.sequence.name(language) for one in ending if "deal_moved" in one.sequence.stop_on],
        performer=performers.performer_of(session, deal, stage),
    )


def may_follow(present: Stage, stage: Stage) -> bool:
    """Whether a pipeline lets a deal go from one stage to another."""
    return not present.next_stages or stage.key in present.next_stages


def enter_stage(
    session: Session,
    deal: Deal,
    stage: Stage,
    *,
    staff: StaffMember | None = None,
    reason: str = "",
    calendar: Calendar | None = None,
    silent: bool = False,
    override: bool = False,
) -> tuple[StageChange, int | None]:
    """Move a deal, queue the document of its new stage and begin its follow-up, in the caller's transaction.

    Follow-ups of the stage before end; its letter is taken back where the deal goes back and it has not left.
    ``calendar`` is working time where the client's own is not known.
    ``silent`` sends nothing and begins nothing; ``override`` lets a deal go that lacks something, and needs
    a reason. Who works in the new stage is told when that is somebody else.

    Returns the logged change and the id of the queued delivery (None where the stage sends nothing).
    Raises what ``deals.move`` and ``letters.stage_document`` raise, NotNext and ``readiness.NotReady``; then
    nothing has moved.
    """
    with session.begin_nested():
        deals.hold(session, deal)
        missing = _may_leave(session, deal, stage, override=override, reason=reason)
        giver_id = deal.performer_id or deal.owner_id
        found = stages_back.found_by(session, deal)
        if goes_back(deal.stage, stage):
            _take_back_letter(session, deal)
        change = deals.move(session, deal, stage, staff_id=staff.id if staff else None, reason=reason)
        session.refresh(deal)
        change.lacking = [one.key for one in missing]
        delivery_id = None
        if not silent:
            today = session.execute(select(func.current_date())).scalar_one()
            draft = letters.stage_document(session, deal, change, staff, today=today)
            delivery_id = outbox.queue(session, draft) if draft else None
        sequences_stops.stop_for_deal(session, deal.id)
        begun = None
        if not silent:
            begun = _begin_follow_up(session, deal, stage, calendar or Calendar())
        change.found = found | {"begun": begun.id if begun else None}
        _appoint(session, deal, change, giver_id, reason)
    return change, delivery_id


def _may_leave(session: Session, deal: Deal, stage: Stage, *, override: bool, reason: str) -> list[Lack]:
    if not may_follow(deal.stage, stage) and not override:
        raise NotNext
    missing = readiness.lacks(session, deal)
    if goes_back(deal.stage, stage) or not missing:
        return []
    if not override:
        raise NotReady(missing)
    if not reason.strip():
        raise InputRefused("Letting a deal go that lacks something needs a reason.")
    return missing


def goes_back(present: Stage, stage: Stage) -> bool:
    """Backwards a deal may go with anything open: that is often why it goes."""
    return stage.position < present.position


def _appoint(session: Session, deal: Deal, change: StageChange, giver_id: int | None, reason: str) -> None:
    choice = performers.performer_of(session, deal, deal.stage)
    deal.performer_id = choice.staff_id if choice.staff_id != deal.owner_id else None
    change.performer_id = choice.staff_id
    session.flush()
    if choice.staff_id is not None and choice.staff_id != giver_id:
        handover.hand_over(
            session, deal, giver_id=giver_id, taker_id=choice.staff_id, change=change, reason=reason
        )


def close(
    session: Session,
    deal: Deal,
    outcome: Outcome,
    *,
    loss_reason: LossReason | None = None,
    win_reason: WinReason | None = None,
    note: str = "",
    by: int | None = None,
) -> None:
    """Close a deal as won or lost and end its follow-ups; of a lost one the letter that waits is taken back.

    Raises what ``deals.close`` raises.
    """
    deals.close(session, deal, outcome, loss_reason=loss_reason, win_reason=win_reason, note=note, by=by)
    if outcome == Outcome.LOST:
        _take_back_letter(session, deal)
    sequences_stops.stop_for_deal(session, deal.id)


def _take_back_letter(session: Session, deal: Deal) -> None:
    """Cancel the letter of the stage that a deal is in, while it waits to leave: it was entered by mistake.

    What waits for somebody's word is looked after by `core.approvals`.
    """
    newest = select(func.max(StageChange.id)).where(StageChange.deal_id == deal.id)
    key = f"stage_change:{session.scalar(newest)}:"
    query = select(Delivery.id).where(
        Delivery.deal_id == deal.id, Delivery.key.startswith(key), Delivery.state.in_(outbox.WAITING)
    )
    for delivery_id in session.scalars(query.with_for_update()):
        outbox.settle(session, delivery_id, DeliveryState.CANCELLED, detail="the deal left the stage again")


def _begin_follow_up(session: Session, deal: Deal, stage: Stage, calendar: Calendar) -> Enrolment | None:
    sequence = sequences.current(session, stage.sequence) if stage.sequence else None
    if sequence is None or not sequence.steps or deal.contact is None:
        return None
    now = session.execute(select(func.now())).scalar_one()
    account, first = deal.contact.account, sequence.steps[0]
    place = calendar
    if account is not None and account.zone is not None:
        place = Calendar(account.zone, calendar.week, account.country or "")
    due_at = due_after(first, now, place)
    # Somebody who is in it for another deal of theirs is not led through it twice at once.
    with suppress(AlreadyEnrolled):
        return sequences.enrol(session, sequence, contact_id=deal.contact.id, deal_id=deal.id, due_at=due_at)
    return None


def run_rules(session: Session, deal: Deal, calendar: Calendar | None = None) -> list[StageChange]:
    """Lead a deal on where a stage says that it comes there by itself, as long as that is so.

    Rules that would go round in a circle end after MOST_HOPS moves; the alarm names the deal.
    """
    made: list[StageChange] = []
    while deal.outcome is None:
        target = _by_itself(session, deal)
        if target is None:
            _propose(session, deal)
            break
        if len(made) == MOST_HOPS:
            _tell_of_circle(session, deal)
            break
        stage, event = target
        try:
            change, _ = enter_stage(session, deal, stage, reason=f"by rule: {event}", calendar=calendar)
        except FrontdeskError as error:
            # A rule never forces: a person is asked instead, and sees why.
            if not proposals.was_dismissed(deal, stage.key, event):
                deal.proposed_stage_id = stage.id
                session.flush()
            _tell_of_refusal(deal, stage, error)
            break
        made.append(change)
    return made


def _by_itself(session: Session, deal: Deal) -> tuple[Stage, str] | None:
    events = [one for one in readiness.happened(session, deal) if not proposals.was_set_aside(deal, one)]
    return by_event(deal.stage, deal.pipeline.stages, events, "automatic_on")


def dismiss_proposal(session: Session, deal: Deal) -> None:
    """The stage that is proposed is not what comes next: the same letter or event does not propose it again
    while the deal stays where it is. Raises DealClosed.
    """
    deals.hold(session, deal)
    stage = deal.proposed_stage
    if stage is None:
        return
    if deal.proposed_by_message_id is not None:
        causes = {proposals.spoken_by(deal.proposed_by_message_id)}
    else:
        causes = readiness.happened(session, deal) & {*stage.proposed_on, *stage.automatic_on}
    said = {f"{stage.key}={cause}" for cause in causes}
    deal.dismissed = sorted({*deal.dismissed, *said})
    deal.proposed_stage_id = deal.proposed_by_message_id = None
    session.flush()
    session.expire(deal, ["proposed_stage"])


def by_event(
    present: Stage, stages: Iterable[Stage], events: Collection[str], by: str
) -> tuple[Stage, str] | None:
    """The first stage onward that one of these events speaks for, with the event.

    ``by`` is ``automatic_on``, where the deal moves by itself, or ``proposed_on``. What once happened goes on
    to hold, so it leads back only where the present stage names the one before as its next.
    """
    for stage in pipelines.onward(present, stages):
        if goes_back(present, stage) and stage.key not in present.next_stages:
            continue
        for event in getattr(stage, by):
            if event in events:
                return stage, event
    return None


def _propose(session: Session, deal: Deal) -> None:
    happened = readiness.happened(session, deal)
    for stage in pipelines.onward(deal.stage, deal.pipeline.stages):
        new = [event for event in happened if not proposals.was_dismissed(deal, stage.key, event)]
        if stage.position > deal.stage.position and by_event(deal.stage, [stage], new, "proposed_on"):
            deal.proposed_stage_id, deal.proposed_by_message_id = stage.id, None
            session.flush()
            return


def _tell_of_circle(session: Session, deal: Deal) -> None:
    notices.raise_alarm(session, LOOP_ALARM, f"S-{deal.id}", deal.stage.name("en"))


def _tell_of_refusal(deal: Deal, stage: Stage, error: FrontdeskError) -> None:
    log.info("a rule could not move a deal", deal=deal.id, stage=stage.key, reason=error.message)
