"""A page of due follow-ups: everything the decisions and the letters need, read with a query a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

from core import consent, sequences
from core.accounts import Channel, PointKind
from core.approvalreads import unapproved
from core.budget import UNSENT, Budget, Touches, touches
from core.consent import Scope
from core.deals import Deal, DealLine
from core.dialling import takes_sms
from core.errors import InputRefused
from core.followup import Taken
from core.jobkinds import PAGE
from core.letters import PURPOSES
from core.outbox import DeliveryState, Purpose
from core.sequences import CHANNELS, Result, SequenceStep, StepKind
from core.tasks import TaskState
from core.values import is_email

POINTS: dict[Channel, PointKind] = {
    Channel.EMAIL: PointKind.EMAIL,
    Channel.SMS: PointKind.PHONE,
    Channel.VOICE: PointKind.PHONE,
    Channel.FAX: PointKind.FAX,
}
"""Which contact point each channel reaches."""
FAILED = frozenset({*UNSENT, DeliveryState.BOUNCED, DeliveryState.COMPLAINED})

_DUE = text("""
select e.id, e.sequence_id, e.contact_id, e.deal_id, e.next_position, e.due_at, e.replied_at,
    c.name, c.language, a.id as account_id, coalesce(a.name, '') as company, a.code, a.zone, a.country,
    a.curator_id, s.language as curator_language
from (
    select id from enrolment where state = 'active' and due_at <= :now order by due_at, id limit :most
    for update skip locked
) as due
join enrolment e on e.id = due.id
join contact c on c.id = e.contact_id
left join account a on a.id = c.account_id
left join staff_member s on s.id = a.curator_id
order by e.due_at, e.id
""")

_LOG = text("""
select l.enrolment_id, l.position, l.outcome, l.taken_at, l.result, l.result_at,
    d.state as delivery, t.state as task, a.decided_at as released_at
from enrolment_step l
left join delivery d on d.id = l.delivery_id
left join approval a on a.delivery_id = l.delivery_id
left join task t on t.id = l.task_id
where l.enrolment_id = any(:ids) order by l.enrolment_id, l.position
""")

_POINTS = text("select contact_id, kind, value from contact_point where contact_id = any(:ids) order by id")
_SUPPRESSED = text("select address, scope from suppression where channel = :channel and address = any(:keys)")

_TALKS_OF_DEALS = text("""
select distinct on (deal_id) deal_id as whose, id, language, mailbox from conversation
where deal_id = any(:ids) order by deal_id, last_message_at desc, id desc
""")
_TALKS_OF_CONTACTS = text("""
select distinct on (contact_id) contact_id as whose, id, language, mailbox from conversation
where contact_id = any(:ids) order by contact_id, last_message_at desc, id desc
""")

_THREADS = text("""
select conversation_id, array_agg(rfc_id order by happened_at, id) from message
where conversation_id = any(:ids) and rfc_id is not null group by conversation_id
""")


@dataclass(frozen=True, slots=True)
class Due:
    """An enrolment whose next step is due, with its contact."""

    id: int
    sequence_id: int
    contact_id: int
    deal_id: int | None
    next_position: int
    due_at: datetime
    replied_at: datetime | None
    name: str
    language: str | None
    account_id: int | None
    company: str
    code: str | None
    zone: str | None
    country: str | None
    curator_id: int | None
    curator_language: str | None


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation a letter continues."""

    id: int
    language: str | None
    mailbox: str | None


@dataclass(slots=True)
class Road:
    """The steps of one version of a sequence."""

    steps: dict[int, SequenceStep]
    least_gap_hours: int

    def ahead(self, position: int) -> Iterator[SequenceStep]:
        """What may be taken when a position is looked at: its step, and where the one before leads."""
        before = self.steps.get(position - 1)
        leads = [branch.get("to") for branch in before.branches] if before is not None else []
        for number in dict.fromkeys([position, *leads]):
            if number in self.steps:
                yield self.steps[number]


@dataclass(slots=True)
class Page:
    """Due enrolments and what is known about them."""

    now: datetime
    due: Sequence[Due]
    roads: dict[int, Road]
    touches: Touches
    addresses: dict[tuple[int, PointKind], str] = field(default_factory=dict)
    mobiles: dict[int, str] = field(default_factory=dict)
    """By contact whose step is an SMS: their first number that takes one."""
    opted_out: dict[tuple[Channel, str], Scope] = field(default_factory=dict)
    """What the list stops, by channel and address key."""
    taken: set[tuple[int, int]] = field(default_factory=set)
    """Enrolment and position of every step that is behind."""
    last: dict[int, tuple[int, Taken]] = field(default_factory=dict)
    """By enrolment: position of the last step that was taken and what is known of it."""
    unapproved: set[int] = field(default_factory=set)
    """Enrolments of which a step still waits for somebody's word."""
    deals: dict[int, Deal] = field(default_factory=dict)
    talk_of_deal: dict[int, Talk] = field(default_factory=dict)
    talk_of_contact: dict[int, Talk] = field(default_factory=dict)
    threads: dict[int, list[str]] = field(default_factory=dict)

    def address(self, due: Due, kind: StepKind) -> str | None:
        """Where a step of that kind reaches the contact."""
        channel = CHANNELS.get(kind)
        if channel is Channel.SMS and due.contact_id in self.mobiles:
            return self.mobiles[due.contact_id]
        return self.addresses.get((due.contact_id, POINTS[channel])) if channel else None

    def talk(self, due: Due) -> Talk | None:
        """The deal's newest conversation, else the contact's newest one."""
        of_deal = self.talk_of_deal.get(due.deal_id) if due.deal_id is not None else None
        return of_deal or self.talk_of_contact.get(due.contact_id)


def address_key(channel: Channel, address: str | None) -> str | None:
    """The address as the suppression list knows it; None where nothing can be sent to it."""
    if not address or (channel is Channel.EMAIL and not is_email(address)):
        return None
    try:
        return consent.address_key(channel, address)
    except InputRefused:
        return None


def purpose_of(step: SequenceStep) -> Purpose:
    """What a step's letter is for: marketing, unless its template is known to serve."""
    return PURPOSES.get(step.template or "", Purpose.MARKETING)


def stopped_by(scope: Scope | None, step: SequenceStep) -> bool:
    """Whether the list stops a step; who wants no mailings still gets what serves them, as at the sending."""
    return scope is Scope.EVERYTHING or (scope is not None and purpose_of(step) is Purpose.MARKETING)


def read(session: Session, now: datetime, budget: Budget) -> Page | None:
    """Lock and read the next page of due enrolments; None when nothing is due."""
    due = [Due(*row) for row in session.execute(_DUE, {"now": now, "most": PAGE})]
    if not due:
        return None
    roads = _roads(session, {one.sequence_id for one in due})
    contacts = sorted({one.contact_id for one in due})
    page = Page(now, due, roads, touches(session, contacts, now, budget))
    _addresses(session, page, contacts)
    _log(session, page)
    deal_ids = sorted({one.deal_id for one in due if one.deal_id is not None})
    if deal_ids:
        page.deals = {deal.id: deal for deal in _deals(session, deal_ids)}
        page.talk_of_deal = _talks(session, _TALKS_OF_DEALS, deal_ids)
    page.talk_of_contact = _talks(session, _TALKS_OF_CONTACTS, contacts)
    talks = sorted({talk.id for one in due if (talk := page.talk(one))})
    if talks:
        page.threads = dict(session.execute(_THREADS, {"ids": talks}).all())
    return page


def _roads(session: Session, ids: Iterable[int]) -> dict[int, Road]:
    query = (
        select(sequences.Sequence)
        .where(sequences.Sequence.id.in_(ids))
        .options(selectinload(sequences.Sequence.steps))
    )
    return {
        one.id: Road(
            {step.position: step for step in one.steps},
            one.least_gap_hours,
        )
        for one in session.scalars(query)
    }


def _addresses(session: Session, page: Page, contacts: Sequence[int]) -> None:
    texted = {
        one.contact_id
        for one in page.due
        if any(step.kind is StepKind.SMS for step in page.roads[one.sequence_id].ahead(one.next_position))
    }
    for contact_id, kind, value in session.execute(_POINTS, {"ids": contacts}):
        page.addresses.setdefault((contact_id, PointKind(kind)), value)
        if kind == PointKind.PHONE and contact_id in texted and takes_sms(value):
            page.mobiles.setdefault(contact_id, value)
    wanted: dict[Channel, set[str]] = {}
    for one in page.due:
        for step in page.roads[one.sequence_id].ahead(one.next_position):
            channel = CHANNELS.get(step.kind)
            if channel and (key := address_key(channel, page.address(one, step.kind))):
                wanted.setdefault(channel, set()).add(key)
    for channel, keys in wanted.items():
        found = session.execute(_SUPPRESSED, {"channel": channel.value, "keys": list(keys)})
        page.opted_out |= {(channel, key): Scope(scope) for key, scope in found}


def _log(session: Session, page: Page) -> None:
    replied = {one.id: one.replied_at for one in page.due}
    kinds = {one.id: page.roads[one.sequence_id].steps for one in page.due}
    for row in session.execute(_LOG, {"ids": list(replied)}):
        page.taken.add((row.enrolment_id, row.position))
        if unapproved(row.delivery):
            page.unapproved.add(row.enrolment_id)
        step = kinds[row.enrolment_id].get(row.position)
        if row.outcome != "done" or step is None:
            continue
        page.last[row.enrolment_id] = (
            row.position,
            Taken(
                step.kind,
                row.released_at or row.taken_at,
                result=Result(row.result) if row.result else None,
                result_at=row.result_at,
                replied_at=replied[row.enrolment_id],
                failed=row.delivery in FAILED,
                task_done=row.task == TaskState.DONE,
                released_at=row.released_at,
            ),
        )


def _deals(session: Session, ids: Sequence[int]) -> Iterable[Deal]:
    return session.scalars(
        select(Deal)
        .where(Deal.id.in_(ids))
        # Many deals share a stage, an owner and products: each of those is read once, not once a row.
        .options(
            selectinload(Deal.owner),
            selectinload(Deal.performer),
            selectinload(Deal.stage),
            selectinload(Deal.lines).selectinload(DealLine.product),
        )
    )


def _talks(session: Session, query: Any, ids: Sequence[int]) -> dict[int, Talk]:
    rows = session.execute(query, {"ids": ids})
    return {row.whose: Talk(row.id, row.language, row.mailbox) for row in rows}
