"""The list of calls: who rang, who talked, what was missed and not yet rung back."""

from __future__ import annotations

from litestar import Response, get
from litestar.datastructures import State

from core.clock import now
from core.errors import InputRefused
from core.notices import open_alarms
from desk import callview
from desk.access import WORKERS
from desk.callview import Shelf
from desk.forms import Form
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.threads import in_thread


def shelves(request: PageRequest) -> list[tuple[Shelf, str]]:
    """The shelves and their names."""
    _ = reader(request).gettext
    return [
        (Shelf.ALL, _("All calls")),
        (Shelf.MISSED, _("To ring back")),
        (Shelf.MINE, _("My calls")),
        (Shelf.NOTELESS, _("Without a note")),
    ]


@get("/calls", enter=WORKERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """Calls that the viewer may see, newest first."""
    try:
        shelf = Shelf(request.query_params.get("shelf", Shelf.ALL.value))
    except ValueError as error:
        raise InputRefused("There is no such list.") from error
    view = "calls_list.html" if request.headers.get("hx-request") == "true" else "calls.html"
    before = Form(dict(request.query_params.items())).number("before")
    listed = callview.listed(session, request.scope["user"], shelf, before)
    return page(
        request,
        view,
        shelf=shelf,
        shelves=shelves(request),
        listed=listed,
        before=before,
        possible=bool(state.settings.twilio and state.settings.twilio.numbers),
        now=now(),
        alarms=open_alarms(session),
        **rail(session, request),
    )


ROUTES = (show,)
