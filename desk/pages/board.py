"""All deals under way: as a board that is worked by drag and by key, and as a list."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.datastructures import State

from core import clock
from core.errors import NotFound
from core.notices import open_alarms
from core.worktime import Calendar
from desk import board
from desk.access import SALES
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.threads import in_thread


@get("/deals", enter=SALES)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """The board of one pipeline, or the list of its deals; mine, or all that one may see."""
    viewer = request.scope["user"]
    given = request.query_params
    roads = board.pipelines(session)
    wanted = given.get("pipeline") or (roads[0].key if roads else "")
    pipeline = next((one for one in roads if one.key == wanted), None)
    if pipeline is None:
        raise NotFound
    only_own = given.get("whose") == "mine"
    stage, before = given.get("stage", ""), given.get("before", "")
    calendar, now = Calendar(zone=state.settings.company.timezone), clock.now()
    partial = request.headers.get("hx-request") == "true"
    values: dict[str, Any] = {
        "pipeline": pipeline,
        "pipelines": roads,
        "whose": "mine" if only_own else "all",
        "as_list": given.get("as") == "list",
        "stage": stage,
    }
    columns = board.columns(session, pipeline, reader(request).language)
    if values["as_list"]:
        chosen = [column for column in columns if stage in {"", column.key}]
        rows, more = board.listed(session, chosen, viewer, calendar, now, only_own=only_own, before=before)
        values |= {"rows": rows, "more": more, "columns": columns}
        view = "deals_rows.html" if before and partial else "deals_list.html"
    else:
        values["columns"] = board.fill(session, columns, viewer, calendar, now, only_own=only_own)
        view = "board.html"
    if partial:
        return page(request, view, **values)
    values |= {"inner": view, "alarms": open_alarms(session)} | rail(session, request)
    return page(request, "deals.html", **values)


ROUTES = (show,)
