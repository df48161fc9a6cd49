"""A deal with everything around it, as its page and the card show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import checklists, clock, handover, payments, pipelines, readiness
from core.accounts import Account
from core.checklists import Point
from core.conversations import Conversation
from core.deals import Deal, DealLine, StageChange
from core.errors import NotFound
from core.handover import AtWork, Handover
from core.payments import DeliveryNote, Payment
from core.pipelines import Stage
from core.readiness import Lack
from core.sessions import SignedIn
from core.staff import StaffMember
from core.values import Money
from core.worktime import Calendar
from desk.access import LEADERS, SALES, visible


@dataclass(frozen=True, slots=True)
class Stay:
    """A deal's time in a stage, by working time."""

    change: StageChange
    spent: timedelta
    over: bool


@dataclass(frozen=True, slots=True)
class DealView:
    """Everything about a deal."""

    deal: Deal
    stages: Sequence[Stage]
    onward: Sequence[Stage]
    """Where it may go from here."""
    points: list[Point]
    lacks: list[Lack]
    """What its stage still asks for."""
    norm_ends: datetime | None
    over: timedelta
    """Working time beyond the norm."""
    stays: list[Stay]
    payments: list[Payment]
    deliveries: list[DeliveryNote]
    owed: Money
    handed: Handover | None
    others: list[AtWork]
    """Colleagues at work with the client, whoever looks left out."""
    siblings: Sequence[Deal]
    """Other deals of the account."""
    conversations: Sequence[Conversation]

    @property
    def worker(self) -> StaffMember | None:
        """Who works on it now."""
        return self.deal.performer or self.deal.owner


def deal_for(session: Session, viewer: SignedIn, deal_id: int) -> Deal:
    """A deal that somebody may see: their own, one they work on or whose client they answer for, one of a
    conversation they may see, and for leaders any. Raises NotFound otherwise.
    """
    deal = session.scalar(
        select(Deal)
        .where(Deal.id == deal_id)
        .options(
            joinedload(Deal.account).joinedload(Account.curator),
            joinedload(Deal.contact),
            joinedload(Deal.stage),
            joinedload(Deal.owner),
            joinedload(Deal.performer),
            selectinload(Deal.lines).joinedload(DealLine.product),
        )
    )
    if deal is None or viewer.role not in SALES:
        raise NotFound
    near = {deal.owner_id, deal.performer_id, deal.account.curator_id if deal.account else None}
    if viewer.role in LEADERS or viewer.staff_id in near:
        return deal
    seen = select(exists().where(Conversation.deal_id == deal_id, visible(viewer)))
    if not session.scalar(seen):
        raise NotFound
    return deal


def read(session: Session, deal: Deal, viewer: SignedIn, calendar: Calendar) -> DealView:
    """Read everything for a deal's page."""
    now = clock.now()
    stages = list(
        session.scalars(select(Stage).where(Stage.pipeline_id == deal.pipeline_id).order_by(Stage.position))
    )
    points = checklists.points(session, deal)
    others = [one for one in handover.at_work(session, deal.account_id) if one.staff_id != viewer.staff_id]
    talks = session.scalars(
        select(Conversation)
        .where(Conversation.deal_id == deal.id, visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(10)
    )
    open_now = deal.outcome is None
    return DealView(
        deal=deal,
        stages=stages,
        onward=pipelines.onward(deal.stage, stages),
        points=points,
        lacks=readiness.lacks(session, deal, points) if open_now else [],
        norm_ends=deal.stage.norm_ends(deal.stage_entered_at, calendar) if open_now else None,
        over=deal.stage.over_norm(deal.stage_entered_at, now, calendar) if open_now else timedelta(),
        stays=_stays(session, deal, calendar, now),
        payments=payments.payments(session, deal.id),
        deliveries=payments.delivery_notes(session, deal.id),
        owed=payments.owed(session, deal),
        handed=handover.newest(session, deal.id),
        others=others,
        siblings=_siblings(session, deal),
        conversations=list(talks),
    )


def _stays(session: Session, deal: Deal, calendar: Calendar, now: datetime) -> list[Stay]:
    changes = session.scalars(
        select(StageChange)
        .where(StageChange.deal_id == deal.id)
        .options(
            joinedload(StageChange.to_stage),
            joinedload(StageChange.staff_member),
            joinedload(StageChange.performer),
        )
        .order_by(StageChange.id.desc())
    )
    made = []
    for change in changes:
        until = change.left_at or deal.closed_at or now
        over = change.to_stage.over_norm(change.changed_at, until, calendar)
        made.append(Stay(change, calendar.between(change.changed_at, until), bool(over)))
    return made


def _siblings(session: Session, deal: Deal) -> Sequence[Deal]:
    whose = (
        Deal.account_id == deal.account_id
        if deal.account_id is not None
        else or_(Deal.contact_id == deal.contact_id)
    )
    query = select(Deal).where(whose, Deal.id != deal.id).options(joinedload(Deal.stage))
    return list(session.scalars(query.order_by(Deal.id.desc()).limit(8)))
