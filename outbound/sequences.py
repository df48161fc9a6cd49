"""Follow-ups in motion: due steps are decided a page at a time, and queued or made a person's task."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from core import consent, letters, outbox, sequences
from core.accounts import Account, Channel, Contact
from core.context import Context
from core.deals import Deal
from core.errors import FrontdeskError, IllegalTransition
from core.followup import BUDGET_WINDOW, Action, DueStep, Verdict, decide
from core.jobkinds import PAGE
from core.outbox import Delivery, DeliveryState, Purpose
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep, SequenceStep, StepKind
from core.tasks import Task
from core.values import is_email
from core.worker import promote
from core.worktime import Calendar

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds between two looks."""

UNSENT = (DeliveryState.CANCELLED, DeliveryState.SUPPRESSED, DeliveryState.EXPIRED, DeliveryState.REFUSED)


@dataclass(frozen=True, slots=True)
class House:
    """What holds for all follow-ups of the company."""

    calendar: Calendar
    """Working time where the client's own is not known."""
    budget: int = 3
    """Letters nobody wrote by hand that one contact gets in seven days, over all senders."""

    def calendar_of(self, account: Account | None) -> Calendar:
        """Working time at a client's place."""
        if account is None or account.zone is None:
            return self.calendar
        return Calendar(account.zone, self.calendar.week, account.country or "")


@dataclass(slots=True)
class _Facts:
    now: datetime
    last_touch: dict[int, datetime]
    touches: dict[int, list[datetime]]
    opted_out: set[str]


def tick(session: Session, house: House, now: datetime | None = None) -> int:
    """Decide one page of due steps in one transaction; returns how many were looked at.

    ``now`` is the database's clock unless a rehearsal gives another.

    A step is taken together with the row that says so, whose primary key lets it be taken once.
    """
    if now is None:
        now = session.execute(select(func.now())).scalar_one()
    due = list(
        session.scalars(
            select(Enrolment)
            .where(Enrolment.state == EnrolmentState.ACTIVE, Enrolment.due_at <= now)
            .order_by(Enrolment.due_at, Enrolment.id)
            .limit(PAGE)
            .with_for_update(skip_locked=True, of=Enrolment)
            .options(
                joinedload(Enrolment.sequence).selectinload(sequences.Sequence.steps),
                joinedload(Enrolment.contact).selectinload(Contact.points),
                joinedload(Enrolment.contact).joinedload(Contact.account),
                joinedload(Enrolment.deal).selectinload(Deal.lines),
            )
        ).unique()
    )
    if not due:
        return 0
    facts = _read_facts(session, due, now)
    moves: list[dict[str, Any]] = []
    for enrolment in due:
        step = _step_at(enrolment.sequence.steps, enrolment.next_position)
        if step is None:
            moves.append(_finished(enrolment, now))
            continue
        calendar = house.calendar_of(enrolment.contact.account)
        verdict = decide(_due_step(enrolment, step, calendar, house, facts))
        moves.append(_carry_out(session, enrolment, step, verdict, calendar, facts))
    session.execute(update(Enrolment), moves)
    return len(due)


def _step_at(steps: Sequence[SequenceStep], position: int) -> SequenceStep | None:
    return next((step for step in steps if step.position == position), None)


def _read_facts(session: Session, due: Sequence[Enrolment], now: datetime) -> _Facts:
    """Everything the decisions need, in three queries a page."""
    contacts = {enrolment.contact_id for enrolment in due}
    rows = session.execute(
        select(Delivery.contact_id, Delivery.due_at, Delivery.purpose)
        .where(
            Delivery.contact_id.in_(contacts),
            Delivery.due_at > now - BUDGET_WINDOW,
            Delivery.state.not_in(UNSENT),
        )
        .order_by(Delivery.due_at)
    ).all()
    facts = _Facts(now, {}, {}, set())
    for contact_id, went_at, purpose in rows:
        if contact_id is None:
            continue
        facts.last_touch[contact_id] = went_at
        if purpose != Purpose.ANSWER:
            facts.touches.setdefault(contact_id, []).append(went_at)
    keys = [key for one in due if (key := _address_key(one.contact))]
    facts.opted_out = set(consent.suppressed(session, Channel.EMAIL, keys))
    return facts


def _address_key(contact: Contact) -> str | None:
    """The contact's address as the suppression list knows it; None where there is none to write to."""
    email = contact.email
    return consent.address_key(Channel.EMAIL, email) if email and is_email(email) else None


def _due_step(
    enrolment: Enrolment, step: SequenceStep, calendar: Calendar, house: House, facts: _Facts
) -> DueStep:
    key = _address_key(enrolment.contact)
    return DueStep(
        now=facts.now,
        kind=step.kind,
        calendar=calendar,
        has_address=key is not None,
        opted_out=key in facts.opted_out,
        last_touch_at=facts.last_touch.get(enrolment.contact_id),
        least_gap=timedelta(hours=enrolment.sequence.least_gap_hours),
        touches=tuple(facts.touches.get(enrolment.contact_id, ())),
        budget=house.budget,
    )


def _finished(enrolment: Enrolment, now: datetime) -> dict[str, Any]:
    return _move(enrolment, state=EnrolmentState.FINISHED, ended_at=now)


def _move(enrolment: Enrolment, **values: Any) -> dict[str, Any]:
    return {
        "id": enrolment.id,
        "state": enrolment.state,
        "next_position": enrolment.next_position,
        "due_at": enrolment.due_at,
        "stop_reason": None,
        "ended_at": None,
    } | values


def _carry_out(
    session: Session,
    enrolment: Enrolment,
    step: SequenceStep,
    verdict: Verdict,
    calendar: Calendar,
    facts: _Facts,
) -> dict[str, Any]:
    if verdict.action is Action.WAIT:
        return _move(enrolment, due_at=verdict.until)
    if verdict.action is Action.STOP:
        return _move(enrolment, state=EnrolmentState.STOPPED, stop_reason=verdict.stop, ended_at=facts.now)
    try:
        with session.begin_nested():
            _take(session, enrolment, step, facts)
    except FrontdeskError as error:
        # Held for a person: one client's fault must not stop the page, and trying again would not help.
        log.warning("follow-up held", enrolment=enrolment.id, error=str(error))
        return _move(enrolment, state=EnrolmentState.PAUSED)
    following = _step_at(enrolment.sequence.steps, step.position + 1)
    if following is None:
        return _finished(enrolment, facts.now)
    return _move(
        enrolment,
        next_position=following.position,
        due_at=calendar.add_days(facts.now, following.delay_days),
    )


def _take(session: Session, enrolment: Enrolment, step: SequenceStep, facts: _Facts) -> None:
    row = insert(EnrolmentStep).values(
        enrolment_id=enrolment.id, position=step.position, outcome="done", taken_at=facts.now
    )
    claimed = session.scalar(row.on_conflict_do_nothing().returning(EnrolmentStep.position))
    if claimed is None:
        return
    taken: dict[str, int | None] = {}
    if step.kind is StepKind.EMAIL:
        draft = letters.follow_up(
            session,
            enrolment.contact,
            enrolment.deal,
            template=step.template or "follow_up",
            key=f"enrolment:{enrolment.id}:{step.position}",
            now=facts.now,
        )
        taken["delivery_id"] = outbox.queue(session, draft)
        facts.last_touch[enrolment.contact_id] = facts.now
        facts.touches.setdefault(enrolment.contact_id, []).append(facts.now)
    else:
        taken["task_id"] = _add_task(session, enrolment, step, facts.now)
    session.execute(
        update(EnrolmentStep)
        .where(EnrolmentStep.enrolment_id == enrolment.id, EnrolmentStep.position == step.position)
        .values(taken)
    )


def _add_task(session: Session, enrolment: Enrolment, step: SequenceStep, now: datetime) -> int:
    deal, account = enrolment.deal, enrolment.contact.account
    assignee = deal.owner if deal and deal.owner else (account.curator if account else None)
    language = assignee.language if assignee else "en"
    task = Task(
        title=step.titles.get(language) or step.titles.get("en", ""),
        kind="follow_up",
        assignee_id=assignee.id if assignee else None,
        contact_id=enrolment.contact_id,
        account_id=enrolment.contact.account_id,
        deal_id=enrolment.deal_id,
        due_at=now,
    )
    session.add(task)
    session.flush()
    return task.id


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
    following = _step_at(enrolment.sequence.steps, enrolment.next_position + 1)
    if following is None:
        enrolment.state = EnrolmentState.FINISHED
        enrolment.ended_at = now
    else:
        enrolment.next_position = following.position
        enrolment.due_at = house.calendar_of(enrolment.contact.account).add_days(now, following.delay_days)
    session.flush()


def plan(enrolment: Enrolment, house: House) -> Iterable[tuple[SequenceStep, datetime]]:
    """What will go out and when, if the client does nothing: the steps still to come with their moments."""
    calendar = house.calendar_of(enrolment.contact.account)
    when = calendar.next_open(enrolment.due_at)
    for step in enrolment.sequence.steps:
        if step.position < enrolment.next_position:
            continue
        if step.position > enrolment.next_position:
            when = calendar.add_days(when, step.delay_days)
        yield step, when


def house_of(context: Context) -> House:
    """The company's rules from its settings."""
    return House(Calendar(zone=context.settings.company.timezone))


def run(context: Context, stop: threading.Event) -> None:
    """Look every second; one worker of the fleet at a time."""
    house = house_of(context)
    while not stop.wait(EVERY):
        promote(context, "outbound.sequences", partial(tick, house=house))
