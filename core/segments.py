"""Segments: groups of contacts described once, that keep themselves up to date; kept, changed, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, delete, func, insert, literal, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Account, Contact
from core.campaigns import HOLDING, LIVE, Campaign
from core.db import Base, Id
from core.errors import Conflict, InputRefused, NotFound
from core.segments_compile import contacts
from core.segments_language import Group, dump, parse

LONGEST_NAME = 120
SAMPLE = 8
REFRESH_EVERY = 600
"""Seconds after which the members of a segment are written down anew."""


class Segment(Base):
    """A group of contacts under a name, described by conditions."""

    __tablename__ = "segment"
    __table_args__ = (Index("uq_segment_ready", "ready", unique=True),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, default="")
    """Empty for a ready-made one that nobody renamed."""
    ready: Mapped[str | None] = mapped_column(Text)
    """Key of the ready-made segment it began as."""
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """As `core.segments_language.dump` gives it."""
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    rank: Mapped[int] = mapped_column(default=100, server_default="100")
    """Where several describe one contact, the lowest stands first on their letters."""
    marks_traffic: Mapped[bool] = mapped_column(default=True, server_default="true")
    """Whether its members are written down, so that letters can carry it."""
    members: Mapped[int | None]
    """How many there were when last counted."""
    counted_at: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    archived_at: Mapped[datetime | None]


class SegmentRevision(Base):
    """What a segment's conditions were, and who changed them."""

    __tablename__ = "segment_revision"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    conditions: Mapped[dict[str, Any]]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SegmentMember(Base):
    """A contact whom a segment described when it was last refreshed."""

    __tablename__ = "segment_member"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, index=True)
    since: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Size:
    """How many a tree describes."""

    people: int
    clients: int
    """Accounts they belong to."""


def moment(session: Session) -> datetime:
    """The transaction's time by the database's clock, from which days are counted."""
    return session.execute(select(func.now())).scalar_one()


def size(session: Session, tree: Group) -> Size:
    """How many contacts, and of how many accounts, the conditions describe now."""
    described = contacts(tree, moment(session)).subquery()
    per_client = (
        select(described.c.account_id, func.count().label("people"))
        .group_by(described.c.account_id)
        .subquery()
    )
    query = select(func.coalesce(func.sum(per_client.c.people), 0), func.count(per_client.c.account_id))
    people, clients = session.execute(query).one()
    return Size(int(people), int(clients))


def count(session: Session, tree: Group) -> int:
    """How many contacts the conditions describe now."""
    described = contacts(tree, moment(session)).subquery()
    return session.execute(select(func.count()).select_from(described)).scalar_one()


def sample(session: Session, tree: Group, most: int = SAMPLE) -> Sequence[Any]:
    """A few contacts that the conditions describe, newest first: id, name, position, language, account."""
    newest = contacts(tree, moment(session)).order_by(Contact.id.desc()).limit(most).subquery()
    query = (
        select(Contact.id, Contact.name, Contact.position, Contact.language, Account.name.label("account"))
        .join(newest, newest.c.id == Contact.id)
        .outerjoin(Account, Contact.account_id == Account.id)
        .order_by(Contact.id.desc())
    )
    return session.execute(query).all()


def get(session: Session, segment_id: int) -> Segment:
    """A segment that is in use. Raises NotFound."""
    found = session.get(Segment, segment_id)
    if found is None or found.archived_at is not None:
        raise NotFound
    return found


def in_use(session: Session) -> list[Segment]:
    """Every segment that is in use: the company's own first, each by rank and age."""
    query = (
        select(Segment)
        .where(Segment.archived_at.is_(None))
        .order_by(Segment.ready.is_not(None), Segment.rank, Segment.id)
    )
    return list(session.scalars(query))


def add(session: Session, name: str, tree: Group, *, staff_id: int | None = None) -> Segment:
    """A new segment. Raises InputRefused for a bad name."""
    made = Segment(name=_name(name), conditions=dump(tree), staff_id=staff_id)
    session.add(made)
    session.flush()
    _remember(session, made, staff_id)
    return made


def change(
    session: Session,
    segment: Segment,
    *,
    name: str,
    tree: Group,
    revision: int,
    staff_id: int | None = None,
    marks_traffic: bool | None = None,
) -> None:
    """New conditions or a new name. Raises Conflict when somebody else changed it since that revision."""
    session.refresh(segment, with_for_update=True)
    if segment.revision != revision:
        raise Conflict
    segment.name = _name(name, empty=segment.ready is not None)
    segment.conditions = dump(tree)
    segment.revision += 1
    segment.changed_at = func.now()
    segment.counted_at = None
    if marks_traffic is not None:
        segment.marks_traffic = marks_traffic
    session.flush()
    _remember(session, segment, staff_id)


def undo(session: Session, segment: Segment, *, staff_id: int | None = None) -> None:
    """Back to what it was before the last change, as a change of its own. Raises Conflict at the first."""
    session.refresh(segment, with_for_update=True)
    before = session.get(SegmentRevision, (segment.id, segment.revision - 1))
    if before is None:
        raise Conflict("There is nothing to undo.")
    change(
        session,
        segment,
        name=before.name,
        tree=parse(before.conditions),
        revision=segment.revision,
        staff_id=staff_id,
    )


def archive(session: Session, segment: Segment) -> None:
    """Put a segment away; letters that carried it keep it, and `restore` brings it back.

    Raises Conflict while a mailing that has not ended goes to it.
    """
    going = select(Campaign.id).where(
        Campaign.segment_id == segment.id, Campaign.state.in_([*LIVE, *HOLDING]), Campaign.frozen_at.is_(None)
    )
    if session.scalars(going.limit(1)).first() is not None:
        raise Conflict("A mailing that has not ended goes to this segment.", cure="End the mailing first.")
    segment.archived_at = func.now()
    session.flush()
    session.execute(text("delete from segment_member where segment_id = :id"), {"id": segment.id})


def restore(session: Session, segment_id: int) -> Segment:
    """Bring a segment back that was put away. Raises NotFound."""
    found = session.get(Segment, segment_id)
    if found is None:
        raise NotFound
    found.archived_at = None
    found.counted_at = None
    session.flush()
    return found


def _name(name: str, *, empty: bool = False) -> str:
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not (name or empty):
        raise InputRefused(f"A segment needs a name of at most {LONGEST_NAME} characters.")
    return name


def _remember(session: Session, segment: Segment, staff_id: int | None) -> None:
    session.add(
        SegmentRevision(
            segment_id=segment.id,
            revision=segment.revision,
            name=segment.name,
            conditions=segment.conditions,
            staff_id=staff_id,
        )
    )
    session.flush()


def refresh(session: Session, segment: Segment) -> int:
    """Write down who the members are now: those who left go, those who came are added; returns how many."""
    described = contacts(parse(segment.conditions), moment(session)).subquery()
    mine = SegmentMember.segment_id == segment.id
    if not segment.marks_traffic:
        session.execute(delete(SegmentMember).where(mine))
        segment.members = session.scalar(select(func.count()).select_from(described))
    else:
        left = SegmentMember.contact_id.not_in(select(described.c.id))
        session.execute(delete(SegmentMember).where(mine, left))
        known = select(SegmentMember.contact_id).where(mine).subquery()
        came = (
            select(literal(segment.id), described.c.id)
            .outerjoin(known, known.c.contact_id == described.c.id)
            .where(known.c.contact_id.is_(None))
        )
        session.execute(insert(SegmentMember).from_select(["segment_id", "contact_id"], came))
        segment.members = session.scalar(select(func.count()).select_from(SegmentMember).where(mine))
    segment.counted_at = func.now()
    session.flush()
    return segment.members or 0
