"""Clients that may be one and the same: found by mail domain, telephone, name or code; kept apart by hand.

A name is compared without its legal form and whichever alphabet it is written in (`core.namekeys`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Any

from sqlalchemy import ForeignKey, Index, delete, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Account, AccountDomain, Contact, ContactPoint, PointKind
from core.db import Base
from core.namekeys import SHORTEST_CODE, SHORTEST_NAME, code_key, domain_key, name_key
from core.staff import StaffMember
from core.values import email_domain, is_free_mail

SHOWN = 12
"""Likely doubles of one client that are shown."""
COMMON = 20
"""A number or domain that more clients than this share says nothing of any of them."""

Index("ix_account_name_key", name_key(Account.name).label("name_key"))
Index(
    "ix_account_name_key_part",
    name_key(Account.name).label("part"),
    postgresql_using="gin",
    postgresql_ops={"part": "gin_trgm_ops"},
)
Index(
    "ix_account_lately",
    func.coalesce(Account.last_in_at, Account.created_at).label("lately"),
    Account.id,
)
Index("ix_account_code_key", code_key(Account.code).label("code_key"))
Index(
    "ix_contact_point_domain",
    domain_key(ContactPoint.value).label("domain"),
    postgresql_where=ContactPoint.kind == PointKind.EMAIL,
)


class Pair(StrEnum):
    """What two of which are looked at."""

    ACCOUNT = "account"
    CONTACT = "contact"


class Likeness(StrEnum):
    """Why two records may be one; the surest first."""

    CODE = "code"
    DOMAIN = "domain"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"


class KeptApart(Base):
    """Two records that a colleague says are not one."""

    __tablename__ = "kept_apart"

    kind: Mapped[Pair] = mapped_column(primary_key=True)
    low_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The smaller id. Neither is a foreign key: a merge may take either away and bring it back."""
    high_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Double:
    """Another client that may be the same."""

    account_id: int
    name: str
    curator: str
    curator_id: int | None
    why: tuple[tuple[Likeness, str], ...]
    """Each likeness with what is alike."""


@dataclass(frozen=True, slots=True)
class ContactDouble:
    """Two contacts of one client that may be one person."""

    one: Contact
    other: Contact
    why: Likeness
    what: str


def of_account(session: Session, account: Account, contacts: Sequence[Contact]) -> list[Double]:
    """Other clients that may be the same as one, the likeliest first; contacts are its own, with points."""
    points = [point for contact in contacts for point in contact.points]
    phones = {point.value for point in points if point.kind != PointKind.EMAIL}
    mails = {point.value for point in points if point.kind == PointKind.EMAIL}
    domains = {one.domain for one in account.domains} | {email_domain(mail) for mail in mails}
    ways = _ways(account, phones, {one for one in domains if not is_free_mail(one)})
    found = union_all(*ways).subquery()
    low, high = func.least(found.c.id, account.id), func.greatest(found.c.id, account.id)
    apart = (
        select(KeptApart.low_id)
        .where(KeptApart.kind == Pair.ACCOUNT, KeptApart.low_id == low, KeptApart.high_id == high)
        .exists()
    )
    query: Any = (
        select(
            found.c.id, found.c.why, func.min(found.c.what), Account.name, StaffMember.name, StaffMember.id
        )
        .join(Account, Account.id == found.c.id)
        .outerjoin(StaffMember, StaffMember.id == Account.curator_id)
        .where(found.c.id != account.id, ~apart)
        .group_by(found.c.id, found.c.why, Account.name, StaffMember.name, StaffMember.id)
    )
    made: dict[int, Double] = {}
    for row in session.execute(query).all():
        number, why, what, name, curator, curator_id = tuple(row)
        before = made[number].why if number in made else ()
        reasons = tuple(sorted({*before, (Likeness(why), what)}, key=lambda one: _rank(one[0])))
        made[number] = Double(number, name, curator or "", curator_id, reasons)
    ordered = sorted(made.values(), key=lambda one: (-len(one.why), _rank(one.why[0][0]), one.account_id))
    return ordered[:SHOWN]


def _ways(account: Account, phones: Collection[str], domains: Collection[str]) -> list[Any]:
    """One query for each likeness: id of the other client, why, and what is alike."""
    mine = select(name_key(Account.name)).where(Account.id == account.id).scalar_subquery()
    my_code = select(code_key(Account.code)).where(Account.id == account.id).scalar_subquery()
    by_point = (
        select(Contact.account_id.label("id"))
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(Contact.account_id.is_not(None))
    )
    ways: list[Any] = [
        select(Account.id, literal(Likeness.NAME.value).label("why"), Account.name.label("what"))
        .where(name_key(Account.name) == mine, func.length(mine) >= SHORTEST_NAME)
        .limit(COMMON),
        select(Account.id, literal(Likeness.CODE.value), Account.code)
        .where(code_key(Account.code) == my_code, func.length(my_code) >= SHORTEST_CODE)
        .limit(COMMON),
    ]
    if domains:
        ways.append(
            by_point.add_columns(literal(Likeness.DOMAIN.value), domain_key(ContactPoint.value))
            .where(ContactPoint.kind == PointKind.EMAIL, domain_key(ContactPoint.value).in_(domains))
            .where(Contact.account_id != account.id)
            .limit(COMMON)
        )
        ways.append(
            select(AccountDomain.account_id, literal(Likeness.DOMAIN.value), AccountDomain.domain).where(
                AccountDomain.domain.in_(domains)
            )
        )
    if phones:
        ways.append(
            by_point.add_columns(literal(Likeness.PHONE.value), ContactPoint.value)
            .where(ContactPoint.kind != PointKind.EMAIL, ContactPoint.value.in_(phones))
            .where(Contact.account_id != account.id)
            .limit(COMMON)
        )
    return ways


def _rank(why: Likeness) -> int:
    return list(Likeness).index(why)


def among_contacts(session: Session, contacts: Sequence[Contact]) -> list[ContactDouble]:
    """Pairs of one client's contacts that may be one person, but for those kept apart."""
    if len(contacts) < 2:
        return []
    ids = [one.id for one in contacts]
    keys = dict(session.execute(select(Contact.id, name_key(Contact.name)).where(Contact.id.in_(ids))).all())
    apart = {
        (low, high)
        for low, high in session.execute(
            select(KeptApart.low_id, KeptApart.high_id).where(
                KeptApart.kind == Pair.CONTACT, KeptApart.low_id.in_(ids)
            )
        )
    }
    found = []
    for one, other in combinations(sorted(contacts, key=lambda contact: contact.id), 2):
        if (one.id, other.id) in apart:
            continue
        why = _alike(one, other, keys)
        if why is not None:
            found.append(ContactDouble(one, other, *why))
        if len(found) == SHOWN:
            break
    return found


def _alike(one: Contact, other: Contact, keys: dict[int, str]) -> tuple[Likeness, str] | None:
    """Why two contacts may be one: an address, a name in either order, or a number and no second name."""
    mine = {(point.kind == PointKind.EMAIL, point.value) for point in one.points}
    shared = sorted(mine & {(point.kind == PointKind.EMAIL, point.value) for point in other.points})
    if any(is_mail for is_mail, _value in shared):
        return Likeness.EMAIL, shared[-1][1]
    same_name = len(keys[one.id]) >= SHORTEST_NAME and sorted(keys[one.id]) == sorted(keys[other.id])
    if same_name and (keys[one.id] == keys[other.id] or _words(one.name) == _words(other.name)):
        return Likeness.NAME, one.name
    if shared and (not one.name or not other.name):
        return Likeness.PHONE, shared[0][1]
    return None


def _words(name: str) -> list[str]:
    return sorted(name.casefold().split())


def keep_apart(session: Session, kind: Pair, one: int, other: int, *, staff_id: int | None) -> None:
    """Two records are not one; they are not shown as doubles any more."""
    low, high = sorted((one, other))
    row = insert(KeptApart).values(kind=kind, low_id=low, high_id=high, staff_id=staff_id)
    session.execute(row.on_conflict_do_nothing())


def bring_together(session: Session, kind: Pair, one: int, other: int) -> None:
    """Take that back."""
    low, high = sorted((one, other))
    session.execute(
        delete(KeptApart).where(KeptApart.kind == kind, KeptApart.low_id == low, KeptApart.high_id == high)
    )
