"""A link that lets a colleague choose a password, once and for three days."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit, sessions
from core.db import Base
from core.errors import NotFound
from core.staff import StaffMember, hash_password

VALID = timedelta(days=3)


class Invitation(Base):
    """Somebody may choose a password; the table holds only the SHA-256 of the link's 256 random bits."""

    __tablename__ = "staff_invitation"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def invite(session: Session, member: StaffMember, *, by: int | None = None) -> str:
    """Make a link's token for somebody; an older link of theirs works no more."""
    token = secrets.token_urlsafe(32)
    withdraw(session, member)
    moment = session.scalar(select(func.now()))
    if moment is None:
        raise NotFound
    session.add(Invitation(staff_id=member.id, token_hash=_hash(token), expires_at=moment + VALID))
    audit.note(session, by, "invited", "staff", member.id, member.name)
    return token


def withdraw(session: Session, member: StaffMember) -> None:
    """Make the link of somebody, if there is one, worth nothing."""
    session.execute(delete(Invitation).where(Invitation.staff_id == member.id))


def invited(session: Session, token: str) -> StaffMember:
    """Whose link it is. Raises NotFound when it is unknown, used or too old, or its owner has left."""
    query = (
        select(StaffMember)
        .join(Invitation, Invitation.staff_id == StaffMember.id)
        .where(Invitation.token_hash == _hash(token), Invitation.expires_at > func.now(), StaffMember.active)
    )
    member = session.scalar(query) if 20 <= len(token) <= 100 else None
    if member is None:
        raise NotFound
    return member


def accept(session: Session, token: str, password: str) -> StaffMember:
    """Set the password of whoever the link is for, and use the link up.

    Raises NotFound as `invited` does, WeakPassword when the password is too short.
    """
    member = invited(session, token)
    member.password_hash = hash_password(password)
    used = session.execute(
        delete(Invitation).where(Invitation.token_hash == _hash(token)).returning(Invitation.staff_id)
    ).first()
    if used is None:
        raise NotFound
    sessions.end_all(session, member.id)
    audit.note(session, member.id, "password", "staff", member.id, member.name)
    session.flush()
    return member
