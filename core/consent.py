"""Who may be written to: suppressions (must not) and consents (may), with reason and source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Text, bindparam, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Channel
from core.db import Base, Id
from core.outbox_history import as_json
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
    wish: Mapped[dict[str, Any] | None]
    """What its owner asked for, where it stops everything only because nothing arrived: `reason` and
    `source` of a suppression of mailings, which holds again once the address lives (`core.heardfrom`).
    """
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Since when it is as it is."""


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


_WIDER = "(s.scope = 'marketing' and excluded.scope = 'everything')"
_SAID_OF_DEAD = "(s.reason = 'bounced' and excluded.reason <> 'bounced')"
_REPLACES = f"({_WIDER} or {_SAID_OF_DEAD} and s.scope = excluded.scope)"

_PUT = text(f"""
insert into suppression as s (channel, address, scope, reason, source)
select v.channel, v.address, v.scope, v.reason, v.source
from json_to_recordset(cast(:rows as json))
  as v (channel text, address text, scope text, reason text, source text)
on conflict (channel, address) do update set
    scope = case when {_REPLACES} then excluded.scope else s.scope end,
    reason = case when {_REPLACES} then excluded.reason else s.reason end,
    source = case when {_REPLACES} then excluded.source else s.source end,
    created_at = case when {_REPLACES} then now() else s.created_at end,
    wish = case when not {_REPLACES} then
                    coalesce(s.wish, jsonb_build_object('reason', excluded.reason, 'source', excluded.source))
                when excluded.reason = 'bounced' and s.reason <> 'bounced' then
                    jsonb_build_object('reason', s.reason, 'source', s.source)
           end
where {_REPLACES} or {_SAID_OF_DEAD}
returning channel, xmax = 0
""")  # noqa: S608 - only constants of this file are put together


def suppress(
    session: Session,
    channel: Channel,
    address: str,
    *,
    scope: Scope,
    reason: SuppressionReason,
    source: str,
) -> None:
    """Put an address on the suppression list, as `suppress_all` does."""
    row = {"channel": channel, "address": address_key(channel, address), "scope": scope, "reason": reason}
    suppress_all(session, [row | {"source": source}])


def suppress_all(session: Session, rows: list[dict[str, str]]) -> list[tuple[str, bool]]:
    """Put addresses on the suppression list; a row has `channel`, `address` in its form here, `scope`,
    `reason` and `source`.

    A wider scope replaces a narrower one, never the reverse; what a person asked for is kept when their
    address is given up. Returns the channel of each entry that was written, and whether it is new.
    """
    written = session.execute(_PUT, {"rows": as_json(rows)}).all() if rows else ()
    return [(str(channel), bool(new)) for channel, new in written]


def suppression_of(session: Session, channel: Channel, address: str) -> Suppression | None:
    """The suppression of an address on a channel, if there is one."""
    return session.get(Suppression, (channel, address_key(channel, address)))


_SUPPRESSED = select(Suppression).where(
    Suppression.channel == bindparam("channel"), Suppression.address.in_(bindparam("keys", expanding=True))
)


def suppressed(session: Session, channel: Channel, keys: list[str]) -> dict[str, Suppression]:
    """The suppressions among many address keys, in one query."""
    found = session.scalars(_SUPPRESSED, {"channel": channel, "keys": keys})
    return {row.address: row for row in found}
