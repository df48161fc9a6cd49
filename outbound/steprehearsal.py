"""Rehearsal of follow-ups: the steps that clients got, beside those they would have got by changed ones.

Each follow-up is played from the moment it began, through the same looks as in earnest; what the client and
colleagues did ends it when they did, and notes of absence have it wait. Holds by hand are not written down
and not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sequences
from core.accounts import Account, Contact
from core.deals import Deal
from core.followup import DueStep, Standing, Taken, due_after, look
from core.rehearsal import (
    MOST_FOLLOW_UPS,
    Change,
    Client,
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
    SequenceStep,
    StepKind,
    StopReason,
)
from core.sequencespec import document_of, steps_of
from core.worktime import Calendar
from outbound import steppast
from outbound.sequences import House
from outbound.steppast import Past, Person, said
from outbound.stepreads import address_key, stopped_by

MOST_LOOKS = 200
"""At one client in one follow-up; more would go round in a circle."""


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
    past = steppast.read(session, [one for trio in chosen for one in trio if one is not None], report)
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


def _played(
    begun: Begun | None, documents: Mapping[str, Document], past: Past, house: House, until: datetime
) -> list[Happening]:
    if begun is None or begun.key not in documents:
        return []
    return _Run(begun, documents[begun.key], past, house, until).play()


class _Run:
    """One follow-up of one client, played from its beginning."""

    def __init__(self, begun: Begun, document: Document, past: Past, house: House, until: datetime) -> None:
        self.steps = {step.position: step for step in steps_of(document)}
        self.gap = timedelta(hours=document["least_gap_hours"])
        self.past = past
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
        course: list[Happening] = []
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
                happens = said(step, now)
                task = step.kind is StepKind.TASK
                course.append(self.past.given(happens, self.begun, now) if task else happens)
                last = (found.takes, self._taken(step, now))
                if step.kind is not StepKind.TASK:
                    self.touches.append((now, True))
            if found.state is not EnrolmentState.ACTIVE:
                break
            standing = Standing(found.position, found.due_at)
            now = max(now, self._sooner(last, found.due_at) if found.takes is not None else found.due_at)
        return course

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
    person: Person,
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
