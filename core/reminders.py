"""Reminders of tasks with a time and of meetings: at the desk at once, by letter to who is away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from core.meetings import Meeting, MeetingState
from core.notifications import Kind, StaffNotice
from core.tasks import Task, TaskState

LIVE: Final = "frontdesk_live"
"""The channel on which open screens hear of news (PostgreSQL NOTIFY)."""
SHOWN: Final = timedelta(hours=1)
"""So long after its time a reminder stays on the screen."""

_TASKS = text("""
insert into staff_notice (staff_id, kind, key, state, who, title, preview, conversation_id, task_id, due_at)
select t.assignee_id, 'task_due', 'due:' || t.id || ':' || extract(epoch from t.due_at)::bigint, 'waiting',
       coalesce(concat_ws(', ', nullif(p.name, ''), a.name), ''), left(t.title, 300), '',
       t.conversation_id, t.id, t.due_at
from task t
join staff_member s on s.id = t.assignee_id and s.active
left join notice_choice w on w.staff_id = t.assignee_id
left join contact p on p.id = t.contact_id
left join account a on a.id = t.account_id
where t.state = 'open' and t.due_at > now() - interval '10 minutes' and coalesce(w.reminder_minutes, 15) > 0
  and t.due_at <= now() + coalesce(w.reminder_minutes, 15) * interval '1 minute'
  and t.created_at < t.due_at
on conflict (staff_id, key) do nothing
returning staff_id
""")

_MEETINGS = text("""
insert into staff_notice
    (staff_id, kind, key, state, who, title, preview, conversation_id, meeting_id, due_at)
select s.id, 'task_due', 'meets:' || m.id || ':' || extract(epoch from m.starts_at)::bigint, 'waiting',
       coalesce(a.name, ''), m.title, '', m.conversation_id, m.id, m.starts_at
from meeting m
join lateral (
    select m.organizer_id as staff_id
    union select staff_id from meeting_attendee e
    where e.meeting_id = m.id and e.staff_id is not null and e.answer <> 'declined'
) x on true
join staff_member s on s.id = x.staff_id and s.active
left join notice_choice w on w.staff_id = s.id
left join account a on a.id = m.account_id
where m.state = 'planned' and m.starts_at > now() - interval '10 minutes'
  and coalesce(w.reminder_minutes, 15) > 0
  and m.starts_at <= now() + coalesce(w.reminder_minutes, 15) * interval '1 minute'
on conflict (staff_id, key) do nothing
returning staff_id
""")


def remind(session: Session) -> list[int]:
    """Note what is due soon, each time of each task once, and tell open desks; returns whom it concerns."""
    people = sorted({row[0] for query in (_TASKS, _MEETINGS) for row in session.execute(query)})
    if people:
        payload = json.dumps({"kind": "reminder", "reminds": people})
        session.execute(select(func.pg_notify(LIVE, payload)))
    return people


def shown_to(session: Session, staff_id: int) -> Sequence[StaffNotice]:
    """The reminders that somebody's desk shows now, what is due first at the top."""
    query = (
        select(StaffNotice)
        .outerjoin(Task, Task.id == StaffNotice.task_id)
        .outerjoin(Meeting, Meeting.id == StaffNotice.meeting_id)
        .where(
            StaffNotice.staff_id == staff_id,
            StaffNotice.kind == Kind.TASK_DUE,
            StaffNotice.hidden_at.is_(None),
            StaffNotice.due_at > func.now() - SHOWN,
            or_(Task.id.is_(None), (Task.state == TaskState.OPEN) & (Task.due_at == StaffNotice.due_at)),
            or_(
                Meeting.id.is_(None),
                (Meeting.state == MeetingState.PLANNED) & (Meeting.starts_at == StaffNotice.due_at),
            ),
        )
        .order_by(StaffNotice.due_at, StaffNotice.id)
        .limit(5)
    )
    return session.scalars(query).all()


def hide(session: Session, staff_id: int, notice_id: int) -> None:
    """Close a reminder on all of somebody's screens; another's is left as it is."""
    session.execute(
        update(StaffNotice)
        .where(StaffNotice.id == notice_id, StaffNotice.staff_id == staff_id)
        .values(hidden_at=func.now())
    )
