"""Which clients somebody may see, the list of them, and everything the page of one shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, false, func, or_, select, true, union
from sqlalchemy.orm import Session, joinedload, selectinload

from core import completeness, duplicates, handover, merging, provenance
from core.accounts import Account, Channel, Contact, PointKind
from core.catalogue import Product, ProductInterest
from core.completeness import Completeness
from core.consent import Suppression, address_key, suppressed
from core.conversations import Conversation, Message
from core.deals import Deal, DealLine, Outcome
from core.duplicates import ContactDouble, Double
from core.errors import NotFound
from core.handover import AtWork
from core.labels import Classification
from core.merging import ClientMerge
from core.provenance import Origin, Subject, Told
from core.sessions import SignedIn
from core.staff import Role, StaffMember
from core.tasks import Task, TaskState
from core.values import Money
from desk.access import LEADERS, SALES, WORKERS, visible

MANY_TALKS = 2_000
MOST = 60
"""Contacts, deals and the like that one page shows."""


def _ways(viewer: SignedIn) -> list[ColumnElement[bool]]:
    """What lets somebody see one Account, each as a condition that an index answers.

    The first conversation rather than whether one exists: else all of them would be collected beforehand.
    """
    talk = select(Conversation.id).where(Conversation.account_id == Account.id, visible(viewer)).limit(1)
    ways: list[ColumnElement[bool]] = [talk.correlate(Account).scalar_subquery().is_not(None)]
    if viewer.role == Role.AGENT:
        ways.append(Account.curator_id == viewer.staff_id)
        mine = or_(Deal.owner_id == viewer.staff_id, Deal.performer_id == viewer.staff_id)
        deal = select(Deal.id).where(Deal.account_id == Account.id, mine).limit(1)
        ways.append(deal.correlate(Account).scalar_subquery().is_not(None))
    return ways


def may_see(viewer: SignedIn) -> ColumnElement[bool]:
    """That somebody may see an Account: leaders all; others where they may see one of its conversations, and
    who works in sales also what they curate or have a deal with. Nobody else, nothing else."""
    if viewer.role in LEADERS:
        return true()
    return or_(*_ways(viewer)) if viewer.role in WORKERS else false()


def seen_among_many(session: Session, viewer: SignedIn) -> ColumnElement[bool]:
    """The same for a list of many.

    Whoever sees few conversations has the clients' ids collected first; for whoever sees many, a page is full
    after a short walk along the list, and each client on the way is asked for by itself.
    """
    if viewer.role in LEADERS:
        return true()
    if viewer.role not in WORKERS:
        return false()
    some = select(Conversation.id).where(visible(viewer)).limit(MANY_TALKS).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) >= MANY_TALKS:
        return or_(*_ways(viewer))
    parts: list[Any] = [
        select(Conversation.account_id).where(visible(viewer), Conversation.account_id.is_not(None))
    ]
    if viewer.role == Role.AGENT:
        me = viewer.staff_id
        parts.append(select(Account.id).where(Account.curator_id == me))
        parts += [
            select(Deal.account_id).where(column == me, Deal.account_id.is_not(None))
            for column in (Deal.owner_id, Deal.performer_id)
        ]
    found = union(*parts).subquery()
    return Account.id.in_(select(found.c[0]))


def client_for(session: Session, viewer: SignedIn, account_id: int) -> Account:
    """The client, when this person may see it. Raises NotFound otherwise, whether or not it exists."""
    query = (
        select(Account)
        .where(Account.id == account_id, may_see(viewer))
        .options(joinedload(Account.curator), selectinload(Account.domains))
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def contact_of(session: Session, account: Account, contact_id: int | None) -> Contact:
    """A contact of the client. Raises NotFound for any other."""
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    if contact is None or contact.account_id != account.id:
        raise NotFound
    return contact


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal of the client."""

    deal: Deal
    mine: bool
    """Whoever looks may open it."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the client bought of one product."""

    product: Product
    quantity: Any
    sum: Money
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class FirstTouch:
    """How we came into touch, as the first message and the first deal say."""

    at: datetime | None
    conversation_id: int | None
    subject: str
    direction: str
    channel: str
    intent: str | None
    mine: bool
    """Whoever looks may read it."""


@dataclass(frozen=True, slots=True)
class ClientPage:
    """Everything beside the history on a client's page, read in a fixed number of queries."""

    account: Account
    contacts: list[Contact]
    completeness: Completeness
    origins: provenance.Origins
    suppressions: dict[str, Suppression]
    deals: list[DealRow]
    purchases: list[Purchase]
    interests: Sequence[Any]
    tasks: Sequence[Any]
    others: list[AtWork]
    doubles: list[Double]
    open_doubles: set[int]
    """Those of them that whoever looks may see, and so may merge."""
    people_twice: list[ContactDouble]
    merges: list[ClientMerge]
    first: FirstTouch | None
    newest_talk: int | None
    """The newest conversation that whoever looks may see."""

    def whence(self, row: Account | Contact | Any, field: str) -> Told | None:
        """Where a field's present value came from."""
        value = getattr(row, field)
        if isinstance(row, Account):
            subject, source, at = Subject.ACCOUNT, _made_by(row), row.created_at
        elif isinstance(row, Contact):
            subject, source, at = Subject.CONTACT, row.source, row.created_at
        else:
            subject, source, at, field = Subject.POINT, row.source, row.created_at, provenance.WHOLE
        told = provenance.told(self.origins, subject, row.id, field, value, source=source, created_at=at)
        for one in self.merges:
            taken = one.filled.get(field, {}).get("after", {}).get("it")
            if one.stays_id == row.id and taken is not None and taken == getattr(value, "value", value):
                return Told(Origin.MERGE, one.merged_at, one.staff_member.name if one.staff_member else "")
        return told


def _made_by(account: Account) -> str | None:
    """How a client's record was made; its source may also say how the client heard of us."""
    return account.source if account.source in provenance.RECORD_SOURCES else None


def read(session: Session, viewer: SignedIn, account: Account) -> ClientPage:
    """Read everything but the history."""
    contacts = list(
        session.scalars(
            select(Contact)
            .where(Contact.account_id == account.id)
            .options(selectinload(Contact.points))
            .order_by(Contact.last_in_at.desc().nulls_last(), Contact.id)
            .limit(MOST)
        )
    )
    doubles = duplicates.of_account(session, account, contacts)
    open_doubles = select(Account.id).where(
        Account.id.in_([one.account_id for one in doubles]), may_see(viewer)
    )
    near = account.curator_id == viewer.staff_id or viewer.role in LEADERS

    def theirs(model: Any) -> ColumnElement[bool]:
        return model.account_id == account.id

    subjects = [(Subject.ACCOUNT, account.id)]
    subjects += [(Subject.CONTACT, one.id) for one in contacts]
    subjects += [(Subject.POINT, point.id) for one in contacts for point in one.points]
    return ClientPage(
        account=account,
        contacts=contacts,
        completeness=completeness.of(account, contacts),
        origins=provenance.read(session, subjects),
        suppressions=suppressions(session, contacts),
        deals=deals(session, viewer, theirs(Deal), near=near),
        purchases=purchases(session, theirs(Deal)),
        interests=interests(session, theirs(ProductInterest)),
        tasks=tasks(session, theirs(Task)),
        others=[one for one in handover.at_work(session, account.id) if one.staff_id != viewer.staff_id],
        doubles=doubles,
        open_doubles=set(session.scalars(open_doubles)),
        people_twice=duplicates.among_contacts(session, contacts),
        merges=merging.of_account(session, account.id),
        first=first_touch(session, viewer, theirs(Conversation)),
        newest_talk=newest_talk(session, viewer, theirs(Conversation)),
    )


def newest_talk(session: Session, viewer: SignedIn, theirs: ColumnElement[bool]) -> int | None:
    """The newest of their conversations that whoever looks may see."""
    query = select(Conversation.id).where(theirs, visible(viewer))
    return session.scalar(query.order_by(Conversation.last_message_at.desc()).limit(1))


def suppressions(session: Session, contacts: Sequence[Contact]) -> dict[str, Suppression]:
    """What stands against their mail addresses, by address as it is shown."""
    keys = {
        point.value: address_key(Channel.EMAIL, point.value)
        for one in contacts
        for point in one.points
        if point.kind == PointKind.EMAIL
    }
    found = suppressed(session, Channel.EMAIL, sorted(set(keys.values()))) if keys else {}
    return {address: found[key] for address, key in keys.items() if key in found}


def deals(session: Session, viewer: SignedIn, theirs: ColumnElement[bool], *, near: bool) -> list[DealRow]:
    """Their deals, those under way first; ``near`` is who may open each of them."""
    seen = exists().where(Conversation.deal_id == Deal.id, visible(viewer))
    query = (
        select(Deal, seen)
        .where(theirs)
        .options(
            joinedload(Deal.stage), joinedload(Deal.owner), joinedload(Deal.performer),
            joinedload(Deal.pipeline), selectinload(Deal.lines),
        )
        .order_by(Deal.outcome.is_not(None), Deal.id.desc())
        .limit(MOST)
    )  # fmt: skip
    return [
        DealRow(
            deal,
            viewer.role in SALES
            and (near or in_talk or viewer.staff_id in (deal.owner_id, deal.performer_id)),
        )
        for deal, in_talk in session.execute(query)
    ]


def purchases(session: Session, theirs: ColumnElement[bool]) -> list[Purchase]:
    """What they bought, by product and currency, the newest first."""
    query = (
        select(
            Product,
            func.sum(DealLine.quantity),
            func.sum(func.round(DealLine.quantity * DealLine.price, 2)),
            Deal.currency,
            func.max(Deal.closed_at),
        )
        .join(DealLine, DealLine.product_id == Product.id)
        .join(Deal, Deal.id == DealLine.deal_id)
        .where(theirs, Deal.outcome == Outcome.WON)
        .group_by(Product.id, Deal.currency)
        .order_by(func.max(Deal.closed_at).desc().nulls_last())
        .limit(MOST)
    )
    return [
        Purchase(product, quantity, Money(total, currency), at)
        for product, quantity, total, currency, at in session.execute(query)
    ]


def interests(session: Session, theirs: ColumnElement[bool], limit: int = MOST) -> Sequence[Any]:
    """By product: the surest and the newest sign, how many there were, and whether a colleague saw one."""
    query = (
        select(
            Product.names,
            Product.key,
            func.max(ProductInterest.created_at).label("at"),
            func.count().label("times"),
            func.bool_or(ProductInterest.staff_id.is_not(None)).label("by_hand"),
            func.max(ProductInterest.confidence).label("confidence"),
        )
        .join(Product)
        .where(theirs)
        .group_by(Product.id)
        .order_by(func.max(ProductInterest.created_at).desc())
        .limit(limit)
    )
    return session.execute(query).all()


def tasks(session: Session, theirs: ColumnElement[bool]) -> Sequence[Any]:
    """What is to be done for them, the most urgent first."""
    query = (
        select(
            Task.id, Task.title, Task.due_at, (Task.due_at < func.now()).label("over"),
            StaffMember.name.label("assignee"), Task.assignee_id,
        )
        .outerjoin(StaffMember, Task.assignee_id == StaffMember.id)
        .where(theirs, Task.state == TaskState.OPEN)
        .order_by(Task.due_at.nulls_last(), Task.id)
        .limit(12)
    )  # fmt: skip
    return session.execute(query).all()


def first_touch(session: Session, viewer: SignedIn, theirs: ColumnElement[bool]) -> FirstTouch | None:
    """The first message with them."""
    query: Any = (
        select(
            Message.happened_at,
            Message.conversation_id,
            Message.subject,
            Message.direction,
            Message.channel,
            Classification.intent,
            visible(viewer).label("mine"),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Classification, Classification.message_id == Message.id)
        .where(theirs)
        .order_by(Message.happened_at, Message.id)
        .limit(1)
    )
    row = session.execute(query).first()
    return FirstTouch(*row) if row is not None else None
