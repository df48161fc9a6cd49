"""What a person says of how a letter was understood, in force for its conversation too; and taken back."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import labelbook, labels
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation, Message
from core.errors import InputRefused, NotFound
from core.labels import BY_STAFF, OF_PRODUCTS, Classification, Correction, Field


def topics(session: Session, language: str) -> list[tuple[str, str]]:
    """The labels that stand for themselves, with their names, those that come with frontdesk first."""
    return [
        (one.key, one.name(language))
        for one in labelbook.uncounted(session)
        if one.active and one.merged_into is None
    ]


def teach(session: Session, message: Message, intent: str, *, staff_id: int) -> Correction:
    """Write down that this letter means that; its conversation follows where it is the newest letter.

    A label that was merged into another is taken as that one. Raises InputRefused for what is none of the
    topics.
    """
    intent = labels.resolve_labels(session).get(intent) or intent
    if intent not in {key for key, _name in topics(session, "en")}:
        raise InputRefused("That is none of the topics.")
    return _said(session, message, Field.INTENT, intent, staff_id)


def say(session: Session, message: Message, field: Field, value: str, *, staff_id: int) -> Correction:
    """Write down what a letter's field really is: topic, urgency, signal, language, or a product of it.

    Topic, urgency and language hold for the conversation where this is its newest letter; a product added or
    taken away is noted for, or forgotten of, the client.

    Raises:
        InputRefused: the field cannot have that value.
        NotFound: there is no such product.
    """
    if field is Field.INTENT:
        return teach(session, message, value, staff_id=staff_id)
    if field in OF_PRODUCTS and _product(session, value) is None:
        raise NotFound
    return _said(session, message, field, value, staff_id)


def unteach(session: Session, correction_id: int) -> Message:
    """Take such a word back: it teaches no more, and what it was about is as before."""
    made = session.get(Correction, correction_id)
    if made is None:
        raise NotFound
    message = session.get_one(Message, made.message_id)
    labels.undo(session, correction_id)
    _follow(session, message, made.field, made.value or "")
    return message


def _said(session: Session, message: Message, field: Field, value: str, staff_id: int) -> Correction:
    made = labels.correct(session, message.id, field, value, staff_id=staff_id)
    _follow(session, message, field, value)
    return made


def _follow(session: Session, message: Message, field: Field, value: str) -> None:
    known = session.scalar(select(Classification).where(Classification.message_id == message.id))
    if known is None:
        return
    if field in OF_PRODUCTS:
        _note_product(session, message, known, value)
    elif _newest(session, message):
        talk = session.get_one(Conversation, message.conversation_id)
        if field is Field.INTENT:
            talk.intent = known.intent
        elif field is Field.URGENCY:
            talk.urgency = known.urgency.value
        elif field is Field.LANGUAGE:
            talk.language = known.language
    session.flush()


def _newest(session: Session, message: Message) -> bool:
    """Whether the client has written nothing since."""
    later = (
        select(Message.id)
        .where(Message.conversation_id == message.conversation_id, Message.direction == "in")
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    return session.scalar(later) in (message.id, None)


def _note_product(session: Session, message: Message, known: Classification, key: str) -> None:
    """Let what is noted of the client from this letter be what the letter now says of the product."""
    product = _product(session, key)
    talk = session.get_one(Conversation, message.conversation_id)
    contact_id = message.contact_id or talk.contact_id
    if product is None or contact_id is None:
        return
    session.execute(
        delete(ProductInterest).where(
            ProductInterest.message_id == message.id, ProductInterest.product_id == product.id
        )
    )
    held = next((one for one in known.interests if one[0] == key), None)
    if held is None:
        return
    _key, confidence, reason = held
    session.add(
        ProductInterest(
            product_id=product.id,
            contact_id=contact_id,
            account_id=talk.account_id,
            message_id=message.id,
            staff_id=_who_added(session, message.id, key) if reason == BY_STAFF else None,
            confidence=confidence,
            reason=reason,
        )
    )


def _who_added(session: Session, message_id: int, key: str) -> int | None:
    made = select(Correction.staff_id).where(
        Correction.message_id == message_id,
        Correction.field == Field.INTEREST_ADDED,
        Correction.value == key,
        Correction.undone_at.is_(None),
    )
    return session.scalar(made.order_by(Correction.id.desc()).limit(1))


def _product(session: Session, key: str) -> Product | None:
    return session.scalar(select(Product).where(Product.key == key))
