"""What came in for a deal and what was handed over: payments and delivery notes with their numbers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Date, ForeignKey, Numeric, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db import Base, Id
from core.deals import Deal, Outcome
from core.errors import Conflict, IllegalTransition, InputRefused
from core.staff import StaffMember
from core.values import Money

MOST = Decimal(1_000_000_000)
"""A sum is below this."""


class Payment(Base):
    """Money that came in for a deal."""

    __tablename__ = "payment"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    """With VAT, in the deal's currency."""
    paid_on: Mapped[date] = mapped_column(Date)
    number: Mapped[str] = mapped_column(Text)
    """Of the document it is booked by."""
    note: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]
    """Taken back: it was entered by mistake."""

    staff_member: Mapped[StaffMember | None] = relationship()


class DeliveryNote(Base):
    """Goods or work handed over for a deal."""

    __tablename__ = "delivery_note"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    delivered_on: Mapped[date] = mapped_column(Date)
    number: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]

    staff_member: Mapped[StaffMember | None] = relationship()


def _number(number: str) -> str:
    number = " ".join(number.split())
    if not number:
        raise InputRefused("The number of the document is missing.")
    if len(number) > 60:
        raise InputRefused("The number of the document is longer than 60 characters.")
    return number


def _open(session: Session, deal: Deal) -> None:
    """A won deal is still paid and delivered; a lost one is not."""
    session.refresh(deal, with_for_update={"of": Deal})
    if deal.outcome == Outcome.LOST:
        raise IllegalTransition("The deal is lost.", cure="Open it again first.")


def pay(
    session: Session,
    deal: Deal,
    *,
    amount: Decimal,
    paid_on: date,
    number: str,
    note: str = "",
    by: int | None = None,
) -> Payment:
    """Note a payment, with VAT, in the deal's currency.

    Raises InputRefused for a sum or number that is none, Conflict when the deal has a payment of that number
    and sum already.
    """
    _open(session, deal)
    if not 0 < amount < MOST:
        raise InputRefused("The sum must be more than nothing.")
    number, amount = _number(number), amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if any(one.number == number and one.amount == amount for one in payments(session, deal.id)):
        raise Conflict("This payment has been entered already.", cure="Look at the list of payments.")
    payment = Payment(
        deal_id=deal.id, amount=amount, paid_on=paid_on, number=number, note=note.strip(), staff_id=by
    )
    session.add(payment)
    session.flush()
    return payment


def deliver(
    session: Session, deal: Deal, *, delivered_on: date, number: str, note: str = "", by: int | None = None
) -> DeliveryNote:
    """Note what was handed over. Raises InputRefused for no number, Conflict when it is there already."""
    _open(session, deal)
    number = _number(number)
    if any(one.number == number for one in delivery_notes(session, deal.id)):
        raise Conflict("This delivery note has been entered already.", cure="Look at the list.")
    made = DeliveryNote(
        deal_id=deal.id, delivered_on=delivered_on, number=number, note=note.strip(), staff_id=by
    )
    session.add(made)
    session.flush()
    return made


def take_back(session: Session, entry: Payment | DeliveryNote) -> None:
    """It was entered by mistake; it stays in the log and no longer counts."""
    entry.undone_at = entry.undone_at or func.now()
    session.flush()


def payments(session: Session, deal_id: int) -> list[Payment]:
    """The payments that count, oldest first."""
    query = select(Payment).where(Payment.deal_id == deal_id, Payment.undone_at.is_(None))
    return list(session.scalars(query.order_by(Payment.paid_on, Payment.id)))


def delivery_notes(session: Session, deal_id: int) -> list[DeliveryNote]:
    """The delivery notes that count, oldest first."""
    query = select(DeliveryNote).where(DeliveryNote.deal_id == deal_id, DeliveryNote.undone_at.is_(None))
    return list(session.scalars(query.order_by(DeliveryNote.delivered_on, DeliveryNote.id)))


def asked(deal: Deal) -> Money:
    """What the whole deal costs, with VAT."""
    return deal.total + deal.total.times(deal.vat_rate / Decimal(100))


def owed(session: Session, deal: Deal) -> Money:
    """What is still to be paid, with VAT; below nought when more came in than was asked."""
    total = asked(deal)
    came = sum((one.amount for one in payments(session, deal.id)), Decimal(0))
    return Money(total.amount - came, deal.currency)
