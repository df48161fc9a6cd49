"""What a person has to do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.conversations import Conversation
from core.db import Base, Id
from core.errors import IllegalTransition
from core.staff import StaffMember


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

    assignee: Mapped[StaffMember | None] = relationship()
    conversation: Mapped[Conversation | None] = relationship()


def settle(session: Session, task: Task, state: TaskState) -> None:
    """Bring a task into another state. Raises IllegalTransition where the table forbids it."""
    session.refresh(task, with_for_update=True)
    if state not in TRANSITIONS[TaskState(task.state)]:
        raise IllegalTransition(f"A task that is {task.state} cannot become {state}.")
    task.state = state
    task.settled_at = None if state == TaskState.OPEN else func.now()
    session.flush()
