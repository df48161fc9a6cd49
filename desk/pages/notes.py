"""Private notes beside a conversation, and who else looks at it now."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import notes
from core.errors import NotFound
from core.i18n import texts
from core.notes import Note
from core.sessions import SignedIn
from core.staff import StaffMember
from desk import colleagues, live
from desk.access import LEADERS, WORKERS, conversation_for
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread


@post("/conversations/{conversation_id:int}/notes", enter=WORKERS)
@in_thread
def write(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Put a note beside a conversation; it goes to nobody outside."""
    viewer: SignedIn = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    people = colleagues.who_may_see(colleagues.active(session), conversation)
    zone = request.app.state.settings.company.timezone
    note = notes.write(
        session,
        conversation,
        form.text("text", longest=notes.LONGEST),
        by=session.get_one(StaffMember, viewer.staff_id),
        callable_names={one.id: one.name for one in people},
        titles={
            one.id: texts(one.language, zone).gettext(
                "%(name)s mentions you: %(subject)s", name=viewer.name, subject=conversation.subject[:200]
            )
            for one in people
        },
    )
    live.announce(session, "note", conversation_id)
    language = reader(request)
    called = [mention.staff_member.name for mention in note.mentions]
    text = (
        language.gettext("Note kept; told: %(names)s.", names=", ".join(called))
        if called
        else language.gettext("Note kept. Only colleagues see it.")
    )
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        undo=f"/notes/{note.id}/remove",
        events=("conversation", "noted"),
    )


def _note_for(session: Session, viewer: SignedIn, note_id: int) -> Note:
    """A note that this person may take away: their own, or any for leaders."""
    note = session.get(Note, note_id)
    if note is None:
        raise NotFound
    conversation_for(session, viewer, note.conversation_id)
    if note.staff_id != viewer.staff_id and viewer.role not in LEADERS:
        raise NotFound
    return note


@post("/notes/{note_id:int}/remove", enter=WORKERS)
@in_thread
def remove(request: PageRequest, session: Transaction, form: Filled, note_id: FromPath[int]) -> Response[Any]:
    """Take a note away."""
    del form
    note = _note_for(session, request.scope["user"], note_id)
    notes.remove(session, note)
    live.announce(session, "note", note.conversation_id)
    return done(
        request,
        reader(request).gettext("Note removed."),
        go=f"/conversations/{note.conversation_id}",
        undo=f"/notes/{note_id}/restore",
        events=("conversation",),
    )


@post("/notes/{note_id:int}/restore", enter=WORKERS)
@in_thread
def restore(
    request: PageRequest, session: Transaction, form: Filled, note_id: FromPath[int]
) -> Response[Any]:
    """Show it again."""
    del form
    note = _note_for(session, request.scope["user"], note_id)
    notes.restore(session, note)
    live.announce(session, "note", note.conversation_id)
    text = reader(request).gettext("The note is back.")
    return done(request, text, go=f"/conversations/{note.conversation_id}", events=("conversation",))


@post("/conversations/{conversation_id:int}/here", enter=WORKERS)
@in_thread
def here(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[str]:
    """An open page's sign that somebody looks at a conversation, writes, or has gone."""
    viewer: SignedIn = request.scope["user"]
    conversation_for(session, viewer, conversation_id)
    live.announce_presence(session, conversation_id, viewer.staff_id, viewer.name, form.line("state"))
    return Response("", status_code=204)


@get("/conversations/{conversation_id:int}/who", enter=WORKERS)
@in_thread
def who(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """Which colleagues look at a conversation or write in it now."""
    viewer: SignedIn = request.scope["user"]
    conversation_for(session, viewer, conversation_id)
    hub: live.Hub | None = getattr(request.app.state, "hub", None)
    people = hub.presence.at(conversation_id, viewer.staff_id) if hub is not None else []
    return page(request, "who.html", people=people)


ROUTES = (write, remove, restore, here, who)
