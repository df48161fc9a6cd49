"""The database's daily chores: the job queue's old log, sessions that ended, old sign-in attempts, files
that were never sent."""

from __future__ import annotations

from datetime import timedelta

from core import enclosures, sessions
from core.context import Context
from core.jobkinds import Registry
from core.jobreport import prune

registry = Registry()


@registry.job("core.prune", queue="default", periodic="17 3 * * *")
def prune_log(context: Context) -> None:
    """Delete log rows of jobs done more than a week ago, and sessions, attempts, files that count no more."""
    with context.transaction() as session:
        prune(session)
        enclosures.tidy(session)
        sessions.tidy(session, idle=timedelta(hours=context.settings.desk.session_hours))
