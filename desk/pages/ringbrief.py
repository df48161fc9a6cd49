"""What a colleague's desk shows while their telephone rings, and while they talk."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from core import callerbrief
from desk import callview
from desk.access import WORKERS
from desk.given import Transaction
from desk.render import PageRequest, is_partial, page
from desk.threads import in_thread


@get("/ringing", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The briefs of the calls that ring for me now; nothing where none does."""
    return _briefs(request, session)


@post("/ringing/{call_id:int}/dismiss", enter=WORKERS)
@in_thread
def dismiss(request: PageRequest, session: Transaction, call_id: FromPath[int]) -> Response[Any]:
    """Close the brief on all of my screens; the call itself goes on."""
    viewer = request.scope["user"]
    call = callview.call_for(session, viewer, call_id)
    session.refresh(call, ["dismissed"], with_for_update={"of": type(call)})
    if viewer.staff_id not in call.dismissed:
        call.dismissed = [*call.dismissed, viewer.staff_id]
    session.flush()
    if not is_partial(request):
        return Response("", status_code=303, headers={"location": "/inbox"})
    return _briefs(request, session)


def _briefs(request: PageRequest, session: Transaction) -> Response[str]:
    ringing = callerbrief.ringing_for(session, request.scope["user"].staff_id)
    return page(request, "ringing.html", briefs=[callerbrief.read(session, one) for one in ringing])


ROUTES = (show, dismiss)
