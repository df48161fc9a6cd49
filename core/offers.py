"""What a deal is about: its products with quantity and price, and the terms they are offered on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy.orm import Session

from core.catalogue import Product
from core.deals import Deal, DealLine, hold
from core.errors import InputRefused
from core.pipelinespec import PERFORMER

MOST = Decimal(1_000_000_000)
"""A quantity or a price is below this."""
LINES = 200
"""Products of one deal."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deal says besides its products; VAT in per cent."""

    title: str
    need: str
    solution: str
    payment_terms: str
    delivery_terms: str
    vat_rate: Decimal


def open_for_changes(session: Session, deal: Deal) -> None:
    """Hold a deal for a change. Raises DealClosed for a closed one."""
    hold(session, deal)


def add_line(
    session: Session, deal: Deal, product: Product, *, quantity: Decimal, price: Decimal | None
) -> DealLine:
    """Put a product on sale into an open deal, at its price of the catalogue when none is given.

    The first product decides the deal's currency. Raises InputRefused for a quantity or price out of
    bounds, for a product no longer sold, and when there is no price to take.
    """
    if not product.active:
        raise InputRefused("The product is not sold any more.", cure="Choose another one.")
    if len(deal.lines) >= LINES:
        raise InputRefused("A deal holds at most 200 products.")
    if not deal.lines:
        deal.currency = product.currency
    if price is None and product.currency == deal.currency:
        price = product.price
    if price is None:
        raise InputRefused("The catalogue has no price for this product.", cure="Write the price.")
    line = DealLine(product=product, quantity=_quantity(quantity), price=_price(price))
    deal.lines.append(line)
    session.flush()
    return line


def change_line(line: DealLine, *, quantity: Decimal, price: Decimal) -> None:
    """Give a line another quantity and price. Raises InputRefused when one is out of bounds."""
    line.quantity, line.price = _quantity(quantity), _price(price)


def remove_line(session: Session, deal: Deal, line: DealLine) -> None:
    """Take a product out of a deal."""
    deal.lines.remove(line)
    session.flush()


def set_terms(deal: Deal, terms: Terms) -> None:
    """Write down what the client needs, what we propose and on which terms.

    Raises InputRefused when VAT is no per cent.
    """
    if not 0 <= terms.vat_rate <= 100:
        raise InputRefused("VAT is between 0 and 100 per cent.")
    deal.title, deal.need, deal.solution = terms.title, terms.need, terms.solution
    deal.payment_terms, deal.delivery_terms = terms.payment_terms, terms.delivery_terms
    deal.vat_rate = terms.vat_rate.quantize(Decimal("0.01"), ROUND_HALF_UP)


def set_approver(deal: Deal, approver: str) -> None:
    """Say whose word the deal's proposals and offers need before they leave; empty for nobody's.

    Raises InputRefused for one that names nobody.
    """
    if approver and not PERFORMER.fullmatch(approver):
        raise InputRefused("Choose whose word is needed.")
    deal.approver = approver


def _quantity(value: Decimal) -> Decimal:
    if not 0 < value < MOST:
        raise InputRefused("The quantity must be more than nothing.")
    rounded = value.quantize(Decimal("0.001"), ROUND_HALF_UP)
    if not rounded:
        raise InputRefused("The quantity must be more than nothing.")
    return rounded


def _price(value: Decimal) -> Decimal:
    if not 0 <= value < MOST:
        raise InputRefused("The price must not be negative.")
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
