"""How mail and calls reach us: mailboxes and telephone numbers, what waits, and what is wrong."""

from __future__ import annotations

from litestar import Response, get

from core import phonelines
from core.notices import open_alarms
from desk import tables
from desk.access import WORKERS
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page
from desk.threads import in_thread


@get("/mailboxes", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Every mailbox and every number of ours with its state."""
    return page(
        request,
        "mailboxes.html",
        rows=tables.mailboxes(session),
        lines=phonelines.read(session, request.app.state.settings),
        alarms=open_alarms(session),
        **rail(session, request),
    )


ROUTES = (show,)
