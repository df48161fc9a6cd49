"""Finding a client by a part of a name, an address or a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Index, Row, Select, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.accounts import Account, Contact, ContactPoint
from core.conversations import Conversation
from core.search import folded

CANDIDATES = 1_000
"""Names, shortest first, among which those of clients that somebody may see are looked for."""


def _trigrams(name: str, column: Any) -> Index:
    return Index(
        name, folded(column).label("plain"), postgresql_using="gin", postgresql_ops={"plain": "gin_trgm_ops"}
    )


_trigrams("ix_account_plain_name", Account.name)
_trigrams("ix_contact_plain_name", Contact.name)
Index(
    "ix_contact_point_part",
    ContactPoint.value,
    postgresql_using="gin",
    postgresql_ops={"value": "gin_trgm_ops"},
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client found by a part of a name, an address or a number."""

    account_id: int | None
    contact_id: int | None
    name: str
    """The contact's where one was found, else the company's."""
    account: str
    detail: str
    """The address or number that was found, or what the contact does."""


def _like(part: str) -> str:
    for sign in "\\%_":
        part = part.replace(sign, f"\\{sign}")
    return f"%{part}%"


def clients(
    session: Session,
    part: str,
    may_see: ColumnElement[bool],
    *,
    curated_by: int | None = None,
    limit: int = 8,
) -> list[Client]:
    """Clients with `part` (folded) in the name of a company or a person, in an address or a number.

    Only those with a conversation that `may_see` lets through, or whose curator is `curated_by`.
    """
    if len(part.strip()) < 2:
        return []
    found: dict[tuple[int | None, int | None], Client] = {}
    for query in _queries(part.strip()):
        rows = session.execute(query.limit(CANDIDATES)).all()
        for row in _seen(session, rows, may_see, curated_by)[:limit]:
            one = Client(
                row.account_id,
                row.contact_id,
                row.name or row.detail or "",
                row.account or "",
                row.detail or "",
            )
            found.setdefault((one.account_id if one.contact_id is None else None, one.contact_id), one)
    return list(found.values())[:limit]


def _queries(part: str) -> Iterable[Select[*tuple[Any, ...]]]:
    """Companies by name or code, then people by address or number, then people by name."""
    pattern = _like(part)
    digits = "".join(filter(str.isdigit, part))
    in_point = [ContactPoint.value.like(pattern)]
    if len(digits) >= 4:
        in_point.append(ContactPoint.value.like(f"%{digits}%"))
    yield (
        select(
            Account.id.label("account_id"), literal(None).label("contact_id"), Account.name.label("name"),
            Account.name.label("account"), Account.code.label("detail"), Account.curator_id,
        )
        .where(folded(Account.name).like(pattern) | (Account.code == part))
        .order_by(func.length(Account.name), Account.id)
    )  # fmt: skip
    person = (
        Contact.account_id, Contact.id.label("contact_id"), Contact.name.label("name"),
        Account.name.label("account"),
    )  # fmt: skip
    yield (
        select(*person, ContactPoint.value.label("detail"), Account.curator_id)
        .select_from(ContactPoint)
        .join(Contact)
        .outerjoin(Account)
        .where(or_(*in_point))
        .order_by(func.length(ContactPoint.value), Contact.id)
    )
    yield (
        select(*person, Contact.position.label("detail"), Account.curator_id)
        .outerjoin(Account)
        .where(folded(Contact.name).like(pattern))
        .order_by(func.length(Contact.name), Contact.id)
    )


def _seen(
    session: Session,
    rows: Sequence[Row[*tuple[Any, ...]]],
    may_see: ColumnElement[bool],
    curated_by: int | None,
) -> list[Row[*tuple[Any, ...]]]:
    """Those of the rows that may be seen, asked of their conversations alone."""
    open_to_them: dict[str, set[int | None]] = {}
    for name, column in (("account_id", Conversation.account_id), ("contact_id", Conversation.contact_id)):
        ids = {getattr(row, name) for row in rows if (row.contact_id is None) == (name == "account_id")}
        if ids:
            among = column == any_(literal(sorted(ids), ARRAY(Conversation.id.type)))
            open_to_them[name] = set(session.scalars(select(column).where(among, may_see).distinct()))
    return [
        row
        for row in rows
        if (curated_by is not None and row.curator_id == curated_by)
        or (
            row.account_id in open_to_them.get("account_id", ())
            if row.contact_id is None
            else row.contact_id in open_to_them.get("contact_id", ())
        )
    ]
