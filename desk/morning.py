"""The plan of the day by mail: each working morning, in each colleague's own zone and language, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import notifications, staffmail
from core.context import Context
from core.i18n import Texts, texts
from core.jobkinds import Registry
from core.notifications import Kind, MorningPlan, NoticeState, StaffNotice
from core.notifications_work import place_of
from core.sessions import SignedIn
from core.staff import StaffMember, absent_on
from core.staffmail import Place
from desk.access import WORKERS
from desk.dayplan import Day, day_of

registry = Registry()

LATEST: Final = timedelta(hours=4)
"""So long after its time a plan is still sent, as when we were down in the morning."""
SHOWN: Final = 15
"""Lines of one part; the rest is counted."""


@registry.job("desk.morning", queue="default", periodic="*/5 * * * *", concurrency=1)
def morning(context: Context) -> None:
    """Make the plans that are due, each in a transaction of its own."""
    place = place_of(context)
    with context.transaction() as session:
        query = select(StaffMember.id).where(StaffMember.active, StaffMember.role.in_(WORKERS))
        people = list(session.scalars(query))
    for staff_id in people:
        with context.transaction() as session:
            make(session, staff_id, place)


def make(session: Session, staff_id: int, place: Place, now: datetime | None = None) -> int | None:
    """Somebody's plan, when it is its time; returns the delivery's id, None where nothing is sent.

    The row of the day is written first, so that whoever does the same at the same moment makes none, and
    goes back with the transaction where the letter cannot be made.
    """
    choice = notifications.choice_of(session, staff_id)
    moment: datetime = now or session.execute(select(func.now())).scalar_one()
    zone = choice.zone_or(place.calendar.zone)
    local = moment.astimezone(zone)
    due = datetime.combine(local.date(), choice.morning_at, zone)
    if not choice.morning or not due <= moment < due + LATEST:
        return None
    if not place.calendar.hours_on(local.date()) or staff_id in absent_on(session, local.date()):
        return None
    row = insert(MorningPlan).values(staff_id=staff_id, day=local.date())
    if session.execute(row.on_conflict_do_nothing().returning(MorningPlan.staff_id)).first() is None:
        return None
    member = session.get_one(StaffMember, staff_id)
    viewer = SignedIn(
        0, member.id, member.name, member.email, member.role, member.team_id, member.language.value, "auto"
    )
    day = day_of(session, viewer, staff_id, local.date(), moment, place.calendar)
    if day.empty:
        return None
    subject, body = letter(day, member, texts(member.language.value, zone.key), place)
    key = f"morning:{staff_id}:{local.date().isoformat()}"
    delivery_id = staffmail.queue(session, member, key, subject, body, moment, LATEST)
    session.execute(
        update(MorningPlan)
        .where(MorningPlan.staff_id == staff_id, MorningPlan.day == local.date())
        .values(delivery_id=delivery_id)
    )
    _told(session, staff_id, [one.id for one in day.waiting[:SHOWN]])
    return delivery_id


def _told(session: Session, staff_id: int, shown: Sequence[int]) -> None:
    """Conversations that the plan shows are not told once more; the rest of what waited over night is.

    The notices do not name the plan as their letter: it speaks of several things, so a reply has no place.
    """
    ids = session.scalars(
        select(StaffNotice.id).where(
            StaffNotice.staff_id == staff_id,
            StaffNotice.state == NoticeState.WAITING,
            StaffNotice.kind.in_((Kind.REPLY, Kind.ASSIGNED)),
            StaffNotice.conversation_id.in_(shown),
        )
    ).all()
    staffmail.settle(session, ids, NoticeState.TOLD)


def letter(day: Day, member: StaffMember, shown: Texts, place: Place) -> tuple[str, str]:
    """Subject and text of a plan in the colleague's language."""
    _ = shown.gettext
    lines = [shown.day(day.day), ""]
    lines += _part(_("Meetings"), [_meeting(one, shown, place) for one in day.meetings], shown)
    lines += _part(_("Overdue"), [_task(one, shown, place) for one in day.overdue], shown)
    lines += _part(_("To call"), [_task(one, shown, place) for one in day.calls], shown)
    lines += _part(_("To do"), [_task(one, shown, place) for one in day.tasks], shown)
    waiting = [
        _row(_who(one), one.subject or _("(no subject)"), shown.ago(one.last_message_at),
             place.link(f"/conversations/{one.id}"))
        for one in day.waiting
    ]  # fmt: skip
    lines += _part(_("Waiting for an answer"), waiting, shown, day.waiting_count)
    over = [
        _row(one.account or one.contact or "", one.title or _("(no subject)"),
             one.stage.name(shown.language), place.link(f"/deals/{one.id}"))
        for one in day.over
    ]  # fmt: skip
    lines += _part(_("Deals that stand too long"), over, shown)
    lines += ["--", _("The whole plan: %(link)s", link=place.link("/plan"))]
    lines.append(_("Whether and when this letter comes, you choose here: %(link)s",
                   link=place.link("/settings/notices")))  # fmt: skip
    subject = _("Plan of the day: %(day)s", day=shown.day(day.day))
    return subject, "\n".join(lines)


def _part(head: str, rows: list[list[str]], shown: Texts, count: int = 0) -> list[str]:
    if not rows:
        return []
    count = max(count, len(rows))
    lines = [f"{head.upper()} ({count})", *(line for row in rows[:SHOWN] for line in row)]
    if count > SHOWN:
        lines.append(shown.ngettext("and %(num)d more", "and %(num)d more", count - SHOWN))
    return [*lines, ""]


def _row(who: str, title: str, when: str, link: str) -> list[str]:
    return [f"• {' · '.join(filter(None, (when, who, title)))}", f"  {link}"]


def _who(row: Any) -> str:
    return ", ".join(filter(None, (row.contact, row.account)))


def _task(row: Any, shown: Texts, place: Place) -> list[str]:
    path = f"/conversations/{row.conversation_id}" if row.conversation_id else "/tasks"
    return _row(_who(row), row.title, shown.short(row.due_at), place.link(path))


def _meeting(row: Any, shown: Texts, place: Place) -> list[str]:
    when = f"{shown.clock(row.starts_at)}–{shown.clock(row.ends_at)}"
    who = row.account.name if row.account else ""
    return _row(who, row.title, when, place.link(f"/meetings/{row.id}"))
