"""What the company sells, and which client showed interest in what."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.accounts import Account, Contact
from core.db import Base, Id

UNITS: dict[str, dict[str, str]] = {
    "pcs": {"en": "pcs", "ru": "шт.", "lt": "vnt."},
    "set": {"en": "set", "ru": "компл.", "lt": "kompl."},
    "m": {"en": "m", "ru": "м", "lt": "m"},
    "kg": {"en": "kg", "ru": "кг", "lt": "kg"},
    "l": {"en": "l", "ru": "л", "lt": "l"},
    "h": {"en": "h", "ru": "ч", "lt": "val."},
    "month": {"en": "months", "ru": "мес.", "lt": "mėn."},
    "year": {"en": "years", "ru": "г.", "lt": "m."},
}
"""Units as offers print them; another one is printed as the company wrote it."""


def unit_name(unit: str, language: str) -> str:
    """A unit in a language; one that is not ours comes back as it is."""
    return UNITS.get(unit, {}).get(language, unit)


class Product(Base):
    """Something the company sells."""

    __tablename__ = "product"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    """A short stable name, as in ``pump-cr``."""
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    """The product's name by language."""
    terms: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict)
    """Synonyms by language: words by which clients call it."""
    articles: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Article numbers."""
    summaries: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """What it is and what it does for the client, a few sentences by language."""
    unit: Mapped[str] = mapped_column(Text, default="pcs")
    price: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str] = mapped_column(Text, default="EUR")
    active: Mapped[bool] = mapped_column(default=True)

    def name(self, language: str) -> str:
        """The name in a language, else in English, else whichever there is."""
        return self.names.get(language) or self.names.get("en") or next(iter(self.names.values()), self.key)

    def summary(self, language: str) -> str:
        """The summary in a language, else in English, else empty."""
        return self.summaries.get(language) or self.summaries.get("en") or ""


class ProductInterest(Base):
    """A client showed interest in a product, with where that was seen."""

    __tablename__ = "product_interest"
    __table_args__ = (
        Index("uq_product_interest_seen", "contact_id", "product_id", "message_id", unique=True),
    )

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who logged it by hand; None where the classifier saw it."""
    confidence: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    product: Mapped[Product] = relationship()
    contact: Mapped[Contact] = relationship()
    account: Mapped[Account | None] = relationship()


_ON_SALE = select(Product).where(Product.active).order_by(Product.key)


def active_products(session: Session) -> list[Product]:
    """Everything on sale, by key."""
    return list(session.scalars(_ON_SALE))
