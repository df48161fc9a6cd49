"""A person whose company is not known: who may see them, and everything that their page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from core import provenance
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.catalogue import ProductInterest
from core.consent import Suppression
from core.conversations import Conversation
from core.deals import Deal
from core.duplicates import KeptApart, Pair
from core.errors import NotFound
from core.provenance import Subject, Told
from core.search import folded
from core.sessions import SignedIn
from core.staff import Role
from core.tasks import Task
from desk import clientview
from desk.access import LEADERS, WORKERS, visible
from desk.clientview import DealRow, FirstTouch, Purchase, may_see

ALIKE = 5
"""Others who may be the same person that are shown."""


def may_see_person(viewer: SignedIn, *, alone: bool = False) -> ColumnElement[bool]:
    """That somebody may see a Contact: with whoever may see their client (joined as Account); where there is
    none, leaders, who may see one of their conversations, and who works in sales also by a deal of theirs.

    `alone`: only people without a client are asked about, and no Account is joined.
    """
    if viewer.role in LEADERS:
        return true()
    if viewer.role not in WORKERS:
        return false()
    talk = select(Conversation.id).where(Conversation.contact_id == Contact.id, visible(viewer)).limit(1)
    ways: list[ColumnElement[bool]] = [talk.correlate(Contact).scalar_subquery().is_not(None)]
    if viewer.role == Role.AGENT:
        mine = or_(Deal.owner_id == viewer.staff_id, Deal.performer_id == viewer.staff_id)
        deal = select(Deal.id).where(Deal.contact_id == Contact.id, mine).limit(1)
        ways.append(deal.correlate(Contact).scalar_subquery().is_not(None))
    if alone:
        return and_(Contact.account_id.is_(None), or_(*ways))
    placed = Contact.account_id.is_not(None)
    return or_(and_(placed, may_see(viewer)), and_(~placed, or_(*ways)))


def person_for(session: Session, viewer: SignedIn, contact_id: int) -> Contact:
    """The person, when somebody may see them. Raises NotFound otherwise, whether or not there is one."""
    query = (
        select(Contact)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(Contact.id == contact_id, may_see_person(viewer))
        .options(selectinload(Contact.points), joinedload(Contact.account))
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Everything beside the history on a person's page, read in a fixed number of queries."""

    contact: Contact
    origins: provenance.Origins
    suppressions: dict[str, Suppression]
    deals: list[DealRow]
    purchases: list[Purchase]
    interests: Sequence[Any]
    tasks: Sequence[Any]
    first: FirstTouch | None
    newest_talk: int | None
    alike: Sequence[Contact]
    """Others whom one may see and who may be the same person."""

    def whence(self, row: Contact | ContactPoint, field: str) -> Told | None:
        """Where a field's present value came from."""
        subject = Subject.CONTACT if isinstance(row, Contact) else Subject.POINT
        name = field if isinstance(row, Contact) else provenance.WHOLE
        return provenance.told(
            self.origins,
            subject,
            row.id,
            name,
            getattr(row, field),
            source=row.source,
            created_at=row.created_at,
        )


def read(session: Session, viewer: SignedIn, contact: Contact) -> PersonPage:
    """Read everything but the history."""
    subjects = [(Subject.CONTACT, contact.id), *((Subject.POINT, point.id) for point in contact.points)]

    def theirs(model: Any) -> ColumnElement[bool]:
        return model.contact_id == contact.id

    return PersonPage(
        contact=contact,
        origins=provenance.read(session, subjects),
        suppressions=clientview.suppressions(session, [contact]),
        deals=clientview.deals(session, viewer, theirs(Deal), near=False),
        purchases=clientview.purchases(session, theirs(Deal)),
        interests=clientview.interests(session, theirs(ProductInterest)),
        tasks=clientview.tasks(session, theirs(Task)),
        first=clientview.first_touch(session, viewer, theirs(Conversation)),
        newest_talk=clientview.newest_talk(session, viewer, theirs(Conversation)),
        alike=_alike(session, viewer, contact),
    )


def _alike(session: Session, viewer: SignedIn, contact: Contact) -> Sequence[Contact]:
    """People with the same number, or the same name in full, but for those kept apart."""
    numbers = [point.value for point in contact.points if point.kind == PointKind.PHONE]
    point = aliased(ContactPoint)
    shared = select(point.contact_id).where(point.kind == PointKind.PHONE, point.value.in_(numbers))
    ways: list[ColumnElement[bool]] = [Contact.id.in_(shared)]
    if " " in contact.name.strip():
        ways.append(folded(Contact.name) == folded(literal(contact.name)))
    low, high = func.least(Contact.id, contact.id), func.greatest(Contact.id, contact.id)
    apart = select(KeptApart.low_id).where(
        KeptApart.kind == Pair.CONTACT, KeptApart.low_id == low, KeptApart.high_id == high
    )
    query = (
        select(Contact)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(Contact.id != contact.id, or_(*ways), ~apart.exists(), may_see_person(viewer))
        .options(joinedload(Contact.account), selectinload(Contact.points))
        .order_by(Contact.id)
        .limit(ALIKE)
    )
    return session.scalars(query).all()
