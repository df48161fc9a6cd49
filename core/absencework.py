"""The background work of absences: every five minutes the waiting work of the absent is handed back."""

from __future__ import annotations

from core import absences
from core.context import Context
from core.jobkinds import Registry

registry = Registry()


@registry.job("core.absences", queue="default", periodic="*/5 * * * *", concurrency=1)
def hand_back(context: Context) -> None:
    """Hand back page by page, each in a transaction of its own; then what the absent were to do."""
    for hand_on in (absences.hand_back, absences.hand_on_tasks):
        while True:
            with context.transaction() as session:
                if hand_on(session) < absences.PAGE:
                    break
