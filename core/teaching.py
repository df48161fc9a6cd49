"""What a person says of a letter's topic, put in force for its conversation too; and taken back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import labelbook, labels
from core.conversations import Conversation, Message
from core.errors import InputRefused, NotFound
from core.labels import Classification, Correction, Field


def topics(session: Session, language: str) -> list[tuple[str, str]]:
    """The labels in use with their names, those that come with frontdesk first."""
    return [(one.key, one.name(language)) for one in labelbook.uncounted(session) if one.active]


def teach(session: Session, message: Message, intent: str, *, staff_id: int) -> Correction:
    """Write down that this letter means that; its conversation follows where it is the newest letter.

    Raises InputRefused for what is none of the topics.
    """
    if intent not in {key for key, _name in topics(session, "en")}:
        raise InputRefused("That is none of the topics.")
    made = labels.correct(session, message.id, Field.INTENT, intent, staff_id=staff_id)
    _follow(session, message, intent)
    return made


def unteach(session: Session, correction_id: int) -> Message:
    """Take such a word back: it teaches no more, and the letter's topic is what it was before."""
    made = session.get(Correction, correction_id)
    if made is None or made.field is not Field.INTENT:
        raise NotFound
    message = session.get_one(Message, made.message_id)
    labels.undo(session, correction_id)
    known = session.scalar(select(Classification).where(Classification.message_id == message.id))
    _follow(session, message, known.intent if known is not None else None)
    return message


def _follow(session: Session, message: Message, intent: str | None) -> None:
    newest = session.scalar(
        select(Message.id)
        .where(Message.conversation_id == message.conversation_id, Message.direction == "in")
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    if newest == message.id:
        session.get_one(Conversation, message.conversation_id).intent = intent
    session.flush()
