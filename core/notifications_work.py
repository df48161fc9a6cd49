"""The background work of notices: every minute what is due and what is new is looked for, and told."""

from __future__ import annotations

from sqlalchemy import delete, func

from core import notifications_found, reminders, staffmail
from core.context import Context
from core.jobkinds import Registry
from core.notifications import KEPT, PREVIEW, StaffNotice
from core.staffmail import Place
from core.worktime import Calendar

registry = Registry()


def place_of(context: Context) -> Place:
    """Where the desk is, as the settings say."""
    company = context.settings.company
    return Place(company.public_url, Calendar(zone=company.timezone))


@registry.job("core.notices", queue="default", periodic="* * * * *", concurrency=1)
def notices(context: Context) -> None:
    """Remind, look, and write to who is away: each colleague in a transaction of their own."""
    with context.transaction() as session:
        reminders.remind(session)
        notifications_found.look(session, PREVIEW)
        people = staffmail.waiting_for(session)
    place = place_of(context)
    for staff_id in people:
        with context.transaction() as session:
            staffmail.tell(session, staff_id, place)


@registry.job("core.notices_pruned", queue="default", periodic="43 3 * * *")
def prune(context: Context) -> None:
    """Delete notices that nobody asks for any more."""
    with context.transaction() as session:
        session.execute(delete(StaffNotice).where(StaffNotice.created_at < func.now() - KEPT))
