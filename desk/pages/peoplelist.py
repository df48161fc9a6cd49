"""People without a company: the list of them, from where each gets one."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from core.notices import open_alarms
from desk import peoplelist
from desk.access import WORKERS
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, is_partial, page
from desk.threads import in_thread


@get("/people", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Those that one may see; for htmx only the list, or its next page."""
    asked = " ".join(request.query_params.get("q", "").replace("\0", " ").split())[:200]
    before = request.query_params.get("before", "")[:80]
    rows, on = peoplelist.find(session, request.scope["user"], asked, before)
    values: dict[str, Any] = {"asked": asked, "rows": rows, "on": on}
    if is_partial(request):
        return page(request, "people_rows.html" if before else "people_list.html", **values)
    return page(request, "people.html", **values, alarms=open_alarms(session), **rail(session, request))


ROUTES = (show,)
