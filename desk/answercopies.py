"""The copies of a letter as its form offers and checks them: who else was on it, who must get nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import copies
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.config import Settings
from core.consent import Scope, Suppression, address_key, suppressed
from core.conversations import Conversation, Message
from core.copies import Reader
from core.errors import FrontdeskError, InputRefused
from core.staff import StaffMember
from core.values import is_email, normal_email, suppression_key
from desk.forms import Form

OFFERED = 12
"""Contacts of the client that are offered beside the field."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Somebody who is named in the field, and what stands against writing to them."""

    reader: Reader
    stop: Suppression | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What stands around the field of copies."""

    line: str
    """What is in it."""
    others: Sequence[Reader]
    """Who else was on the letter that is answered."""
    known: Sequence[Reader]
    """The client's contacts, those on the letter left out."""

    @property
    def everybody(self) -> str:
        """The line that names all the others."""
        return copies.written(self.others)

    def entry(self, one: Reader) -> str:
        """The line that names one."""
        return copies.written([one])


def own_addresses(settings: Settings) -> frozenset[str]:
    """The company's own mailboxes: what goes there comes back to us."""
    relay = [settings.relay.from_address] if settings.relay else []
    given = [one.address for one in settings.mailboxes] + relay + [settings.company.email]
    return frozenset(normal_email(one) for one in given if one and is_email(one))


def of_conversation(
    session: Session,
    settings: Settings,
    conversation: Conversation,
    incoming: Message | None,
    *,
    begun: str = "",
    all_of_them: bool = False,
) -> Offer:
    """What the form of an answer to a letter offers; with ``all_of_them`` the others stand in the field
    already."""
    others = _others(session, settings, incoming) if incoming is not None else []
    to = incoming.sender if incoming is not None else ""
    known = of_client(session, conversation.account_id, without={to, *(one.address for one in others)})
    line = begun or (copies.written(others) if all_of_them else "")
    return Offer(line, others, known)


def _others(session: Session, settings: Settings, incoming: Message) -> list[Reader]:
    """Who else was on a letter; neither ourselves nor colleagues, who see the answer here."""
    found = copies.of_letter(incoming.recipients, without={incoming.sender})
    own = own_addresses(settings)
    addresses = [one.address for one in found]
    staff = (
        set(session.scalars(select(StaffMember.email).where(StaffMember.email.in_(addresses))))
        if found
        else set()
    )
    return [
        one
        for one in found
        if not ({one.address, suppression_key(one.address)} & own) and one.address not in staff
    ]


def of_client(session: Session, account_id: int | None, *, without: Collection[str]) -> list[Reader]:
    """The first address of each of a client's contacts."""
    if account_id is None:
        return []
    query = (
        select(Contact.name, func.min(ContactPoint.value))
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(Contact.account_id == account_id, ContactPoint.kind == PointKind.EMAIL)
        .where(ContactPoint.value.not_in(list(without)))
        .group_by(Contact.id)
        .order_by(Contact.name, Contact.id)
        .limit(OFFERED)
    )
    return [Reader(name, address) for name, address in session.execute(query)]


def given(settings: Settings, form: Form) -> list[Reader]:
    """Whom the form copies the letter to. Raises BadCopy, and InputRefused for ourselves or too many."""
    found = copies.read(form.text("copies", longest=copies.LONGEST + 1))
    own = own_addresses(settings)
    for one in found:
        if {one.address, suppression_key(one.address)} & own:
            raise InputRefused(
                "A copy would come back to our own mailbox.",
                cure="Take our address out: the letter stands here anyway.",
            )
    return found


def shown(session: Session, settings: Settings, form: Form) -> tuple[list[Copied], FrontdeskError | None]:
    """The same for the preview: everybody with what stands against them, or what is wrong with the field."""
    try:
        found = given(settings, form)
    except FrontdeskError as fault:
        return [], fault
    keys = {one.address: address_key(Channel.EMAIL, one.address) for one in found}
    stops = suppressed(session, Channel.EMAIL, sorted(set(keys.values()))) if keys else {}
    barred = {
        one: stops[key] for one, key in keys.items() if key in stops and stops[key].scope == Scope.EVERYTHING
    }
    return [Copied(one, barred.get(one.address)) for one in found], None
