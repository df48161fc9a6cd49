"""What a conversation's page shows beside the letters: the client, the deal, and how the letters were
understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.accounts import Channel, Contact, PointKind
from core.catalogue import ProductInterest
from core.consent import Suppression, address_key, suppressed
from core.conversations import Conversation, Message
from core.deals import Deal, DealLine
from core.labels import Classification
from core.outbox import Delivery
from core.routing import Assignment
from core.sendlater import CHANGEABLE, SOON
from core.staff import StaffMember, Team
from core.worktime import Calendar
from desk.clientview import interests


@dataclass(frozen=True, slots=True)
class Sent:
    """Where something we sent stands."""

    id: int
    state: str
    address: str
    subject: str
    body: str
    template: str | None
    error: str | None
    at: datetime
    settled_at: datetime | None
    staff: str | None
    documents: Sequence[str] = ()
    recipient_name: str = ""
    copy_of_id: int | None = None
    due_at: datetime | None = None
    automatic: bool = True

    def planned(self, now: datetime) -> bool:
        """Whether it waits for a time of its own, which is told and may be changed."""
        return self.state in CHANGEABLE and self.due_at is not None and self.due_at > now + SOON


@dataclass(frozen=True, slots=True)
class DealCard:
    """A deal as the card shows it."""

    deal: Deal
    days: int
    """Whole days in its stage."""
    over: bool
    """Longer there than the norm allows."""


@dataclass(slots=True)
class Page:
    """Everything a conversation's page needs, read in a fixed number of queries."""

    conversation: Conversation
    messages: list[Message]
    sent: dict[int, Sent]
    """By delivery id, for messages that left."""
    waiting: list[Sent]
    """What is queued or under way and is no message yet."""
    understood: dict[int, Classification]
    assignments: Sequence[Any]
    deal: DealCard | None
    interests: Sequence[Any]
    suppressions: dict[str, Suppression] = field(default_factory=dict)
    copies: dict[int, list[Sent]] = field(default_factory=dict)
    """By the delivery id of the letter, what became of each of its copies."""

    @property
    def items(self) -> list[Message | Sent]:
        """Letters and waiting sends in the order in which they happened."""
        everything: list[Message | Sent] = [*self.messages, *self.waiting]
        return sorted(everything, key=lambda one: one.at if isinstance(one, Sent) else one.happened_at)

    @property
    def last_words(self) -> datetime | None:
        """When the client last wrote or rang."""
        return max(
            (one.happened_at for one in self.messages if one.direction == "in" and not one.machine),
            default=None,
        )

    @property
    def last_letter(self) -> Message | None:
        """The newest letter the client wrote, which an answer by mail answers."""
        letters = (one for one in reversed(self.messages) if one.direction == "in" and one.channel == "email")
        return next(letters, None)

    @property
    def alone(self) -> bool:
        """There is one letter only, so there is nothing to separate."""
        return len(self.messages) < 2

    @property
    def answer_address(self) -> str | None:
        """Where an answer by mail goes: whence the client last wrote a letter, else to their address."""
        if (newest := self.last_letter) is not None and newest.sender:
            return newest.sender
        contact = self.conversation.contact
        return contact.email if contact else None

    @property
    def stop(self) -> Suppression | None:
        """The suppression that stands against the address an answer would go to."""
        return self.suppressions.get(self.answer_address or "")


# What every page asks is put together once: that takes longer than to answer it.
_MESSAGES = (
    select(Message)
    .where(Message.conversation_id == bindparam("number"))
    .options(selectinload(Message.attachments), selectinload(Message.staff_member))
    .order_by(Message.happened_at, Message.id)
)
_DELIVERIES = (
    select(
        Delivery.id,
        Delivery.state,
        Delivery.address,
        Delivery.subject,
        Delivery.body,
        Delivery.template,
        Delivery.error,
        Delivery.created_at,
        Delivery.settled_at,
        StaffMember.name,
        Delivery.documents,
        Delivery.recipient_name,
        Delivery.copy_of_id,
        Delivery.due_at,
        Delivery.automatic,
    )
    .outerjoin(StaffMember, Delivery.staff_id == StaffMember.id)
    .where(Delivery.conversation_id == bindparam("number"))
    .order_by(Delivery.id)
)
_UNDERSTOOD = select(Classification).where(
    Classification.message_id.in_(bindparam("numbers", expanding=True))
)
_BY = select(StaffMember.id, StaffMember.name).subquery()
_ASSIGNMENTS = (
    select(
        Assignment.rule,
        Assignment.assigned_at,
        StaffMember.name.label("name"),
        Team.name.label("team"),
        _BY.c.name.label("by"),
    )
    .outerjoin(StaffMember, Assignment.staff_id == StaffMember.id)
    .outerjoin(Team, Assignment.team_id == Team.id)
    .outerjoin(_BY, Assignment.by_staff_id == _BY.c.id)
    .where(Assignment.conversation_id == bindparam("number"))
    .order_by(Assignment.id.desc())
    .limit(20)
)


def read(session: Session, conversation: Conversation) -> Page:
    """Read everything for a conversation's page."""
    messages = list(session.scalars(_MESSAGES, {"number": conversation.id}))
    deliveries = _deliveries(session, conversation.id)
    left = {one.delivery_id for one in messages if one.delivery_id is not None}
    page = Page(
        conversation=conversation,
        messages=messages,
        sent={number: one for number, one in deliveries.items() if number in left},
        waiting=[one for number, one in deliveries.items() if number not in left and one.copy_of_id is None],
        understood=_understood(session, [one.id for one in messages]),
        assignments=_assignments(session, conversation.id),
        deal=deal_card(session, conversation),
        interests=_interests(session, conversation),
    )
    for one in deliveries.values():
        if one.copy_of_id is not None:
            page.copies.setdefault(one.copy_of_id, []).append(one)
    page.suppressions = _suppressions(session, conversation.contact, page.answer_address)
    return page


def _deliveries(session: Session, conversation_id: int) -> dict[int, Sent]:
    return {row[0]: Sent(*row) for row in session.execute(_DELIVERIES, {"number": conversation_id})}


def _understood(session: Session, message_ids: list[int]) -> dict[int, Classification]:
    if not message_ids:
        return {}
    found = session.scalars(_UNDERSTOOD, {"numbers": message_ids})
    return {one.message_id: one for one in found}


def _assignments(session: Session, conversation_id: int) -> Sequence[Any]:
    return session.execute(_ASSIGNMENTS, {"number": conversation_id}).all()


def deal_card(session: Session, conversation: Conversation) -> DealCard | None:
    """The deal a conversation belongs to."""
    if conversation.deal_id is None:
        return None
    query = (
        select(Deal, func.now() - Deal.stage_entered_at)
        .where(Deal.id == conversation.deal_id)
        .options(
            joinedload(Deal.stage),
            joinedload(Deal.proposed_stage),
            joinedload(Deal.owner),
            selectinload(Deal.lines).joinedload(DealLine.product),
        )
    )
    row = session.execute(query).first()
    if row is None:
        return None
    deal, spent = row
    entered = deal.stage_entered_at
    over = deal.outcome is None and bool(deal.stage.over_norm(entered, entered + spent, Calendar()))
    return DealCard(deal, max(spent.days, 0), over)


def _interests(session: Session, conversation: Conversation) -> Sequence[Any]:
    if conversation.account_id is None and conversation.contact_id is None:
        return []
    whose = (
        ProductInterest.account_id == conversation.account_id
        if conversation.account_id is not None
        else ProductInterest.contact_id == conversation.contact_id
    )
    return interests(session, whose, limit=12)


def _suppressions(session: Session, contact: Contact | None, answer: str | None) -> dict[str, Suppression]:
    """What stands against the addresses of a client, by address as it is shown."""
    addresses = (
        {point.value for point in contact.points if point.kind == PointKind.EMAIL} if contact else set()
    )
    if answer:
        addresses.add(answer)
    keys = {address: address_key(Channel.EMAIL, address) for address in addresses}
    found = suppressed(session, Channel.EMAIL, list(set(keys.values()))) if keys else {}
    return {address: found[key] for address, key in keys.items() if key in found}
