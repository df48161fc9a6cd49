"""A letter and its copies taken together: held, let go and cancelled as one, told apart by whose they are.

Each of them is a delivery of its own with its own fate. What people decide on the letter before it leaves
holds for all that have not left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Channel
from core.consent import Scope, Suppression, address_key
from core.copies import Reader
from core.errors import IllegalTransition
from core.outbox import Delivery, DeliveryState, Purpose
from core.outbox_pages import Claimed
from core.values import BadAddress, normal_email

S = DeliveryState
WITH_THE_LETTER = {
    S.QUEUED: (frozenset({S.HELD}), S.QUEUED),
    S.HELD: (frozenset({S.QUEUED}), S.HELD),
    S.CANCELLED: (frozenset({S.HELD, S.QUEUED, S.CLAIMED, S.DEFERRED}), S.CANCELLED),
    S.SUPPRESSED: (frozenset({S.HELD, S.QUEUED}), S.CANCELLED),
}
"""What a person's word makes of the copies: from which states, and into which."""
LEFT = frozenset({S.TRANSMITTING, S.SENT, S.UNCERTAIN, S.DELIVERED, S.BOUNCED, S.COMPLAINED})
"""States of what somebody has got, or may have got."""
KEPT_BACK = frozenset({S.SUPPRESSED, S.CANCELLED, S.EXPIRED})
"""States of what we ourselves let nobody have; who refused it was written to all the same."""


def settle(
    session: Session,
    delivery_id: int,
    state: DeliveryState,
    *,
    detail: str = "",
    staff_id: int | None = None,
    wait: timedelta = timedelta(),
) -> list[Delivery]:
    """Bring a letter, and what of its copies has not left, into another state as `core.outbox.settle` does.

    Returns the copies that have left already, or may have. Raises IllegalTransition where the table forbids
    it for the letter itself, or where it is to be held though one of its copies is on its way.
    """
    copies = session.scalars(
        select(Delivery)
        .where(or_(Delivery.id == delivery_id, Delivery.copy_of_id == delivery_id))
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    outbox.settle(session, delivery_id, state, detail=detail, staff_id=staff_id, wait=wait)
    sources, becomes = WITH_THE_LETTER[state]
    left = [
        one for one in copies if one.copy_of_id is not None and one.state in (LEFT | {S.CLAIMED}) - sources
    ]
    if left and state == S.HELD:
        raise IllegalTransition("A copy of the letter is on its way already.")
    for one in copies:
        if one.copy_of_id is not None and one.state in sources:
            outbox.settle(session, one.id, becomes, detail=detail, staff_id=staff_id, wait=wait)
    return left


def readers(session: Session, delivery_id: int) -> list[Reader]:
    """Who else gets a letter, in the order in which they were named."""
    query = select(Delivery.recipient_name, Delivery.address).where(Delivery.copy_of_id == delivery_id)
    return [Reader(name, address) for name, address in session.execute(query.order_by(Delivery.id))]


def left_out(session: Session, letters: Collection[int]) -> dict[int, set[str]]:
    """The readers of some letters to whom we send nothing of it, by address.

    Their own delivery was kept back, or has not left and will be, because they have opted out since. Who
    had the letter before they opted out is no such reader.
    """
    if not letters:
        return {}
    whole = func.coalesce(Delivery.copy_of_id, Delivery.id)
    closed = and_(
        Suppression.address.is_not(None),
        or_(Suppression.scope == Scope.EVERYTHING, Delivery.purpose == Purpose.MARKETING),
        Delivery.state.not_in(LEFT | {S.REFUSED}),
    )
    query = (
        select(whole, Delivery.address)
        .outerjoin(
            Suppression,
            and_(Suppression.channel == Delivery.channel, Suppression.address == Delivery.address_key),
        )
        .where(or_(Delivery.id.in_(letters), Delivery.copy_of_id.in_(letters)))
        .where(or_(Delivery.state.in_(KEPT_BACK), closed))
    )
    found: dict[int, set[str]] = {}
    for letter, address in session.execute(query):
        found.setdefault(letter, set()).add(address)
    return found


def readdressed(session: Session, claimed: Sequence[Claimed]) -> tuple[Sequence[Claimed], Collection[int]]:
    """A page whose headers name only readers that the letter is sent to, and the copies that go to nobody."""
    letters = {one.letter_id for one in claimed if one.addressed is not None}
    without = left_out(session, letters)
    if not without:
        return claimed, ()
    page: list[Claimed] = []
    kept_back: set[int] = set()
    for one in claimed:
        gone = without.get(one.letter_id)
        if gone is None or one.addressed is None:
            page.append(one)
            continue
        if one.copy_of_id is not None and any(address in gone for _, address in one.addressed["to"]):
            kept_back.add(one.id)
        named = {
            field: [pair for pair in pairs if pair[1] not in gone] for field, pairs in one.addressed.items()
        }
        page.append(replace(one, addressed=named))
    return page, kept_back


def meant(session: Session, delivery: Delivery, addresses: Iterable[str]) -> Delivery | None:
    """Which of a letter and its copies some addresses speak of; None where they name none of them.

    All of them have one Message-ID, so whoever refers to it may be any of their readers. A letter without
    copies is always the one that is meant.
    """
    if delivery.copy_of_id is None and delivery.addressed is None:
        return delivery
    keys = _keys(addresses)
    whole = delivery.copy_of_id or delivery.id
    query = (
        select(Delivery)
        .where(or_(Delivery.id == whole, Delivery.copy_of_id == whole), Delivery.address_key.in_(keys))
        .order_by((Delivery.id == delivery.id).desc(), Delivery.id)
        .limit(1)
    )
    return session.scalar(query) if keys else None


def _keys(addresses: Iterable[str]) -> Collection[str]:
    keys = set()
    for one in addresses:
        try:
            keys.add(address_key(Channel.EMAIL, normal_email(one)))
        except BadAddress:
            continue
    return keys


def ids_with_copies(session: Session, delivery_id: int | None) -> Sequence[int]:
    """The deliveries that one message in the history stands for."""
    if delivery_id is None:
        return []
    copies = select(Delivery.id).where(Delivery.copy_of_id == delivery_id).order_by(Delivery.id)
    return [delivery_id, *session.scalars(copies)]
