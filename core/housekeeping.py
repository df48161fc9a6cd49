"""The database's own chores: old log rows of the job queue are deleted every day."""

from __future__ import annotations

from core.context import Context
from core.jobkinds import Registry
from core.jobreport import prune

registry = Registry()


@registry.job("core.prune", queue="default", periodic="17 3 * * *")
def prune_log(context: Context) -> None:
    """Delete log rows of jobs that were done more than a week ago."""
    with context.transaction() as session:
        prune(session)
