"""A person's day: what is due, who waits for an answer, which deals stand too long, what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import meetings
from core.accounts import Account, Contact
from core.conversations import Conversation, ConversationState
from core.deals import Deal
from core.meetings import Meeting
from core.sequences import Enrolment, EnrolmentState
from core.sequences import Sequence as FollowUp
from core.sessions import SignedIn
from core.staff import Absence
from core.tasks import Task, TaskState
from core.worktime import Calendar
from desk import board, todo
from desk.board import Card

SHOWN = 30
"""Rows of one part of the day; the rest is counted."""
CALLS = frozenset({"call", "call_back"})


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one person."""

    day: date
    overdue: Sequence[Any]
    calls: Sequence[Any]
    tasks: Sequence[Any]
    waiting: Sequence[Any]
    """Conversations in which the client wrote last, the longest first."""
    waiting_count: int
    over: Sequence[Card]
    """Deals that stand longer than their stage's norm."""
    going_out: Sequence[Any]
    """Follow-ups whose next step falls on the day."""
    meetings: Sequence[Meeting]
    """Meetings of the day, in order."""
    away: date | None
    """The last day of an absence that the day falls into."""

    @property
    def empty(self) -> bool:
        """Nothing at all."""
        return not (
            self.overdue
            or self.calls
            or self.tasks
            or self.waiting
            or self.over
            or self.going_out
            or self.meetings
        )


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The first moment of a day at a place, and the first of the next."""
    begin = datetime.combine(day, time(), ZoneInfo(zone))
    return begin, datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def day_of(
    session: Session, viewer: SignedIn, staff_id: int, day: date, now: datetime, calendar: Calendar
) -> Day:
    """Somebody's day as `viewer` may see it; what is overdue and who waits stand only on today."""
    begin, end = bounds(day, calendar.zone)
    today = begin <= now < end
    open_tasks = todo.open_of(session, viewer, staff_id, since=None if today else begin, until=end)
    overdue = [row for row in open_tasks if today and row.due_at and row.due_at < now]
    due = [row for row in open_tasks if row not in overdue]
    waiting, count = _waiting(session, staff_id) if today else ([], 0)
    return Day(
        day=day,
        overdue=overdue,
        calls=[row for row in due if row.kind in CALLS],
        tasks=[row for row in due if row.kind not in CALLS],
        waiting=waiting,
        waiting_count=count,
        over=_over(session, viewer, staff_id, now, calendar) if today else [],
        going_out=_going_out(session, staff_id, max(begin, now), end),
        meetings=meetings.of_staff(session, staff_id, begin, end),
        away=session.scalar(
            select(func.max(Absence.last_day)).where(
                Absence.staff_id == staff_id, Absence.first_day <= day, Absence.last_day >= day
            )
        ),
    )


def _waiting(session: Session, staff_id: int) -> tuple[Sequence[Any], int]:
    mine = (
        Conversation.assignee_id == staff_id,
        Conversation.state == ConversationState.OPEN,
        Conversation.waiting,
    )
    query = (
        select(
            Conversation.id,
            Conversation.subject,
            Conversation.urgency,
            Conversation.last_message_at,
            func.coalesce(Contact.name, "").label("contact"),
            func.coalesce(Account.name, "").label("account"),
        )
        .outerjoin(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .where(*mine)
        .order_by((Conversation.urgency == "high").desc(), Conversation.last_message_at)
        .limit(SHOWN)
    )
    count = session.scalar(select(func.count()).select_from(Conversation).where(*mine))
    return session.execute(query).all(), count or 0


def _over(
    session: Session, viewer: SignedIn, staff_id: int, now: datetime, calendar: Calendar
) -> Sequence[Card]:
    theirs = or_(Deal.owner_id == staff_id, Deal.performer_id == staff_id)
    cards = board.oldest(session, viewer, theirs, calendar, now, limit=200)
    return sorted((card for card in cards if card.over), key=lambda card: card.over, reverse=True)[:SHOWN]


def _going_out(session: Session, staff_id: int, begin: datetime, end: datetime) -> Sequence[Any]:
    query = (
        select(
            Enrolment.id,
            Enrolment.due_at,
            FollowUp.names,
            func.coalesce(Contact.name, "").label("contact"),
            func.coalesce(Account.name, "").label("account"),
            Deal.id.label("deal_id"),
        )
        .join(FollowUp, FollowUp.id == Enrolment.sequence_id)
        .join(Deal, Deal.id == Enrolment.deal_id)
        .outerjoin(Contact, Contact.id == Enrolment.contact_id)
        .outerjoin(Account, Account.id == Deal.account_id)
        .where(
            Enrolment.state == EnrolmentState.ACTIVE,
            Enrolment.due_at >= begin,
            Enrolment.due_at < end,
            Deal.owner_id == staff_id,
        )
        .order_by(Enrolment.due_at)
        .limit(SHOWN)
    )
    return session.execute(query).all()


def calendar_rows(session: Session, staff_id: int, since: datetime, most: int) -> Sequence[Any]:
    """Somebody's open tasks with a time, for their own calendar program."""
    query = (
        select(
            Task.id,
            Task.title,
            Task.due_at,
            Task.created_at,
            Task.conversation_id,
            func.concat_ws(" · ", Contact.name, Account.name).label("about"),
        )
        .outerjoin(Contact, Contact.id == Task.contact_id)
        .outerjoin(Account, Account.id == Task.account_id)
        .where(Task.assignee_id == staff_id, Task.state == TaskState.OPEN, Task.due_at >= since)
        .order_by(Task.due_at)
        .limit(most)
    )
    return session.execute(query).all()
