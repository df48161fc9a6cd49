"""How a client can be reached by telephone: their numbers, and what stands against using each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import byphone, letters
from core.accounts import Channel, PointKind
from core.config import Settings
from core.consent import Scope, Suppression, suppressed
from core.conversations import Conversation, Direction, Message
from core.deals import Deal
from core.demofiles import DemoFile
from core.dialling import may_call, readable, takes_sms
from core.outbox import Draft
from core.staff import StaffMember
from desk.answers import NEEDS_DEAL
from outbound.channels.fax import Fax, fax_sender_of
from outbound.filelinks import FileLinks
from outbound.placing import template_values
from outbound.sender import company_values
from templates.library import shelf_of
from templates.rendered import render_text


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a client."""

    number: str
    """E.164."""
    not_called: str = ""
    """Why it cannot be called; empty where it can."""
    takes_sms: bool = False
    stop: Suppression | None = None
    """What stands against any SMS to it; an opt-out of mailings does not."""
    no_calls: Suppression | None = None
    """The same for calls."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a conversation's page needs to know of the telephone."""

    possible: bool
    """The company has a telephone."""
    numbers: tuple[Number, ...] = ()
    sms: Number | None = None
    """Where an SMS goes by default."""
    by_sms: bool = False
    """The client last wrote an SMS."""
    texts: tuple[Number, ...] = field(default=())
    """Numbers that take SMS, the default first."""
    fax: bool = False
    """A gateway for faxes is set."""


def read(session: Session, settings: Settings, conversation: Conversation) -> Reach:
    """What is known of the client's numbers, in two queries."""
    if settings.twilio is None or not settings.twilio.numbers:
        return Reach(False, fax=bool(settings.phone.fax_gateway))
    newest = session.execute(
        select(Message.channel, Message.sender)
        .where(Message.conversation_id == conversation.id, Message.direction == Direction.IN)
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    ).first()
    by_telephone = newest is not None and newest.channel in {Channel.SMS, Channel.VOICE}
    wrote = readable(newest.sender) if newest is not None and by_telephone else None
    contact = conversation.contact
    points = [point.value for point in contact.points if point.kind == PointKind.PHONE] if contact else []
    found = list(dict.fromkeys(([wrote] if wrote else []) + points))
    stops, silent = (_closed(session, channel, found) for channel in (Channel.SMS, Channel.VOICE))
    numbers = tuple(
        Number(
            number,
            may_call(number, settings.phone.countries).reason,
            takes_sms(number),
            stops.get(number),
            silent.get(number),
        )
        for number in found
    )
    first = byphone.number_for_sms(session, conversation)
    texts = sorted((one for one in numbers if one.takes_sms), key=lambda one: one.number != first)
    return Reach(
        True,
        numbers,
        texts[0] if texts else None,
        newest is not None and newest.channel == Channel.SMS,
        tuple(texts),
        bool(settings.phone.fax_gateway),
    )


def closed(session: Session, channel: Channel, number: str) -> Suppression | None:
    """What stands against a personal SMS or call to a number."""
    return _closed(session, channel, [number]).get(number)


def _closed(session: Session, channel: Channel, numbers: list[str]) -> dict[str, Suppression]:
    found = suppressed(session, channel, numbers)
    return {number: one for number, one in found.items() if one.scope == Scope.EVERYTHING}


def filled(
    session: Session,
    settings: Settings,
    conversation: Conversation,
    staff: StaffMember,
    key: str,
    language: str,
) -> str:
    """A template's words for an SMS, filled from the client's card and deal, for a person to go over.

    Raises MissingValues where it needs what is not known here, such as the time of a demo.
    """
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    today = session.execute(select(func.current_date())).scalar_one()
    given = byphone.values_of(conversation.contact, deal, staff, language, today)
    values = template_values(given, company_values(settings.company))
    shelf = shelf_of(
        session, staff.id, kind="sms", key=key, default_language=settings.company.default_language
    )
    return render_text("sms", key, language, values, shelf).text


def as_sent(settings: Settings, body: str, files: Sequence[DemoFile]) -> str:
    """An SMS as long as it will be with the links to its files, whose keys are made when it is queued."""
    company = settings.company
    links = FileLinks(settings.signing_key(), company.public_url, ZoneInfo(company.timezone))
    return links.in_text(body, [{"key": "00" * 16, "name": one.title} for one in files])


def fax_of(
    session: Session,
    settings: Settings,
    conversation: Conversation,
    staff: StaffMember,
    *,
    key: str,
    number: str,
    document: str,
    language: str,
) -> Draft:
    """A document of the conversation's deal for a fax number; it may be taken back as long as a letter.

    Raises NothingToOffer where the document needs a deal with products, NoFax for a number that may not be
    reached, ConfigurationError where no gateway is set.
    """
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if document in NEEDS_DEAL and (deal is None or not deal.lines):
        raise letters.NothingToOffer
    moment = session.execute(select(func.now())).scalar_one()
    values = byphone.values_of(conversation.contact, deal, staff, language, moment.date())
    if deal is not None:
        values["proposal"] = letters.proposal_values(deal, language)
    fax = Fax(
        key=f"fax:{key}",
        number=number,
        document=document,
        language=language,
        values=values,
        recipient_name=conversation.contact.name if conversation.contact else "",
        contact_id=conversation.contact_id,
        conversation_id=conversation.id,
        deal_id=conversation.deal_id,
        staff_id=staff.id,
    )
    return replace(
        fax_sender_of(settings).draft(fax),
        due_at=moment + letters.UNDO,
        approver=letters.approver_of(deal, document) if deal is not None else "",
    )
