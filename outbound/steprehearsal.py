"""Rehearsal of follow-ups: the steps that clients got, beside those they would have got by changed ones.

Each follow-up is played from the moment it began, through the same looks as in earnest; what the client and
colleagues did ends it when they did, and notes of absence have it wait. Holds by hand are not written down
and not played.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import outbox, sequences
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.budget import COUNTED, UNSENT
from core.consent import Scope, Suppression
from core.deals import Deal
from core.dialling import takes_sms
from core.followup import DueStep, Standing, Taken, due_after, look
from core.rehearsal import (
    MOST_FOLLOW_UPS,
    Change,
    Client,
    Code,
    Document,
    Happening,
    Kind,
    Report,
    Row,
    Tell,
)
from core.rehearsal_stages import Begun, Courses
from core.sequences import (
    CHANNELS,
    Enrolment,
    EnrolmentState,
    EnrolmentStep,
    Result,
    SequenceStep,
    StepKind,
    StopReason,
)
from core.sequencespec import document_of, steps_of
from core.tasks import Task, TaskState
from core.worktime import Calendar
from outbound.sequences import House
from outbound.stepreads import FAILED, POINTS, address_key, stopped_by

MOST_LOOKS = 200
"""At one client in one follow-up; more would go round in a circle."""

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
class _Person:
    """What is known of one contact."""

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
class _Real:
    """A step that was really taken."""

    position: int
    at: datetime
    kind: StepKind
    said: Happening
    taken: Taken
    delivery_id: int | None


@dataclass(slots=True)
class _Past:
    """People and real enrolments, read with a query a table."""

    people: dict[int, _Person]
    enrolments: dict[int, Enrolment]
    steps: dict[int, list[_Real]]


def play(
    session: Session,
    report: Report,
    change: Change,
    courses: Courses,
    house: House,
    tell: Tell,
) -> None:
    """Play the follow-ups that begin in the courses of deals, and others that are changed."""
    _add_others(session, report, change, courses)
    slots: dict[tuple[int, int], list[Begun | None]] = {}
    for number, course in enumerate((courses.was, courses.now, courses.would)):
        for one in course:
            slots.setdefault(one.slot, [None, None, None])[number] = one
    if len(slots) > MOST_FOLLOW_UPS:
        report.cut = True
    chosen = [trio for _, trio in sorted(slots.items())[-MOST_FOLLOW_UPS:]]
    past = _past(session, [one for trio in chosen for one in trio if one is not None], report)
    present = _documents(session)
    changed = present | dict(change.followups)
    report.followups = {key: one["names"] for key, one in changed.items()}
    for number, (was, now, would) in enumerate(chosen, start=1):
        tell("follow_ups", number, len(chosen))
        if report.late():
            break
        begun = was or now or would
        if begun is None:
            continue
        real = [one.said for one in past.steps.get(was.enrolment_id or 0, [])] if was else []
        by_now = _played(now, present, past, house, report.scope.until)
        same = now == would and present.get(would.key if would else "") == changed.get(
            would.key if would else ""
        )
        by_would = by_now if same else _played(would, changed, past, house, report.scope.until)
        for trio in zip_longest(real, by_now, by_would):
            at = next((one.at for one in trio if one is not None and one.at is not None), begun.at)
            report.rows.append(Row(at, Kind.SENT, begun.client, *trio))
        report.follow_ups += 1
    tell("follow_ups", len(chosen), len(chosen))


def _documents(session: Session) -> dict[str, Document]:
    rows = session.scalars(select(sequences.Sequence).where(sequences.Sequence.active))
    return {one.key: document_of(one) for one in rows}


def _add_others(session: Session, report: Report, change: Change, courses: Courses) -> None:
    """Enrolments that no played deal began: by hand, or where only follow-ups are changed."""
    if not change.followups and not change.nothing:
        return
    scope = report.scope
    query = (
        select(Enrolment, Contact, Account, Deal)
        .join(Contact, Contact.id == Enrolment.contact_id)
        .outerjoin(Account, Account.id == Contact.account_id)
        .outerjoin(Deal, Deal.id == Enrolment.deal_id)
        .where(Enrolment.started_at >= scope.since, Enrolment.started_at < scope.until)
        .order_by(Enrolment.id.desc())
        .limit(MOST_FOLLOW_UPS + 1)
    )
    if change.followups:
        query = query.where(Enrolment.sequence_key.in_(change.followups))
    if scope.chosen:
        query = query.where(Enrolment.deal_id.in_(scope.deals))
    there = {one.enrolment_id for one in courses.was}
    for one, contact, account, deal in session.execute(query):
        if one.id in there:
            continue
        client = Client(
            account.name if account else contact.name,
            contact.name,
            one.deal_id,
            None,
            deal.title if deal else "",
        )
        moved = one.ended_at if one.stop_reason == StopReason.DEAL_MOVED else None
        begun = Begun(
            (0, one.id), one.sequence_key, client, one.contact_id, one.deal_id, one.started_at, moved, one.id
        )
        for course in (courses.was, courses.now, courses.would):
            course.append(begun)


def _past(session: Session, begun: Iterable[Begun], report: Report) -> _Past:
    found = list(begun)
    ids = sorted({one.contact_id for one in found})
    since = min((one.at for one in found), default=report.scope.since) - timedelta(days=60)
    people = {one: _Person() for one in ids}
    rows = session.execute(
        select(Contact.id, Account.zone, Account.country)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(Contact.id.in_(ids))
    )
    for contact_id, zone, country in rows:
        people[contact_id].zone, people[contact_id].country = zone, country
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
    return _Past(people, enrolments, _steps(session, enrolments))


def _opt_outs(session: Session, people: Mapping[int, _Person]) -> None:
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


def _steps(session: Session, enrolments: Mapping[int, Enrolment]) -> dict[int, list[_Real]]:
    query = (
        select(EnrolmentStep, outbox.Delivery.state, Task.state)
        .outerjoin(outbox.Delivery, outbox.Delivery.id == EnrolmentStep.delivery_id)
        .outerjoin(Task, Task.id == EnrolmentStep.task_id)
        .where(EnrolmentStep.enrolment_id.in_(enrolments), EnrolmentStep.outcome == "done")
        .order_by(EnrolmentStep.enrolment_id, EnrolmentStep.position)
    )
    found: dict[int, list[_Real]] = {}
    for row, delivery, task in session.execute(query):
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
        found.setdefault(row.enrolment_id, []).append(
            _Real(row.position, row.taken_at, step.kind, _said(step, row.taken_at), taken, row.delivery_id)
        )
    return found


def _said(step: SequenceStep, at: datetime) -> Happening:
    if step.kind is StepKind.TASK:
        return Happening(Code.TASK, step.titles.get("en", ""), step.titles, at)
    return Happening(Code.LETTER, f"{step.kind.value}:{step.template}", at=at)


def _played(
    begun: Begun | None, documents: Mapping[str, Document], past: _Past, house: House, until: datetime
) -> list[Happening]:
    if begun is None or begun.key not in documents:
        return []
    return _Run(begun, documents[begun.key], past, house, until).play()


class _Run:
    """One follow-up of one client, played from its beginning."""

    def __init__(self, begun: Begun, document: Document, past: _Past, house: House, until: datetime) -> None:
        self.steps = {step.position: step for step in steps_of(document)}
        self.gap = timedelta(hours=document["least_gap_hours"])
        self.person = past.people[begun.contact_id]
        self.house = house
        real = past.steps.get(begun.enrolment_id or 0, [])
        self.real = {(one.position, one.kind): one for one in real}
        own = {one.delivery_id for one in real}
        self.touches = [(at, counts) for at, counts, delivery in self.person.touches if delivery not in own]
        self.begun = begun
        self.ends = _ends(begun, document["stop_on"], self.person, past.enrolments, until)
        self.place = house.calendar_at(self.person.zone, self.person.country)

    def play(self) -> list[Happening]:
        """What goes out, in order."""
        if not self.steps:
            return []
        said: list[Happening] = []
        last: tuple[int, Taken] | None = None
        standing = Standing(1, due_after(self.steps[1], self.begun.at, self.place))
        now = standing.due_at
        for _ in range(MOST_LOOKS):
            now = max(now, self.person.back(self.begun.at, now))
            if now >= self.ends:
                break
            found = look(
                Standing(standing.position, standing.due_at, self._known(last, now)),
                self.steps,
                now,
                place=self.place,
                allowed=self._allowed,
                facts=partial(self._facts, now),
                behind=lambda _position: False,
            )
            if found.takes is not None:
                step = self.steps[found.takes]
                said.append(_said(step, now))
                last = (found.takes, self._taken(step, now))
                if step.kind is not StepKind.TASK:
                    self.touches.append((now, True))
            if found.state is not EnrolmentState.ACTIVE:
                break
            standing = Standing(found.position, found.due_at)
            now = max(now, self._sooner(last, found.due_at) if found.takes is not None else found.due_at)
        return said

    def _allowed(self, step: SequenceStep) -> Calendar:
        return self.place.within(step.window)

    def _taken(self, step: SequenceStep, now: datetime) -> Taken:
        real = self.real.get((step.position, step.kind))
        if real is None:
            return Taken(step.kind, now)
        known = real.taken
        return Taken(
            step.kind, now, known.result, known.result_at, failed=known.failed, task_done=known.task_done
        )

    def _known(self, last: tuple[int, Taken] | None, now: datetime) -> tuple[int, Taken] | None:
        """The last step with what was known of it by then."""
        if last is None:
            return None
        position, taken = last
        replied = max((at for at, _ in self.person.acts if taken.taken_at <= at <= now), default=None)
        told = taken.result if taken.result_at is not None and taken.result_at <= now else None
        return position, Taken(
            taken.kind,
            taken.taken_at,
            told,
            taken.result_at if told else None,
            replied,
            taken.failed,
            taken.task_done,
        )

    def _sooner(self, last: tuple[int, Taken] | None, due_at: datetime) -> datetime:
        """A result that a branch goes by is followed as soon as it is known."""
        if last is None or last[1].result is None or last[1].result_at is None:
            return due_at
        branches = self.steps[last[0]].branches
        goes = any(one["on"] == last[1].result.value for one in branches)
        return min(due_at, last[1].result_at) if goes else due_at

    def _facts(self, now: datetime, step: SequenceStep, calendar: Calendar) -> DueStep:
        channel = CHANNELS.get(step.kind)
        address = self.person.address(channel) if channel else None
        out = self.person.opted_out.get(channel) if channel else None
        before = [(at, counts) for at, counts in self.touches if at <= now]
        since = now - timedelta(days=self.house.budget.days)
        return DueStep(
            now=now,
            kind=step.kind,
            calendar=calendar,
            has_address=channel is None or address_key(channel, address) is not None,
            opted_out=out is not None and out[0] <= now and stopped_by(out[1], step),
            last_touch_at=max((at for at, _ in before), default=None),
            least_gap=self.gap,
            touches=tuple(sorted(at for at, counts in before if counts and at > since)),
            budget=self.house.budget,
        )


def _ends(
    begun: Begun,
    stop_on: Sequence[str],
    person: _Person,
    enrolments: Mapping[int, Enrolment],
    until: datetime,
) -> datetime:
    """When it ends at the latest: by what the client did, the deal's moving on, or a person's word."""
    ends = [until]
    ends += [at for at, act in person.acts if at > begun.at and act in stop_on][:1]
    if begun.ends is not None and "deal_moved" in stop_on:
        ends.append(begun.ends)
    enrolment = enrolments.get(begun.enrolment_id or 0)
    if enrolment is not None and enrolment.ended_at is not None:
        reason = enrolment.stop_reason
        ruled_out = reason in sequences.RULED and str(reason) not in stop_on
        if enrolment.state == EnrolmentState.STOPPED and not ruled_out:
            ends.append(enrolment.ended_at)
    return min(ends)
