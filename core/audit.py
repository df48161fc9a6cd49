"""Who changed what of the house's settings, kept in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.staff import StaffMember

SECRETS = ("password", "token", "secret", "hash")
"""What has one of these words in its name is never written down."""
LONGEST = 2000
"""Characters of one value that are kept."""


class AuditEntry(Base):
    """Somebody changed something."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_object", "kind", "object_id"),)

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    """Who; None for frontdesk itself or a command."""
    deed: Mapped[str] = mapped_column(Text)
    """What was done, as a key: ``added``, ``changed``, ``removed``, …"""
    kind: Mapped[str] = mapped_column(Text)
    """What kind of thing: ``staff``, ``team``, ``territory``, ``absence``, ``routing``."""
    object_id: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    """What it was called then."""
    before: Mapped[dict[str, Any] | None]
    """The values that changed, as they were."""
    after: Mapped[dict[str, Any] | None]


def note(
    session: Session,
    by: int | None,
    deed: str,
    kind: str,
    object_id: object,
    name: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write down a deed; of two states only what differs is kept, and secrets never are."""
    old, new = plain(before), plain(after)
    if old is not None and new is not None:
        same = {key for key in old if key in new and old[key] == new[key]}
        old = {key: value for key, value in old.items() if key not in same}
        new = {key: value for key, value in new.items() if key not in same}
    entry = AuditEntry(
        staff_id=by, deed=deed, kind=kind, object_id=str(object_id), name=name[:300], before=old, after=new
    )
    session.add(entry)
    session.flush()
    return entry


def plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Values as JSON holds them, without those that are secrets by their name."""
    if values is None:
        return None
    return {key: _plain(value) for key, value in values.items() if not _secret(key)}


def _secret(key: str) -> bool:
    return any(word in key.lower() for word in SECRETS)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return plain({str(key): one for key, one in value.items()})
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(one) for one in value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return str(value)[:LONGEST]


def entries(
    *, kind: str = "", staff_id: int | None = None, since: date | None = None, before_id: int | None = None
) -> Select[AuditEntry, str]:
    """The entries that fit, newest first, each with the name of who did it."""
    query = (
        select(AuditEntry, StaffMember.name)
        .outerjoin(StaffMember, AuditEntry.staff_id == StaffMember.id)
        .order_by(AuditEntry.id.desc())
    )
    if kind:
        query = query.where(AuditEntry.kind == kind)
    if staff_id is not None:
        query = query.where(AuditEntry.staff_id == staff_id)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return query
