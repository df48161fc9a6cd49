"""What a rehearsal of follow-ups knows: people with what they did, and the steps that were really taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.budget import COUNTED, UNSENT
from core.consent import Scope, Suppression
from core.deals import Deal
from core.dialling import takes_sms
from core.followup import Taken
from core.rehearsal import Code, Happening, Report
from core.rehearsal_staff import StaffOfOld
from core.rehearsal_stages import Begun
from core.sequences import Enrolment, EnrolmentStep, Result, SequenceStep, StepKind
from core.staff import StaffMember
from core.tasks import Task, TaskState
from outbound.stepreads import FAILED, POINTS, address_key

_TOUCHES = text("""
select contact_id, due_at as at, purpose = any(:counted), id from delivery
where contact_id = any(:contacts) and due_at > :since and state <> all(:unsent)
union all
select contact_id, started_at, false, null from call
where contact_id = any(:contacts) and direction = 'out' and started_at > :since
order by at
""").bindparams(counted=[one.value for one in COUNTED], unsent=[one.value for one in UNSENT])
_ACTS = text("""
select contact_id, happened_at as at, case when channel = 'voice' then 'call' else 'reply' end from message
where contact_id = any(:contacts) and direction = 'in' and machine is null and happened_at > :since
union all
select contact_id, answered_at, 'reply' from meeting_attendee
where contact_id = any(:contacts) and invited and answer <> 'none' and answered_at > :since
order by at
""")
_AWAY = text("""
select contact_id, noted_at, until from client_absence
where contact_id = any(:contacts) and until > :since order by noted_at
""")


@dataclass(slots=True)
class Person:
    """What is known of one contact."""

    curator_id: int | None = None
    zone: str | None = None
    country: str | None = None
    addresses: dict[PointKind, str] = field(default_factory=dict)
    mobile: str | None = None
    """Their first number that takes an SMS."""
    opted_out: dict[Channel, tuple[datetime, Scope]] = field(default_factory=dict)
    """When, by channel, the address that a step would go to was put on the list, and what that stops."""
    touches: list[tuple[datetime, bool, int | None]] = field(default_factory=list)
    """When, whether the budget counts it, and its delivery."""
    acts: list[tuple[datetime, str]] = field(default_factory=list)
    """When they wrote or answered an invitation (``reply``), or rang (``call``)."""
    away: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When they said that they are away, and until when."""

    def back(self, began: datetime, now: datetime) -> datetime:
        """The moment to which something that began then waits: later than now where they are away."""
        return max((until for noted, until in self.away if began < noted <= now), default=now)

    def address(self, channel: Channel) -> str | None:
        """Where a step of that channel reaches them."""
        first = self.addresses.get(POINTS[channel])
        return self.mobile or first if channel is Channel.SMS else first


@dataclass(frozen=True, slots=True)
class Real:
    """A step that was really taken."""

    position: int
    at: datetime
    kind: StepKind
    said: Happening
    taken: Taken
    delivery_id: int | None


@dataclass(slots=True)
class Past:
    """People and real enrolments, read with a query a table."""

    people: dict[int, Person]
    enrolments: dict[int, Enrolment]
    steps: dict[int, list[Real]]
    staff: StaffOfOld
    names: dict[int, str]
    """Of colleagues, also of those who have left."""
    workers: dict[int, int | None]
    """Who works today on the deals of the follow-ups."""

    def given(self, task: Happening, begun: Begun, at: datetime) -> Happening:
        """A task with whose it would have been: who works on the deal, else the client's curator; of somebody
        who was away that day their deputy."""
        working = [who for since, who in begun.workers if since <= at][-1:]
        worker = working[0] if begun.workers and working else self.workers.get(begun.deal_id or 0)
        worker = worker or self.people[begun.contact_id].curator_id
        if worker is None:
            return replace(task, who="")
        who, instead = self.staff.stands_in(worker, at)
        away = self.names.get(worker, "") if instead else ""
        return replace(task, who_id=who, who=self.names.get(who or 0, ""), away=away)


def read(session: Session, begun: Iterable[Begun], report: Report) -> Past:
    found = list(begun)
    ids = sorted({one.contact_id for one in found})
    since = min((one.at for one in found), default=report.scope.since) - timedelta(days=60)
    people = {one: Person() for one in ids}
    rows = session.execute(
        select(Contact.id, Account.zone, Account.country, Account.curator_id)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(Contact.id.in_(ids))
    )
    for contact_id, zone, country, curator_id in rows:
        person = people[contact_id]
        person.zone, person.country, person.curator_id = zone, country, curator_id
    points = select(ContactPoint.contact_id, ContactPoint.kind, ContactPoint.value)
    for contact_id, kind, value in session.execute(
        points.where(ContactPoint.contact_id.in_(ids)).order_by(ContactPoint.id)
    ):
        person = people[contact_id]
        person.addresses.setdefault(PointKind(kind), value)
        if kind == PointKind.PHONE and person.mobile is None and takes_sms(value):
            person.mobile = value
    _opt_outs(session, people)
    given = {"contacts": ids, "since": since}
    for contact_id, at, counts, delivery_id in session.execute(_TOUCHES, given):
        people[contact_id].touches.append((at, counts, delivery_id))
    for contact_id, at, act in session.execute(_ACTS, given):
        people[contact_id].acts.append((at, act))
    for contact_id, noted_at, back in session.execute(_AWAY, given):
        people[contact_id].away.append((noted_at, back))
    numbers = sorted({one.enrolment_id for one in found if one.enrolment_id is not None})
    enrolments = {one.id: one for one in session.scalars(select(Enrolment).where(Enrolment.id.in_(numbers)))}
    names = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    deals = {one.deal_id for one in found if one.deal_id is not None}
    worker = func.coalesce(Deal.performer_id, Deal.owner_id)
    workers: dict[int, int | None] = dict(
        session.execute(select(Deal.id, worker).where(Deal.id.in_(deals))).all()
    )
    return Past(
        people,
        enrolments,
        _steps(session, enrolments, names),
        StaffOfOld(session, since, report.scope.until),
        names,
        workers,
    )


def _opt_outs(session: Session, people: Mapping[int, Person]) -> None:
    keys: dict[tuple[Channel, str], list[int]] = {}
    for contact_id, person in people.items():
        for channel in POINTS:
            key = address_key(channel, person.address(channel))
            if key is not None:
                keys.setdefault((channel, key), []).append(contact_id)
    query = select(Suppression.channel, Suppression.address, Suppression.created_at, Suppression.scope)
    found = session.execute(query.where(Suppression.address.in_({key for _, key in keys})))
    for channel, address, at, scope in found:
        for contact_id in keys.get((Channel(channel), address), []):
            people[contact_id].opted_out[Channel(channel)] = (at, Scope(scope))


def _steps(
    session: Session, enrolments: Mapping[int, Enrolment], names: Mapping[int, str]
) -> dict[int, list[Real]]:
    query = (
        select(EnrolmentStep, outbox.Delivery.state, Task.state, Task.assignee_id)
        .outerjoin(outbox.Delivery, outbox.Delivery.id == EnrolmentStep.delivery_id)
        .outerjoin(Task, Task.id == EnrolmentStep.task_id)
        .where(EnrolmentStep.enrolment_id.in_(enrolments), EnrolmentStep.outcome == "done")
        .order_by(EnrolmentStep.enrolment_id, EnrolmentStep.position)
    )
    found: dict[int, list[Real]] = {}
    for row, delivery, task, whose in session.execute(query):
        steps = enrolments[row.enrolment_id].sequence.steps
        step = next((one for one in steps if one.position == row.position), None)
        if step is None:
            continue
        taken = Taken(
            step.kind,
            row.taken_at,
            result=Result(row.result) if row.result else None,
            result_at=row.result_at,
            failed=delivery in FAILED,
            task_done=task == TaskState.DONE,
        )
        happened = said(step, row.taken_at)
        if step.kind is StepKind.TASK:
            happened = replace(happened, who_id=whose, who=names.get(whose or 0, ""))
        found.setdefault(row.enrolment_id, []).append(
            Real(row.position, row.taken_at, step.kind, happened, taken, row.delivery_id)
        )
    return found


def said(step: SequenceStep, at: datetime) -> Happening:
    if step.kind is StepKind.TASK:
        return Happening(Code.TASK, step.titles.get("en", ""), step.titles, at)
    return Happening(Code.LETTER, f"{step.kind.value}:{step.template}", at=at)
