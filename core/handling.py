"""What a person does with a conversation: gives it to somebody, settles it, opens it again, reads it
otherwise."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.conversations import TRANSITIONS, Conversation, ConversationState
from core.errors import IllegalTransition, InputRefused
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
