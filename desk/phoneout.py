"""How a client can be reached by telephone: their numbers, and what stands against using each."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import byphone
from core.accounts import Channel, PointKind
from core.config import Settings
from core.consent import Suppression, suppressed
from core.conversations import Conversation, Direction, Message
from core.dialling import may_call, readable, takes_sms


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a client."""

    number: str
    """E.164."""
    not_called: str = ""
    """Why it cannot be called; empty where it can."""
    takes_sms: bool = False
    stop: Suppression | None = None
    """What stands against SMS to it."""
    no_calls: Suppression | None = None


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


def read(session: Session, settings: Settings, conversation: Conversation) -> Reach:
    """What is known of the client's numbers, in two queries."""
    if settings.twilio is None or not settings.twilio.numbers:
        return Reach(False)
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
    stops = suppressed(session, Channel.SMS, found)
    silent = suppressed(session, Channel.VOICE, found)
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
    )
