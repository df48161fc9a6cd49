"""The people who work here: staff members, their teams, roles and absences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Date, ForeignKey, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db import Base, Id
from core.errors import Conflict, InputRefused
from core.values import Language, normal_email


class Role(StrEnum):
    """What a staff member is here for; decides what they may see and do."""

    AGENT = "agent"
    """Customer-facing: receives routed messages and calls."""
    MARKETING = "marketing"
    SUPPORT = "support"
    HEAD = "head"
    """Head of sales: sees everybody's work."""
    ADMIN = "admin"


class Team(Base):
    """A group that topics are routed to."""

    __tablename__ = "team"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)

    members: Mapped[list[StaffMember]] = relationship(back_populates="team")


class StaffMember(Base):
    """Somebody who signs in and works."""

    __tablename__ = "staff_member"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str | None] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(default=Role.AGENT)
    language: Mapped[Language] = mapped_column(default=Language.EN)
    """The language of the screens they see."""
    speaks: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Languages in which they serve clients."""
    topics: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    """Intents that are theirs within their team."""
    industries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    """Industries whose clients they know."""
    password_hash: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    calendar_key: Mapped[str | None] = mapped_column(Text, unique=True)
    """What opens their calendar to their own calendar program; None until they ask for a link."""
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    team: Mapped[Team | None] = relationship(back_populates="members")
    absences: Mapped[list[Absence]] = relationship(
        back_populates="staff_member", foreign_keys="Absence.staff_id"
    )


class Absence(Base):
    """Days on which a staff member is away, both ends included."""

    __tablename__ = "absence"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who decides meanwhile what waits for their word."""

    staff_member: Mapped[StaffMember] = relationship(back_populates="absences", foreign_keys=[staff_id])
    deputy: Mapped[StaffMember | None] = relationship(foreign_keys=[deputy_id])


MIN_PASSWORD = 10
"""Fewest characters of a password (NIST SP 800-63B asks for at least 8)."""


class WeakPassword(InputRefused):
    """The password is too short."""

    cure = f"Use at least {MIN_PASSWORD} characters."


@lru_cache(maxsize=1)
def _hasher():
    from argon2 import PasswordHasher

    return PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash (RFC 9106) of a password. Raises WeakPassword when it is too short."""
    if len(password) < MIN_PASSWORD:
        raise WeakPassword
    return _hasher().hash(password)


def password_fits(password: str, password_hash: str | None) -> bool:
    """Say whether a password belongs to a hash; takes as long for a missing hash as for a wrong password."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(password_hash or _decoy_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _decoy_hash() -> str:
    import secrets

    return _hasher().hash(secrets.token_hex(16))


def add(
    session: Session,
    *,
    email: str,
    name: str,
    role: Role = Role.AGENT,
    language: Language = Language.EN,
    speaks: list[str] | None = None,
    password: str | None = None,
    team: str | None = None,
    position: str = "",
    phone: str | None = None,
) -> StaffMember:
    """Add a staff member; without a password they cannot sign in yet.

    Raises Conflict when the address is taken, BadAddress or WeakPassword for bad values.
    """
    address = normal_email(email)
    if session.scalar(select(StaffMember.id).where(StaffMember.email == address)):
        raise Conflict(f"{address} is a staff member already.", cure="Choose another address.")
    member = StaffMember(
        email=address,
        name=name.strip() or address,
        role=Role(role),
        language=Language(language),
        speaks=speaks if speaks is not None else [Language(language).value],
        password_hash=hash_password(password) if password else None,
        team=find_or_add_team(session, team) if team else None,
        position=position,
        phone=phone,
    )
    session.add(member)
    session.flush()
    return member


def find_or_add_team(session: Session, name: str) -> Team:
    """Return the team of that name, made if there is none."""
    team = session.scalar(select(Team).where(Team.name == name))
    if team is None:
        team = Team(name=name)
        session.add(team)
        session.flush()
    return team


def sign_in(session: Session, email: str, password: str) -> StaffMember | None:
    """Return the active staff member whose address and password these are, or None.

    Takes equally long whether or not the address exists.
    """
    try:
        address = normal_email(email)
    except InputRefused:
        address = ""
    member = session.scalar(select(StaffMember).where(StaffMember.email == address))
    fits = password_fits(password, member.password_hash if member else None)
    return member if member and fits and member.active else None


def absent_on(session: Session, day: date) -> set[int]:
    """Ids of the staff members who are away on a day."""
    query = select(Absence.staff_id).where(Absence.first_day <= day, Absence.last_day >= day)
    return set(session.scalars(query))
