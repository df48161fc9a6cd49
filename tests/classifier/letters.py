"""Letters that were judged by staff, for the tests of this room."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import staff
from core.conversations import Conversation, Direction, Message
from core.labels import Classification, Field, correct
from core.staff import Role, StaffMember


def colleague(session: Session, name: str = "Rasa") -> StaffMember:
    """A staff member."""
    return staff.add(session, email=f"{name.lower()}@mes.lt", name=name, role=Role.AGENT)


def message(session: Session, text: str, sender: str = "ona@vandenis.lt", subject: str = "") -> Message:
    """An incoming letter."""
    conversation = Conversation(subject=subject)
    made = Message(
        conversation=conversation,
        direction=Direction.IN,
        subject=subject,
        sender=sender,
        reply=text,
        text=text,
    )
    session.add_all([conversation, made])
    session.flush()
    return made


def judged(
    session: Session, text: str, intent: str, by: StaffMember, sender: str = "ona@vandenis.lt"
) -> Message:
    """An incoming letter that was classified without certainty and then judged by a colleague."""
    made = message(session, text, sender)
    session.add(
        Classification(
            message_id=made.id, abstained=True, alternatives=[["other", 0.4], ["order", 0.3]], confidence=0.4
        )
    )
    session.flush()
    correct(session, made.id, Field.INTENT, intent, staff_id=by.id)
    return made
