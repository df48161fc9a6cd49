"""Letters to colleagues who are away from the desk: what waits for them, several things in one letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import notifications, notifications_rules, outbox
from core.i18n import N_, Texts, texts
from core.notifications import Kind, NoticeChoice, NoticeState, StaffNotice
from core.notifications_rules import Person, Verdict, Waiting
from core.outbox import Draft, Purpose
from core.sessions import DeskSession
from core.staff import StaffMember, absent_on
from core.templatetitles import NAMES
from core.worktime import Calendar

HOLDS: Final = timedelta(hours=12)
"""A letter that cannot leave by then tells nothing new."""
MOST: Final = 40
"""Notices in one letter; the rest is counted."""

HEADS: Final[Mapping[Kind, str]] = {
    Kind.RING: N_("Calls now"),
    Kind.MISSED_CALL: N_("Calls nobody took"),
    Kind.TASK_DUE: N_("Due soon"),
    Kind.APPROVAL: N_("Waits for your approval"),
    Kind.MENTIONED: N_("A colleague mentions you"),
    Kind.REPLY: N_("Your clients wrote"),
    Kind.MEETING: N_("Answers to invitations"),
    Kind.ASSIGNED: N_("New for you"),
}
"""What a letter calls each kind, in the order in which they stand."""

_SETTLED = text("""
select n.id from staff_notice n
left join conversation c on c.id = n.conversation_id
left join conversation_read r on r.conversation_id = n.conversation_id and r.staff_id = n.staff_id
left join task t on t.id = n.task_id
left join meeting m on m.id = n.meeting_id
left join approval p on n.kind = 'approval' and p.id = cast(split_part(n.key, ':', 2) as bigint)
where n.staff_id = :staff and n.state = 'waiting' and (
    t.state <> 'open'
    or p.state <> 'waiting'
    or (n.kind = 'task_due' and (m.state = 'cancelled' or m.starts_at <> n.due_at))
    or (n.kind = 'reply' and not c.waiting)
    or (n.kind in ('reply', 'assigned') and c.assignee_id is distinct from n.staff_id)
    or (n.kind not in ('task_due', 'approval') and r.read_at >= n.created_at - interval '90 seconds')
)
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the desk is, and the company's working time."""

    url: str
    calendar: Calendar

    def link(self, path: str) -> str:
        """A page of the desk; who is not signed in signs in first."""
        return f"{self.url.rstrip('/')}{path}"


def waiting_for(session: Session, limit: int = 500) -> list[int]:
    """The colleagues for whom something waits to be told."""
    query = (
        select(StaffNotice.staff_id)
        .join(StaffMember)
        .where(StaffNotice.state == NoticeState.WAITING, StaffMember.active)
        .distinct()
        .limit(limit)
    )
    return list(session.scalars(query))


def tell(session: Session, staff_id: int, place: Place) -> Verdict:
    """Decide for one colleague and queue the letter, in the caller's transaction.

    Whoever does the same at the same moment waits and finds it done: the row of the choice is locked.
    """
    choice = notifications.choice_of(session, staff_id, lock=True)
    member = session.get_one(StaffMember, staff_id)
    now = session.execute(select(func.now())).scalar_one()
    rows = session.scalars(
        select(StaffNotice)
        .where(StaffNotice.staff_id == staff_id, StaffNotice.state == NoticeState.WAITING)
        .order_by(StaffNotice.id)
    ).all()
    settled = set(session.scalars(_SETTLED, {"staff": staff_id}))
    waiting = [
        Waiting(one.id, one.kind, choice.way(one.kind), one.created_at, one.id in settled, one.due_at)
        for one in rows
    ]
    verdict = notifications_rules.decide(
        waiting, person(session, choice, place.calendar, now), now, place.calendar
    )
    settle(session, verdict.drop, NoticeState.NEEDLESS)
    if verdict.send:
        chosen = [one for one in rows if one.id in verdict.send]
        subject, body = letter(chosen, member, place, choice)
        delivery_id = queue(
            session, member, f"notices:{staff_id}:{max(verdict.send)}", subject, body, now, HOLDS
        )
        settle(session, verdict.send, NoticeState.TOLD, delivery_id)
        choice.last_mail_at = now
        session.flush()
    return verdict


def person(session: Session, choice: NoticeChoice, calendar: Calendar, now: datetime) -> Person:
    """What decides when a colleague is written to."""
    zone = choice.zone or calendar.zone
    seen = session.scalar(
        select(func.max(DeskSession.seen_at)).where(DeskSession.staff_id == choice.staff_id)
    )
    today = now.astimezone(choice.zone_or(calendar.zone)).date()
    return Person(
        zone=zone,
        seen_at=seen,
        last_mail_at=choice.last_mail_at,
        absent=choice.staff_id in absent_on(session, today),
        away=timedelta(minutes=choice.away_minutes),
        digest=timedelta(minutes=choice.digest_minutes),
        quiet_from=choice.quiet_from,
        quiet_until=choice.quiet_until,
        quiet_days_off=choice.quiet_days_off,
    )


def queue(
    session: Session,
    member: StaffMember,
    key: str,
    subject: str,
    body: str,
    now: datetime,
    holds: timedelta,
    priority: int = 3,
) -> int | None:
    """One letter to a colleague through the send ledger, marked as written by a machine (RFC 3834)."""
    return outbox.queue(
        session,
        Draft(
            key=key,
            address=member.email,
            purpose=Purpose.STAFF,
            recipient_name=member.name,
            language=member.language.value,
            subject=subject,
            body=body,
            priority=priority,
            due_at=now,
            expires_at=now + holds,
        ),
    )


def settle(session: Session, ids: Sequence[int], state: NoticeState, delivery_id: int | None = None) -> None:
    """Bring notices that wait into another state."""
    if ids:
        values: dict[str, Any] = {"state": state, "settled_at": func.now(), "delivery_id": delivery_id}
        session.execute(
            update(StaffNotice)
            .where(StaffNotice.id.in_(ids), StaffNotice.state == NoticeState.WAITING)
            .values(values)
        )


def letter(
    notices: Sequence[StaffNotice], member: StaffMember, place: Place, choice: NoticeChoice
) -> tuple[str, str]:
    """Subject and text of a letter to a colleague, in their language; nothing whole that a client wrote."""
    shown = texts(member.language.value, choice.zone or place.calendar.zone)
    _ = shown.gettext
    first = notices[0]
    if len(notices) == 1:
        about = _title(first, shown)
        subject = f"{_(HEADS[first.kind])}: {' · '.join(filter(None, (first.who, about)))}"
    else:
        subject = shown.ngettext("%(num)d thing waits for you", "%(num)d things wait for you", len(notices))
    lines: list[str] = []
    for kind, head in HEADS.items():
        of_kind = [one for one in notices[:MOST] if one.kind == kind]
        if of_kind:
            lines += [_(head).upper(), *(line for one in of_kind for line in _told(one, shown, place)), ""]
    if len(notices) > MOST:
        lines += [shown.ngettext("and %(num)d more", "and %(num)d more", len(notices) - MOST), ""]
    talks = {one.conversation_id for one in notices if one.conversation_id is not None}
    lines += _foot(_, place, answerable=len(talks) == 1)
    return " ".join(subject.split())[:200], "\n".join(lines)


def _told(one: StaffNotice, shown: Texts, place: Place) -> list[str]:
    title = _title(one, shown)
    when = f"{shown.short(one.due_at)}  " if one.due_at is not None else ""
    lines = [f"• {when}{' · '.join(filter(None, (one.who, title)))}"]
    if one.preview:
        cut = "…" if len(one.preview) >= notifications.PREVIEW else ""
        lines.append(f"  {one.preview}{cut}")
    lines.append(f"  {place.link(path_of(one))}")
    return lines


def _title(one: StaffNotice, shown: Texts) -> str:
    """What it is about; a letter that waits for a word goes by its template's name."""
    if not one.title:
        return shown.gettext("(no subject)")
    known = NAMES.get(one.title) if one.kind == Kind.APPROVAL else None
    return shown.gettext(known) if known else one.title


def path_of(one: StaffNotice) -> str:
    """The page of the desk that a notice leads to."""
    if one.kind == Kind.APPROVAL:
        return "/approvals"
    if one.meeting_id is not None:
        return f"/meetings/{one.meeting_id}"
    if one.conversation_id is not None:
        return f"/conversations/{one.conversation_id}"
    return "/tasks" if one.task_id is not None else "/inbox"


def _foot(_: Any, place: Place, *, answerable: bool) -> list[str]:
    return [
        "--",
        _("You were away from the desk. What you get by mail, and when, you choose here:"),
        place.link("/settings/notices"),
        _("No client sees a reply to this letter: it becomes a private note for your colleagues.")
        if answerable
        else _("Nobody reads replies to this letter."),
    ]
