"""Clients: the list of them, and the page of one with everything that ever happened."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from core import cardscores, clientedits, merging
from core.duplicates import Pair
from core.errors import NotFound
from core.notices import open_alarms
from core.staff import StaffMember
from desk import clientlist, clientview, live, tables
from desk.access import LEADERS, SALES, WORKERS
from desk.clientview import client_for
from desk.given import Filled, Transaction
from desk.pages.histories import events_of
from desk.pages.inbox import rail
from desk.pages.sheets import sheet
from desk.render import PageRequest, is_partial, page
from desk.threads import in_thread


@get("/clients", enter=WORKERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """The clients that one may see; for htmx only the list, or its next page."""
    viewer = request.scope["user"]
    asked = clientlist.asked_of(request.query_params)
    rows, on = clientlist.find(session, viewer, asked)
    values: dict[str, Any] = {"asked": asked, "rows": rows, "on": on}
    if is_partial(request):
        return page(request, "clients_rows.html" if asked.before else "clients_list.html", **values)
    return page(
        request,
        "clients.html",
        **values,
        **clientlist.choices(session),
        orders=clientlist.ORDERS,
        bands=clientlist.BANDS,
        colleagues=tables.colleagues(session),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/clients/new", enter=SALES)
@in_thread
def ask_new(request: PageRequest, session: Transaction) -> Response[str]:
    """The form of a client that nobody wrote to us yet."""
    return sheet(request, session, "client_new.html")


@post("/clients", enter=SALES)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A client written down by hand; whoever does it is the curator."""
    by = session.get_one(StaffMember, request.scope["user"].staff_id)
    made = clientedits.add_account(session, form.line("name"), by=by, source=form.line("source"))
    cardscores.count(session, [made.id])
    place = f"/clients/{made.id}"
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


@get("/clients/{account_id:int}", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[Any]:
    """The whole page, or for htmx its card anew; a client that was merged leads to the one that stayed."""
    viewer = request.scope["user"]
    try:
        account = client_for(session, viewer, account_id)
    except NotFound:
        stays = merging.living(session, Pair.ACCOUNT, account_id)
        if stays is None:
            raise
        client_for(session, viewer, stays)
        return Redirect(f"/clients/{stays}", status_code=303)
    values: dict[str, Any] = {
        "view": clientview.read(session, viewer, account),
        "account": account,
        "may_sell": viewer.role in SALES,
        "leads": viewer.role in LEADERS,
        "today": date.today(),  # noqa: DTZ011 - only tells whether somebody is away
    }
    if is_partial(request):
        return page(request, "client_card.html", **values)
    return page(
        request,
        "client.html",
        **values,
        **events_of(request, session, f"/clients/{account.id}", account=account),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/clients/{account_id:int}/history", enter=WORKERS)
@in_thread
def history(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """A page of what happened; what one may not see is told without its words."""
    account = client_for(session, request.scope["user"], account_id)
    values = events_of(request, session, f"/clients/{account.id}", account=account)
    view = "client_events.html" if request.query_params.get("before") else "client_history.html"
    return page(request, view, **values)


@post("/clients/{account_id:int}/here", enter=WORKERS)
@in_thread
def here(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[str]:
    """An open page's sign that somebody looks at the client, or has gone."""
    viewer = request.scope["user"]
    client_for(session, viewer, account_id)
    live.announce_presence(session, -account_id, viewer.staff_id, viewer.name, form.line("state"))
    return Response("", status_code=204)


@get("/clients/{account_id:int}/who", enter=WORKERS)
@in_thread
def who(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """Which colleagues look at the client now."""
    viewer = request.scope["user"]
    client_for(session, viewer, account_id)
    hub: live.Hub | None = getattr(request.app.state, "hub", None)
    people = hub.presence.at(-account_id, viewer.staff_id) if hub is not None else []
    return page(request, "who.html", people=people)


ROUTES = (show_all, ask_new, add, show, history, here, who)
