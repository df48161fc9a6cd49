"""Clients and colleagues for the tests of this room."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from core import accounts, deals, defaults, staff
from core.accounts import Contact
from core.catalogue import Product
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, DealLine
from core.staff import Role, StaffMember


def colleague(session: Session, name: str = "Rasa", **kwargs: object) -> StaffMember:
    """A staff member."""
    return staff.add(session, email=f"{name.lower()}@mes.lt", name=name, **{"role": Role.AGENT, **kwargs})  # pyright: ignore[reportArgumentType]


def client(session: Session, address: str = "ona@vandenis.lt", name: str = "Ona Petraitė") -> Contact:
    """A contact, with the account of its domain."""
    contact = accounts.find_or_add_contact(session, address=address, name=name, language="lt")
    contact.language = "lt"
    return contact


def pump(session: Session) -> Product:
    """A product with a price."""
    product = Product(
        key="pump-cr",
        names={"en": "Pump CR", "ru": "Насос CR", "lt": "Siurblys CR"},
        summaries={"en": "Lifts water.", "ru": "Поднимает воду.", "lt": "Kelia vandenį."},
        articles=["CR-10"],
        price=Decimal("499.99"),
    )
    session.add(product)
    session.flush()
    return product


def letter(
    session: Session, contact: Contact, subject: str = "Siurbliai", rfc_id: str = "1@vandenis.lt"
) -> Message:
    """An incoming letter in a conversation of its own."""
    conversation = Conversation(subject=subject, contact=contact, account=contact.account, language="lt")
    message = Message(
        conversation=conversation,
        contact=contact,
        direction=Direction.IN,
        rfc_id=rfc_id,
        subject=subject,
        sender=contact.email or "",
        reply="Kiek kainuoja?",
    )
    session.add_all([conversation, message])
    session.flush()
    return message


def deal_with_lines(session: Session, contact: Contact, owner: StaffMember | None = None) -> Deal:
    """An open deal for three pumps."""
    defaults.install(session)
    deal = deals.open_deal(session, contact=contact, title="Siurbliai", owner_id=owner.id if owner else None)
    deal.lines.append(DealLine(product=pump(session), quantity=Decimal(3), price=Decimal("499.99")))
    session.flush()
    return deal
