"""Contacts from a file: what each row would do is decided first and can be looked at; then done, and undone.

Nothing that is known is overwritten: a row about a known contact fills what is empty and adds tags. What
every row did is kept, so that the whole import can be taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import cardscores, lists
from core.accounts import Account, AccountDomain, Contact, ContactPoint, PointKind, company_domain
from core.errors import IllegalTransition, InputRefused, NotFound
from core.imports_fields import Entry, entries, folded, guess
from core.imports_rows import TRANSITIONS, Import, ImportState, RowOutcome
from core.imports_write import take_back, write_rows
from core.lists import ContactList
from core.tabular import Sheet, read

AT_ONCE = 5_000
"""Keys that are looked up in one query."""


@dataclass(slots=True)
class Planned:
    """What a row will do."""

    entry: Entry
    outcome: RowOutcome
    error: str = ""
    contact_id: int | None = None
    """The known contact."""
    account_id: int | None = None
    """The known account."""
    account_key: str | None = None
    """Stands for an account to be added; rows with one key share it."""
    contact: dict[str, Any] = field(default_factory=dict)
    """Columns of the contact to be set."""
    account: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[PointKind, str]] = field(default_factory=list)
    new_tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """What is on record of those whom a file names."""

    by_email: dict[str, Contact] = field(default_factory=dict)
    by_phone: dict[str, list[Contact]] = field(default_factory=dict)
    by_code: dict[str, Account] = field(default_factory=dict)
    by_name: dict[str, Account] = field(default_factory=dict)
    by_domain: dict[str, Account] = field(default_factory=dict)
    numbers: set[tuple[int, str]] = field(default_factory=set)
    """Contact and number, of those already there."""
    by_person: dict[tuple[int, str], Contact] = field(default_factory=dict)
    """By account and folded name, for rows that tell no more of somebody."""


def upload(session: Session, filename: str, data: bytes, *, staff_id: int | None = None) -> Import:
    """Take a file in and guess its columns. Raises TableRefused."""
    sheet = read(data)
    mapping = {str(column): name for column, name in guess(sheet).items()}
    made = Import(filename=filename[:200] or "file", data=data, mapping=mapping, staff_id=staff_id)
    session.add(made)
    session.flush()
    return made


def get(session: Session, import_id: int, *, lock: bool = False) -> Import:
    """An import. Raises NotFound."""
    found = session.get(Import, import_id, with_for_update=True if lock else None)
    if found is None:
        raise NotFound
    return found


def mapping_of(one: Import) -> dict[int, str]:
    """Field by column number."""
    return {int(column): name for column, name in one.mapping.items()}


def plan(session: Session, sheet: Sheet, mapping: Mapping[int, str]) -> list[Planned]:
    """What every row would do; nothing is written. Raises InputRefused when no column says who it is."""
    if not {"email", "phone", "name", "first_name", "last_name"} & set(mapping.values()):
        raise InputRefused("Say which column holds the e-mail address, the telephone or the name.")
    rows = entries(sheet, mapping)
    known = _known(session, rows)
    return [decide(entry, known) for entry in rows]


def decide(entry: Entry, known: Known) -> Planned:
    """What one row does, given what is on record: pure."""
    if entry.error:
        return Planned(entry, RowOutcome.REFUSED, entry.error)
    values = entry.values
    contact = known.by_email.get(values.get("email", ""))
    if contact is None and "email" not in values:
        sharing = known.by_phone.get(values.get("phone", ""), [])
        contact = sharing[0] if len(sharing) == 1 else None
    if _by_name_alone(values):
        there, _ = _account(entry, None, known)
        contact = known.by_person.get((there.id, folded(values["name"]))) if there is not None else None
    account, key = _account(entry, contact, known)
    planned = Planned(
        entry,
        RowOutcome.ADDED if contact is None else RowOutcome.SAME,
        contact_id=contact.id if contact else None,
        account_id=account.id if account else None,
        account_key=key,
    )
    planned.contact = _empty_ones(
        contact, _columns(values, "name", "position", "language", role="buying_role")
    )
    planned.account = _empty_ones(
        account,
        _columns(values, "code", "industry", "region", "country", "source")
        | ({"employees": entry.employees} if entry.employees is not None else {}),
    )
    planned.new_tags = [tag for tag in entry.tags if contact is None or tag not in contact.tags]
    if planned.new_tags:
        planned.contact["tags"] = [*(contact.tags if contact else []), *planned.new_tags]
    for kind, name in ((PointKind.EMAIL, "email"), (PointKind.PHONE, "phone")):
        value = values.get(name)
        fresh = contact is None or (kind == PointKind.PHONE and (contact.id, value) not in known.numbers)
        if value and fresh:
            planned.points.append((kind, value))
    if contact is not None and contact.account_id is None and (account is not None or key is not None):
        planned.contact["account_id"] = account.id if account else None
    filled = planned.contact or planned.points or (planned.account and planned.account_id is not None)
    if contact is not None and filled:
        planned.outcome = RowOutcome.FILLED
    return planned


def _by_name_alone(values: Mapping[str, str]) -> bool:
    """Whether a row tells no address and no number of somebody."""
    return not {"email", "phone"} & values.keys()


def _account(entry: Entry, contact: Contact | None, known: Known) -> tuple[Account | None, str | None]:
    """The account a row is about, or the key of one to be added."""
    if contact is not None and contact.account is not None:
        return contact.account, None
    values = entry.values
    code, company = values.get("code", ""), values.get("company", "")
    email = values.get("email", "")
    domain = company_domain(email) if email else None
    for found in (
        known.by_code.get(code) if code else None,
        known.by_name.get(company.casefold()) if company else None,
        known.by_domain.get(domain) if domain else None,
    ):
        if found is not None:
            return found, None
    if company:
        return None, f"code:{code}" if code else f"name:{company.casefold()}"
    return None, f"domain:{domain}" if domain else None


def _columns(values: Mapping[str, str], *same: str, **renamed: str) -> dict[str, Any]:
    found = {name: values[name] for name in same if name in values}
    return found | {column: values[name] for name, column in renamed.items() if name in values}


def _empty_ones(row: Contact | Account | None, columns: dict[str, Any]) -> dict[str, Any]:
    """Those of the columns that are empty in a row that is known; all of them for a new one."""
    if row is None:
        return columns
    return {name: value for name, value in columns.items() if getattr(row, name) in (None, "")}


def _known(session: Session, rows: Sequence[Entry]) -> Known:
    """Everything on record of those whom the rows name, in a few queries a thousand rows."""
    good = [row.values for row in rows if not row.error]
    known = Known()
    emails = {one["email"] for one in good if "email" in one}
    for page in _pages(emails):
        found = session.execute(
            select(ContactPoint.value, Contact)
            .join(Contact, Contact.id == ContactPoint.contact_id)
            .where(ContactPoint.kind == PointKind.EMAIL, ContactPoint.value.in_(page))
            .order_by(ContactPoint.id.desc())
        )
        known.by_email.update(dict(found.all()))
    for page in _pages({one["phone"] for one in good if "phone" in one}):
        found = session.execute(
            select(ContactPoint.value, Contact)
            .join(Contact, Contact.id == ContactPoint.contact_id)
            .where(ContactPoint.kind == PointKind.PHONE, ContactPoint.value.in_(page))
        )
        for value, contact in found:
            known.by_phone.setdefault(value, []).append(contact)
            known.numbers.add((contact.id, value))
    for page in _pages({one["code"] for one in good if "code" in one}):
        accounts = session.scalars(select(Account).where(Account.code.in_(page)).order_by(Account.id.desc()))
        known.by_code.update({one.code: one for one in accounts if one.code})
    for page in _pages({one["company"].casefold() for one in good if "company" in one}):
        query = select(Account).where(func.lower(Account.name).in_(page)).order_by(Account.id.desc())
        known.by_name.update({one.name.casefold(): one for one in session.scalars(query)})
    domains = {domain for email in emails if (domain := company_domain(email))}
    for page in _pages(domains):
        found = session.execute(
            select(AccountDomain.domain, Account)
            .join(Account, Account.id == AccountDomain.account_id)
            .where(AccountDomain.domain.in_(page))
        )
        known.by_domain.update(dict(found.all()))
    _load_accounts(session, known)
    if any(_by_name_alone(one) for one in good):
        accounts = {one.id for one in (*known.by_code.values(), *known.by_name.values())}
        for page in _pages(accounts):
            query = select(Contact).where(Contact.account_id.in_(page), Contact.name != "")
            for one in session.scalars(query.order_by(Contact.id.desc())):
                known.by_person[one.account_id or 0, folded(one.name)] = one
    return known


def _load_accounts(session: Session, known: Known) -> None:
    """The accounts of the contacts found, so that none is fetched one by one."""
    people = [*known.by_email.values(), *(one for many in known.by_phone.values() for one in many)]
    for page in _pages({one.account_id for one in people if one.account_id}):
        session.scalars(select(Account).where(Account.id.in_(page))).all()


def _pages(keys: Iterable[Any]) -> Iterable[list[Any]]:
    ordered = sorted(keys)
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))


def counts(planned: Sequence[Planned]) -> dict[str, int]:
    """Rows by outcome; every outcome is named."""
    found = Counter(one.outcome for one in planned)
    return {outcome.value: found.get(outcome, 0) for outcome in RowOutcome}


def run(session: Session, one: Import, *, list_name: str = "", staff_id: int | None = None) -> None:
    """Do what the rows say, all in the caller's transaction; with a name, the contacts become a list."""
    if ImportState.DONE not in TRANSITIONS[one.state]:
        raise IllegalTransition("This import is done already.")
    planned = plan(session, read(one.data), mapping_of(one))
    made: ContactList | None = lists.add(session, list_name, staff_id=staff_id) if list_name.strip() else None
    contact_ids = write_rows(session, one.id, planned)
    cardscores.count(session, {row.account_id for row in planned if row.account_id is not None})
    if made is not None:
        lists.put_on(session, made.id, contact_ids)
        one.list_id = made.id
    one.counts = counts(planned)
    one.state, one.done_at = ImportState.DONE, func.now()
    session.flush()


def undo(session: Session, one: Import) -> None:
    """Take an import back; what is used meanwhile stays. Raises IllegalTransition unless it is done."""
    if ImportState.UNDONE not in TRANSITIONS[one.state]:
        raise IllegalTransition("Only an import that is done can be undone.")
    kept = take_back(session, one.id)
    if one.list_id is not None:
        made = session.get(ContactList, one.list_id)
        if made is not None:
            made.archived_at = func.now()
    one.counts = one.counts | kept
    one.state, one.undone_at = ImportState.UNDONE, func.now()
    session.flush()


def refused(planned: Sequence[Planned], sheet: Sheet) -> list[list[str]]:
    """The rows that were refused as they stood in the file, each after its number and what is wrong."""
    wrong = [one for one in planned if one.outcome == RowOutcome.REFUSED]
    cells = dict(sheet.numbered())
    return [[str(one.entry.row), one.error, *cells[one.entry.row]] for one in wrong]
