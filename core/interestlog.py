"""A client's interest in a product, written down by a person: sales get a task, segments follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.accounts import Account
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation
from core.deals import Deal
from core.errors import InputRefused
from core.staff import StaffMember
from core.tasks import Task, TaskState

KIND = "interest"
WITHIN = timedelta(days=1)
"""Sales should speak with the client by then."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What was written down, and the task it made; None where whoever wrote it is in charge, or one waits."""

    interest: ProductInterest
    task: Task | None
    responsible: StaffMember | None


def responsible_for(session: Session, conversation: Conversation) -> StaffMember | None:
    """Whose task it is: the owner of the client's open deal, this conversation's first, else the curator."""
    about = [Deal.id == conversation.deal_id, Deal.contact_id == conversation.contact_id]
    if conversation.account_id is not None:
        about.append(Deal.account_id == conversation.account_id)
    owner = session.scalar(
        select(StaffMember)
        .join(Deal, Deal.owner_id == StaffMember.id)
        .where(Deal.outcome.is_(None), StaffMember.active, or_(*about))
        .order_by(func.coalesce(Deal.id == conversation.deal_id, False).desc(), Deal.id.desc())
        .limit(1)
    )
    if owner is not None:
        return owner
    account = session.get(Account, conversation.account_id) if conversation.account_id is not None else None
    return account.curator if account is not None and account.curator and account.curator.active else None


def log(
    session: Session,
    conversation: Conversation,
    product: Product,
    *,
    by: StaffMember,
    title: Callable[[StaffMember | None], str],
) -> Logged:
    """Write down that the client asked about a product. Sales get one task for it, titled by `title`.

    A task that waits for the same is not made twice. Raises InputRefused where the client is not known.
    """
    if conversation.contact_id is None:
        raise InputRefused("The sender is not a client yet.", cure="Say who wrote first.")
    interest = ProductInterest(
        product_id=product.id,
        contact_id=conversation.contact_id,
        account_id=conversation.account_id,
        staff_id=by.id,
        reason="staff",
    )
    session.add(interest)
    session.flush()
    responsible = responsible_for(session, conversation)
    if responsible is not None and responsible.id == by.id:
        return Logged(interest, None, responsible)
    named = title(responsible)
    same = select(Task.id).where(
        Task.state == TaskState.OPEN,
        Task.kind == KIND,
        Task.contact_id == conversation.contact_id,
        Task.title == named,
    )
    if session.scalar(same.limit(1)) is not None:
        return Logged(interest, None, responsible)
    task = Task(
        title=named,
        kind=KIND,
        assignee_id=responsible.id if responsible is not None else None,
        contact_id=conversation.contact_id,
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        deal_id=conversation.deal_id,
        due_at=func.now() + WITHIN,
    )
    session.add(task)
    session.flush()
    return Logged(interest, task, responsible)


def take_back(session: Session, interest: ProductInterest, task: Task | None) -> None:
    """Forget an interest that was written down by mistake, and its task where it still waits."""
    session.delete(interest)
    if task is not None and task.state == TaskState.OPEN:
        task.state, task.settled_at = TaskState.CANCELLED, func.now()
    session.flush()
