"""What the product writes to clients: each letter is one function that returns the draft to queue.

``Draft.values`` is plain JSON under the placeholders' names: money as decimal strings, dates as ISO 8601.
The company's own values, document numbers and links are added when the letter is composed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, object_session

from core import approvalasks, traffic
from core.accounts import Channel, Contact
from core.catalogue import unit_name
from core.conversations import Conversation, Direction, Message
from core.copies import Reader
from core.deals import Deal, StageChange
from core.errors import InputRefused
from core.outbox import EXPIRY, Draft, Purpose
from core.staff import StaffMember
from core.values import Money

OFFER_HOLDS = timedelta(days=30)
"""How long a commercial offer binds us."""

UNDO = timedelta(seconds=10)
"""How long a letter that a person sends may still be taken back."""

DOCUMENTS = frozenset({"brochure", "technical_proposal", "commercial_offer"})
"""Templates that carry a PDF of the same name."""

PURPOSES = {"brochure": Purpose.SERVICE, "follow_up": Purpose.MARKETING, "after_sale": Purpose.MARKETING}
"""Templates whose purpose is not the usual one of service."""


class NoAddress(InputRefused):
    """The contact has no e-mail address."""

    cure = "Add one on the client's card."


class NothingToOffer(InputRefused):
    """The deal has no products yet, so there is nothing to put into the document."""

    cure = "Add at least one product with its price to the deal."


def client_values(contact: Contact | None) -> dict[str, Any]:
    """The client's placeholders."""
    if contact is None:
        return {}
    account = contact.account
    session = object_session(contact)
    return {
        "name": contact.name,
        "company": account.name if account else "",
        "code": account and account.code,
        "segments": traffic.names_of(session, contact.id) if session is not None and contact.id else "",
    }


def staff_values(staff: StaffMember | None) -> dict[str, Any]:
    """The placeholders of the staff member in whose name a letter goes out."""
    if staff is None:
        return {}
    return {"name": staff.name, "position": staff.position, "phone": staff.phone, "email": staff.email}


def deal_values(deal: Deal, language: str, today: date) -> dict[str, Any]:
    """The deal's placeholders: lines, sum, VAT and total, each rounded to cents."""
    net = deal.total
    vat = net.times(deal.vat_rate / Decimal(100))
    return {
        "title": deal.title,
        "number": f"S-{deal.id}",
        "stage": deal.stage.name(language),
        "currency": deal.currency,
        "lines": [
            {
                "product": line.product.name(language),
                "article": next(iter(line.product.articles), ""),
                "quantity": f"{line.quantity.normalize():f}",
                "unit": unit_name(line.product.unit, language),
                "price": str(Money(line.price, deal.currency).amount),
                "sum": str(line.sum.amount),
            }
            for line in deal.lines
        ],
        "sum": str(net.amount),
        "vat_rate": f"{deal.vat_rate.normalize():f}",
        "vat": str(vat.amount),
        "total": str((net + vat).amount),
        "valid_until": (today + OFFER_HOLDS).isoformat(),
        "payment_terms": deal.payment_terms,
        "delivery_terms": deal.delivery_terms,
    }


def product_values(deal: Deal, language: str) -> dict[str, Any]:
    """The placeholders of the product a deal is about: its first line's."""
    if not deal.lines:
        return {}
    product = deal.lines[0].product
    return {"name": product.name(language), "summary": product.summary(language)}


def proposal_values(deal: Deal, language: str) -> dict[str, Any]:
    """What the client needs and what we propose; the products' summaries where nobody wrote a solution."""
    solution = deal.solution or "\n\n".join(
        filter(None, (line.product.summary(language) for line in deal.lines))
    )
    return {"need": deal.need, "solution": solution or None}


def acknowledgement(
    *,
    message_id: int,
    conversation_id: int,
    contact_id: int | None,
    address: str,
    name: str,
    company: str,
    language: str,
    subject: str,
    rfc_id: str | None,
    reference_ids: Sequence[str] = (),
    received: datetime,
    mailbox: str | None = None,
    staff: dict[str, Any] | None = None,
    staff_id: int | None = None,
) -> Draft:
    """The automatic answer that a letter has come and who will deal with it; at most one per letter.

    The caller first takes the right to it with ``core.outbox.may_answer_automatically``.
    """
    values: dict[str, Any] = {
        "client": {"name": name, "company": company},
        "conversation": {"subject": subject, "number": str(conversation_id)},
        "message": {"received": received.date().isoformat()},
    }
    if staff:
        values["staff"] = staff
    return Draft(
        key=f"acknowledgement:{message_id}",
        address=address,
        purpose=Purpose.SERVICE,
        automatic=True,
        recipient_name=name,
        contact_id=contact_id,
        conversation_id=conversation_id,
        staff_id=staff_id,
        mailbox=mailbox,
        template="acknowledgement",
        language=language,
        values=values,
        subject=subject,
        in_reply_to=rfc_id,
        reference_ids=[*reference_ids, *([rfc_id] if rfc_id else [])],
        priority=3,
    )


def last_incoming(session: Session, conversation_id: int) -> Message | None:
    """The newest letter the client wrote in a conversation; what we noted of a call is not their words."""
    query = (
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == Direction.IN,
            Message.channel == Channel.EMAIL,
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def _now(session: Session) -> datetime:
    return session.execute(select(func.now())).scalar_one()


def _thread(session: Session, conversation_id: int) -> tuple[str | None, list[str]]:
    """What an answer refers to (RFC 5322 section 3.6.4): the newest letter, and the ids before it."""
    query = (
        select(Message.rfc_id)
        .where(Message.conversation_id == conversation_id, Message.rfc_id.is_not(None))
        .order_by(Message.happened_at, Message.id)
    )
    ids = [rfc_id for rfc_id in session.scalars(query) if rfc_id]
    return (ids[-1], ids) if ids else (None, [])


def answer(
    session: Session,
    conversation: Conversation,
    staff: StaffMember,
    *,
    key: str,
    body: str,
    subject: str = "",
    language: str | None = None,
    template: str = "answer",
    copies: Sequence[Reader] = (),
) -> Draft:
    """A staff member's own words to the client, in the conversation's thread; leaves after UNDO.

    ``key`` names the intention (the form's one-time key), so that a form sent twice goes out once.
    Raises NoAddress when there is nobody to write to, InputRefused when nothing was written.
    """
    incoming = last_incoming(session, conversation.id)
    contact = conversation.contact
    if incoming is not None and incoming.sender and incoming.contact is not None:
        # A colleague of the client's may have written last, whose name and greeting it is then.
        contact = incoming.contact
    address = (incoming.sender if incoming else None) or (contact.email if contact else None)
    if not address:
        raise NoAddress
    if template == "answer" and not body.strip():
        raise InputRefused("The answer is empty.", cure="Write something first.")
    in_reply_to, reference_ids = _thread(session, conversation.id)
    chosen = language or conversation.language or (contact.language if contact else None) or "en"
    values: dict[str, Any] = {
        "client": client_values(contact),
        "staff": staff_values(staff),
        "conversation": {
            "subject": conversation.subject,
            "number": str(conversation.id),
            "quoted": incoming.reply if incoming else "",
        },
        "answer": {"subject": subject or conversation.subject, "text": body},
    }
    if incoming is not None:
        values["message"] = {"received": incoming.happened_at.date().isoformat()}
    return Draft(
        key=f"answer:{key}",
        address=address,
        purpose=PURPOSES.get(template, Purpose.ANSWER),
        automatic=False,
        recipient_name=contact.name if contact else "",
        contact_id=contact.id if contact else None,
        conversation_id=conversation.id,
        deal_id=conversation.deal_id,
        staff_id=staff.id,
        mailbox=conversation.mailbox,
        template=template,
        language=chosen,
        values=values,
        subject=subject or conversation.subject,
        body=body,
        copies=[one for one in copies if one.address != address],
        in_reply_to=in_reply_to,
        reference_ids=reference_ids,
        priority=1,
        due_at=_now(session) + UNDO,
    )


def conversation_of(session: Session, deal: Deal | None, contact: Contact) -> Conversation | None:
    """The deal's newest conversation, else the contact's newest one."""
    newest = Conversation.last_message_at.desc()
    of_contact = Conversation.contact_id == contact.id
    if deal is None:
        return session.scalar(select(Conversation).where(of_contact).order_by(newest).limit(1))
    of_deal = Conversation.deal_id == deal.id
    query = select(Conversation).where(of_contact | of_deal)
    return session.scalar(query.order_by(of_deal.desc().nulls_last(), newest).limit(1))


def _begin_conversation(session: Session, deal: Deal, contact: Contact) -> Conversation:
    """One for what we write first, so that it stands in the history and the reply finds it."""
    conversation = Conversation(
        subject=deal.title,
        contact=contact,
        account=contact.account,
        deal_id=deal.id,
        assignee_id=deal.owner_id,
        language=contact.language,
        waiting=False,
    )
    session.add(conversation)
    session.flush()
    return conversation


def first_conversation(
    contact: Contact, staff: StaffMember, subject: str, *, language: str | None = None
) -> Conversation:
    """The conversation of a letter that a colleague writes first; not stored yet, and its writer's."""
    return Conversation(
        subject=subject,
        contact=contact,
        account=contact.account,
        assignee=staff,
        team_id=staff.team_id,
        language=language or contact.language,
        waiting=False,
    )


def follow_up(
    session: Session, contact: Contact, deal: Deal | None, *, key: str, template: str, now: datetime
) -> Draft:
    """A letter of a follow-up, in the thread of the deal's or the contact's last conversation.

    Raises NoAddress when the contact cannot be written to.
    """
    address = contact.email
    if address is None:
        raise NoAddress
    conversation = conversation_of(session, deal, contact)
    language = contact.language or (conversation.language if conversation else None) or "en"
    in_reply_to, reference_ids = _thread(session, conversation.id) if conversation else (None, [])
    staff = deal.owner if deal else None
    return Draft(
        key=key,
        address=address,
        purpose=PURPOSES.get(template, Purpose.MARKETING),
        recipient_name=contact.name,
        contact_id=contact.id,
        conversation_id=conversation.id if conversation else None,
        deal_id=deal.id if deal else None,
        staff_id=staff.id if staff else None,
        mailbox=conversation.mailbox if conversation else None,
        template=template,
        language=language,
        values={
            "client": client_values(contact),
            "staff": staff_values(staff),
            "deal": deal_values(deal, language, now.date()) if deal else {},
            "product": product_values(deal, language) if deal else {},
        },
        documents=[template] if template in DOCUMENTS else [],
        in_reply_to=in_reply_to,
        reference_ids=reference_ids,
        priority=6,
        due_at=now,
        expires_at=now + EXPIRY,
    )


def reader_of(deal: Deal, template: str) -> tuple[Contact, str]:
    """Who gets a stage's letter, and at which address.

    Raises NoAddress or NothingToOffer when the client cannot be written to or the document would be empty.
    """
    contact = deal.contact
    address = contact.email if contact else None
    if contact is None or not address:
        raise NoAddress
    if template in OFFERS and not deal.lines:
        raise NothingToOffer
    return contact, address


OFFERS = frozenset({"technical_proposal", "commercial_offer"})
"""Templates that a deal's own approver looks at."""


def approver_of(deal: Deal, template: str, stage: str = "") -> str:
    """Whose word a letter of a deal needs: what the stage says, then the deal."""
    by_stage = approvalasks.asked_by(approvalasks.Cause.STAGE, stage)
    own = approvalasks.asked_by(approvalasks.Cause.OFFER, deal.approver if template in OFFERS else "")
    return approvalasks.BETWEEN.join(filter(None, (by_stage, own)))


def stage_document(
    session: Session, deal: Deal, change: StageChange, staff: StaffMember | None, *, today: date
) -> Draft | None:
    """The letter that entering a stage sends, with its PDF where it has one; None where it sends nothing.

    What a person set off leaves after UNDO.

    Raises NoAddress or NothingToOffer when the client cannot be written to or the document would be empty.
    """
    template = change.to_stage.template
    if template is None:
        return None
    contact, address = reader_of(deal, template)
    conversation = conversation_of(session, deal, contact) or _begin_conversation(session, deal, contact)
    language = contact.language or conversation.language or "en"
    in_reply_to, reference_ids = _thread(session, conversation.id)
    return Draft(
        key=f"stage_change:{change.id}:{template}",
        address=address,
        purpose=PURPOSES.get(template, Purpose.SERVICE),
        automatic=staff is None,
        recipient_name=contact.name,
        contact_id=contact.id,
        conversation_id=conversation.id,
        deal_id=deal.id,
        staff_id=staff.id if staff else deal.owner_id,
        mailbox=conversation.mailbox,
        template=template,
        language=language,
        values={
            "client": client_values(contact),
            "staff": staff_values(staff or deal.owner),
            "deal": deal_values(deal, language, today),
            "product": product_values(deal, language),
            "proposal": proposal_values(deal, language),
            "conversation": {"subject": conversation.subject},
        },
        documents=[template] if template in DOCUMENTS else [],
        approver=approver_of(deal, template, change.to_stage.approver),
        in_reply_to=in_reply_to,
        reference_ids=reference_ids,
        priority=2,
        due_at=_now(session) + UNDO if staff else None,
    )
