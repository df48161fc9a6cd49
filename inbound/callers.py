"""Who a telephone number belongs to, and which colleagues of ours they have."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from sqlalchemy import literal, or_, select, true
from sqlalchemy.orm import Session, joinedload

from core.accounts import Account, Contact, ContactPoint, PointKind
from core.conversations import Conversation, ConversationState
from core.deals import Deal, open_deals
from core.dialling import readable
from core.staff import StaffMember


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a number: who may be calling. It proves nothing, for anybody can show any number."""

    number: str | None
    """E.164; None where it is withheld or no number."""
    contact: Contact | None = None
    """Whose number it is, where only one person has it."""
    account: Account | None = None
    """Their company, where all who have the number work there."""
    language: str | None = None
    """Where all who have the number speak the same."""

    @property
    def known(self) -> bool:
        """Whether a client has the number."""
        return self.contact is not None or self.account is not None

    @property
    def name(self) -> str:
        """Who is calling, for people: name and company, or the number."""
        parts = (self.contact.name if self.contact else "", self.account.name if self.account else "")
        return ", ".join(filter(None, parts)) or self.number or ""


def recognise(session: Session, shown: str) -> Caller:
    """What is known of the number a caller shows."""
    number = readable(shown)
    if number is None:
        return Caller(None)
    query = (
        select(Contact)
        .join(ContactPoint)
        .where(ContactPoint.kind == PointKind.PHONE, ContactPoint.value == number)
        .options(joinedload(Contact.account))
        .order_by(Contact.id)
    )
    people = list(session.scalars(query).unique())
    if not people:
        return Caller(number)
    accounts = {person.account_id for person in people}
    languages = {person.language for person in people}
    return Caller(
        number,
        contact=people[0] if len(people) == 1 else None,
        account=people[0].account if len(accounts) == 1 else None,
        language=languages.pop() if len(languages) == 1 else None,
    )


def colleague_of(session: Session, number: str) -> int | None:
    """Whose telephone among our colleagues has a number, however theirs is written."""
    query = select(StaffMember.id, StaffMember.phone).where(
        StaffMember.active, StaffMember.phone.is_not(None)
    )
    rows = session.execute(query.order_by(StaffMember.id)).all()
    return next((staff_id for staff_id, phone in rows if readable(phone or "") == number), None)


def place_of(caller: Caller) -> tuple[str | None, str | None]:
    """Country code and region of a caller: from the client's card, else the country of the number."""
    region = caller.account.region if caller.account else None
    country = caller.account.country if caller.account else None
    if country is None and caller.number is not None:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(caller.number, None))
    return country, region


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose client a caller is, and what they last wrote or called about."""

    owner_id: int | None = None
    """Owner of their open deal."""
    assignee_id: int | None = None
    """Who has their open conversation."""
    intent: str | None = None
    """What that conversation is about."""


def whose_client(session: Session, caller: Caller) -> Whose:
    """Whose client a caller is, in one statement.

    The same rules as `open_deal` and `open_conversation`, for a webhook that has to be quick.
    """
    if not caller.known:
        return Whose()
    contact_id = caller.contact.id if caller.contact is not None else None
    account_id = caller.account.id if caller.account is not None else None
    deals = [Deal.account_id == account_id] if account_id is not None else []
    if contact_id is not None:
        deals.append(Deal.account_id.is_(None) & (Deal.contact_id == contact_id))
    owner = (
        select(Deal.owner_id)
        .where(Deal.outcome.is_(None), or_(*deals))
        .order_by(Deal.owner_id.is_(None), Deal.id.desc())
        .limit(1)
        .subquery()
    )
    mine = (
        Conversation.contact_id == contact_id
        if contact_id is not None
        else Conversation.account_id == account_id
    )
    talk = (
        select(Conversation.assignee_id, Conversation.intent)
        .where(mine, Conversation.state == ConversationState.OPEN)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(1)
        .subquery()
    )
    one = select(literal(1).label("one")).subquery()
    row = session.execute(
        select(owner.c.owner_id, talk.c.assignee_id, talk.c.intent).select_from(
            one.outerjoin(owner, true()).outerjoin(talk, true())
        )
    ).one()
    return Whose(*row)


def open_conversation(session: Session, caller: Caller) -> Conversation | None:
    """The newest open conversation with a caller, or with their company where only that is known."""
    if not caller.known:
        return None
    of_caller = (
        Conversation.contact_id == caller.contact.id
        if caller.contact is not None
        else Conversation.account_id == (caller.account.id if caller.account else None)
    )
    query = (
        select(Conversation)
        .where(of_caller, Conversation.state == ConversationState.OPEN)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def open_deal(session: Session, caller: Caller) -> Deal | None:
    """The newest open deal with a caller; one that somebody owns goes before one that nobody does."""
    if not caller.known:
        return None
    deals = open_deals(
        session,
        [caller.account.id] if caller.account else [],
        [caller.contact.id] if caller.contact else [],
    )
    return next((deal for deal in deals if deal.owner_id is not None), deals[0] if deals else None)
