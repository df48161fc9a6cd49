"""What a person has to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, Index, Text, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.conversations import Conversation
from core.db import Base, Id
from core.errors import IllegalTransition, InputRefused
from core.staff import StaffMember, absent_on


class TaskState(StrEnum):
    """Whether a task still waits."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    TaskState.OPEN: frozenset({TaskState.DONE, TaskState.CANCELLED}),
    TaskState.DONE: frozenset({TaskState.OPEN}),
    TaskState.CANCELLED: frozenset({TaskState.OPEN}),
}


class Task(Base):
    """A to-do of a staff member, usually about a client."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_open", "assignee_id", "due_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Id]
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, default="other")
    state: Mapped[TaskState] = mapped_column(default=TaskState.OPEN)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]

    planned_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who planned it by hand, and may take it back; None where frontdesk made it."""

    assignee: Mapped[StaffMember | None] = relationship(foreign_keys=[assignee_id])
    conversation: Mapped[Conversation | None] = relationship()


KINDS = ("call", "letter", "meeting", "other")
"""What a task planned by hand can be."""
CLOSE = timedelta(minutes=30)
"""Two tasks nearer to each other than this get in each other's way."""


@dataclass(frozen=True, slots=True)
class Clash:
    """What speaks against a moment for somebody."""

    kind: str
    """``away``, ``busy`` or ``past``."""
    title: str = ""
    """The task that is in the way."""


def clashes(session: Session, assignee_id: int, due_at: datetime, now: datetime, zone: str) -> list[Clash]:
    """What speaks against planning something for somebody at a moment; the day is theirs in `zone`."""
    found = [Clash("past")] if due_at < now else []
    if assignee_id in absent_on(session, due_at.astimezone(ZoneInfo(zone)).date()):
        found.append(Clash("away"))
    near = (
        select(Task.title)
        .where(
            Task.assignee_id == assignee_id,
            Task.state == TaskState.OPEN,
            Task.due_at > due_at - CLOSE,
            Task.due_at < due_at + CLOSE,
        )
        .order_by(Task.due_at)
        .limit(3)
    )
    return found + [Clash("busy", title) for title in session.scalars(near)]


def plan(
    session: Session,
    title: str,
    *,
    assignee_id: int,
    due_at: datetime | None,
    kind: str = "other",
    conversation: Conversation | None = None,
    by: int | None = None,
) -> Task:
    """Put something on somebody's list, about a conversation's client where one is given.

    Raises InputRefused without a title, or for a colleague who no longer works here.
    """
    if not title.strip():
        raise InputRefused("A task needs words.", cure="Write what is to be done.")
    member = session.get(StaffMember, assignee_id)
    if member is None or not member.active:
        raise InputRefused("That colleague no longer works here.", cure="Choose somebody else.")
    task = Task(
        title=title.strip()[:300],
        kind=kind if kind in KINDS else "other",
        assignee_id=assignee_id,
        due_at=due_at,
        planned_by=by,
    )
    if conversation is not None:
        task.conversation_id = conversation.id
        task.contact_id = conversation.contact_id
        task.account_id = conversation.account_id
        task.deal_id = conversation.deal_id
    session.add(task)
    session.flush()
    return task


def settle(session: Session, task: Task, state: TaskState) -> None:
    """Bring a task into another state. Raises IllegalTransition where the table forbids it."""
    session.refresh(task, with_for_update=True)
    if state not in TRANSITIONS[TaskState(task.state)]:
        raise IllegalTransition(f"A task that is {task.state} cannot become {state}.")
    task.state = state
    task.settled_at = None if state == TaskState.OPEN else func.now()
    session.flush()
