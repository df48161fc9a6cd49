"""Who appears in the demonstration: the company of `company.toml`, put into the database."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import deals, defaults, staff
from core.accounts import Account, AccountDomain, BuyingRole, Contact, ContactPoint, PointKind
from core.catalogue import Product
from core.deals import DealLine, LossReason, Outcome, Stage, WinReason
from core.staff import Role, StaffMember
from core.values import Language, normal_phone

FILE = Path(__file__).with_name("company.toml")


@cache
def company() -> dict[str, Any]:
    """What stands in `company.toml`."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def domain() -> str:
    """The domain of all our addresses."""
    return company()["domain"]


def mailboxes() -> dict[str, str]:
    """The names of our mailboxes with their addresses."""
    return {one["name"]: f"{one['name']}@{domain()}" for one in company()["mailbox"]}


def number() -> str:
    """The company's telephone number in E.164."""
    return normal_phone(company()["company"]["phone"])


def arrive(session: Session) -> None:
    """Put everybody and everything into an empty database: staff, products, clients, and their deals."""
    defaults.install(session)
    logins = {one["login"]: _add_staff(session, one) for one in company()["staff"]}
    products = {one["key"]: _add_product(session, one) for one in company()["product"]}
    stages = {one.key: one for one in deals.default_pipeline(session).stages}
    for one in company()["client"]:
        _add_client(session, one, logins, products, stages)


def colleague(session: Session, login: str) -> StaffMember:
    """One of the staff by what they sign in with."""
    return session.scalars(select(StaffMember).where(StaffMember.email == f"{login}@{domain()}")).one()


def _add_staff(session: Session, given: dict[str, Any]) -> StaffMember:
    return staff.add(
        session,
        email=f"{given['login']}@{domain()}",
        name=given["name"],
        role=Role(given["role"]),
        language=Language(given["language"]),
        speaks=given["speaks"],
        password=company()["sign_in"],
        team=given["team"],
        position=given["position"],
        phone=given.get("phone"),
    )


def _add_product(session: Session, given: dict[str, Any]) -> Product:
    product = Product(
        key=given["key"],
        names=given["names"],
        terms=given["terms"],
        articles=[given["article"]],
        summaries=given["summaries"],
        unit=given["unit"],
        price=Decimal(given["price"]),
    )
    session.add(product)
    return product


def _add_client(
    session: Session,
    given: dict[str, Any],
    logins: dict[str, StaffMember],
    products: dict[str, Product],
    stages: dict[str, Stage],
) -> None:
    curator = logins[given["curator"]]
    account = Account(
        name=given["name"],
        industry=given["industry"],
        region=given["region"],
        country=given["country"],
        zone=given.get("zone"),
        source="import",
        curator=curator,
        domains=[AccountDomain(domain=given["domain"])],
    )
    contacts = [
        Contact(
            account=account,
            name=one["name"],
            position=one.get("position", ""),
            language=one["language"],
            buying_role=BuyingRole(one["buying_role"]) if "buying_role" in one else None,
            source="import",
            points=[
                ContactPoint(kind=kind, value=one[name], source="import")
                for kind, name in ((PointKind.EMAIL, "email"), (PointKind.PHONE, "phone"))
                if name in one
            ],
        )
        for one in given["contact"]
    ]
    session.add_all([account, *contacts])
    session.flush()
    for sale in given.get("deal", ()):
        deal = deals.open_deal(
            session,
            contact=contacts[0],
            title=sale["title"],
            source="import",
            owner_id=curator.id,
            reason="brought along from the former list",
        )
        deal.need = sale.get("need", "")
        deal.payment_terms = sale.get("payment_terms", "")
        deal.delivery_terms = sale.get("delivery_terms", "")
        deal.lines = [
            DealLine(
                product=products[line["product"]],
                quantity=Decimal(line["quantity"]),
                price=products[line["product"]].price or Decimal(0),
            )
            for line in sale["lines"]
        ]
        session.flush()
        # Moved without `enter_stage`: these stages sent their documents before frontdesk was here.
        if sale["stage"] != deal.stage.key:
            deals.move(session, deal, stages[sale["stage"]], staff_id=curator.id, reason="as it stood")
        if "outcome" in sale:
            outcome = Outcome(sale["outcome"])
            won = WinReason.PRODUCT if outcome == Outcome.WON else None
            lost = LossReason.PRICE if outcome == Outcome.LOST else None
            deals.close(session, deal, outcome, win_reason=won, loss_reason=lost)
