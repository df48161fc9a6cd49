"""The inbox: what waits for me, my team or anybody, and what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import handling, savedviews, snoozing
from core.clock import now
from core.conversations import ConversationState
from core.errors import NotFound
from core.i18n import N_
from core.notices import open_alarms
from core.savedviews import SavedView
from core.snoozing import Later
from core.staff import StaffMember, Team
from desk import labelnames, live, tables
from desk.access import WORKERS, conversation_for
from desk.forms import Form, own_place
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, page, reader
from desk.tables import BOX_NAMES, Box, Wanted
from desk.threads import in_thread

LATER_NAMES: dict[Later, str] = {
    Later.AFTERNOON: N_("This afternoon"),
    Later.TOMORROW: N_("Tomorrow morning"),
    Later.WEEK: N_("Next week"),
}


def box_of(word: str) -> Box:
    """The shelf of that name, one's own where none is named. Raises NotFound for any other."""
    if not word:
        return Box.MINE
    if word not in Box.__members__.values():
        raise NotFound
    return Box(word)


def wanted_of(given: Mapping[str, Any]) -> Wanted:
    """What of a shelf is asked for, from an address or a form."""
    return Wanted(*(str(given.get(name, ""))[:60] for name in ("topic", "language", "team", "waiting")))


def view_place(view: SavedView) -> str:
    """The address of a kept view."""
    return f"/inbox?{urlencode({'box': view.box, **view.filters, 'view': view.id})}"


@get("/inbox", enter=WORKERS)
@in_thread
def show_inbox(request: PageRequest, session: Transaction) -> Response[str]:
    """A shelf of the inbox; for htmx only its list and the counts beside it, or the rows further down."""
    viewer = request.scope["user"]
    box = box_of(request.query_params.get("box", ""))
    before = request.query_params.get("before", "")
    wanted = wanted_of(request.query_params)
    rows, more = tables.inbox(session, viewer, box, before=before, wanted=wanted)
    values: dict[str, Any] = {"box": box, "rows": rows, "more": more, "box_names": BOX_NAMES}
    query = {"box": box.value, **wanted.filters}
    values |= {"wanted": wanted, "place": f"/inbox?{urlencode(query)}", "view": None}
    if before and request.headers.get("hx-request") == "true":
        return page(request, "inbox_rows.html", **values)
    values |= rail(session, request)
    values["colleagues"] = tables.colleagues(session)
    chosen = request.query_params.get("view", "")
    values["view"] = next((one for one in values["views"] if str(one.id) == chosen), None)
    if values["view"] is not None:
        values["place"] += f"&view={chosen}"
    if request.headers.get("hx-request") == "true":
        return page(request, "inbox_list.html", **values)
    values["topics"] = labelnames.topics(request.app.state.engine, reader(request).language)
    values["teams"] = session.scalars(select(Team).order_by(Team.name)).all()
    values["later"] = later_choices(request)
    return page(request, "inbox.html", alarms=open_alarms(session), **values)


def later_choices(request: PageRequest) -> list[tuple[str, str, datetime]]:
    """The moments that putting off is offered for: their names for the form, in words, and when they are."""
    zone = ZoneInfo(request.app.state.settings.company.timezone)
    language = reader(request)
    return [
        (key.value, language.gettext(LATER_NAMES[key]), at)
        for key, at in snoozing.moments(now(), zone).items()
    ]


def rail(session: Session, request: PageRequest) -> dict[str, Any]:
    """What the column of rooms at the left needs."""
    viewer = request.scope["user"]
    counts = tables.counts(session, viewer) if viewer.role in WORKERS else {}
    boxes = [
        (box, reader(request).gettext(BOX_NAMES[box]), counts.get(box.value))
        for box in tables.boxes_of(viewer)
    ]
    views = savedviews.of(session, viewer.staff_id) if viewer.role in WORKERS else []
    return {
        "views": views,
        "view_place": view_place,
        "boxes": boxes if viewer.role in WORKERS else [],
        "counts": counts,
        "many": tables.MANY,
    }


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
        events=("inbox", "conversation", *(["onwards"] if form.ticked("onwards") else [])),
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
