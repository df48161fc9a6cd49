"""Sends whose fate is unknown: the line was lost when the server may already have taken them. A person
decides."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from core import approvalreads, outbox
from core.approvalasks import ApprovalState
from core.errors import InputRefused, NotFound
from core.i18n import N_
from core.notices import open_alarms
from core.outbox import Delivery, DeliveryState
from desk import live, tables
from desk.access import WORKERS
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

DECISIONS: dict[str, tuple[DeliveryState, str]] = {
    "sent": (DeliveryState.SENT, N_("Marked as sent.")),
    "again": (DeliveryState.QUEUED, N_("Queued to be sent again.")),
    "cancel": (DeliveryState.CANCELLED, N_("Cancelled.")),
}


@get("/uncertain", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """All that somebody may decide."""
    rows = tables.uncertain(session, request.scope["user"])
    view = "uncertain_list.html" if request.headers.get("hx-request") == "true" else "uncertain.html"
    return page(request, view, rows=rows, alarms=open_alarms(session), **rail(session, request))


@post("/uncertain/{delivery_id:int}", enter=WORKERS)
@in_thread
def decide(
    request: PageRequest, session: Transaction, form: Filled, delivery_id: FromPath[int]
) -> Response[Any]:
    """It arrived, it is to be sent again, or it is not needed any more."""
    viewer = request.scope["user"]
    query = tables.uncertain_query(viewer).where(Delivery.id == delivery_id).with_for_update(of=Delivery)
    row = session.execute(query).first()
    if row is None:
        raise NotFound
    decision = form.line("decision")
    if decision not in DECISIONS:
        raise InputRefused("That is none of the decisions.")
    state, text = DECISIONS[decision]
    if state is DeliveryState.QUEUED:
        asked = approvalreads.of_deliveries(session, [delivery_id]).get(delivery_id)
        if asked is not None and asked.state != ApprovalState.APPROVED:
            raise InputRefused("Nobody has approved this letter.", cure="Cancel it and write it again.")
    outbox.settle(session, delivery_id, state, detail="decided by hand", staff_id=viewer.staff_id)
    live.announce(session, "delivery", row.conversation_id)
    return done(request, reader(request).gettext(text), go="/uncertain", events=("uncertain",))


ROUTES = (show, decide)
