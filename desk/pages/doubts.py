"""Deeds that settle a doubt, each with its way back: suggestions, joining, separating, who wrote first."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import accounts, moves, suggestions
from core.conversations import Conversation, Message
from core.errors import InputRefused, NotFound
from core.i18n import N_
from core.suggestions import Suggestion, SuggestionState
from desk import live
from desk.access import WORKERS, conversation_for, visible
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

DEEDS: dict[str, tuple[SuggestionState, str]] = {
    "accept": (SuggestionState.ACCEPTED, N_("Written on the card.")),
    "refuse": (SuggestionState.REFUSED, N_("Refused; it is not suggested again.")),
    "reopen": (SuggestionState.OPEN, N_("The suggestion waits again.")),
}
"""What may be done with a suggestion: the state it comes into, and what is told."""


@post("/suggestions/{suggestion_id:int}", enter=WORKERS)
@in_thread
def decide_suggestion(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    suggestion_id: FromPath[int],
) -> Response[Any]:
    """Take what a signature says onto the client's card, refuse it, or take either back."""
    viewer = request.scope["user"]
    deed = form.line("deed")
    if deed not in DEEDS:
        raise InputRefused("That is none of the deeds.")
    state, said = DEEDS[deed]
    conversation_id = _conversation_of(session, viewer, suggestion_id, form.number("conversation_id"))
    suggestions.decide(session, suggestion_id, state, staff_id=viewer.staff_id)
    live.announce(session, "card", conversation_id)
    return done(
        request,
        reader(request).gettext(said),
        go=f"/conversations/{conversation_id}",
        undo=None if deed == "reopen" else request.url.path,
        undo_values={"conversation_id": conversation_id, "deed": "reopen"},
        events=("conversation",),
    )


def _conversation_of(session: Session, viewer: Any, suggestion_id: int, number: int | None) -> int:
    """The conversation somebody decides from: it must be theirs to see, and with the contact in question."""
    one = session.get(Suggestion, suggestion_id)
    if one is None or number is None:
        raise NotFound
    conversation = conversation_for(session, viewer, number)
    if conversation.contact_id != one.contact_id:
        raise NotFound
    return number


@post("/conversations/{conversation_id:int}/join", enter=WORKERS)
@in_thread
def join(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Put a letter that was set beside into the conversation it refers to."""
    viewer = request.scope["user"]
    source = conversation_for(session, viewer, conversation_id)
    into = conversation_for(session, viewer, form.number("into") or 0)
    move = moves.join(session, source, into, staff_id=viewer.staff_id)
    live.announce(session, "moved", source.id)
    live.announce(session, "moved", into.id)
    return done(
        request,
        reader(request).gettext("Joined; the letters stand in the other conversation."),
        go=f"/conversations/{into.id}",
        undo=f"/moves/{move.id}/back",
        undo_values={"conversation_id": conversation_id},
        events=("conversation",),
    )


@post("/conversations/{conversation_id:int}/apart", enter=WORKERS)
@in_thread
def keep_apart(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Answer that it stays a conversation of its own; with `beside` the question is asked again."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    again = form.number("beside")
    if again is not None:
        conversation.beside_id = conversation_for(session, viewer, again).id
        text, undo, values = N_("The question stands again."), None, None
    else:
        before = moves.keep_apart(session, conversation)
        text, undo, values = (
            N_("It stays apart."),
            f"/conversations/{conversation_id}/apart",
            {"beside": before},
        )
        if before is None or not _sees(session, viewer, before):
            undo = None
    live.announce(session, "moved", conversation_id)
    return done(
        request,
        reader(request).gettext(text),
        go=f"/conversations/{conversation_id}",
        undo=undo,
        undo_values=values,
        events=("conversation",),
    )


def _sees(session: Session, viewer: Any, conversation_id: int) -> bool:
    query = select(Conversation.id).where(Conversation.id == conversation_id, visible(viewer))
    return session.scalar(query) is not None


@post("/messages/{message_id:int}/separate", enter=WORKERS)
@in_thread
def separate(request: PageRequest, session: Transaction, message_id: FromPath[int]) -> Response[Any]:
    """Give one letter a conversation of its own."""
    viewer = request.scope["user"]
    message, source = _letter(session, viewer, message_id)
    move = moves.separate(session, message, staff_id=viewer.staff_id)
    live.announce(session, "moved", source.id)
    live.announce(session, "moved", move.into_id)
    return done(
        request,
        reader(request).gettext("The letter has a conversation of its own now."),
        go=f"/conversations/{move.into_id}",
        undo=f"/moves/{move.id}/back",
        undo_values={"conversation_id": source.id},
        events=("conversation",),
    )


@post("/moves/{move_id:int}/back", enter=WORKERS)
@in_thread
def take_back(
    request: PageRequest, session: Transaction, form: Filled, move_id: FromPath[int]
) -> Response[Any]:
    """Put moved letters back where they were."""
    viewer = request.scope["user"]
    move = session.get(moves.Move, move_id)
    if move is None:
        raise NotFound
    # Who sees either of the two may undo what was done between them.
    if not (_sees(session, viewer, move.from_id) or _sees(session, viewer, move.into_id)):
        raise NotFound
    moves.take_back(session, move_id)
    live.announce(session, "moved", move.from_id)
    live.announce(session, "moved", move.into_id)
    here = form.number("conversation_id") or move.from_id
    return done(
        request,
        reader(request).gettext("The letters are back where they were."),
        go=f"/conversations/{here}",
        events=("conversation",),
    )


@post("/messages/{message_id:int}/writer", enter=WORKERS)
@in_thread
def change_writer(
    request: PageRequest, session: Transaction, form: Filled, message_id: FromPath[int]
) -> Response[Any]:
    """Say that a forwarded letter is not from the person its inner header names, or that it is after all."""
    viewer = request.scope["user"]
    message, conversation = _letter(session, viewer, message_id)
    if "forwarded_by_staff" not in message.warnings or not message.forwarded:
        raise InputRefused("No colleague forwarded that letter.")
    deed = form.line("deed")
    if deed == "nobody":
        contact_id = account_id = None
        text = N_("Noted: the letter is of nobody we know.")
    elif deed == "client":
        contact = accounts.find_by_email(session, message.forwarded["address"])
        if contact is None:
            raise NotFound
        contact_id, account_id = contact.id, contact.account_id
        text = N_("Noted: the client wrote it first.")
    else:
        raise InputRefused("That is none of the deeds.")
    session.execute(update(Message).where(Message.id == message_id).values(contact_id=contact_id))
    conversation.contact_id, conversation.account_id = contact_id, account_id
    session.flush()
    live.announce(session, "card", conversation.id)
    return done(
        request,
        reader(request).gettext(text),
        go=f"/conversations/{conversation.id}",
        undo=request.url.path,
        undo_values={"deed": "client" if deed == "nobody" else "nobody"},
        events=("conversation",),
    )


def _letter(session: Session, viewer: Any, message_id: int) -> tuple[Message, Conversation]:
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound
    return message, conversation_for(session, viewer, message.conversation_id)


ROUTES = (decide_suggestion, join, keep_apart, separate, take_back, change_writer)
