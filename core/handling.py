"""What a person does with a conversation: gives it to somebody, settles it, opens it again, reads it
otherwise."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.conversations import TRANSITIONS, Conversation, ConversationState, Direction, Message
from core.errors import IllegalTransition, InputRefused
from core.outbox import Delivery
from core.routing import Assignment, assign_by_hand
from core.staff import StaffMember


def bring_to(session: Session, conversation: Conversation, state: ConversationState) -> None:
    """Settle or reopen a conversation. Raises IllegalTransition when it is in that state already."""
    session.refresh(conversation, with_for_update={"of": Conversation})
    if state not in TRANSITIONS[ConversationState(conversation.state)]:
        raise IllegalTransition("Somebody has already done that.")
    conversation.state = state
    session.flush()


def give(session: Session, conversation: Conversation, to: StaffMember | None, *, by: StaffMember) -> None:
    """Give a conversation to a colleague, or back to the queue of its team when `to` is None.

    Raises InputRefused when the colleague no longer works here.
    """
    if to is not None:
        if not to.active:
            raise InputRefused("That colleague no longer works here.", cure="Choose somebody else.")
        assign_by_hand(session, conversation, to, by)
        return
    conversation.assignee_id = None
    session.add(
        Assignment(
            conversation_id=conversation.id,
            staff_id=None,
            team_id=conversation.team_id,
            rule="hand",
            by_staff_id=by.id,
        )
    )
    session.flush()


def unanswered(session: Session, conversation: Conversation, delivery_id: int) -> None:
    """An answer was taken back before it left: where the last person to write is the client, they wait again.

    What machines wrote, theirs and ours, answers nothing.
    """
    last = session.scalar(
        select(Message.direction)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(
            Message.conversation_id == conversation.id,
            Message.delivery_id.is_distinct_from(delivery_id),
            Message.machine.is_(None),
            or_(Delivery.id.is_(None), Delivery.automatic.is_(False)),
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    if last == Direction.IN:
        conversation.waiting = True
    session.flush()
