"""A deal's products and terms: what may be put in, at which price and in which currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import defaults, offers
from core.audit import AuditEntry
from core.catalogue import Product
from core.db import transaction
from core.deals import Deal, DealLine, open_deal
from core.errors import InputRefused, NotAllowed
from core.offers import Terms
from core.staff import Role
from tests.core.people import client, colleague, deal_with_lines

AMOUNTS = st.decimals(min_value=-10, max_value=2 * offers.MOST, allow_nan=False, places=4)


def _terms(vat: Decimal) -> Terms:
    return Terms(title="", need="", solution="", payment_terms="", delivery_terms="", vat_rate=vat)


def _product(key: str, price: str | None, currency: str = "EUR", *, active: bool = True) -> Product:
    amount = Decimal(price) if price is not None else None
    return Product(key=key, names={"en": key}, price=amount, currency=currency, active=active)


@given(AMOUNTS, AMOUNTS)
def test_what_a_line_takes_fits_its_columns_and_is_no_loss(quantity: Decimal, price: Decimal) -> None:
    line = DealLine(quantity=Decimal(1), price=Decimal(2))
    try:
        offers.change_line(line, quantity=quantity, price=price)
    except InputRefused:
        assert (line.quantity, line.price) == (Decimal(1), Decimal(2))
    else:
        assert Decimal("0.001") <= line.quantity <= offers.MOST
        assert Decimal(0) <= line.price <= offers.MOST


@pytest.mark.parametrize("vat", ["-0.01", "100.01"])
def test_vat_is_a_per_cent(vat: str) -> None:
    with pytest.raises(InputRefused):
        offers.set_terms(Deal(), _terms(Decimal(vat)))


def test_the_first_product_decides_the_currency_and_another_one_needs_a_price(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        defaults.install(session)
        deal = open_deal(session, contact=None)
        pounds, euros = _product("valve", "10.00", "GBP"), _product("pump", "20.00")
        session.add_all([pounds, euros])
        offers.add_line(session, deal, pounds, quantity=Decimal(3), price=None)
        assert (deal.currency, deal.total.amount) == ("GBP", Decimal("30.00"))
        with pytest.raises(InputRefused, match="no price"):
            offers.add_line(session, deal, euros, quantity=Decimal(1), price=None)
        offers.add_line(session, deal, euros, quantity=Decimal(1), price=Decimal("17.50"))
        assert deal.total.amount == Decimal("47.50")


def test_what_is_not_sold_any_more_is_not_offered(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        defaults.install(session)
        deal = open_deal(session, contact=None)
        old = _product("old", "10.00", active=False)
        session.add(old)
        with pytest.raises(InputRefused, match="not sold"):
            offers.add_line(session, deal, old, quantity=Decimal(1), price=None)


def test_a_line_taken_out_is_gone(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        defaults.install(session)
        deal = open_deal(session, contact=None)
        product = _product("pump", "20.00")
        session.add(product)
        line = offers.add_line(session, deal, product, quantity=Decimal(1), price=None)
        offers.remove_line(session, deal, line)
        assert session.scalars(sa.select(DealLine)).all() == []


def test_whose_word_is_needed_is_changed_by_who_may_and_written_down(session: Session) -> None:
    agent, head = colleague(session), colleague(session, "Helen", role=Role.HEAD)
    deal = deal_with_lines(session, client(session), agent)
    offers.set_approver(session, deal, f"person:{head.email}", by=agent.id)
    with pytest.raises(NotAllowed):
        offers.set_approver(session, deal, "", by=agent.id)
    offers.set_approver(session, deal, "owner", by=head.id)
    offers.set_approver(session, deal, "", by=agent.id)
    found = session.execute(sa.select(AuditEntry.staff_id, AuditEntry.after).order_by(AuditEntry.id)).all()
    assert [(by, after["approver"]) for by, after in found if after and "approver" in after] == [
        (agent.id, f"person:{head.email}"), (head.id, "owner"), (agent.id, ""),
    ]  # fmt: skip
