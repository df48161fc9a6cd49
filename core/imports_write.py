"""An import written in bulk and taken back: new rows by COPY, what was filled by its keys, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Table, delete, exists, select, update
from sqlalchemy.orm import Session

from core import provenance
from core.accounts import Account, AccountDomain, Contact, ContactPoint, name_of_domain
from core.bulk import copy_rows, new_ids
from core.db import Base, models
from core.imports_rows import Import, ImportRow, RowOutcome
from core.provenance import FieldOrigin, Origin, Subject

if TYPE_CHECKING:
    from core.imports import Planned

SOURCE = "import"
OWN_OF_CONTACT = ("contact_point", "contact_list_member", "segment_member", "contact_intent")
OWN_OF_ACCOUNT = ("account_domain",)
"""Tables whose rows go with the contact or account they belong to."""


def write_rows(session: Session, import_id: int, planned: Sequence[Planned]) -> list[int]:
    """Write what the rows do, and their outcomes; returns the contacts they are about, in their order."""
    good = [one for one in planned if one.outcome != RowOutcome.REFUSED]
    accounts = _add_accounts(session, good)
    for one in good:
        if one.account_key is not None:
            one.account_id = accounts[one.account_key]
            if one.contact_id is not None and "account_id" in one.contact:
                one.contact["account_id"] = one.account_id
    fresh = [one for one in good if one.contact_id is None]
    ids = dict(zip(map(id, fresh), new_ids(session, Contact, len(fresh)), strict=True))
    copy_rows(
        session, Contact,
        ("id", "account_id", "name", "position", "language", "buying_role", "source", "tags"),
        [
            (
                ids[id(one)], one.account_id, one.contact.get("name", ""), one.contact.get("position", ""),
                one.contact.get("language"), one.contact.get("buying_role"), SOURCE,
                one.contact.get("tags", []),
            )
            for one in fresh
        ],
    )  # fmt: skip
    whose = [(ids.get(id(one), one.contact_id), one) for one in good]
    copy_rows(
        session, ContactPoint, ("contact_id", "kind", "value", "source"),
        [(contact_id, kind, value, SOURCE) for contact_id, one in whose for kind, value in one.points],
    )  # fmt: skip
    _fill(session, Contact, [(one.contact_id, one.contact) for one in good])
    _fill(session, Account, [(one.account_id, one.account) for one in good if one.account_key is None])
    _remember(session, import_id, planned, ids, accounts)
    _say_whence(session, import_id, good, ids, accounts)
    session.expire_all()
    return [contact_id for contact_id, _ in whose if contact_id is not None]


def _fill(session: Session, model: type[Base], rows: Sequence[tuple[int | None, dict[str, Any]]]) -> None:
    """Write columns of rows that are there, many in one go."""
    filled = [{"id": number, **columns} for number, columns in rows if number is not None and columns]
    if filled:
        session.execute(update(model), filled)


def _add_accounts(session: Session, good: Sequence[Planned]) -> dict[str, int]:
    """Add each account that rows name once; returns their ids by key."""
    first: dict[str, Planned] = {}
    columns: dict[str, dict[str, Any]] = {}
    for one in good:
        if one.account_key is not None:
            first.setdefault(one.account_key, one)
            held = columns.setdefault(one.account_key, {})
            held.update({name: value for name, value in one.account.items() if name not in held})
    ids = dict(zip(first, new_ids(session, Account, len(first)), strict=True))
    copy_rows(
        session, Account,
        ("id", "name", "code", "industry", "region", "country", "source", "employees"),
        [
            (
                ids[key], _name(key, one), *(columns[key].get(name) for name in ("code", "industry", "region",
                "country")), columns[key].get("source", SOURCE), columns[key].get("employees"),
            )
            for key, one in first.items()
        ],
    )  # fmt: skip
    domains = {
        key.removeprefix("domain:"): number for key, number in ids.items() if key.startswith("domain:")
    }
    copy_rows(session, AccountDomain, ("domain", "account_id"), list(domains.items()))
    return ids


def _name(key: str, one: Planned) -> str:
    return one.entry.values.get("company") or name_of_domain(key.removeprefix("domain:"))


def _remember(
    session: Session,
    import_id: int,
    planned: Sequence[Planned],
    ids: dict[int, int],
    accounts: dict[str, int],
) -> None:
    said: set[str] = set()
    written = []
    for one in planned:
        added_account = None
        if one.account_key is not None and one.account_key not in said:
            said.add(one.account_key)
            added_account = accounts.get(one.account_key)
        changes: dict[str, Any] = {}
        if one.contact_id is not None:
            changes["contact"] = {name: value for name, value in one.contact.items() if name != "tags"}
            changes["tags"] = one.new_tags
            changes["points"] = [value for _, value in one.points]
        if one.account_key is None and one.account_id is not None and one.account:
            changes["account"] = dict(one.account)
            changes["account_id"] = one.account_id
        contact_id = ids.get(id(one), one.contact_id)
        written.append((import_id, one.entry.row, one.outcome, one.error, contact_id, added_account, changes))
    copy_rows(
        session, ImportRow,
        ("import_id", "row", "outcome", "error", "contact_id", "account_id", "changes"),
        written,
    )  # fmt: skip


def _say_whence(
    session: Session,
    import_id: int,
    good: Sequence[Planned],
    ids: dict[int, int],
    accounts: dict[str, int],
) -> None:
    """Where the values came from: of what was added one row each, of what was filled one a field."""
    by = session.scalar(select(Import.staff_id).where(Import.id == import_id))
    made = [
        *((Subject.CONTACT, one) for one in ids.values()),
        *((Subject.ACCOUNT, one) for one in accounts.values()),
    ]
    copy_rows(
        session, FieldOrigin, ("subject", "subject_id", "field", "origin", "import_id", "staff_id"),
        [(subject, number, provenance.WHOLE, Origin.IMPORT, import_id, by) for subject, number in made],
    )  # fmt: skip
    for one in good:
        for subject, number, fields in (
            (Subject.CONTACT, one.contact_id, one.contact),
            (Subject.ACCOUNT, one.account_id if one.account_key is None else None, one.account),
        ):
            if number is not None and fields:
                provenance.note(
                    session, subject, number, fields, Origin.IMPORT, import_id=import_id, staff_id=by
                )


def take_back(session: Session, import_id: int) -> dict[str, int]:
    """Take an import's rows back: what it filled is emptied where it still stands so, what it added goes away
    unless it is used meanwhile; returns how many were taken away and how many kept."""
    filled = session.execute(
        select(ImportRow.contact_id, ImportRow.changes).where(
            ImportRow.import_id == import_id, ImportRow.changes != {}
        )
    ).all()
    for contact_id, changes in filled:
        _empty_again(session, Contact, contact_id, changes.get("contact", {}))
        if changes.get("account"):
            _empty_again(session, Account, changes["account_id"], changes["account"])
        if changes.get("points"):
            session.execute(
                delete(ContactPoint).where(
                    ContactPoint.contact_id == contact_id,
                    ContactPoint.source == SOURCE,
                    ContactPoint.value.in_(changes["points"]),
                )
            )
        if changes.get("tags"):
            person = session.get(Contact, contact_id)
            if person is not None:
                person.tags = [tag for tag in person.tags if tag not in changes["tags"]]
    session.execute(delete(FieldOrigin).where(FieldOrigin.import_id == import_id))
    counted = {"filled": len(filled)}
    for model, column, own in (
        (Contact, ImportRow.contact_id, OWN_OF_CONTACT),
        (Account, ImportRow.account_id, OWN_OF_ACCOUNT),
    ):
        table = Base.metadata.tables[model.__tablename__]
        mine = select(column).where(
            ImportRow.import_id == import_id, ImportRow.outcome == RowOutcome.ADDED, column.is_not(None)
        )
        all_mine = session.scalars(mine).all()
        free = session.scalars(_unused(table, mine, own)).all()
        for name in own:
            other = Base.metadata.tables[name]
            session.execute(delete(other).where(other.c[f"{table.name}_id"].in_(free)))
        session.execute(delete(table).where(table.c.id.in_(free)))
        counted |= {f"{table.name}_gone": len(free), f"{table.name}_kept": len(all_mine) - len(free)}
    session.expire_all()
    return counted


def _unused(table: Table, mine: Select[Any], own: Sequence[str]) -> Select[Any]:
    """Ids of those rows that no table but their own ones refers to."""
    models()
    query = select(table.c.id).where(table.c.id.in_(mine))
    for other in Base.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is table and other.name not in own:
                query = query.where(~exists().where(key.parent == table.c.id))
    return query


def _empty_again(session: Session, model: type[Base], row_id: int | None, columns: dict[str, Any]) -> None:
    """Empty what the import filled, where nobody has changed it since."""
    row = session.get(model, row_id) if row_id is not None else None
    if row is None:
        return
    for name, value in columns.items():
        held = getattr(row, name)
        if held == value or str(held) == str(value):
            setattr(row, name, "" if name in {"name", "position"} else None)
    session.flush()
