"""The inbox: what waits for me, my team or anybody, and what is done with it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import handling
from core.conversations import ConversationState
from core.errors import NotFound
from core.notices import open_alarms
from core.staff import StaffMember
from desk import live, tables
from desk.access import WORKERS, conversation_for
from desk.forms import Form, own_place
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, page, reader
from desk.tables import BOX_NAMES, Box
from desk.threads import in_thread


def _box(request: PageRequest) -> Box:
    wanted = request.query_params.get("box", Box.MINE.value)
    if wanted not in Box.__members__.values():
        raise NotFound
    return Box(wanted)


@get("/inbox", enter=WORKERS)
@in_thread
def show_inbox(request: PageRequest, session: Transaction) -> Response[str]:
    """A shelf of the inbox; for htmx only its list and the counts beside it, or the rows further down."""
    viewer = request.scope["user"]
    box = _box(request)
    before = request.query_params.get("before", "")
    rows, more = tables.inbox(session, viewer, box, before=before)
    values: dict[str, Any] = {"box": box, "rows": rows, "more": more, "box_names": BOX_NAMES}
    if before and request.headers.get("hx-request") == "true":
        return page(request, "inbox_rows.html", **values)
    values |= rail(session, request)
    values["colleagues"] = tables.colleagues(session)
    if request.headers.get("hx-request") == "true":
        return page(request, "inbox_list.html", **values)
    return page(request, "inbox.html", alarms=open_alarms(session), **values)


def rail(session: Session, request: PageRequest) -> dict[str, Any]:
    """What the column of rooms at the left needs."""
    viewer = request.scope["user"]
    counts = tables.counts(session, viewer) if viewer.role in WORKERS else {}
    boxes = [
        (box, reader(request).gettext(BOX_NAMES[box]), counts.get(box.value))
        for box in tables.boxes_of(viewer)
    ]
    return {"boxes": boxes if viewer.role in WORKERS else [], "counts": counts, "many": tables.MANY}


@post("/conversations/{conversation_id:int}/done", enter=WORKERS)
@in_thread
def settle(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Nothing more to do here."""
    return _bring_to(request, session, form, conversation_id, ConversationState.DONE)


@post("/conversations/{conversation_id:int}/reopen", enter=WORKERS)
@in_thread
def reopen(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """There is something to do after all."""
    return _bring_to(request, session, form, conversation_id, ConversationState.OPEN)


def _bring_to(
    request: PageRequest, session: Session, form: Form, conversation_id: int, state: ConversationState
) -> Response[Any]:
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    handling.bring_to(session, conversation, state)
    live.announce(session, "state", conversation_id)
    _ = reader(request).gettext
    text, back = (
        (_("Marked as done."), "reopen") if state == ConversationState.DONE else (_("Open again."), "done")
    )
    return done(
        request,
        text,
        go=own_place(form.line("back"), "/inbox"),
        undo=f"/conversations/{conversation_id}/{back}",
        events=("inbox", "conversation"),
    )


@post("/conversations/{conversation_id:int}/assign", enter=WORKERS)
@in_thread
def assign(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Give a conversation to a colleague, to oneself, or back to the queue."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    number = form.number("staff_id")
    to = session.get(StaffMember, number) if number is not None else None
    if number is not None and to is None:
        raise NotFound
    by = session.get_one(StaffMember, viewer.staff_id)
    before = conversation.assignee_id
    handling.give(session, conversation, to, by=by)
    live.announce(session, "assigned", conversation_id, number)
    language = reader(request)
    text = (
        language.gettext("Given to %(name)s.", name=to.name) if to else language.gettext("Back in the queue.")
    )
    return done(
        request,
        text,
        go=own_place(form.line("back"), "/inbox"),
        undo=f"/conversations/{conversation_id}/assign",
        undo_values={"staff_id": before or ""},
        events=("inbox", "conversation"),
    )


ROUTES = (show_inbox, settle, reopen, assign)
