"""Days on which colleagues are away, and their waiting work, which others get meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.conversations import Conversation, ConversationState
from core.errors import InputRefused, NotFound
from core.routing import Assignment
from core.staff import Absence, StaffMember, absent_on
from core.tasks import Task, TaskState

AWAY = "away"
"""Rule of an assignment to the queue because somebody is away."""
LEFT = "left"
"""The same because somebody no longer works here."""
LONGEST = 400
"""Days that one absence may last."""
PAGE = 200
"""Conversations, or tasks, that are handed on at once."""
OWN_TASKS = frozenset({"mention"})
"""Kinds of tasks that nobody else can do."""
BY_HAND = ("call", "letter", "other")
"""Kinds of tasks that somebody planned; frontdesk makes none of them."""
LIVE = "frontdesk_live"
"""The channel on which open screens hear of news (PostgreSQL NOTIFY)."""


def add(
    session: Session,
    member: StaffMember,
    first_day: date,
    last_day: date,
    *,
    deputy_id: int | None = None,
    by: int | None = None,
) -> Absence:
    """Somebody is away from one day to another, both included; the deputy decides for them meanwhile.

    Raises InputRefused when it ends before it begins, lasts too long, or lies over another of theirs.
    """
    if deputy_id == member.id:
        raise InputRefused("Nobody stands in for themselves.", cure="Choose somebody else.")
    if last_day < first_day:
        raise InputRefused("The last day is before the first.", cure="Swap the two days.")
    if (last_day - first_day).days > LONGEST:
        raise InputRefused("That is longer than a year.", cure="Whoever leaves for good is deactivated.")
    taken = select(Absence.id).where(
        Absence.staff_id == member.id, Absence.first_day <= last_day, Absence.last_day >= first_day
    )
    if session.scalar(taken.limit(1)) is not None:
        raise InputRefused("There is an absence on some of these days already.", cure="Remove it first.")
    absence = Absence(staff_id=member.id, first_day=first_day, last_day=last_day, deputy_id=deputy_id)
    session.add(absence)
    session.flush()
    audit.note(session, by, "added", "absence", absence.id, member.name, after=_state(absence))
    return absence


def remove(session: Session, absence: Absence, *, by: int | None = None) -> None:
    """They are here after all."""
    name = absence.staff_member.name
    audit.note(session, by, "removed", "absence", absence.id, name, before=_state(absence))
    session.delete(absence)
    session.flush()


def find(session: Session, absence_id: int) -> Absence:
    """One absence. Raises NotFound."""
    found = session.get(Absence, absence_id)
    if found is None:
        raise NotFound
    return found


def _state(absence: Absence) -> dict[str, object]:
    return {
        "first_day": absence.first_day,
        "last_day": absence.last_day,
        "deputy": absence.deputy.name if absence.deputy else None,
    }


def coming(session: Session, staff_id: int | None = None) -> Sequence[Absence]:
    """Absences that are not over, of one colleague or of everybody who works here, the nearest first."""
    query = (
        select(Absence)
        .join(StaffMember, Absence.staff_id == StaffMember.id)
        .where(Absence.last_day >= func.current_date(), StaffMember.active)
        .order_by(Absence.first_day, Absence.id)
    )
    return session.scalars(query if staff_id is None else query.where(Absence.staff_id == staff_id)).all()


def hand_back(session: Session) -> int:
    """Put open conversations in which a client waits for somebody who is away today into their team's queue.

    What was given to them by hand since they left stays: whoever gave it knew. Returns how many went.
    """
    knowingly = exists().where(
        Assignment.conversation_id == Conversation.id,
        Assignment.staff_id == Conversation.assignee_id,
        Assignment.rule == "hand",
        func.date(Assignment.assigned_at) >= Absence.first_day,
    )
    away = and_(
        Absence.staff_id == Conversation.assignee_id,
        Absence.first_day <= func.current_date(),
        Absence.last_day >= func.current_date(),
    )
    query = (
        select(Conversation)
        .join(Absence, away)
        .where(Conversation.state == ConversationState.OPEN, Conversation.waiting, ~knowingly)
        .order_by(Conversation.id)
        .limit(PAGE)
        .with_for_update(of=Conversation, skip_locked=True)
    )
    return release(session, session.scalars(query).unique().all(), AWAY)


def hand_on_tasks(session: Session) -> int:
    """Give what somebody who is away today was to do for clients to their deputy, else to nobody, whose tasks
    the leaders see: what is due while they are away, and what was overdue before.

    What was planned for them by hand since they left stays: whoever planned it knew. Returns how many went.
    """
    day = func.date(func.coalesce(Task.due_at, Task.created_at))
    query = (
        select(Task, Absence)
        .join(Absence, Absence.staff_id == Task.assignee_id)
        .where(
            Task.state == TaskState.OPEN,
            Task.kind.not_in(OWN_TASKS),
            or_(Task.contact_id.is_not(None), Task.account_id.is_not(None), Task.deal_id.is_not(None)),
            Absence.first_day <= func.current_date(),
            Absence.last_day >= func.current_date(),
            day <= Absence.last_day,
            ~and_(Task.kind.in_(BY_HAND), func.date(Task.created_at) >= Absence.first_day),
        )
        .order_by(Task.id)
        .limit(PAGE)
        .with_for_update(of=Task, skip_locked=True)
    )
    rows = session.execute(query).all()
    today = session.execute(select(func.current_date())).scalar_one()
    away = absent_on(session, today) if rows else set()
    here = set(session.scalars(select(StaffMember.id).where(StaffMember.active))) - away if rows else set()
    for task, absence in rows:
        whose = absence.staff_member.name
        task.assignee_id = absence.deputy_id if absence.deputy_id in here else None
        if not task.title.endswith(f"({whose})"):
            task.title = f"{task.title[: 297 - len(whose)]} ({whose})"
        news = {"kind": "task", "conversation_id": task.conversation_id, "staff_id": task.assignee_id}
        session.execute(select(func.pg_notify(LIVE, json.dumps(news))))
    session.flush()
    return len(rows)


def release(session: Session, talks: Sequence[Conversation], rule: str, by: int | None = None) -> int:
    """Put conversations into the queue of whoever's team has them, for a reason; returns how many."""
    teams = dict(session.execute(select(StaffMember.id, StaffMember.team_id)).all()) if talks else {}
    for talk in talks:
        team_id = talk.team_id or teams.get(talk.assignee_id or 0)
        talk.assignee_id, talk.team_id = None, team_id
        session.add(Assignment(conversation_id=talk.id, team_id=team_id, rule=rule, by_staff_id=by))
        news = {"kind": "assigned", "conversation_id": talk.id, "staff_id": None}
        session.execute(select(func.pg_notify(LIVE, json.dumps(news))))
    session.flush()
    return len(talks)
