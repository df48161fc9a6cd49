"""Lists of tasks, and who may settle one: whose it is, who planned it, leaders, who sees the letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.accounts import Account, Contact
from core.conversations import Conversation
from core.deals import Deal
from core.errors import NotFound
from core.sessions import SignedIn
from core.staff import StaffMember
from core.tasks import Task, TaskState
from desk.access import LEADERS, Kind, asking, kind_of, visible

SHOWN = 200
LATELY = 10
"""Tasks done last that the page still shows."""


def _about() -> ColumnElement[bool]:
    """That a conversation is about a task's client."""
    return or_(
        Conversation.id == Task.conversation_id,
        Conversation.deal_id == Task.deal_id,
        Conversation.contact_id == Task.contact_id,
        Conversation.account_id == Task.account_id,
    )


def _rows(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    """Tasks with their client, deal, and the conversation about them that the viewer may see; asked with
    `asking`."""
    return _rows_for(kind_of(viewer))


@lru_cache(maxsize=32)
def _rows_for(kind: Kind) -> Select[*tuple[Any, ...]]:
    talk = (
        select(Conversation.id)
        .where(visible(kind.anybody), _about())
        .order_by(
            func.coalesce(Conversation.id == Task.conversation_id, False).desc(),
            func.coalesce(Conversation.deal_id == Task.deal_id, False).desc(),
            func.coalesce(Conversation.contact_id == Task.contact_id, False).desc(),
            Conversation.last_message_at.desc(),
        )
        .limit(1)
        .correlate(Task)
        .scalar_subquery()
    )
    return (
        select(
            Task.id,
            Task.title,
            Task.kind,
            Task.state,
            Task.due_at,
            (Task.due_at < func.now()).label("over"),
            Task.settled_at,
            StaffMember.name.label("assignee"),
            Task.assignee_id,
            _planner(),
            func.coalesce(Contact.name, "").label("contact"),
            func.coalesce(Account.name, "").label("account"),
            func.coalesce(Deal.title, "").label("deal"),
            talk.label("conversation_id"),
        )
        .outerjoin(StaffMember, Task.assignee_id == StaffMember.id)
        .outerjoin(Contact, Task.contact_id == Contact.id)
        .outerjoin(Account, Task.account_id == Account.id)
        .outerjoin(Deal, Task.deal_id == Deal.id)
    )


def _planner() -> ColumnElement[str]:
    """The name of the colleague who planned a task for another."""
    other = aliased(StaffMember)
    name = select(other.name).where(
        other.id == Task.planned_by, Task.planned_by.is_distinct_from(Task.assignee_id)
    )
    return name.correlate(Task).scalar_subquery().label("planner")


def mine(session: Session, viewer: SignedIn) -> Sequence[Any]:
    """What somebody has to do, what is due first at the top."""
    query = _rows(viewer).where(Task.state == TaskState.OPEN, Task.assignee_id == viewer.staff_id)
    return session.execute(
        query.order_by(Task.due_at.nulls_last(), Task.id).limit(SHOWN), asking(viewer)
    ).all()


def open_of(
    session: Session, viewer: SignedIn, staff_id: int, *, since: datetime | None, until: datetime
) -> Sequence[Any]:
    """Somebody's open tasks that are due before `until`, and not before `since` where it is given."""
    query = _rows(viewer).where(
        Task.state == TaskState.OPEN, Task.assignee_id == staff_id, Task.due_at < until
    )
    if since is not None:
        query = query.where(Task.due_at >= since)
    return session.execute(query.order_by(Task.due_at, Task.id).limit(SHOWN), asking(viewer)).all()


def nobodys(session: Session, viewer: SignedIn) -> Sequence[Any]:
    """What nobody has to do yet, for leaders; for anybody else nothing."""
    if viewer.role not in LEADERS:
        return []
    query = _rows(viewer).where(Task.state == TaskState.OPEN, Task.assignee_id.is_(None))
    return session.execute(
        query.order_by(Task.due_at.nulls_last(), Task.id).limit(SHOWN), asking(viewer)
    ).all()


def done_lately(session: Session, viewer: SignedIn) -> Sequence[Any]:
    """What somebody did last."""
    query = _rows(viewer).where(Task.state == TaskState.DONE, Task.assignee_id == viewer.staff_id)
    return session.execute(
        query.order_by(Task.settled_at.desc(), Task.id.desc()).limit(LATELY), asking(viewer)
    ).all()


def of_client(session: Session, viewer: SignedIn, conversation: Conversation) -> Sequence[Any]:
    """Everybody's open tasks about a conversation's client."""
    client = {
        "talk_id": conversation.id,
        "contact_id": conversation.contact_id,
        "account_id": conversation.account_id,
        "deal_id": conversation.deal_id,
    }
    return session.execute(_of_client(kind_of(viewer)), client | asking(viewer)).all()


@lru_cache(maxsize=32)
def _of_client(kind: Kind) -> Select[*tuple[Any, ...]]:
    # What the conversation does not have is given as NULL, which is equal to nothing.
    about = or_(
        Task.conversation_id == bindparam("talk_id"),
        Task.contact_id == bindparam("contact_id"),
        Task.account_id == bindparam("account_id"),
        Task.deal_id == bindparam("deal_id"),
    )
    query = _rows_for(kind).where(Task.state == TaskState.OPEN, about)
    return query.order_by(Task.due_at.nulls_last(), Task.id).limit(20)


def of_deal(session: Session, viewer: SignedIn, deal_id: int) -> Sequence[Any]:
    """Everybody's open tasks about a deal, or about a conversation of it."""
    of_talks = select(Conversation.id).where(Conversation.deal_id == deal_id)
    about = or_(Task.deal_id == deal_id, Task.conversation_id.in_(of_talks))
    query = _rows(viewer).where(Task.state == TaskState.OPEN, about)
    return session.execute(query.order_by(Task.due_at.nulls_last(), Task.id).limit(20), asking(viewer)).all()


def task_for(session: Session, viewer: SignedIn, task_id: int) -> Task:
    """The task, when this person may settle it. Raises NotFound otherwise, whether or not it exists."""
    query = select(Task).where(Task.id == task_id)
    if viewer.role not in LEADERS:
        seen = select(Conversation.id).where(visible(viewer), _about()).correlate(Task).exists()
        own = or_(Task.assignee_id == viewer.staff_id, Task.planned_by == viewer.staff_id)
        query = query.where(or_(own, seen))
    task = session.scalar(query)
    if task is None:
        raise NotFound
    return task
