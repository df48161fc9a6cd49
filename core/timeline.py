"""The whole history of a client in one list: letters, deals, tasks, interests, mailings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from core.accounts import Account, Contact
from core.campaigns import Campaign
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation, Message
from core.deals import Deal, Stage, StageChange
from core.outbox import Delivery
from core.staff import StaffMember
from core.tasks import Task


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened with a client."""

    happened_at: datetime
    kind: str
    """message_in, message_out, stage_change, task, interest, mailing."""
    title: str
    detail: str = ""
    who: str = ""
    """Name of the contact or staff member who did it; empty where a rule did."""
    state: str = ""
    link: Mapping[str, int] = field(default_factory=dict)
    """Ids of what it belongs to: conversation_id, deal_id, task_id."""


def _of(model: Any, account: Account | None, contact: Contact | None) -> ColumnElement[bool]:
    if account is not None:
        return model.account_id == account.id
    return model.contact_id == contact.id if contact is not None else false()


def history(
    session: Session, *, account: Account | None = None, contact: Contact | None = None, limit: int = 200
) -> list[Event]:
    """The newest events of an account (all its contacts), or of a contact without one, newest first."""
    if account is None and contact is not None:
        account = contact.account
    parts = (_messages, _stage_changes, _tasks, _interests, _mailings)
    events = [event for part in parts for event in part(session, account, contact, limit)]
    return sorted(events, key=lambda event: event.happened_at, reverse=True)[:limit]


def _messages(session: Session, account: Account | None, contact: Contact | None, limit: int) -> list[Event]:
    query = (
        select(
            Message.happened_at,
            Message.direction,
            Message.subject,
            func.left(Message.reply, 240),
            func.coalesce(StaffMember.name, func.nullif(Message.sender_name, ""), Message.sender),
            Delivery.state,
            Message.conversation_id,
        )
        .select_from(Message)
        .join(Conversation)
        .outerjoin(StaffMember, Message.staff_id == StaffMember.id)
        .outerjoin(Delivery, Message.delivery_id == Delivery.id)
        .where(
            or_(
                _of(Conversation, account, contact),
                Message.contact_id == contact.id if contact is not None else false(),
            )
        )
        .order_by(Message.happened_at.desc())
        .limit(limit)
    )
    return [
        Event(
            at,
            f"message_{direction}",
            subject,
            detail,
            who or "",
            state or "",
            {"conversation_id": conversation},
        )
        for at, direction, subject, detail, who, state, conversation in session.execute(query)
    ]


def _stage_changes(
    session: Session, account: Account | None, contact: Contact | None, limit: int
) -> list[Event]:
    query = (
        select(StageChange.changed_at, Stage.names, StageChange.reason, StaffMember.name, Deal.id)
        .select_from(StageChange)
        .join(Deal, StageChange.deal_id == Deal.id)
        .join(Stage, StageChange.to_stage_id == Stage.id)
        .outerjoin(StaffMember, StageChange.staff_id == StaffMember.id)
        .where(_of(Deal, account, contact))
        .order_by(StageChange.changed_at.desc())
        .limit(limit)
    )
    return [
        Event(at, "stage_change", names["en"], reason, who or "", "", {"deal_id": deal})
        for at, names, reason, who, deal in session.execute(query)
    ]


def _tasks(session: Session, account: Account | None, contact: Contact | None, limit: int) -> list[Event]:
    query = (
        select(Task.created_at, Task.title, Task.state, StaffMember.name, Task.id)
        .select_from(Task)
        .outerjoin(StaffMember, Task.assignee_id == StaffMember.id)
        .where(_of(Task, account, contact))
        .order_by(Task.created_at.desc())
        .limit(limit)
    )
    return [
        Event(at, "task", title, "", who or "", state, {"task_id": task})
        for at, title, state, who, task in session.execute(query)
    ]


def _mailings(session: Session, account: Account | None, contact: Contact | None, limit: int) -> list[Event]:
    """Letters of mailings that went out; in a conversation only once somebody answers."""
    whose = select(Contact.id).where(Contact.account_id == account.id) if account is not None else None
    if whose is None:
        whose = select(Contact.id).where(Contact.id == contact.id if contact is not None else false())
    query = (
        select(Delivery.settled_at, Delivery.subject, Campaign.name, Delivery.state)
        .join(Campaign, Campaign.id == Delivery.campaign_id)
        .where(Delivery.contact_id.in_(whose), Delivery.settled_at.is_not(None))
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    return [
        Event(at, "mailing", subject or name, name, "", state)
        for at, subject, name, state in session.execute(query)
        if at is not None
    ]


def _interests(session: Session, account: Account | None, contact: Contact | None, limit: int) -> list[Event]:
    query = (
        select(
            ProductInterest.created_at,
            Product.names,
            ProductInterest.reason,
            StaffMember.name,
            Message.conversation_id,
        )
        .select_from(ProductInterest)
        .join(Product)
        .outerjoin(StaffMember, ProductInterest.staff_id == StaffMember.id)
        .outerjoin(Message, ProductInterest.message_id == Message.id)
        .where(_of(ProductInterest, account, contact))
        .order_by(ProductInterest.created_at.desc())
        .limit(limit)
    )
    return [
        Event(
            at,
            "interest",
            names.get("en") or next(iter(names.values()), ""),
            reason,
            who or "",
            "",
            {"conversation_id": conversation} if conversation else {},
        )
        for at, names, reason, who, conversation in session.execute(query)
    ]
