"""The background work of approvals: every minute what went out of date is told, and deputies are asked."""

from __future__ import annotations

from core import approvals
from core.context import Context
from core.jobkinds import Registry

registry = Registry()


@registry.job("core.approvals", queue="default", periodic="* * * * *", concurrency=1)
def look_after(context: Context) -> None:
    """One look, in one transaction."""
    with context.transaction() as session:
        approvals.look_after(session)
