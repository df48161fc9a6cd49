"""What to do with a due step of a follow-up: the rules that decide, apart from the doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.budget import Budget
from core.sequences import EnrolmentState, Result, SequenceStep, StepKind, StopReason
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
    released_at: datetime | None = None
    """When somebody's word let it leave, where it waited for one: what comes after counts from there."""


@dataclass(frozen=True, slots=True)
class Fork:
    """What came of a step, and when that was known."""

    result: Result
    since: datetime
    reason: str


UNREACHED = frozenset({Result.NO_ANSWER, Result.MACHINE, Result.FAILED})
"""Results of a call by machine that nobody heard as a person."""


def came_of(last: Taken) -> Fork:
    """What came of a step: what was said first, then what the client did, then silence.

    A call by machine that reached nobody is silence too: what the client did after it goes first.
    """
    replied = last.replied_at is not None and last.replied_at >= last.taken_at
    unreached = last.kind is StepKind.VOICE and last.result in UNREACHED
    if last.result is not None and not (replied and unreached):
        return Fork(last.result, last.result_at or last.taken_at, "as it was noted")
    if last.replied_at is not None and replied:
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands in a follow-up when it is looked at."""

    position: int
    """The step that is next."""
    due_at: datetime
    last: tuple[int, Taken] | None = None
    """Position of the last step that was taken, and what is known of it."""


@dataclass(frozen=True, slots=True)
class Next:
    """Where they stand after a look."""

    position: int
    due_at: datetime
    state: EnrolmentState = EnrolmentState.ACTIVE
    waits_for: str | None = None
    stop: StopReason | None = None
    takes: int | None = None
    """Position of the step that is taken now."""


def due_after(step: SequenceStep, since: datetime, calendar: Calendar) -> datetime:
    """When a step is due: so much working time at the client's place later, then as soon as its own hours
    and days allow.
    """
    return _due(step, since, calendar, calendar.within(step.window))


def _due(step: SequenceStep, since: datetime, place: Calendar, allowed: Calendar) -> datetime:
    return allowed.next_open(place.after(since, step.delay_days, step.delay_hours))


def whither(standing: Standing, steps: Mapping[int, SequenceStep]) -> tuple[int | None, datetime | None]:
    """Which step is next, None for the end; and from when its delay counts where a branch led there."""
    last, following = standing.last, standing.position
    if last is None or last[0] + 1 != following:
        return following, None
    step, released_at = steps[last[0]], last[1].released_at
    if not step.branches:
        return following, released_at
    fork = came_of(last[1])
    position = follows(step.branches, fork, following)
    if position == following and last[1].result is None:
        return position, released_at
    return position, fork.since


def look(
    standing: Standing,
    steps: Mapping[int, SequenceStep],
    now: datetime,
    *,
    place: Calendar,
    allowed: Callable[[SequenceStep], Calendar],
    facts: Callable[[SequenceStep, Calendar], DueStep],
    behind: Callable[[int], bool],
) -> Next:
    """Decide one due enrolment: a step is taken, put off or the end of it; the one after it is planned.

    ``place`` is working time at the client's place, ``allowed`` what a step's own hours leave of it,
    ``facts`` what is known when a step is asked about, ``behind`` whether a position was taken or left out
    before.
    """
    position, since = whither(standing, steps)
    step = steps.get(position) if position is not None else None
    if step is None:
        return Next(standing.position, standing.due_at, EnrolmentState.FINISHED)
    if since is not None:
        due_at = _due(step, since, place, allowed(step))
        if due_at > now:
            return Next(step.position, due_at)
    takes = None
    if not behind(step.position):
        verdict = decide(facts(step, allowed(step)))
        if verdict.action is Action.WAIT:
            return Next(step.position, verdict.until or standing.due_at, waits_for=verdict.reason)
        if verdict.action is Action.STOP:
            return Next(step.position, standing.due_at, EnrolmentState.STOPPED, stop=verdict.stop)
        takes = step.position
    following = steps.get(step.position + 1)
    if following is None:
        return Next(step.position, standing.due_at, EnrolmentState.FINISHED, takes=takes)
    # Where a branch leads is decided when this one would be due, unless the result is known before.
    due_at = _due(following, now, place, allowed(following))
    return Next(following.position, due_at, takes=takes)
