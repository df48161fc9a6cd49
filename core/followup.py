"""What to do with a due step of a follow-up: the rules that decide, apart from the doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.budget import Budget
from core.sequences import Result, StepKind, StopReason
from core.worktime import Calendar


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
    """Working time at the client's place, within what the step allows."""
    has_address: bool = True
    opted_out: bool = False
    last_touch_at: datetime | None = None
    """When anything last went to the contact, from whomever and on whichever channel."""
    least_gap: timedelta = timedelta(hours=24)
    touches: tuple[datetime, ...] = ()
    """What went to the contact without a person writing it, within the budget's window, oldest first."""
    budget: Budget = field(default_factory=Budget)


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
    frees = step.budget.frees_at(step.touches, step.now)
    if frees is None:
        return None
    return Verdict(Action.WAIT, "enough letters this week", step.calendar.next_open(max(frees, step.now)))


_TO_THE_CLIENT = (_address, _opt_out, _hours, _gap, _budget)

RULES: dict[StepKind, tuple[Callable[[DueStep], Verdict | None], ...]] = {
    StepKind.EMAIL: _TO_THE_CLIENT,
    StepKind.SMS: _TO_THE_CLIENT,
    StepKind.VOICE: _TO_THE_CLIENT,
    StepKind.FAX: _TO_THE_CLIENT,
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


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of the last step when the next one is due."""

    kind: StepKind
    taken_at: datetime
    result: Result | None = None
    """What somebody or an event said came of it."""
    result_at: datetime | None = None
    replied_at: datetime | None = None
    """When the client last wrote or called."""
    failed: bool = False
    """What it sent never arrived."""
    task_done: bool = False


@dataclass(frozen=True, slots=True)
class Fork:
    """What came of a step, and when that was known."""

    result: Result
    since: datetime
    reason: str


def came_of(last: Taken) -> Fork:
    """What came of a step: what was said first, then what the client did, then silence."""
    if last.result is not None:
        return Fork(last.result, last.result_at or last.taken_at, "as it was noted")
    if last.replied_at is not None and last.replied_at >= last.taken_at:
        return Fork(Result.REPLIED, last.replied_at, "the client answered")
    if last.kind is StepKind.TASK:
        return Fork(Result.DONE if last.task_done else Result.NOT_DONE, last.taken_at, "as the task stands")
    if last.failed:
        return Fork(Result.FAILED, last.taken_at, "it did not arrive")
    return Fork(Result.NO_ANSWER, last.taken_at, "nobody answered")


def follows(branches: Sequence[Mapping[str, Any]], fork: Fork, following: int) -> int | None:
    """The position that comes after a step: where its branch leads, else the next one; None is the end."""
    for branch in branches:
        if branch["on"] == fork.result.value:
            return branch.get("to")
    return following
