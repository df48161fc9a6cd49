"""Who a telephone number belongs to, and which colleagues of ours they have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import phonenumbers
from sqlalchemy import select, text
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
        country = _country_of(caller.number)
    return country, region


@dataclass(frozen=True, slots=True)
class Known:
    """What a webhook needs to know of a caller, which has to be quick."""

    number: str | None
    contact_id: int | None = None
    account_id: int | None = None
    language: str | None = None
    curator_id: int | None = None
    country: str | None = None
    """From the client's card, else that of the number."""
    region: str | None = None
    industry: str | None = None
    deal_id: int | None = None
    """Their open deal."""
    owner_id: int | None = None
    """Who owns it."""
    assignee_id: int | None = None
    """Who has their open conversation."""
    intent: str | None = None
    """What that conversation is about."""

    @property
    def client(self) -> bool:
        """Whether a client has the number."""
        return self.contact_id is not None or self.account_id is not None


_LOOK_UP: Final = text("""
with one as (
    select case when count(*) = 1 then min(c.id) end as contact_id,
           case when count(distinct coalesce(c.account_id, 0)) = 1 then min(c.account_id) end as account_id,
           case when count(distinct coalesce(c.language, '')) = 1 then min(c.language) end as language
    from contact c
    where c.id in (select contact_id from contact_point where kind = 'phone' and value = :number)
)
select one.contact_id, one.account_id, one.language, a.curator_id, a.country, a.region, a.industry,
       d.id, d.owner_id, t.assignee_id, t.intent
from one
left join account a on a.id = one.account_id
left join lateral (
    select id, owner_id from deal
    where outcome is null
      and (deal.account_id = one.account_id or (deal.account_id is null and deal.contact_id = one.contact_id))
    order by owner_id is null, id desc limit 1
) d on true
left join lateral (
    select assignee_id, intent from conversation
    where state = 'open'
      and case when one.contact_id is not null then conversation.contact_id = one.contact_id
               else conversation.account_id = one.account_id end
    order by last_message_at desc, id desc limit 1
) t on true
""")


def look_up(session: Session, shown: str) -> Known:
    """What is known of the number a caller shows, in one statement that costs no mapping of objects.

    The same rules as `recognise`, `open_deal` and `open_conversation`.
    """
    number = readable(shown)
    if number is None:
        return Known(None)
    known = Known(number, *session.execute(_LOOK_UP, {"number": number}).one())
    return known if known.country is not None else replace(known, country=_country_of(number))


def _country_of(number: str) -> str | None:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number, None))


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
