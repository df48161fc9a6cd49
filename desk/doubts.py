"""What a conversation's page asks a person to decide: suggestions, a letter set beside, letters moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import moves, suggestions
from core.conversations import Conversation
from core.moves import Move
from core.sessions import SignedIn
from core.suggestions import Suggestion
from desk.access import visible


@dataclass(frozen=True, slots=True)
class Beside:
    """The conversation that this one was set beside."""

    id: int
    subject: str
    client: str
    mine: bool
    """Whether the viewer may see it, and so may join the two."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """All of it for one page."""

    suggestions: Sequence[Suggestion]
    beside: Beside | None
    moved: Sequence[Move]


def read(session: Session, viewer: SignedIn, conversation: Conversation) -> Doubts:
    """Read what waits for a decision on this conversation."""
    waiting = (
        suggestions.open_for(session, conversation.contact_id) if conversation.contact_id is not None else []
    )
    return Doubts(waiting, beside(session, viewer, conversation), moves.last_moves(session, conversation.id))


def beside(session: Session, viewer: SignedIn, conversation: Conversation) -> Beside | None:
    """What a conversation was set beside, if it was."""
    number = conversation.beside_id
    if number is None:
        return None
    query = (
        select(Conversation, visible(viewer).label("mine"))
        .where(Conversation.id == number)
        .options(joinedload(Conversation.account), joinedload(Conversation.contact))
    )
    row = session.execute(query).first()
    if row is None:
        return None
    one, mine = row
    if not mine:
        return Beside(one.id, "", "", mine=False)
    client = one.account.name if one.account else (one.contact.name if one.contact else "")
    return Beside(one.id, one.subject, client, mine=True)
