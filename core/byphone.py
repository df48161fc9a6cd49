"""What the product says by telephone: each SMS, voice message or call is one function that returns its draft.

The draft is queued with `core.outbox.queue`, in the transaction of its cause, like a letter:

    draft = byphone.automatic(session, contact, Channel.SMS, template="follow_up", key="enrolment:17:2")
    outbox.queue(session, draft)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import letters
from core.accounts import Channel, Contact, PointKind
from core.conversations import Conversation, Direction, Message
from core.deals import Deal
from core.dialling import readable, takes_sms
from core.errors import InputRefused
from core.letters import UNDO
from core.outbox import Draft, Purpose
from core.phonewords import CLICK_TO_CALL, said
from core.staff import StaffMember

MARKETING: Final = frozenset({"follow_up"})
"""Templates for SMS and voice that a client did not ask for."""
TEXT_HOLDS: Final = timedelta(days=2)
"""An SMS that could not leave for so long says nothing new any more."""
VOICE_HOLDS: Final = timedelta(days=4)
"""Long enough for a weekend without allowed hours."""
CALL_HOLDS: Final = timedelta(minutes=2)
"""How long a colleague who pressed “call” waits for their own telephone to ring."""
LONGEST_TEXT: Final = 1600
"""Characters that Twilio takes (error 21617)."""


class NoNumber(InputRefused):
    """The contact has no telephone number that can be used for this."""

    cure = "Add one on the client's card."


class NoOwnTelephone(InputRefused):
    """You have no telephone number of your own on record, so no call can be put through to you."""

    cure = "Ask an administrator to add it on your page under “Colleagues”."


def automatic(
    session: Session,
    contact: Contact,
    channel: Channel,
    *,
    template: str,
    key: str,
    deal: Deal | None = None,
    staff: StaffMember | None = None,
    conversation: Conversation | None = None,
    number: str | None = None,
    values: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> Draft:
    """An SMS from a template of ``templates/sms``, or a call that says one of ``templates/voice``, in the
    client's language.

    ``key`` names the intention, ``values`` adds to the placeholders (``{"demo": {"starts": …}}``),
    ``number`` is another one than the contact's first that takes it, ``conversation`` another one than the
    deal's or the contact's newest. A call comes in hours when the client may be called, and who does not
    answer is called again, see the settings. Raises NoNumber.
    """
    chosen = number or (mobile_of(contact) if channel == Channel.SMS else contact.phone)
    if chosen is None:
        raise NoNumber
    talk = conversation or _conversation_of(session, contact, deal, channel)
    language = contact.language or talk.language or "en"
    writer = staff or (deal.owner if deal else None)
    begins = due_at or session.execute(select(func.now())).scalar_one()
    given = values_of(contact, deal, writer, language, begins.date())
    for group, leaves in (values or {}).items():
        given[group] = {**given.get(group, {}), **leaves}
    return Draft(
        key=key,
        address=chosen,
        channel=channel,
        purpose=Purpose.MARKETING if template in MARKETING else Purpose.SERVICE,
        recipient_name=contact.name,
        contact_id=contact.id,
        conversation_id=talk.id,
        deal_id=deal.id if deal else None,
        staff_id=writer.id if writer else None,
        template=template,
        language=language,
        values=given,
        subject=talk.subject,
        priority=6,
        due_at=begins,
        expires_at=begins + (TEXT_HOLDS if channel == Channel.SMS else VOICE_HOLDS),
    )


def values_of(
    contact: Contact | None, deal: Deal | None, writer: StaffMember | None, language: str, today: date
) -> dict[str, Any]:
    """The placeholders that a client's card and deal fill, as plain JSON."""
    return {
        "client": letters.client_values(contact),
        "staff": letters.staff_values(writer),
        "deal": letters.deal_values(deal, language, today) if deal else {},
        "product": letters.product_values(deal, language) if deal else {},
    }


def answer_by_sms(
    session: Session,
    conversation: Conversation,
    staff: StaffMember,
    *,
    key: str,
    body: str,
    number: str | None = None,
    files: Sequence[int] = (),
) -> Draft:
    """A colleague's own words as an SMS, to the number the client last wrote from; leaves after UNDO.

    Raises NoNumber when there is no number that takes SMS, InputRefused when nothing or too much was written.
    """
    chosen = number or number_for_sms(session, conversation)
    if chosen is None:
        raise NoNumber
    if not body.strip():
        raise InputRefused("The SMS is empty.", cure="Write something first.")
    if len(body) > LONGEST_TEXT:
        raise InputRefused(f"An SMS has at most {LONGEST_TEXT} characters.", cure="Shorten it.")
    now = session.execute(select(func.now())).scalar_one()
    contact = conversation.contact
    return Draft(
        key=f"sms:{key}",
        address=chosen,
        channel=Channel.SMS,
        purpose=Purpose.ANSWER,
        automatic=False,
        recipient_name=contact.name if contact else "",
        contact_id=contact.id if contact else None,
        conversation_id=conversation.id,
        deal_id=conversation.deal_id,
        staff_id=staff.id,
        language=conversation.language or (contact.language if contact else None) or "en",
        subject=conversation.subject,
        body=body.strip(),
        files=list(files),
        priority=1,
        due_at=now + UNDO,
        expires_at=now + TEXT_HOLDS,
    )


def click_to_call(
    session: Session,
    staff: StaffMember,
    number: str,
    *,
    key: str,
    contact: Contact | None = None,
    conversation: Conversation | None = None,
    deal: Deal | None = None,
) -> Draft:
    """A call that rings the colleague first and, once they press 1, the client.

    Raises NoOwnTelephone where the colleague has no number.
    """
    own = own_number(staff)
    if contact is not None and conversation is None:
        conversation = _conversation_of(session, contact, deal, Channel.VOICE)
    now = session.execute(select(func.now())).scalar_one()
    return Draft(
        key=f"call:{key}",
        address=number,
        channel=Channel.VOICE,
        purpose=Purpose.ANSWER,
        automatic=False,
        recipient_name=contact.name if contact else "",
        contact_id=contact.id if contact else None,
        conversation_id=conversation.id if conversation else None,
        deal_id=deal.id if deal else (conversation.deal_id if conversation else None),
        staff_id=staff.id,
        language=staff.language.value,
        values={"staff": {"name": staff.name, "phone": own}},
        subject=conversation.subject if conversation else "",
        body=said(CLICK_TO_CALL, staff.language.value),
        priority=1,
        due_at=now,
        expires_at=now + CALL_HOLDS,
    )


def trial_call(staff: StaffMember, *, key: str, text: str, language: str, voice: str, at: datetime) -> Draft:
    """A call to a colleague's own telephone that says a text, so that they hear it as clients would.

    Raises NoOwnTelephone where the colleague has no number.
    """
    return Draft(
        key=f"trial:{key}",
        address=own_number(staff),
        channel=Channel.VOICE,
        purpose=Purpose.STAFF,
        automatic=False,
        recipient_name=staff.name,
        staff_id=staff.id,
        language=language,
        values={"voice": voice},
        body=text,
        priority=1,
        due_at=at,
        expires_at=at + CALL_HOLDS,
    )


def own_number(staff: StaffMember) -> str:
    """A colleague's own telephone in E.164 form, however it was written. Raises NoOwnTelephone."""
    number = readable(staff.phone or "")
    if number is None:
        raise NoOwnTelephone
    return number


def mobile_of(contact: Contact) -> str | None:
    """The contact's first number that takes SMS."""
    numbers = (point.value for point in contact.points if point.kind == PointKind.PHONE)
    return next((number for number in numbers if takes_sms(number)), None)


def number_for_sms(session: Session, conversation: Conversation) -> str | None:
    """Where an SMS of this conversation goes: whence the client last wrote, else to their mobile."""
    last = session.scalar(
        select(Message.sender)
        .where(
            Message.conversation_id == conversation.id,
            Message.direction == Direction.IN,
            Message.channel == Channel.SMS,
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    if last and takes_sms(last):
        return last
    return mobile_of(conversation.contact) if conversation.contact is not None else None


def _conversation_of(session: Session, contact: Contact, deal: Deal | None, channel: Channel) -> Conversation:
    """The deal's newest conversation, else the contact's, else one begun by us."""
    found = letters.conversation_of(session, deal, contact)
    if found is not None:
        return found
    deal_id = deal.id if deal else None
    account = contact.account
    begun = Conversation(
        subject=deal.title if deal else "",
        channel=channel,
        contact=contact,
        account=account,
        deal_id=deal_id,
        assignee_id=deal.owner_id if deal else (account.curator_id if account else None),
        language=contact.language,
        waiting=False,
    )
    session.add(begun)
    session.flush()
    return begun
