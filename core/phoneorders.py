"""What we asked an exchange for: an SMS or a call, its cost as we count it, and what it said of it since.

One order belongs to one delivery of the send ledger and is written in the transaction that marks the delivery
as being transmitted. So it is there before anything can be told of it: callbacks carry the delivery's token,
and what a list holds is compared with number, words and time. Statuses are kept by rank, not by arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import deadnumbers, outbox
from core.accounts import Channel
from core.consent import Scope, SuppressionReason, suppress
from core.db import Base, Id
from core.outbox import Delivery, DeliveryState
from core.phonecodes import Blame, blame, in_words
from core.values import BadPhone


class OrderKind(StrEnum):
    """What was asked for."""

    SMS = "sms"
    MESSAGE = "message"
    """An automatic call that says a text."""
    CLICK = "click"
    """A call that rings a colleague first and then the client."""
    TRIAL = "trial"
    """A call to a colleague who wants to hear how a text sounds."""
    FAX = "fax"


class TextStatus(StrEnum):
    """How far an SMS has come, in the exchange's words."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    CANCELED = "canceled"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"


RANK: Final[dict[TextStatus, int]] = {status: rank for rank, status in enumerate(TextStatus)}
"""A status is replaced by one of higher rank only. That a text did not arrive goes before that it did: where
both are told, a person looks."""
ARRIVED: Final = frozenset({TextStatus.DELIVERED, TextStatus.READ})
LOST: Final = frozenset({TextStatus.CANCELED, TextStatus.FAILED, TextStatus.UNDELIVERED})

CREATED_WITHIN: Final = timedelta(minutes=10)
"""An order and a row of the exchange's list belong together only this close in time."""
OPEN: Final = (DeliveryState.TRANSMITTING, DeliveryState.UNCERTAIN, DeliveryState.SENT)
"""States in which a delivery may still learn its id from a list."""


class PhoneOrder(Base):
    """What a delivery asked of an exchange."""

    __tablename__ = "phone_order"
    __table_args__ = (Index("ix_phone_order_number", "number", "ordered_at"),)

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), unique=True)
    kind: Mapped[OrderKind]
    channel: Mapped[Channel]
    number: Mapped[str] = mapped_column(Text)
    """The client's, E.164."""
    dialled: Mapped[str] = mapped_column(Text)
    """The number that is rung or written to first: the client's, or the colleague's in click-to-call."""
    sender: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    """The words of the SMS, or those that are said."""
    units: Mapped[int]
    """Parts of an SMS; faxes; minutes of a call, at first the most it may last and then what it did."""
    ordered_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    sid: Mapped[str | None] = mapped_column(Text, unique=True)
    """The exchange's id, once known."""
    status: Mapped[TextStatus | None]
    error_code: Mapped[int | None]
    answered_by: Mapped[str | None] = mapped_column(Text)
    """Who took an automatic call, in the exchange's words: human, machine_end_beep, fax, unknown."""
    pressed: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Keys that the callee pressed."""
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Why a call did not reach its client."""
    looked_up_at: Mapped[datetime | None]
    """When the exchange's list was last asked for an order whose fate is open."""

    delivery: Mapped[Delivery] = relationship()


def by_token(session: Session, token: str) -> PhoneOrder | None:
    """The order of the delivery with that token."""
    if not token:
        return None
    query = select(PhoneOrder).join(Delivery).where(Delivery.token == token)
    return session.scalar(query)


def by_sid(session: Session, sid: str) -> PhoneOrder | None:
    """The order that the exchange knows under that id."""
    return session.scalar(select(PhoneOrder).where(PhoneOrder.sid == sid))


def words_of(session: Session, delivery_id: int | None) -> str:
    """What an automatic call said; empty for anything else."""
    if delivery_id is None:
        return ""
    query = select(PhoneOrder.text).where(
        PhoneOrder.delivery_id == delivery_id, PhoneOrder.kind == OrderKind.MESSAGE
    )
    return session.scalar(query) or ""


def matching(
    session: Session, *, channel: Channel, dialled: str, text: str | None, at: datetime
) -> PhoneOrder | None:
    """The open order without an id that a row of the exchange's list must be; None where there is none.

    Number, words (of an SMS) and time have to fit; of several that do, the nearest in time.
    """
    query = (
        select(PhoneOrder)
        .join(Delivery)
        .where(
            PhoneOrder.sid.is_(None),
            PhoneOrder.channel == channel,
            PhoneOrder.dialled == dialled,
            PhoneOrder.ordered_at.between(at - CREATED_WITHIN, at + CREATED_WITHIN),
            Delivery.state.in_(OPEN),
        )
        .order_by(func.abs(func.extract("epoch", PhoneOrder.ordered_at - at)), PhoneOrder.id)
        .limit(1)
    )
    if text is not None:
        query = query.where(PhoneOrder.text == text)
    return session.scalar(query)


def bind(session: Session, order: PhoneOrder, sid: str) -> bool:
    """Give an order its id at the exchange; False where it has another one, or another order has this."""
    if order.sid is not None or by_sid(session, sid) is not None:
        return order.sid == sid
    order.sid = sid
    session.flush()
    return True


def taken(session: Session, sids: dict[int, str]) -> None:
    """The exchange answered with its ids (by delivery); what it told before we knew is caught up with.

    To be called in the transaction that settles these deliveries, after it has.
    """
    if not sids:
        return
    query = select(PhoneOrder).where(PhoneOrder.delivery_id.in_(sids)).order_by(PhoneOrder.id)
    for order in session.scalars(query.execution_options(populate_existing=True)):
        bind(session, order, sids[order.delivery_id])
        catch_up(session, order)


def text_told(session: Session, order: PhoneOrder, status: TextStatus, code: int | None) -> None:
    """Put a status of an SMS on record, and bring its delivery where that leads."""
    hold(session, order)
    present = TextStatus(order.status) if order.status else None
    if present is None or RANK[status] > RANK[present]:
        order.status = status
        order.error_code = code
    session.flush()
    catch_up(session, order)


def hold(session: Session, order: PhoneOrder) -> DeliveryState:
    """Lock the order's delivery until the transaction ends, read both anew, and return its state.

    A worker that records what it sent holds the same lock, so each of the two sees what the other wrote.
    """
    query = select(Delivery.state).where(Delivery.id == order.delivery_id).with_for_update()
    state = DeliveryState(session.execute(query).scalar_one())
    session.refresh(order)
    return state


def catch_up(session: Session, order: PhoneOrder) -> None:
    """Bring a delivery into the state that what was told of it says, as far as its own state allows."""
    state = hold(session, order)
    if order.sid is None and order.status is None:
        return
    if state == DeliveryState.UNCERTAIN:
        outbox.settle(session, order.delivery_id, DeliveryState.SENT, detail="found at the exchange")
        state = DeliveryState.SENT
    status = TextStatus(order.status) if order.status else None
    if status in ARRIVED and state == DeliveryState.SENT:
        outbox.settle(session, order.delivery_id, DeliveryState.DELIVERED, detail=order.reason)
    elif status in LOST and state in {DeliveryState.SENT, DeliveryState.DELIVERED}:
        said = order.reason or in_words(order.error_code) or str(status)
        outbox.settle(session, order.delivery_id, DeliveryState.BOUNCED, detail=said)
        _close_number(session, order, said)


def _close_number(session: Session, order: PhoneOrder, said: str) -> None:
    """At once where the exchange is sure of it, else when the same was told often enough."""
    whose = blame(order.error_code)
    sure = whose in {Blame.NUMBER, Blame.OPTED_OUT}
    scope = Scope.EVERYTHING if sure else deadnumbers.judge(session, order.delivery, said)
    if scope is None:
        return
    reason = SuppressionReason.UNSUBSCRIBED if whose is Blame.OPTED_OUT else SuppressionReason.BOUNCED
    try:
        suppress(
            session, Channel(order.channel), order.number, scope=scope, reason=reason,
            source=f"delivery {order.delivery_id}: {said}"[:300],
        )  # fmt: skip
    except BadPhone:
        return


def settle_known(session: Session) -> int:
    """Bring uncertain deliveries to where their orders know they are; returns how many were looked at.

    A worker may die, or be swept, after the exchange has told everything.
    """
    query = (
        select(PhoneOrder)
        .join(Delivery)
        .where(Delivery.state == DeliveryState.UNCERTAIN)
        .where(PhoneOrder.sid.is_not(None) | PhoneOrder.status.is_not(None))
        .order_by(PhoneOrder.id)
        .limit(500)
    )
    known = session.scalars(query).all()
    for order in known:
        catch_up(session, order)
    return len(known)


def open_ones(session: Session, limit: int = 50) -> Sequence[PhoneOrder]:
    """Orders whose fate the exchange may know, those first that were asked for longest ago."""
    query = (
        select(PhoneOrder)
        .join(Delivery)
        .where(Delivery.state == DeliveryState.UNCERTAIN, PhoneOrder.sid.is_(None))
        .where(PhoneOrder.kind != OrderKind.FAX)
        .order_by(PhoneOrder.looked_up_at.asc().nulls_first(), PhoneOrder.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def looked_for(session: Session, order: PhoneOrder) -> None:
    """Write down that the exchange is asked for an order, and on its delivery that it was in vain so far."""
    if order.looked_up_at is not None:
        order.delivery.error = "the exchange was asked, and has nothing of it so far"
    order.looked_up_at = func.now()  # pyright: ignore[reportAttributeAccessIssue] - the database's clock
    session.flush()


def ids_since(session: Session, before: datetime, after: datetime) -> set[str]:
    """Ids of orders that were taken between two moments, without those that never went any further."""
    query = select(PhoneOrder.sid).where(
        PhoneOrder.sid.is_not(None),
        PhoneOrder.ordered_at > after,
        PhoneOrder.ordered_at < before,
        func.coalesce(PhoneOrder.status, "").not_in([TextStatus.FAILED, TextStatus.CANCELED]),
    )
    return {sid for sid in session.scalars(query) if sid}


def known_ids(session: Session, sids: Collection[str]) -> set[str]:
    """Those of some ids that belong to our orders."""
    query = select(PhoneOrder.sid).where(PhoneOrder.sid.in_(sids))
    return {sid for sid in session.scalars(query) if sid}


def counts(session: Session) -> dict[str, dict[str, int]]:
    """How many orders of each channel are in each state of their deliveries."""
    rows = session.execute(
        select(PhoneOrder.channel, Delivery.state, func.count())
        .join(Delivery)
        .group_by(PhoneOrder.channel, Delivery.state)
    )
    found: dict[str, dict[str, int]] = {Channel.SMS.value: {}, Channel.VOICE.value: {}}
    for channel, state, count in rows:
        found.setdefault(Channel(channel).value, {})[DeliveryState(state).value] = count
    return found
