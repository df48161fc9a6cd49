"""What to do with a due step of a follow-up: the rules that decide, apart from the doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.sequences import StepKind, StopReason
from core.worktime import Calendar

BUDGET_WINDOW = timedelta(days=7)
"""The stretch over which letters to one contact are counted."""


class Action(StrEnum):
    """What becomes of a due step."""

    TAKE = "take"
    WAIT = "wait"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision with its reason; ``until`` for a wait, ``stop`` for a stop."""

    action: Action
    reason: str
    until: datetime | None = None
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class DueStep:
    """What is known when a step is due."""

    now: datetime
    kind: StepKind
    calendar: Calendar
    """Working time at the client's place."""
    has_address: bool = True
    opted_out: bool = False
    last_touch_at: datetime | None = None
    """When anything last went to the contact, from whomever and on whichever channel."""
    least_gap: timedelta = timedelta(hours=24)
    touches: tuple[datetime, ...] = ()
    """Letters to the contact that nobody wrote by hand within the window, oldest first."""
    budget: int = 3
    """How many of them there may be in the window."""


def _address(step: DueStep) -> Verdict | None:
    if step.has_address:
        return None
    return Verdict(Action.STOP, "the contact has no address", stop=StopReason.NO_ADDRESS)


def _opt_out(step: DueStep) -> Verdict | None:
    if not step.opted_out:
        return None
    return Verdict(Action.STOP, "the contact opted out", stop=StopReason.OPT_OUT)


def _hours(step: DueStep) -> Verdict | None:
    opens = step.calendar.next_open(step.now)
    return None if opens <= step.now else Verdict(Action.WAIT, "outside working hours", until=opens)


def _gap(step: DueStep) -> Verdict | None:
    if step.last_touch_at is None or step.last_touch_at + step.least_gap <= step.now:
        return None
    return Verdict(
        Action.WAIT,
        "written to a short time ago",
        step.calendar.next_open(step.last_touch_at + step.least_gap),
    )


def _budget(step: DueStep) -> Verdict | None:
    if len(step.touches) < step.budget:
        return None
    frees = step.touches[len(step.touches) - step.budget] + BUDGET_WINDOW
    return Verdict(Action.WAIT, "enough letters this week", step.calendar.next_open(max(frees, step.now)))


RULES: dict[StepKind, tuple[Callable[[DueStep], Verdict | None], ...]] = {
    StepKind.EMAIL: (_address, _opt_out, _hours, _gap, _budget),
    StepKind.TASK: (_hours,),
}
"""The rules of each kind of step in the order in which they are asked; the first that objects decides."""


def decide(step: DueStep) -> Verdict:
    """Decide a due step; without an objection it is taken."""
    for rule in RULES[step.kind]:
        verdict = rule(step)
        if verdict is not None:
            return verdict
    return Verdict(Action.TAKE, "due")
