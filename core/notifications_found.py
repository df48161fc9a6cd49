"""Looking for what colleagues are to be told of: each table of causes from where the last look ended.

A look goes back a little over where it ended, because numbers are given out before they are committed; the
key of a notice sees to it that nothing is told twice. At first it begins with the present, and what is older
than a day is never told: neither a new installation nor imported letters make a flood.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

OVERLAP: Final = 2000
"""Numbers before the last one seen that are looked at again."""
PAGE: Final = 20_000
"""Numbers that one look goes on at most."""

_COLUMNS = "staff_id, kind, key, state, who, title, preview, conversation_id, task_id"

SOURCES: Final[dict[str, tuple[str, str]]] = {
    "assignment": (
        "assignment",
        """
        select s.staff_id, 'assigned', 'assignment:' || s.id, 'waiting',
               coalesce(nullif(concat_ws(', ', nullif(p.name, ''), a.name), ''),
                        ''), c.subject, '', c.id, null::bigint
        from assignment s
        join conversation c on c.id = s.conversation_id
        left join contact p on p.id = c.contact_id
        left join account a on a.id = c.account_id
        where s.id > :since and s.id <= :until and s.assigned_at > now() - interval '1 day'
          and s.staff_id is not null and s.by_staff_id is distinct from s.staff_id
          and s.staff_id = c.assignee_id
        """,
    ),
    "message": (
        "message",
        """
        select c.assignee_id, 'reply', 'message:' || s.id, 'waiting',
               coalesce(nullif(concat_ws(', ', nullif(p.name, ''), a.name), ''),
                        coalesce(nullif(s.sender_name, ''), s.sender)), s.subject,
               left(regexp_replace(s.reply, '\\s+', ' ', 'g'), :preview), c.id, null::bigint
        from message s
        join conversation c on c.id = s.conversation_id
        left join contact p on p.id = s.contact_id
        left join account a on a.id = c.account_id
        where s.id > :since and s.id <= :until and s.happened_at > now() - interval '1 day'
          and s.direction = 'in' and s.machine is null and s.channel in ('email', 'sms')
          and c.assignee_id is not null
          and exists (select from message b where b.conversation_id = c.id and b.id < s.id)
        """,
    ),
    "mention": (
        "note",
        """
        select m.staff_id, 'mentioned', 'note:' || s.id, 'waiting', w.name, c.subject,
               left(regexp_replace(s.text, '\\s+', ' ', 'g'), :preview), c.id, m.task_id
        from note s
        join note_mention m on m.note_id = s.id
        join conversation c on c.id = s.conversation_id
        join staff_member w on w.id = s.staff_id
        where s.id > :since and s.id <= :until and s.written_at > now() - interval '1 day'
          and s.removed_at is null and m.staff_id <> s.staff_id
        """,
    ),
    "task": (
        "task",
        """
        select s.assignee_id, 'missed_call', 'task:' || s.id, 'waiting',
               coalesce(nullif(concat_ws(', ', nullif(p.name, ''), a.name), ''),
                        ''), s.title, '', s.conversation_id, s.id
        from task s
        left join contact p on p.id = s.contact_id
        left join account a on a.id = s.account_id
        where s.id > :since and s.id <= :until and s.created_at > now() - interval '1 day'
          and s.kind in ('call_back', 'voicemail') and s.state = 'open' and s.assignee_id is not null
        """,
    ),
    "approval": (
        "approval",
        """
        select asked.staff_id, 'approval', 'approval:' || s.id, 'waiting',
               coalesce(nullif(concat_ws(', ', nullif(p.name, ''), a.name), ''),
                        d.address),
               coalesce(nullif(d.subject, ''), (
                   select coalesce(t.names ->> m.language, t.names ->> 'en') from template t
                   where t.kind = 'email' and t.key = d.template and t.deleted_at is null
                   order by t.scope, t.id limit 1
               ), d.template, ''), '', d.conversation_id, null::bigint
        from approval s
        cross join lateral unnest(s.approver_ids) as asked (staff_id)
        join staff_member m on m.id = asked.staff_id
        join delivery d on d.id = s.delivery_id
        left join contact p on p.id = d.contact_id
        left join account a on a.id = p.account_id
        where s.id > :since and s.id <= :until and s.asked_at > now() - interval '1 day'
          and s.state = 'waiting'
        """,
    ),
}
"""By name: the table that is looked through, and what of it makes a notice for whom."""


def look(session: Session, preview: int) -> int:
    """Look through every source; returns how many notices are new."""
    return sum(_look(session, name, preview) for name in SOURCES)


def _look(session: Session, name: str, preview: int) -> int:
    table, query = SOURCES[name]
    last = session.scalar(text(f"select coalesce(max(id), 0) from {table}"))  # noqa: S608 - constants of this file
    before = session.scalar(
        text(
            "insert into notice_cursor (source, last_id) values (:name, :last)"
            " on conflict (source) do update set last_id = notice_cursor.last_id returning last_id"
        ),
        {"name": name, "last": last},
    )
    until = min(int(last or 0), int(before or 0) + PAGE)
    found = session.execute(
        text(
            f"insert into staff_notice ({_COLUMNS}) select * from ({query}) as found"  # noqa: S608 - constants of this file
            " on conflict (staff_id, key) do nothing returning id"
        ),
        {"since": int(before or 0) - OVERLAP, "until": until, "preview": preview},
    ).all()
    session.execute(
        text("update notice_cursor set last_id = :until where source = :name and last_id < :until"),
        {"name": name, "until": until},
    )
    return len(found)
