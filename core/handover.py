"""Handing over: what the next performer is told, and who else is at work with the same client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import checklists
from core.conversations import Conversation, ConversationState, Message
from core.db import Base, Id
from core.deals import Deal, StageChange
from core.staff import StaffMember
from core.tasks import Task, TaskState

TITLES = {
    "en": "Take over: {deal} — {stage}",
    "ru": "Принять сделку: {deal} — {stage}",
    "lt": "Perimti sandorį: {deal} – {stage}",
}
"""What the next performer's task is called."""
ALSO = {
    "en": " (also at work with this client: {who})",
    "ru": " (с этим клиентом также работает: {who})",
    "lt": " (su šiuo klientu taip pat dirba: {who})",
}
LATELY = timedelta(days=30)
"""Whose letters are so fresh is at work with the client."""
NEWEST = 3
"""So many letters stand in a brief."""
EXCERPT = 280


class Handover(Base):
    """A deal passed from one colleague to the next, with what the next was told."""

    __tablename__ = "handover"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    change_id: Mapped[int | None] = mapped_column(ForeignKey("stage_change.id"))
    from_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    brief: Mapped[dict[str, Any]]
    """As `brief_of` writes it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    deal: Mapped[Deal] = relationship()
    giver: Mapped[StaffMember | None] = relationship(foreign_keys=[from_id])
    taker: Mapped[StaffMember] = relationship(foreign_keys=[to_id])


@dataclass(frozen=True, slots=True)
class AtWork:
    """A colleague who is at work with a client, and with what."""

    staff_id: int
    name: str
    doing: str
    """``deal``, ``conversation`` or ``task``."""
    what: str
    """Its title or subject."""


def brief_of(session: Session, deal: Deal, *, reason: str = "") -> dict[str, Any]:
    """What was, what is promised and what is to be done, as the next performer reads it.

    ``{"why", "guide": {language: text}, "checklist": [{"names", "required"}], "need", "solution",
    "promised": [{"title", "due_at"}], "letters": [{"at", "direction", "subject", "text"}], "log":
    [{"names", "at", "by"}]}``; moments are ISO 8601.
    """
    return {
        "why": reason,
        "guide": deal.stage.guide,
        "checklist": [
            {"names": dict(point.names), "required": point.required}
            for point in checklists.points(session, deal)
            if point.done_at is None
        ],
        "need": deal.need,
        "solution": deal.solution,
        "terms": " ".join(part for part in (deal.payment_terms, deal.delivery_terms) if part),
        "promised": _promised(session, deal),
        "letters": _letters(session, deal),
        "log": _log(session, deal),
    }


def _promised(session: Session, deal: Deal) -> list[dict[str, Any]]:
    query = (
        select(Task.title, Task.due_at)
        .where(Task.deal_id == deal.id, Task.state == TaskState.OPEN, Task.kind != "handover")
        .order_by(Task.due_at)
        .limit(10)
    )
    return [{"title": title, "due_at": due and due.isoformat()} for title, due in session.execute(query)]


def _letters(session: Session, deal: Deal) -> list[dict[str, Any]]:
    query = (
        select(Message.happened_at, Message.direction, Message.subject, Message.reply)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .where(Conversation.deal_id == deal.id, Message.machine.is_(None))
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(NEWEST)
    )
    return [
        {"at": at.isoformat(), "direction": direction.value, "subject": subject, "text": reply[:EXCERPT]}
        for at, direction, subject, reply in session.execute(query)
    ]


def _log(session: Session, deal: Deal) -> list[dict[str, Any]]:
    changes = session.scalars(
        select(StageChange).where(StageChange.deal_id == deal.id).order_by(StageChange.id)
    )
    return [
        {
            "names": change.to_stage.names,
            "at": change.changed_at.isoformat(),
            "by": change.performer.name if change.performer else None,
        }
        for change in changes
    ]


def hand_over(
    session: Session,
    deal: Deal,
    *,
    giver_id: int | None,
    taker_id: int,
    change: StageChange | None = None,
    reason: str = "",
    due_at: datetime | None = None,
) -> Handover:
    """Give a deal to the next performer: the brief, and a task that leads to it, in the taker's language.

    Who else is at work with the client stands in the task.
    """
    taker = session.get_one(StaffMember, taker_id)
    language = taker.language.value
    title = TITLES[language].format(
        deal=deal.title or (deal.account.name if deal.account else f"S-{deal.id}"),
        stage=deal.stage.name(language),
    )
    others = [one for one in at_work(session, deal.account_id) if one.staff_id not in {taker_id, giver_id}]
    if others:
        title += ALSO[language].format(who=", ".join(sorted({one.name for one in others})))
    task = Task(
        title=title,
        kind="handover",
        assignee_id=taker_id,
        contact_id=deal.contact_id,
        account_id=deal.account_id,
        deal_id=deal.id,
        conversation_id=session.scalar(
            select(Conversation.id)
            .where(Conversation.deal_id == deal.id)
            .order_by(Conversation.last_message_at.desc())
            .limit(1)
        ),
        due_at=due_at or session.execute(select(func.now())).scalar_one(),
    )
    session.add(task)
    session.flush()
    handover = Handover(
        deal_id=deal.id,
        change_id=change.id if change else None,
        from_id=giver_id,
        to_id=taker_id,
        task_id=task.id,
        brief=brief_of(session, deal, reason=reason),
    )
    session.add(handover)
    session.flush()
    return handover


def newest(session: Session, deal_id: int) -> Handover | None:
    """The last time a deal was handed over."""
    return session.scalar(
        select(Handover).where(Handover.deal_id == deal_id).order_by(Handover.id.desc()).limit(1)
    )


def at_work(session: Session, account_id: int | None) -> list[AtWork]:
    """Everybody who is at work with a client: by their deals, their conversations lately and their tasks."""
    if account_id is None:
        return []
    worker = func.coalesce(Deal.performer_id, Deal.owner_id)
    deals = select(worker, Deal.title).where(Deal.account_id == account_id, Deal.outcome.is_(None))
    talks = (
        select(Conversation.assignee_id, Conversation.subject)
        .where(
            Conversation.account_id == account_id,
            Conversation.state == ConversationState.OPEN,
            Conversation.last_message_at > func.now() - LATELY,
        )
        .order_by(Conversation.last_message_at.desc())
        .limit(20)
    )
    tasks = (
        select(Task.assignee_id, Task.title)
        .where(Task.account_id == account_id, Task.state == TaskState.OPEN)
        .where(or_(Task.due_at.is_(None), Task.due_at < func.now() + LATELY))
        .limit(20)
    )
    found: dict[int, tuple[str, str]] = {}
    for doing, query in (("deal", deals), ("conversation", talks), ("task", tasks)):
        for staff_id, what in session.execute(query):
            if staff_id is not None:
                found.setdefault(staff_id, (doing, what))
    if not found:
        return []
    names = dict(
        session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(found))).all()
    )
    return [AtWork(staff_id, names[staff_id], *found[staff_id]) for staff_id in sorted(found)]
