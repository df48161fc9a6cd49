"""Clients: accounts (companies), their contacts (people) and contact points (addresses and numbers)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Computed, ForeignKey, Index, Text, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db import Base, Id
from core.staff import StaffMember
from core.values import email_domain, is_free_mail, normal_email, normal_phone


class Channel(StrEnum):
    """A way to reach somebody."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    FAX = "fax"


class PointKind(StrEnum):
    """What a contact point is."""

    EMAIL = "email"
    PHONE = "phone"
    FAX = "fax"


class Account(Base):
    """A client: one company."""

    __tablename__ = "account"
    # Which clients are somebody's is asked with every page; the second column spares a look at each of them.
    __table_args__ = (Index("ix_account_curated", "curator_id", "id"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, index=True)
    code: Mapped[str | None] = mapped_column(Text, index=True)
    """Company code or tax number."""
    industry: Mapped[str | None] = mapped_column(Text, index=True)
    region: Mapped[str | None] = mapped_column(Text, index=True)
    zone: Mapped[str | None] = mapped_column(Text)
    """Time zone of the client's place (IANA), where it is not ours."""
    country: Mapped[str | None] = mapped_column(Text)
    """ISO 3166-1 code, for its public holidays."""
    source: Mapped[str | None] = mapped_column(Text)
    """How the client heard of us, or where the record came from."""
    curator_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """The staff member who answers for the client as a whole."""
    employees: Mapped[int | None]
    """How many people work there, as far as known."""
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    """Words that colleagues put on the client; segments ask for them."""
    first_contact_at: Mapped[datetime | None]
    first_reason: Mapped[str | None] = mapped_column(Text)
    """Why we first came into touch, in a colleague's words; empty where the first letter says it."""
    last_in_at: Mapped[datetime | None]
    """When anybody there last wrote or called, as `core.contactfacts` last counted."""
    last_out_at: Mapped[datetime | None]
    completeness: Mapped[int] = mapped_column(default=0, server_default="0", index=True)
    """How full the card is, of a hundred, as `core.cardscores` last counted."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    curator: Mapped[StaffMember | None] = relationship()
    contacts: Mapped[list[Contact]] = relationship(back_populates="account")
    domains: Mapped[list[AccountDomain]] = relationship(back_populates="account")


class AccountDomain(Base):
    """A mail domain that belongs to one account; never a free-mail domain."""

    __tablename__ = "account_domain"

    domain: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)

    account: Mapped[Account] = relationship(back_populates="domains")


class BuyingRole(StrEnum):
    """What part a contact plays in the client's buying."""

    DECISION_MAKER = "decision_maker"
    INFLUENCER = "influencer"
    CHAMPION = "champion"
    USER = "user"
    BUYER = "buyer"
    GATEKEEPER = "gatekeeper"


class Contact(Base):
    """A person at a client, or one whose company is not known yet."""

    __tablename__ = "contact"

    id: Mapped[Id]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str | None] = mapped_column(Text)
    """The language they write in, once known."""
    buying_role: Mapped[BuyingRole | None]
    source: Mapped[str] = mapped_column(Text, default="hand")
    """Where the record came from: mail, call, import, hand."""
    away_until: Mapped[date | None]
    """The day they are back, as their own note of absence said."""
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    last_in_at: Mapped[datetime | None]
    """When they last wrote or called, as `core.contactfacts` last counted."""
    last_out_at: Mapped[datetime | None]
    last_mailing_at: Mapped[datetime | None]
    """When a mailing or follow-up last went out to them."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    account: Mapped[Account | None] = relationship(back_populates="contacts")
    points: Mapped[list[ContactPoint]] = relationship(
        back_populates="contact", order_by="(ContactPoint.main.desc(), ContactPoint.id)"
    )
    """The main ones first."""

    @property
    def email(self) -> str | None:
        """Their main e-mail address, else the first."""
        return next((point.value for point in self.points if point.kind == PointKind.EMAIL), None)

    @property
    def phone(self) -> str | None:
        """Their main phone number, else the first, E.164."""
        return next((point.value for point in self.points if point.kind == PointKind.PHONE), None)


class ContactPoint(Base):
    """One address or number of a contact, in its normal form.

    An e-mail address belongs to one contact; a switchboard's number may belong to several.
    """

    __tablename__ = "contact_point"
    __table_args__ = (UniqueConstraint("contact_id", "kind", "value"),)

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    kind: Mapped[PointKind]
    value: Mapped[str] = mapped_column(Text, index=True)
    key: Mapped[str] = mapped_column(
        Text, Computed(r"regexp_replace(value, '^([^@+]+)\+[^@]*@', '\1@')", persisted=True), index=True
    )
    """The form under which it would be suppressed: without a ``+tag``; the database's affair."""
    main: Mapped[bool] = mapped_column(default=False, server_default="false")
    """The one to use first, of several of its kind."""
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What a colleague calls it: reception, private, accounts."""
    source: Mapped[str] = mapped_column(Text, default="hand")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    contact: Mapped[Contact] = relationship(back_populates="points")


def find_by_email(session: Session, address: str) -> Contact | None:
    """The contact an e-mail address belongs to."""
    return contacts_by_email(session, [address]).get(normal_email(address))


def contacts_by_email(session: Session, addresses: Iterable[str]) -> dict[str, Contact]:
    """Contacts of several addresses in one query, keyed by the address's normal form."""
    wanted = {normal_email(address) for address in addresses}
    query = (
        select(ContactPoint.value, Contact)
        .join(Contact)
        .where(ContactPoint.kind == PointKind.EMAIL, ContactPoint.value.in_(wanted))
        .order_by(ContactPoint.id.desc())
    )
    return dict(session.execute(query).all())


def find_by_phone(session: Session, number: str) -> list[Contact]:
    """The contacts a phone number belongs to; several where it is a switchboard."""
    query = (
        select(Contact)
        .join(ContactPoint)
        .where(ContactPoint.kind == PointKind.PHONE, ContactPoint.value == normal_phone(number))
    )
    return list(session.scalars(query))


def account_of_domain(session: Session, domain: str) -> Account | None:
    """The account a mail domain belongs to."""
    return session.scalar(select(Account).join(AccountDomain).where(AccountDomain.domain == domain.lower()))


def company_domain(address: str) -> str | None:
    """The domain that stands for a company in an address, or None for free mail."""
    domain = email_domain(normal_email(address))
    return None if is_free_mail(domain) else domain


def name_of_domain(domain: str) -> str:
    """A first name for an account known only by its domain: ``uab-vandenis.lt`` → ``Uab Vandenis``."""
    labels = domain.split(".")
    main = (
        labels[-3]
        if len(labels) > 2 and labels[-2] in {"co", "com", "org", "net", "gov", "edu"}
        else labels[-2]
    )
    return main.replace("-", " ").replace("_", " ").title()


def find_or_add_contact(
    session: Session, *, address: str, name: str = "", language: str | None = None, source: str = "hand"
) -> Contact:
    """Return the contact of an e-mail address, made together with its account where there is none.

    The account is found or made by the mail domain; a free-mail domain makes none.
    """
    email = normal_email(address)
    contact = find_by_email(session, email)
    if contact is not None:
        return contact
    domain = company_domain(email)
    account = None
    if domain is not None:
        account = account_of_domain(session, domain)
        if account is None:
            account = Account(
                name=name_of_domain(domain), source=source, domains=[AccountDomain(domain=domain)]
            )
    contact = Contact(
        account=account,
        name=name.strip(),
        language=language,
        source=source,
        points=[ContactPoint(kind=PointKind.EMAIL, value=email, source=source)],
    )
    session.add(contact)
    session.flush()
    return contact
