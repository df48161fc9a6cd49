"""Static lists: contacts that somebody put together by hand or by an import."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ForeignKey, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.errors import Conflict, InputRefused

LONGEST_NAME = 120
AT_ONCE = 5000


class ContactList(Base):
    """A list of contacts under a name."""

    __tablename__ = "contact_list"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who made it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    archived_at: Mapped[datetime | None]


class ContactListMember(Base):
    """A contact on a list."""

    __tablename__ = "contact_list_member"

    list_id: Mapped[int] = mapped_column(ForeignKey("contact_list.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, index=True)
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())


def add(session: Session, name: str, *, staff_id: int | None = None) -> ContactList:
    """A new, empty list. Raises InputRefused for a bad name, Conflict for one that is taken."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InputRefused(f"A list needs a name of at most {LONGEST_NAME} characters.")
    if session.scalar(select(ContactList.id).where(ContactList.name == name)) is not None:
        raise Conflict("There is a list of that name.", cure="Choose another name.")
    made = ContactList(name=name, staff_id=staff_id)
    session.add(made)
    session.flush()
    return made


def put_on(session: Session, list_id: int, contact_ids: Iterable[int]) -> int:
    """Put contacts on a list; returns how many were not on it before."""
    added, ids = 0, list(dict.fromkeys(contact_ids))
    for start in range(0, len(ids), AT_ONCE):
        rows = [{"list_id": list_id, "contact_id": one} for one in ids[start : start + AT_ONCE]]
        new = insert(ContactListMember).on_conflict_do_nothing().returning(ContactListMember.contact_id)
        added += len(session.scalars(new, rows).all())
    return added


def take_off(session: Session, list_id: int, contact_ids: Iterable[int]) -> None:
    """Take contacts off a list."""
    session.execute(
        delete(ContactListMember).where(
            ContactListMember.list_id == list_id, ContactListMember.contact_id.in_(list(contact_ids))
        )
    )


def all_with_counts(session: Session) -> list[tuple[ContactList, int]]:
    """Every list that is in use with the number of its contacts, by name."""
    query = (
        select(ContactList, func.count(ContactListMember.contact_id))
        .outerjoin(ContactListMember, ContactListMember.list_id == ContactList.id)
        .where(ContactList.archived_at.is_(None))
        .group_by(ContactList.id)
        .order_by(ContactList.name)
    )
    return [(one, count) for one, count in session.execute(query)]
