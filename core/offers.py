"""What a deal is about: its products with quantity and price, and the terms they are offered on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy.orm import Session

from core import approvers, audit
from core.approvers import Whose
from core.catalogue import Product
from core.deals import Deal, DealLine, hold
from core.errors import InputRefused, NotAllowed
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


def may_set_approver(session: Session, deal: Deal, by: int, *, leads: bool) -> bool:
    """Whether somebody may say whose word the deal's offers need: anybody asks for one where none is needed;
    after that who leads, and whoever is asked now.
    """
    if leads or not deal.approver:
        return True
    curator_id = deal.account.curator_id if deal.account is not None else None
    whose = Whose(owner_id=deal.owner_id, curator_id=curator_id)
    return by in approvers.choose(deal.approver, approvers.colleagues(session), whose).ids


def set_approver(session: Session, deal: Deal, approver: str, *, by: int, leads: bool = False) -> None:
    """Say whose word the deal's proposals and offers need before they leave; empty for nobody's.

    Raises InputRefused for one that names nobody, NotAllowed for somebody who may not.
    """
    if approver == deal.approver:
        return
    if approver and not PERFORMER.fullmatch(approver):
        raise InputRefused("Choose whose word is needed.")
    if not may_set_approver(session, deal, by, leads=leads):
        raise NotAllowed("Only who is asked, or the head of sales, may change whose word is needed.")
    before, deal.approver = deal.approver, approver
    name = deal.title or f"S-{deal.id}"
    after = {"approver": approver}
    audit.note(session, by, "changed", "deal", deal.id, name, before={"approver": before}, after=after)


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
