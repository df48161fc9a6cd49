"""Calls that ask to be rung back: one task for a client however often they rang, done once they were talked
with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from core import tasks
from core.calls import Call, CallState
from core.conversations import Direction
from core.tasks import Task, TaskState

KIND: Final = "call_back"
"""The kind of such a task."""


def waiting(session: Session, call: Call) -> Task | None:
    """The call-back that the other side of a call waits for already; locked until the transaction ends."""
    whose = _theirs(call)
    if whose is None:
        return None
    query = _open(whose).where(Call.id != call.id).limit(1)
    return session.scalar(query.with_for_update(of=Task))


def talked_since(session: Session, call: Call) -> bool:
    """Whether a colleague has talked with the other side after a call ended: nobody needs to ring back."""
    whose = _theirs(call)
    if whose is None or call.ended_at is None:
        return False
    query = select(Call.id).where(
        whose, Call.id != call.id, Call.state == CallState.ANSWERED, Call.staff_id.is_not(None),
        Call.ended_at > call.ended_at,
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None


def rung_back(session: Session, call: Call) -> int:
    """A colleague talked with a client: call-backs of this call and of those before it are done. Returns how
    many.
    """
    whose = _theirs(call)
    if whose is None or call.ended_at is None:
        return 0
    later = aliased(Call)
    still = select(later.id).where(later.task_id == Task.id, later.ended_at > call.ended_at).exists()
    query = _open(whose).where(Call.ended_at <= call.ended_at, ~still)
    found: Sequence[Task] = session.scalars(query.with_for_update(of=Task)).unique().all()
    for task in found:
        task.assignee_id = task.assignee_id or call.staff_id
        tasks.settle(session, task, TaskState.DONE)
    return len(found)


def asked_by_others(session: Session, call: Call) -> bool:
    """Whether a call's task is wanted by another call that nobody took as well."""
    missed = (CallState.MISSED, CallState.VOICEMAIL)
    query = select(func.count()).where(
        Call.task_id == call.task_id, Call.id != call.id, Call.state.in_(missed)
    )
    return bool(session.scalar(query))


def _open(whose: ColumnElement[bool]) -> Select[Task]:
    return (
        select(Task)
        .join(Call, Call.task_id == Task.id)
        .where(whose, Task.kind == KIND, Task.state == TaskState.OPEN)
        .order_by(Task.id)
    )


def _theirs(call: Call) -> ColumnElement[bool] | None:
    """Calls with the same other side: the same contact, or the same number of the same company; None where
    nobody is known by the number.
    """
    if call.contact_id is not None:
        return Call.contact_id == call.contact_id
    if call.account_id is None:
        return None
    number = call.called if call.direction == Direction.OUT else call.caller
    theirs = (Call.caller == number) | (Call.called == number)
    return and_(Call.account_id == call.account_id, Call.contact_id.is_(None), theirs)
