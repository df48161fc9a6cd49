"""Sending a document to a client by fax, where a gateway for faxes is set."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from core import approvalreads, outbox, spending
from core.accounts import Channel, PointKind
from core.errors import InputRefused
from core.staff import StaffMember
from core.values import LANGUAGES
from desk import live, phoneout, templatechoice
from desk.access import WORKERS, conversation_for
from desk.forms import one_time_key
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

FIRST: Final = (PointKind.FAX, PointKind.PHONE)
"""Which numbers of a client are offered, in this order."""


@get("/conversations/{conversation_id:int}/fax", enter=WORKERS)
@in_thread
def ask(
    request: PageRequest, state: State, session: Transaction, conversation_id: FromPath[int]
) -> Response[str]:
    """The document, its language, and the number: one of the client's, or another."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    contact = conversation.contact
    points = contact.points if contact is not None else []
    return sheet(
        request,
        session,
        "fax.html",
        conversation=conversation,
        possible=bool(state.settings.phone.fax_gateway),
        numbers=[point.value for kind in FIRST for point in points if point.kind == kind],
        own=next((point.value for point in points if point.kind == PointKind.FAX), ""),
        documents=templatechoice.documents(session, reader(request)),
        language=conversation.language or (contact.language if contact else None) or "en",
        form_key=one_time_key(),
    )


@post("/conversations/{conversation_id:int}/fax", enter=WORKERS)
@in_thread
def send(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Queue the fax; the form's one-time key makes a second press do nothing."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    document, language, key = form.line("document"), form.line("language"), form.line("key", longest=64)
    if not key:
        raise InputRefused("The form is too old.", cure="Load the page again.")
    if document not in templatechoice.documents(session, reader(request)) or language not in LANGUAGES:
        raise InputRefused("That document does not exist.")
    draft = phoneout.fax_of(
        session,
        state.settings,
        conversation,
        session.get_one(StaffMember, viewer.staff_id),
        key=f"{conversation_id}:{viewer.staff_id}:{key}",
        number=form.line("number", longest=40),
        document=document,
        language=language,
    )
    spending.insist(session, state.settings, Channel.FAX, draft.address, 1)
    delivery_id = outbox.queue(session, draft)
    asked = approvalreads.of_deliveries(session, [delivery_id] if delivery_id is not None else [])
    live.announce(session, "answer", conversation_id, viewer.staff_id)
    _ = reader(request).gettext
    if delivery_id is None:
        text = _("That fax is on its way already.")
    elif asked:
        text = _("It waits for approval, and leaves when it is given.")
    else:
        text = _("The fax is queued.")
    return done(
        request, text, go=f"/conversations/{conversation_id}", events=("conversation", "asked", "review")
    )


ROUTES = (ask, send)
