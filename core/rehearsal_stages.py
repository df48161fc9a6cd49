"""Rehearsal of stages: what clients did in their deals, played through the road as it is and as changed.

Letters propose or move by the stages' rules, what is paid, delivered, accepted and ticked off moves likewise,
and a colleague who moved a deal does it again, as far as the road lets them. Work goes to who was here that
day. What a deal lacks is judged by what is known of it today, since nobody writes down when a field was
filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import letters, payments, performers, proposals, readiness, stages
from core.conversations import Conversation, Message
from core.deals import Deal, DealLine, StageChange
from core.errors import FrontdeskError
from core.pipelines import Pipeline, Stage
from core.pipelineversions import stage_of
from core.rehearsal import (
    MOST_DEALS,
    Change,
    Client,
    Code,
    Happening,
    Kind,
    Report,
    Row,
    Scope,
    Tell,
)
from core.rehearsal_history import History
from core.rehearsal_staff import StaffOfOld
from core.sequences import Enrolment
from core.staff import StaffMember
from core.stages import MOST_HOPS

BY_RULE = "by rule"


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened to a deal."""

    at: datetime
    change: StageChange | None = None
    """A colleague moved it, or it was opened."""
    topic: str | None = None
    """What a letter asked for."""
    proposed: str | None = None
    """Key of the stage that it really proposed."""
    once: frozenset[str] = frozenset()
    """Events that hold in the stage in which they happen only: what came of a call."""
    held: frozenset[str] = frozenset()
    """Which events of `core.pipelinespec.EVENTS` hold from now on."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A follow-up that begins with an event of a deal, and until when it may last."""

    slot: tuple[int, int]
    """Deal and event, or an enrolment of its own: what courses are laid side by side by."""
    key: str
    client: Client
    contact_id: int
    deal_id: int | None
    at: datetime
    ends: datetime | None = None
    """The deal moved on or was closed."""
    enrolment_id: int | None = None
    workers: tuple[tuple[datetime, int | None], ...] = ()
    """Who works on the deal from which moment on; empty for who does so today."""


@dataclass(slots=True)
class _Did:
    """What one event came to in one course."""

    moved: Happening | None = None
    stage: Stage | None = None
    performer_id: int | None = None
    asked_performer: bool = False
    letter: Happening | None = None
    begins: str | None = None
    enrolment: Enrolment | None = None


@dataclass(slots=True)
class _Walk:
    """One deal on its way along a road, at one moment."""

    session: Session
    deal: Deal
    history: History
    staff: StaffOfOld
    at: datetime
    performer_id: int | None = None
    """Who works on it, where that is not its owner."""

    def ticked(self, stage: Stage) -> bool:
        """Whether all points of a stage's checklist were ticked off by now."""
        marks = self.history.marks.get(self.deal.id, {})
        done = [marks.get((stage.key, item["key"])) for item in stage.checklist]
        return bool(done) and all(at is not None and at <= self.at for at in done)


@dataclass(slots=True)
class Courses:
    """What the deals came to beside rows: the follow-ups that begin in each course."""

    was: list[Begun] = field(default_factory=list)
    now: list[Begun] = field(default_factory=list)
    would: list[Begun] = field(default_factory=list)


def road_of(document: Mapping[str, object]) -> list[Stage]:
    """The stages of a checked document, with numbers that no stored stage has."""
    made = [stage_of(one, position) for position, one in enumerate(document["stages"], start=1)]  # pyright: ignore[reportArgumentType]
    for stage in made:
        stage.id = -stage.position
    return made


def play(session: Session, report: Report, change: Change, tell: Tell) -> Courses:
    """Play the deals of the report's scope; with changed pipelines only those that are on them."""
    courses = Courses()
    deals = _deals(session, report, change)
    names = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    history = History(session, [deal.id for deal in deals])
    roads = {key: road_of(document) for key, document in change.pipelines.items()}
    staff = StaffOfOld(session, min((deal.opened_at for deal in deals), default=report.scope.since),
                       report.scope.until)  # fmt: skip
    for number, deal in enumerate(deals, start=1):
        tell("deals", number, len(deals))
        if report.late():
            break
        changed = roads.get(deal.pipeline.key, deal.pipeline.stages)
        walk = _Walk(session, deal, history, staff, deal.opened_at)
        _play_deal(report, courses, walk, changed, names)
        report.deals += 1
    tell("deals", len(deals), len(deals))
    return courses


def _deals(session: Session, report: Report, change: Change) -> list[Deal]:
    scope = report.scope
    query = (
        select(Deal)
        .join(Pipeline, Deal.pipeline_id == Pipeline.id)
        .options(
            selectinload(Deal.contact), selectinload(Deal.account), selectinload(Deal.stage),
            joinedload(Deal.pipeline).selectinload(Pipeline.stages),
            selectinload(Deal.lines).selectinload(DealLine.product),
            selectinload(Deal.changes).selectinload(StageChange.to_stage),
        )
        .order_by(Deal.id.desc())
        .limit(MOST_DEALS + 1)
    )  # fmt: skip
    if change.pipelines:
        query = query.where(Pipeline.key.in_(change.pipelines))
    found = list(session.scalars(query.where(*_within(scope))))
    report.cut = report.cut or len(found) > MOST_DEALS
    return found[:MOST_DEALS][::-1]


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    if scope.chosen:
        by_letters = (
            select(Conversation.deal_id).join(Message).where(Message.id.in_(scope.letters)).scalar_subquery()
        )
        return [or_(Deal.id.in_(scope.deals), Deal.id.in_(by_letters))]
    return [
        Deal.opened_at < scope.until,
        or_(Deal.closed_at.is_(None), Deal.closed_at >= scope.since),
    ]


def _events(deal: Deal, history: History, until: datetime) -> list[_Event]:
    events = [
        _Event(one.changed_at, change=one)
        for one in deal.changes
        if one.from_stage_id is None or not one.reason.startswith(BY_RULE)
    ]
    events += [
        _Event(at, topic=intent, proposed=proposed)
        for at, intent, message_id, proposed in history.letters.get(deal.id, [])
        if message_id != deal.trigger_message_id
    ]
    events += [_Event(at, once=once) for at, once in history.calls.get(deal.id, [])]
    if paid := _paid_at(deal, history):
        events.append(_Event(paid, held=frozenset({"paid"})))
    events += [_Event(at, held=frozenset({"meeting_accepted"})) for at in history.accepted.get(deal.id, [])]
    events += [_Event(at) for at in sorted(set(history.marks.get(deal.id, {}).values()))]
    if deal.id in history.delivered:
        events.append(_Event(history.delivered[deal.id], held=frozenset({"delivered"})))
    last = min(until, deal.closed_at or until)
    return sorted((one for one in events if one.at <= last), key=lambda one: (one.at, one.change is None))


def _paid_at(deal: Deal, history: History) -> datetime | None:
    """When the whole sum had come in."""
    if not deal.lines or deal.id not in history.paid:
        return None
    left = payments.asked(deal).amount
    for at, amount in history.paid[deal.id]:
        left -= amount
        if left <= 0:
            return at
    return None


def _play_deal(
    report: Report, courses: Courses, walk: _Walk, changed: Sequence[Stage], names: Mapping[int, str]
) -> None:
    scope, deal, history = report.scope, walk.deal, walk.history
    events = _events(deal, history, scope.until)
    was = _was(deal, events, history)
    now = _course(replace(walk), events, deal.pipeline.stages)
    would = now if changed is deal.pipeline.stages else _course(replace(walk), events, changed)
    client = _client(deal)
    for event, *dids in zip(events, was, now, would, strict=True):
        if event.at >= scope.since:
            report.rows += _rows(event, client, dids, names)
    for into, course in ((courses.was, was), (courses.now, now), (courses.would, would)):
        into += _begun(deal, client, events, course, scope)


def _client(deal: Deal) -> Client:
    person = deal.contact.name if deal.contact else ""
    return Client(
        deal.account.name if deal.account else person or deal.title, person, deal.id, None, deal.title
    )


def _was(deal: Deal, events: Sequence[_Event], history: History) -> list[_Did]:
    """What really came of each event; a move by rule belongs to the last event before it."""
    names = {stage.key: stage.names for stage in deal.pipeline.stages}
    made = [
        _Did(Happening(Code.PROPOSED, event.proposed, names.get(event.proposed, {}), why=event.topic or ""))
        if event.proposed
        else _Did()
        for event in events
    ]
    began = {one.started_at: one for one in history.enrolments.get(deal.id, [])}
    for change in deal.changes:
        places = [at for at, event in enumerate(events) if event.change is change]
        if not places:
            places = [at for at, event in enumerate(events) if event.at <= change.changed_at][-1:]
        if not places:
            continue
        did, stage = made[places[0]], change.to_stage
        why = change.reason if change.reason.startswith(BY_RULE) else ""
        did.moved = Happening(Code.STAGE, stage.key, stage.names, why=why)
        did.performer_id, did.asked_performer = change.performer_id, change.performer_id is not None
        did.stage = stage
        did.enrolment = began.get(change.changed_at)
        did.begins = did.enrolment.sequence_key if did.enrolment else None
        sent = history.sent.get(change.id)
        did.letter = Happening(Code.LETTER, sent.template or "") if sent is not None else None
    return made


def _course(walk: _Walk, events: Sequence[_Event], road: Sequence[Stage]) -> list[_Did]:
    """What would have come of each event on a road."""
    by_key = {stage.key: stage for stage in road}
    places = {key: proposals.place_of(stage) for key, stage in by_key.items()}
    present: Stage | None = None
    held: frozenset[str] = frozenset()
    made: list[_Did] = []
    for event in events:
        did = _Did()
        held |= event.held
        walk.at = event.at
        if event.change is not None:
            present = _by_hand(walk, event.change, present, by_key, road, did)
        elif event.topic is not None and present is not None:
            target = proposals.propose(event.topic, places[present.key], places)
            if target is not None:
                present = _by_letter(walk, present, by_key[target.key], event.topic, did)
        if present is not None:
            present = _by_rules(walk, present, road, held | event.once, did)
        made.append(did)
    return made


def _by_hand(
    walk: _Walk,
    change: StageChange,
    present: Stage | None,
    by_key: Mapping[str, Stage],
    road: Sequence[Stage],
    did: _Did,
) -> Stage | None:
    wanted = change.to_stage
    if present is None and change.from_stage_id is None:
        return _enter(walk, road[0], "", did, silent=True)
    target = by_key.get(wanted.key)
    if target is None:
        did.moved = Happening(Code.GONE, wanted.key, wanted.names)
        return present
    if present is None or target is present:
        return _enter(walk, target, "", did, silent=True) if present is None else present
    overruled = bool(change.lacking)
    if not stages.may_follow(present, target) and not overruled:
        did.moved = Happening(Code.NOT_NEXT, target.key, target.names)
        return present
    return _leave(walk, present, target, "", did, overruled=overruled)


def _by_letter(walk: _Walk, present: Stage, target: Stage, topic: str, did: _Did) -> Stage:
    if topic in target.automatic_on:
        return _leave(walk, present, target, f"{BY_RULE}: {topic}", did)
    did.moved = Happening(Code.PROPOSED, target.key, target.names, why=topic)
    return present


def _by_rules(walk: _Walk, present: Stage, road: Sequence[Stage], held: frozenset[str], did: _Did) -> Stage:
    for _ in range(MOST_HOPS):
        now = held | {"checklist"} if walk.ticked(present) else held
        found = stages.by_event(present, road, now, "automatic_on") if now else None
        if found is None:
            break
        after = _leave(walk, present, found[0], f"{BY_RULE}: {found[1]}", did)
        if after is present:
            break
        present = after
    return present


def _leave(
    walk: _Walk,
    present: Stage,
    target: Stage,
    why: str,
    did: _Did,
    *,
    overruled: bool = False,
) -> Stage:
    missing = (
        []
        if overruled or stages.goes_back(present, target)
        else readiness.lacks(walk.session, walk.deal, stage=present)
    )
    if missing:
        did.moved = Happening(Code.LACKS, target.key, target.names, why=", ".join(one.key for one in missing))
        return present
    return _enter(walk, target, why, did)


def _enter(walk: _Walk, stage: Stage, why: str, did: _Did, *, silent: bool = False) -> Stage:
    did.moved, did.stage = Happening(Code.STAGE, stage.key, stage.names, why=why), stage
    if silent:
        # A deal is opened in its first stage; that sends nothing and asks for nobody.
        return stage
    deal, here = walk.deal, walk.staff.on(walk.at)
    chosen = performers.performer_of(walk.session, deal, stage, here=here, present_id=walk.performer_id)
    did.performer_id = walk.performer_id = chosen.staff_id
    did.asked_performer = True
    did.begins = stage.sequence if deal.contact is not None else None
    did.letter = None
    if stage.template:
        try:
            letters.reader_of(deal, stage.template)
            did.letter = Happening(Code.LETTER, stage.template)
        except FrontdeskError as error:
            did.letter = Happening(Code.UNSENT, stage.template, why=error.message)
    return stage


def _rows(event: _Event, client: Client, dids: Sequence[_Did], names: Mapping[int, str]) -> list[Row]:
    was, now, would = dids
    rows = []
    opened = event.change is not None and event.change.from_stage_id is None
    if any(one.moved for one in dids):
        rows.append(Row(event.at, Kind.MOVED, client, was.moved, now.moved, would.moved))
    if any(one.letter for one in dids):
        rows.append(Row(event.at, Kind.SENT, client, was.letter, now.letter, would.letter))
    if any(one.begins for one in dids):
        rows.append(Row(event.at, Kind.BEGUN, client, *(_follow_up(one) for one in dids)))
    if not opened and (was.asked_performer or was.moved is None):
        handed = [_performer(one, names) for one in dids]
        if any(handed):
            rows.append(Row(event.at, Kind.HANDED, client, *handed))
    return rows


def _follow_up(did: _Did) -> Happening | None:
    return Happening(Code.FOLLOW_UP, did.begins) if did.begins else None


def _performer(did: _Did, names: Mapping[int, str]) -> Happening | None:
    if not did.asked_performer:
        return None
    if did.performer_id is None:
        return Happening(Code.QUEUE)
    return Happening(Code.PERSON, str(did.performer_id), {"en": names.get(did.performer_id, "?")})


def _begun(
    deal: Deal, client: Client, events: Sequence[_Event], course: Sequence[_Did], scope: Scope
) -> list[Begun]:
    entered = [
        (number, event.at, did)
        for number, (event, did) in enumerate(zip(events, course, strict=True))
        if did.stage is not None
    ]
    ends = [at for _, at, _ in entered[1:]] + [deal.closed_at]
    workers = [(at, did.performer_id if did.asked_performer else deal.owner_id) for _, at, did in entered]
    return [
        Begun(
            (deal.id, number),
            did.begins,
            client,
            deal.contact_id,
            deal.id,
            at,
            end,
            did.enrolment.id if did.enrolment else None,
            tuple(workers[place:]),
        )
        for place, ((number, at, did), end) in enumerate(zip(entered, ends, strict=True))
        if did.begins and deal.contact_id is not None and at >= scope.since
    ]
