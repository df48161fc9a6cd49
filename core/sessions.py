"""Who is signed in at the desk, and how often a sign-in was tried: server-side sessions and the attempt
book.

The browser holds 256 random bits; the table holds only their SHA-256, so that a copy of the database signs
nobody in.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Interval,
    LargeBinary,
    Select,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.staff import Role, StaffMember

LONGEST = timedelta(days=14)
"""A session ends by then, however busy it was."""

FRESHNESS = timedelta(minutes=2)
"""How old the noted time of the last request may become before it is written again."""

ATTEMPT_WINDOW = timedelta(minutes=15)
ATTEMPTS_PER_ADDRESS = 8
"""Sign-ins tried with one mail address within the window."""
ATTEMPTS_PER_CLIENT = 30
"""Sign-ins tried from one network address within the window; an office shares one."""


class DeskSession(Base):
    """One browser in which somebody is signed in."""

    __tablename__ = "desk_session"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id", ondelete="CASCADE"), index=True)
    client: Mapped[str] = mapped_column(Text, default="")
    """Network address it was opened from."""
    agent: Mapped[str] = mapped_column(Text, default="")
    """What the browser called itself, cut to 200 characters."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoginAttempt(Base):
    """A sign-in that was tried and has not succeeded."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_address", "address", "tried_at"),
        Index("ix_login_attempt_client", "client", "tried_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    client: Mapped[str] = mapped_column(Text)
    tried_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session a token opens."""

    session_id: int
    staff_id: int
    name: str
    email: str
    role: Role
    team_id: int | None
    language: str
    theme: str


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_session(session: Session, staff: StaffMember, *, client: str = "", agent: str = "") -> str:
    """Open a session for somebody who proved who they are; returns the token for the browser."""
    token = secrets.token_urlsafe(32)
    session.add(
        DeskSession(token_hash=_hash(token), staff_id=staff.id, client=client[:100], agent=agent[:200])
    )
    session.flush()
    return token


def find(connection: Connection, token: str, *, idle: timedelta) -> SignedIn | None:
    """Whose session a token opens; None when it is unknown, ended, idle for too long, or its owner left.

    Asked before every page: over a connection that commits by itself it is one question and one answer.
    """
    if not 20 <= len(token) <= 100:
        return None
    row: Any = connection.execute(_find_query(), {"token": _hash(token), "idle": idle}).first()
    if row is None:
        return None
    number, staff_id, name, email, role, *others, stale = row
    if stale:
        connection.execute(update(DeskSession).where(DeskSession.id == number).values(seen_at=func.now()))
    return SignedIn(number, staff_id, name, email, Role(role), *others)


@lru_cache(maxsize=1)
def _find_query() -> Select[*tuple[Any, ...]]:
    from core.preferences import StaffPreference

    return (
        select(
            DeskSession.id,
            StaffMember.id,
            StaffMember.name,
            StaffMember.email,
            StaffMember.role,
            StaffMember.team_id,
            StaffMember.language,
            func.coalesce(StaffPreference.theme, "auto"),
            DeskSession.seen_at < func.now() - FRESHNESS,
        )
        .join(StaffMember, DeskSession.staff_id == StaffMember.id)
        .outerjoin(StaffPreference, StaffPreference.staff_id == StaffMember.id)
        .where(
            DeskSession.token_hash == bindparam("token"),
            StaffMember.active,
            DeskSession.seen_at > func.now() - bindparam("idle", type_=Interval),
            DeskSession.created_at > func.now() - LONGEST,
        )
    )


def end(session: Session, token: str) -> None:
    """End one session; an unknown token is fine."""
    session.execute(delete(DeskSession).where(DeskSession.token_hash == _hash(token)))


def end_all(session: Session, staff_id: int) -> int:
    """End every session of somebody, as when their password changes or they leave; returns how many."""
    return len(
        session.execute(
            delete(DeskSession).where(DeskSession.staff_id == staff_id).returning(DeskSession.id)
        ).all()
    )


def note_attempt(session: Session, address: str, client: str) -> bool:
    """Write a sign-in attempt into the book; False when the address or the client has tried too often.

    To be committed before the password is looked at, so that attempts made at the same moment see each
    other.
    """
    address, client = address.strip().lower()[:254], client[:100]
    session.add(LoginAttempt(address=address, client=client))
    session.flush()
    recent = LoginAttempt.tried_at > func.now() - ATTEMPT_WINDOW
    by_address = session.scalar(select(func.count()).where(LoginAttempt.address == address, recent)) or 0
    by_client = session.scalar(select(func.count()).where(LoginAttempt.client == client, recent)) or 0
    return by_address <= ATTEMPTS_PER_ADDRESS and by_client <= ATTEMPTS_PER_CLIENT


def forget_attempts(session: Session, address: str) -> None:
    """Forget the attempts with an address, because one of them succeeded."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.address == address.strip().lower()[:254]))


def tidy(session: Session, *, idle: timedelta) -> None:
    """Remove sessions that ended by themselves and attempts that no longer count."""
    session.execute(
        delete(DeskSession).where(
            (DeskSession.seen_at < func.now() - idle) | (DeskSession.created_at < func.now() - LONGEST)
        )
    )
    session.execute(delete(LoginAttempt).where(LoginAttempt.tried_at < func.now() - ATTEMPT_WINDOW))
