"""What a colleague should know of a caller before picking up, read in a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.calls import Call, CallState
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, DealLine, Outcome
from core.labels import Classification
from core.staff import StaffMember
from core.tasks import Task, TaskState

MOST = 3
"""Purchases, topics and promises that are told; a colleague has as long as a telephone rings."""


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """The deal that is under way."""

    id: int
    title: str
    stage_names: Mapping[str, str]
    days: int
    """Whole days in its stage."""
    norm: int | None
    owner: str | None

    @property
    def over(self) -> int:
        """Days beyond the norm; 0 while within it."""
        return max(self.days - self.norm, 0) if self.norm is not None else 0


@dataclass(frozen=True, slots=True)
class Purchase:
    """A deal that was won."""

    title: str
    closed_at: datetime | None
    amount: Decimal
    currency: str
    products: tuple[Mapping[str, str], ...]
    """Names by language."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What the client wrote or said lately."""

    intent: str
    at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Promise:
    """Something we said we would do."""

    title: str
    due_at: datetime | None
    late: bool
    who: str | None


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything the card shows."""

    call: Call
    name: str
    """The contact's name; empty where nobody is known by the number."""
    account: str
    number: str
    deal: OpenDeal | None
    purchases: tuple[Purchase, ...]
    topics: tuple[Topic, ...]
    promises: tuple[Promise, ...]

    @property
    def known(self) -> bool:
        """Whether the caller is a client of ours."""
        return bool(self.name or self.account)


def read(session: Session, call: Call) -> Brief:
    """The brief of one call."""
    return Brief(
        call=call,
        name=call.contact.name if call.contact else "",
        account=call.account.name if call.account else "",
        number=call.called if call.direction == Direction.OUT else call.caller,
        deal=_deal(session, call),
        purchases=_purchases(session, call),
        topics=_topics(session, call),
        promises=_promises(session, call),
    )


def ringing_for(session: Session, staff_id: int, *, longest: timedelta = timedelta(minutes=3)) -> list[Call]:
    """Calls that a colleague's desk shows: those that ring for them now, and the one they are talking in."""
    offered = Call.rung.contains([staff_id]) & (Call.state == CallState.RINGING)
    young = func.coalesce(Call.started_at, Call.created_at) > func.now() - longest
    talking = (Call.state == CallState.CONNECTED) & (Call.staff_id == staff_id)
    query = (
        select(Call)
        .where(Call.ended_at.is_(None), (offered & young) | talking)
        .where(~Call.dismissed.contains([staff_id]))
        .options(joinedload(Call.contact), joinedload(Call.account))
        .order_by(Call.id)
        .limit(MOST)
    )
    return list(session.scalars(query))


def _of_client(model: type[Deal] | type[Task] | type[Conversation], call: Call) -> ColumnElement[bool]:
    """What belongs to the caller: to their company, or to them where none is known."""
    if call.account_id is not None:
        return model.account_id == call.account_id
    return model.contact_id == call.contact_id if call.contact_id is not None else false()


def _deal(session: Session, call: Call) -> OpenDeal | None:
    query = (
        select(Deal, func.now() - Deal.stage_entered_at)
        .where(Deal.outcome.is_(None), _of_client(Deal, call))
        .options(joinedload(Deal.stage), joinedload(Deal.owner))
        .order_by((Deal.id == call.deal_id).desc().nulls_last(), Deal.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    deal, spent = row
    return OpenDeal(
        deal.id,
        deal.title,
        deal.stage.names,
        max(spent.days, 0),
        deal.stage.norm_days,
        deal.owner.name if deal.owner else None,
    )


def _purchases(session: Session, call: Call) -> tuple[Purchase, ...]:
    query = (
        select(Deal)
        .where(Deal.outcome == Outcome.WON, _of_client(Deal, call))
        .options(selectinload(Deal.lines).joinedload(DealLine.product))
        .order_by(Deal.closed_at.desc().nulls_last(), Deal.id.desc())
        .limit(MOST)
    )
    return tuple(
        Purchase(
            deal.title,
            deal.closed_at,
            deal.total.amount,
            deal.currency,
            tuple(line.product.names for line in deal.lines[:MOST]),
        )
        for deal in session.scalars(query)
    )


def _topics(session: Session, call: Call) -> tuple[Topic, ...]:
    query = (
        select(Classification.intent, Message.happened_at, Conversation.subject)
        .join(Message, Classification.message_id == Message.id)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .where(_of_client(Conversation, call), Message.direction == Direction.IN)
        .where(Classification.intent.is_not(None))
        .order_by(Message.happened_at.desc())
        .limit(MOST)
    )
    return tuple(Topic(intent or "", at, subject) for intent, at, subject in session.execute(query))


def _promises(session: Session, call: Call) -> tuple[Promise, ...]:
    query = (
        select(Task.title, Task.due_at, Task.due_at < func.now(), StaffMember.name)
        .outerjoin(StaffMember, Task.assignee_id == StaffMember.id)
        .where(Task.state == TaskState.OPEN, _of_client(Task, call))
        .where(Task.id != call.task_id if call.task_id is not None else Task.id.is_not(None))
        .order_by((Task.kind == "next_step").desc(), Task.due_at.nulls_last(), Task.id)
        .limit(MOST)
    )
    return tuple(Promise(title, due, bool(late), who) for title, due, late, who in session.execute(query))
