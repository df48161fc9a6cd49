"""A follow-up as one document, checked as a whole and put in force as a new version.

{"key": "after_offer", "names": {…}, "stop_on": ["reply"], "once": false, "exclusive": false,
 "least_gap_hours": 24, "note": "", "steps": [{"kind": "email", "days": 5, "hours": 0,
 "template": "follow_up", "titles": {}, "window": {…} or None, "branches": [{"on": "replied", "to": 3}]}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.errors import InputRefused
from core.i18n import N_
from core.pipelinespec import Fault
from core.sequences import RULED, Result, SequenceStep, StepKind, current
from core.sequences import Sequence as FollowUp
from core.values import LANGUAGES
from core.worktime import Calendar, NoWorkingTime, read_window

MOST_STEPS = 30
LONGEST_DELAY = 250
"""Working days; beyond a year there is no working time to count."""


class SequenceRefused(InputRefused):
    """The follow-up cannot be put in force as it is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{faults[0].place}: {faults[0].text}.")
        self.faults = tuple(faults)


def document_of(sequence: FollowUp) -> dict[str, Any]:
    """A version as a document."""
    return {
        "key": sequence.key,
        "names": dict(sequence.names),
        "stop_on": list(sequence.stop_on),
        "once": sequence.once,
        "exclusive": sequence.exclusive,
        "least_gap_hours": sequence.least_gap_hours,
        "note": "",
        "steps": [
            {
                "kind": step.kind.value,
                "days": step.delay_days,
                "hours": step.delay_hours,
                "template": step.template,
                "titles": dict(step.titles),
                "window": step.window,
                "branches": list(step.branches),
                **({"approve": True} if step.approve else {}),
            }
            for step in sequence.steps
        ],
    }


def check(document: Mapping[str, Any], templates: frozenset[str] | None = None) -> list[Fault]:
    """Everything that is wrong with a follow-up; empty when it may be in force.

    ``templates`` are the keys of letters, and ``sms/…`` and ``voice/…``; None asks nothing of templates.
    """
    return list(_faults(document, templates))


def _faults(document: Mapping[str, Any], templates: frozenset[str] | None) -> Iterator[Fault]:
    for language in LANGUAGES:
        if not document["names"].get(language):
            yield Fault(("names", language), N_("the name in this language is missing"))
    if not 0 <= document["least_gap_hours"] <= 24 * 90:
        yield Fault(("least_gap_hours",), N_("the least distance is between 0 and 2160 hours"))
    for reason in document["stop_on"]:
        if reason not in {one.value for one in RULED}:
            yield Fault(("stop_on",), N_("there is no “%(key)s”"), {"key": reason})
    steps = document["steps"]
    if not steps:
        yield Fault(("steps",), N_("a follow-up needs at least one step"))
    if len(steps) > MOST_STEPS:
        yield Fault(("steps",), N_("a follow-up has at most %(most)d steps"), {"most": MOST_STEPS})
    for number, step in enumerate(steps):
        yield from _step(step, number, len(steps), templates)


def _step(
    step: Mapping[str, Any], number: int, count: int, templates: frozenset[str] | None
) -> Iterator[Fault]:
    at = ("steps", number)
    if step["kind"] not in {kind.value for kind in StepKind}:
        yield Fault((*at, "kind"), N_("there is no “%(key)s”"), {"key": step["kind"]})
        return
    if not (0 <= step["days"] <= LONGEST_DELAY and 0 <= step["hours"] <= 200):
        yield Fault((*at, "days"), N_("a delay is at most 250 working days and 200 hours"))
    if step["kind"] == StepKind.TASK:
        for language in LANGUAGES:
            if not step["titles"].get(language):
                yield Fault((*at, "titles", language), N_("the task’s title in this language is missing"))
    elif not step.get("template"):
        yield Fault((*at, "template"), N_("choose what is sent"))
    elif "/" in step["template"] or (templates is not None and _template(step) not in templates):
        yield Fault((*at, "template"), N_("there is no “%(key)s”"), {"key": step["template"]})
    yield from _window(step.get("window"), at)
    for branch in step.get("branches") or []:
        to = branch.get("to")
        if branch.get("on") not in {one.value for one in Result}:
            yield Fault((*at, "branches"), N_("there is no “%(key)s”"), {"key": branch.get("on")})
        elif to is not None and not number + 1 < to <= count:
            yield Fault((*at, "branches"), N_("a branch leads to a later step or to the end"))


def _template(step: Mapping[str, Any]) -> str:
    """The template as ``templates`` names it; a fax carries a letter."""
    spoken = step["kind"] in {StepKind.SMS, StepKind.VOICE}
    return f"{step['kind']}/{step['template']}" if spoken else step["template"]


def _window(window: Mapping[str, Any] | None, at: tuple[str, int]) -> Iterator[Fault]:
    if not window:
        return
    try:
        read_window(window)
        if not Calendar(country="").within(window).week:
            raise NoWorkingTime
    except InputRefused as error:
        yield Fault((*at, "window"), error.message)


def steps_of(document: Mapping[str, Any]) -> list[SequenceStep]:
    """The steps of a checked document as rows."""
    return [
        SequenceStep(
            position=position,
            kind=StepKind(step["kind"]),
            delay_days=step["days"],
            delay_hours=step["hours"],
            template=step.get("template") or None,
            titles=dict(step["titles"]),
            window=step.get("window") or None,
            branches=list(step.get("branches") or []),
            approve=bool(step.get("approve")),
        )
        for position, step in enumerate(document["steps"], start=1)
    ]


def publish(
    session: Session, document: Mapping[str, Any], templates: frozenset[str] | None = None
) -> FollowUp:
    """Put a follow-up in force as a new version: clients under way keep theirs, new ones enter this.

    What is in force already makes no version. Raises SequenceRefused with every fault.
    """
    faults = check(document, templates)
    if faults:
        raise SequenceRefused(faults)
    key = document["key"]
    session.execute(select(FollowUp.id).where(FollowUp.key == key).with_for_update())
    present = current(session, key)
    if present is not None and document_of(present) | {"note": ""} == dict(document) | {"note": ""}:
        return present
    newest = session.scalar(select(func.max(FollowUp.version)).where(FollowUp.key == key)) or 0
    session.execute(update(FollowUp).where(FollowUp.key == key).values(active=False))
    made = FollowUp(
        key=key,
        version=newest + 1,
        names=dict(document["names"]),
        stop_on=sorted(document["stop_on"]),
        once=document["once"],
        exclusive=document["exclusive"],
        least_gap_hours=document["least_gap_hours"],
        note=document.get("note", ""),
        steps=steps_of(document),
    )
    session.add(made)
    session.flush()
    return made
