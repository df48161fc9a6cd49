"""Follow-ups in motion: due steps are decided a page at a time, and queued or made a person's task."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock, flood, sequences
from core.accounts import Account, Contact
from core.budget import Budget
from core.config import Settings
from core.context import Context
from core.errors import FrontdeskError, IllegalTransition, InputRefused
from core.followup import DueStep, Standing, due_after
from core.followup import look as look_at
from core.sequences import (
    CHANNELS,
    Enrolment,
    EnrolmentState,
    EnrolmentStep,
    Sequence,
    SequenceStep,
    StepKind,
)
from core.values import normal_email, normal_phone
from core.worker import promote
from core.worktime import Calendar
from outbound import stagerules, stepreads, stepwrites
from outbound.stepreads import Due, Page, address_key, stopped_by
from outbound.stepwrites import Move, Work

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
APPROVAL = "approval"
"""What an enrolment waits for whose last step waits for somebody's word."""
APPROVAL_WAIT = timedelta(hours=1)
"""Until it is looked at again; a word brings it back at once."""
FAULT = "fault"
"""What an enrolment waits for that is held because its step could not be made."""


@dataclass(frozen=True, slots=True)
class House:
    """What holds for all follow-ups of the company."""

    calendar: Calendar
    """Working time where the client's own is not known."""
    budget: Budget = field(default_factory=Budget)
    """How much one contact gets by machine, over all senders and channels."""

    def calendar_of(self, account: Account | None) -> Calendar:
        """Working time at a client's place."""
        return self.calendar_at(account.zone, account.country) if account else self.calendar

    def calendar_at(self, zone: str | None, country: str | None) -> Calendar:
        """Working time in a zone, where it is known."""
        return self.calendar if zone is None else Calendar(zone, self.calendar.week, country or "")


@dataclass(slots=True)
class _Desk:
    """A page in work, with calendars made once a place and window."""

    page: Page
    house: House
    work: Work = field(default_factory=Work)
    calendars: dict[tuple[str | None, str | None, int | None], Calendar] = field(default_factory=dict)

    def calendar(self, due: Due, step: SequenceStep | None = None) -> Calendar:
        """Working time at a client's place, within what the step allows."""
        windowed = step if step is not None and step.window else None
        key = (due.zone, due.country, windowed.id if windowed else None)
        if key not in self.calendars:
            place = self.house.calendar_at(due.zone, due.country)
            self.calendars[key] = place.within(windowed.window) if windowed else place
        return self.calendars[key]


def tick(session: Session, house: House, now: datetime | None = None) -> int:
    """Decide one page of due steps in one transaction; returns how many were looked at.

    ``now`` is the database's clock unless a rehearsal gives another. However many wait, only what is due is
    read. A step is taken together with the row that says so, whose primary key lets it be taken once.
    """
    if now is None:
        now = session.execute(select(func.now())).scalar_one()
    page = stepreads.read(session, now, house.budget)
    if page is None:
        return 0
    desk = _Desk(page, house)
    for due in page.due:
        try:
            desk.work.moves.append(_look(desk, due))
        except FrontdeskError as error:
            # Held for a person: one client's fault must not stop the page, and trying again would not help.
            log.warning("follow-up held", enrolment=due.id, error=str(error))
            desk.work.moves.append(Move(due.id, EnrolmentState.PAUSED, due.next_position, due.due_at, FAULT))
    stepwrites.write(session, page, desk.work)
    return len(page.due)


def _look(desk: _Desk, due: Due) -> Move:
    """Decide one enrolment, and put what it sends or asks for among the page's work."""
    page = desk.page
    if due.id in page.unapproved:
        # The next step speaks of the one before, which may yet be changed or never leave.
        return Move(due.id, EnrolmentState.ACTIVE, due.next_position, page.now + APPROVAL_WAIT, APPROVAL)
    steps = page.roads[due.sequence_id].steps
    found = look_at(
        Standing(due.next_position, due.due_at, page.last.get(due.id)),
        steps,
        page.now,
        place=desk.calendar(due),
        allowed=partial(desk.calendar, due),
        facts=partial(_due_step, desk, due),
        behind=lambda position: (due.id, position) in page.taken,
    )
    if found.takes is not None:
        _take(page, desk.work, due, steps[found.takes])
    return Move(due.id, found.state, found.position, found.due_at, found.waits_for, found.stop)


def _due_step(desk: _Desk, due: Due, step: SequenceStep, calendar: Calendar) -> DueStep:
    page = desk.page
    channel = CHANNELS.get(step.kind)
    key = address_key(channel, page.address(due, step.kind)) if channel else None
    return DueStep(
        now=page.now,
        kind=step.kind,
        calendar=calendar,
        has_address=key is not None,
        opted_out=stopped_by(page.opted_out.get((channel, key)) if channel and key else None, step),
        last_touch_at=page.touches.last.get(due.contact_id),
        least_gap=timedelta(hours=page.roads[due.sequence_id].least_gap_hours),
        touches=tuple(page.touches.counted.get(due.contact_id, ())),
        budget=desk.house.budget,
    )


def _take(page: Page, work: Work, due: Due, step: SequenceStep) -> None:
    place = (due.id, step.position)
    if step.kind is StepKind.TASK:
        work.tasks[place] = stepwrites.task_of(page, due, step)
        return
    address = page.address(due, step.kind) or ""
    address = normal_email(address) if step.kind is StepKind.EMAIL else normal_phone(address)
    work.drafts[place] = stepwrites.draft_of(page, due, step, address)
    page.touches.add(due.contact_id, page.now)


def skip(session: Session, enrolment: Enrolment, house: House) -> None:
    """Leave out the next step; the one after it is due after its own delay from now."""
    session.refresh(enrolment, with_for_update={"of": Enrolment})
    if enrolment.state not in sequences.LIVE:
        raise IllegalTransition("A follow-up that has ended has no next step.")
    session.execute(
        insert(EnrolmentStep).values(
            enrolment_id=enrolment.id, position=enrolment.next_position, outcome="skipped"
        )
    )
    now: datetime = session.execute(select(func.now())).scalar_one()
    steps = {step.position: step for step in enrolment.sequence.steps}
    following = steps.get(enrolment.next_position + 1)
    enrolment.waits_for = None
    if following is None:
        enrolment.state = EnrolmentState.FINISHED
        enrolment.ended_at = now
    else:
        enrolment.next_position = following.position
        enrolment.due_at = due_after(following, now, house.calendar_of(enrolment.contact.account))
    session.flush()


def plan(
    enrolment: Enrolment, house: House, now: datetime | None = None
) -> Iterable[tuple[SequenceStep, datetime]]:
    """What will go out and when, if the client does nothing: the steps still to come with their moments.

    A step that has been due since before ``now`` goes out now at the earliest, and those after it count from
    there. Of a branch the way of silence is shown.
    """
    when = max(enrolment.due_at, now or clock.now())
    calendar = house.calendar_of(enrolment.contact.account)
    yield from _coming(enrolment.sequence, enrolment.next_position, when, calendar)


def plan_of(
    sequence: Sequence, account: Account | None, house: House, now: datetime
) -> list[tuple[SequenceStep, datetime]]:
    """The same for a client who would begin it now."""
    if not sequence.steps:
        return []
    calendar = house.calendar_of(account)
    return list(_coming(sequence, 1, due_after(sequence.steps[0], now, calendar), calendar))


def begin(
    session: Session, sequence: Sequence, contact: Contact, house: House, *, deal_id: int | None = None
) -> Enrolment:
    """Lead a client into a follow-up because a person says so; its first step counts from now.

    Raises what ``core.sequences.enrol`` raises, and InputRefused for one without steps.
    """
    if not sequence.steps:
        raise InputRefused("The follow-up has no steps.")
    now: datetime = session.execute(select(func.now())).scalar_one()
    due_at = due_after(sequence.steps[0], now, house.calendar_of(contact.account))
    return sequences.enrol(session, sequence, contact_id=contact.id, deal_id=deal_id, due_at=due_at)


def _coming(
    sequence: Sequence, next_position: int, when: datetime, calendar: Calendar
) -> Iterator[tuple[SequenceStep, datetime]]:
    steps = {step.position: step for step in sequence.steps}
    position: int | None = next_position
    first = True
    while position is not None and (step := steps.get(position)) is not None:
        when = calendar.within(step.window).next_open(when) if first else due_after(step, when, calendar)
        yield step, when
        position, first = _after_silence(step), False


def _after_silence(step: SequenceStep) -> int | None:
    silent = "not_done" if step.kind is StepKind.TASK else "no_answer"
    for branch in step.branches:
        if branch["on"] == silent:
            return branch.get("to")
    return step.position + 1


def opens_at(session: Session, delivery_id: int, house: House) -> datetime | None:
    """When what a step sends may leave, if a word lets it go now: in the client's working time and the step's
    own hours; None for what no step sends.
    """
    row = session.scalar(select(EnrolmentStep).where(EnrolmentStep.delivery_id == delivery_id))
    if row is None:
        return None
    enrolment = session.get_one(Enrolment, row.enrolment_id)
    step = next(one for one in enrolment.sequence.steps if one.position == row.position)
    now: datetime = session.execute(select(func.now())).scalar_one()
    return house.calendar_of(enrolment.contact.account).within(step.window).next_open(now)


def house_of(settings: Settings) -> House:
    """The company's rules from its settings."""
    pressure = settings.pressure
    return House(
        Calendar(zone=settings.company.timezone), Budget(touches=pressure.touches, days=pressure.days)
    )


def look(session: Session, house: House) -> int:
    """A page, unless a flood is held back until a person lets it go."""
    return 0 if flood.held(session) else tick(session, house)


def run(context: Context, stop: threading.Event) -> None:
    """Look every second for due steps and deals that a letter moves; one worker of the fleet at a time."""
    house = house_of(context.settings)
    while not stop.wait(EVERY):
        promote(context, "outbound.sequences", partial(look, house=house))
        promote(context, "outbound.stagerules", partial(stagerules.tick, calendar=house.calendar))
