"""Recognise: which contact of which account wrote it, or which colleague of ours."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from core import heardfrom
from core.accounts import Account, AccountDomain, Channel, Contact, ContactPoint, PointKind, name_of_domain
from core.bulk import among, new_ids
from core.consent import address_key
from core.heardfrom import Sign
from core.staff import StaffMember
from core.values import BadAddress, email_domain, is_free_mail, normal_email
from inbound.authenticity import Verdict
from inbound.work import Batch, Company, Item, Person


def run(batch: Batch) -> None:
    """Find the sender among staff and contacts; a person nobody knows becomes a contact, a machine never."""
    items = list(batch.on_their_way())
    for item in items:
        _sender(item)
    staff = _staff(batch, [item.sender for item in items if item.sender])
    for item in items:
        if item.sender in staff and (item.reading.by_form or _denied(item)):
            item.sender = None
            item.warnings.append("claims_to_be_colleague")
            known = (
                "a form cannot know" if item.reading.by_form else "our mail server says it is not from there"
            )
            item.note("recognise", f"it names a colleague, but {known}")
        elif item.sender in staff:
            _colleague(item, staff[item.sender])
    people = _known(
        batch, {item.sender for item in items if (item.sender and not item.staff_id) or item.person}
    )
    _add_unknown(batch, items, people)
    _alive(batch, items)


def _alive(batch: Batch, items: Iterable[Item]) -> None:
    """Who wrote has an address that lives; what a form or a forward names, or a forger, shows nothing."""
    signs = {
        id(item): Sign(Channel.EMAIL, address_key(Channel.EMAIL, item.sender), item.came_at)
        for item in items
        if item.sender is not None
        and item.human
        and not item.reading.by_form
        and "forwarded_by_staff" not in item.warnings
        and not _denied(item)
    }
    opened = heardfrom.open_again(batch.session, signs.values(), heardfrom.BY_LETTER)
    for item in items:
        if (sign := signs.get(id(item))) is not None and (sign.channel, sign.address) in opened:
            item.note("recognise", heardfrom.NOTED)


def _sender(item: Item) -> None:
    pair = item.reading.from_ or next(iter(item.reading.reply_to), None)
    if pair is None:
        item.note("recognise", "no sender is named")
        item.warnings.append("no_sender")
        return
    item.sender_name = pair[0]
    try:
        item.sender = normal_email(pair[1])
    except BadAddress:
        item.note("recognise", "the sender's address cannot be written to")
        item.warnings.append("bad_sender")


def _staff(batch: Batch, addresses: list[str]) -> dict[str, int]:
    query = select(StaffMember.email, StaffMember.id).where(among(StaffMember.email, set(addresses)))
    return dict(batch.session.execute(query).all())


def _denied(item: Item) -> bool:
    domain = (item.sender or "").rpartition("@")[2]
    return item.checks is not None and item.checks.verdict(domain) is Verdict.DENIED


def _colleague(item: Item, staff_id: int) -> None:
    """A colleague who forwards a client's letter hands the client in; all else is the colleague's own."""
    forward = item.reading.forward
    if forward is not None and forward[1]:
        try:
            item.sender, item.sender_name = normal_email(forward[1]), forward[0]
        except BadAddress:
            item.staff_id = staff_id
            return
        item.warnings.append("forwarded_by_staff")
        item.note("recognise", "a colleague forwarded it; the client is who wrote it first")
        return
    item.staff_id = staff_id
    item.note("recognise", "a colleague of ours")


def _known(batch: Batch, addresses: Iterable[str | None]) -> dict[str, Person]:
    query = (
        select(
            ContactPoint.value,
            Contact.id,
            Contact.name,
            Contact.language,
            Contact.account_id,
            Account.name.label("company"),
            Account.curator_id,
        )
        .join(Contact, ContactPoint.contact_id == Contact.id)
        .outerjoin(Account, Contact.account_id == Account.id)
        .where(ContactPoint.kind == PointKind.EMAIL, among(ContactPoint.value, set(filter(None, addresses))))
        .order_by(ContactPoint.id.desc())
    )
    found: dict[str, Person] = {}
    for row in batch.session.execute(query):
        company = Company(row.account_id, row.company, row.curator_id) if row.account_id else None
        found[row.value] = Person(row.id, row.value, row.name, company, row.language)
    return found


def _add_unknown(batch: Batch, items: list[Item], people: dict[str, Person]) -> None:
    unknown = {
        item.sender: item
        for item in items
        if item.sender is not None and item.sender not in people and item.human
    }
    companies = _companies(batch, unknown)
    for (sender, item), contact_id in zip(
        unknown.items(), new_ids(batch.session, Contact, len(unknown)), strict=True
    ):
        domain = email_domain(sender)
        person = Person(
            contact_id,
            sender,
            item.sender_name.strip()[:200],
            companies.get(domain),
            language=item.reading.language,
            new=True,
        )
        people[sender] = person
        batch.people.append(person)
    for item in items:
        if item.sender is None or item.staff_id is not None:
            continue
        item.person = people.get(item.sender)
        if item.person is None:
            item.note("recognise", "nobody we know, and a machine makes no contact")
        elif item.person.new:
            company = item.person.company
            where = f"at {company.name}" if company else "whose company is not known"
            item.note("recognise", f"a new contact {where}")
        else:
            item.note("recognise", "a contact we know")


def _companies(batch: Batch, unknown: dict[str, Item]) -> dict[str, Company]:
    """Accounts by mail domain, found or to be added; free mail stands for no company."""
    domains = {domain for sender in unknown if not is_free_mail(domain := email_domain(sender))}
    query = (
        select(AccountDomain.domain, Account.id, Account.name, Account.curator_id)
        .join(Account)
        .where(among(AccountDomain.domain, domains))
    )
    found = {
        domain: Company(account_id, name, curator_id)
        for domain, account_id, name, curator_id in batch.session.execute(query)
    }
    missing = sorted(domains - set(found))
    for domain, account_id in zip(missing, new_ids(batch.session, Account, len(missing)), strict=True):
        found[domain] = Company(account_id, name_of_domain(domain), domain=domain, new=True)
        batch.companies.append(found[domain])
    return found
