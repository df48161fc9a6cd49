"""Who may be written to: suppressions (must not) and consents (may), with reason and source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Channel
from core.db import Base, Id
from core.values import normal_phone, suppression_key


class SuppressionReason(StrEnum):
    """Why an address must not be written to."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    MANUAL = "manual"


class Scope(StrEnum):
    """What a suppression stops."""

    MARKETING = "marketing"
    """Mailings and follow-ups; personal answers still go out."""
    EVERYTHING = "everything"
    """Nothing may go to the address, for example because it does not exist."""


class Topic(StrEnum):
    """What mailings are about; a contact may want some of them, and some channels, and not the others."""

    MARKETING = "marketing"
    """All of them."""
    OFFERS = "offers"
    """Prices, discounts, products."""
    NEWS = "news"
    """What is new at our company."""
    EVENTS = "events"
    """Exhibitions, webinars, visits."""


class Suppression(Base):
    """An address that must not be written to on a channel."""

    __tablename__ = "suppression"

    channel: Mapped[Channel] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    """Normal form: ``suppression_key`` of an e-mail address, E.164 of a number."""
    scope: Mapped[Scope]
    reason: Mapped[SuppressionReason]
    source: Mapped[str] = mapped_column(Text)
    """Where it came from: a delivery, a reply, a staff member, an import."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Consent(Base):
    """A contact agreed, or took back, to be written to on a channel for a purpose."""

    __tablename__ = "consent"

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[Channel]
    purpose: Mapped[str] = mapped_column(Text)
    """A `Topic`."""
    granted: Mapped[bool]
    proof: Mapped[str] = mapped_column(Text)
    """What shows it: the form's wording and address, the letter, the call."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def address_key(channel: Channel, address: str) -> str:
    """The form under which an address is kept in the suppression list."""
    return suppression_key(address) if channel == Channel.EMAIL else normal_phone(address)


def suppress(
    session: Session,
    channel: Channel,
    address: str,
    *,
    scope: Scope,
    reason: SuppressionReason,
    source: str,
) -> None:
    """Put an address on the suppression list; a wider scope replaces a narrower one, never the reverse."""
    row = insert(Suppression).values(
        channel=channel, address=address_key(channel, address), scope=scope, reason=reason, source=source
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Suppression.channel, Suppression.address],
            set_={"scope": row.excluded.scope, "reason": row.excluded.reason, "source": row.excluded.source},
            where=(Suppression.scope == Scope.MARKETING) & (row.excluded.scope == Scope.EVERYTHING),
        )
    )


def suppression_of(session: Session, channel: Channel, address: str) -> Suppression | None:
    """The suppression of an address on a channel, if there is one."""
    return session.get(Suppression, (channel, address_key(channel, address)))


def suppressed(session: Session, channel: Channel, keys: list[str]) -> dict[str, Suppression]:
    """The suppressions among many address keys, in one query."""
    query = select(Suppression).where(Suppression.channel == channel, Suppression.address.in_(keys))
    return {row.address: row for row in session.scalars(query)}
