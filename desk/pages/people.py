"""A person without a company: their page and history, the card changed in place, the way to a company."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import cardscores, clientedits, deals, merging, persons, pipelines
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.clientedits import CONTACT_FIELDS
from core.duplicates import Pair
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.staff import StaffMember
from desk import live, personview
from desk.access import SALES, WORKERS
from desk.clientview import client_for
from desk.given import Filled, Transaction
from desk.pages.clientdeeds import deal_asked
from desk.pages.histories import events_of
from desk.pages.inbox import rail
from desk.pages.sheets import sheet
from desk.personview import person_for
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread

EVENTS = ("client", "asked")


def _told(
    request: PageRequest, contact_id: int, said: str, undo: str | None = None, **values: Any
) -> Response[Any]:
    place = f"/people/{contact_id}"
    return done(
        request, said, go=place, undo=f"{place}/{undo}" if undo else None, undo_values=values, events=EVENTS
    )


@get("/people/{contact_id:int}", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[Any]:
    """The whole page, or for htmx its card anew; who has a company by now stands on its page."""
    viewer = request.scope["user"]
    try:
        contact = person_for(session, viewer, contact_id)
    except NotFound:
        stays = merging.living(session, Pair.CONTACT, contact_id)
        if stays is None:
            raise
        return Redirect(f"/people/{person_for(session, viewer, stays).id}", status_code=303)
    if contact.account_id is not None:
        place = f"/clients/{contact.account_id}#p{contact.id}"
        if is_partial(request):
            return Response("", status_code=200, headers={"hx-redirect": place})
        return Redirect(place, status_code=303)
    values: dict[str, Any] = {
        "contact": contact,
        "view": personview.read(session, viewer, contact),
        "may_sell": viewer.role in SALES,
    }
    if is_partial(request):
        return page(request, "person_side.html", **values)
    return page(
        request, "person.html", **values, alarms=open_alarms(session), **rail(session, request),
        **events_of(request, session, f"/people/{contact.id}", contact=contact),
    )  # fmt: skip


@get("/people/{contact_id:int}/history", enter=WORKERS)
@in_thread
def history(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """A page of what happened; what one may not see is told without its words."""
    contact = person_for(session, request.scope["user"], contact_id)
    view = "client_events.html" if request.query_params.get("before") else "client_history.html"
    return page(request, view, **events_of(request, session, f"/people/{contact.id}", contact=contact))


@get("/people/{contact_id:int}/edit", enter=WORKERS)
@in_thread
def ask(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """The form of one field where its value stood."""
    contact = person_for(session, request.scope["user"], contact_id)
    field = request.query_params.get("field", "")
    if field not in CONTACT_FIELDS:
        raise NotFound
    home = f"/people/{contact_id}"
    return sheet(
        request, session, "client_field.html", place=f"{home}/field", home=home, card="person-card",
        contact=contact, field=field, in_sheet=request.query_params.get("sheet") == "1",
        value=clientedits.as_written(getattr(contact, field)), colleagues=[], known={},
    )  # fmt: skip


@post("/people/{contact_id:int}/field", enter=WORKERS)
@in_thread
def change(
    request: PageRequest, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """A field of the person."""
    viewer = request.scope["user"]
    contact, field = person_for(session, viewer, contact_id), form.line("field", longest=40)
    was = form.text("was", longest=2000) if "was" in form.fields else None
    value = form.text("value", longest=2000)
    edited = clientedits.change(session, contact, field, value, was=was, by=viewer.staff_id)
    _ = reader(request).gettext
    if not edited.changed:
        return _told(request, contact_id, _("Nothing was changed."))
    said = _("Saved.") if edited.after else _("Emptied.")
    return _told(request, contact_id, said, "field", field=field, value=edited.before, was=edited.after)


@get("/people/{contact_id:int}/points", enter=WORKERS)
@in_thread
def ask_points(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """Somebody's addresses and numbers: add, write anew, choose the main one, take away."""
    contact = person_for(session, request.scope["user"], contact_id)
    home = f"/people/{contact_id}"
    return sheet(
        request, session, "client_points.html", base=home, adding=f"{home}/points", contact=contact,
        kinds=list(PointKind),
    )  # fmt: skip


@post("/people/{contact_id:int}/points", enter=WORKERS)
@in_thread
def add_point(
    request: PageRequest, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """Another address or number."""
    viewer = request.scope["user"]
    contact, kind = person_for(session, viewer, contact_id), form.line("kind")
    if kind not in set(PointKind):
        raise InputRefused("That is none of the choices.")
    point = clientedits.add_point(
        session, contact, PointKind(kind), form.line("value"), by=viewer.staff_id,
        note=form.line("note"), main=form.ticked("main"),
    )  # fmt: skip
    said = reader(request).gettext("%(value)s is added.", value=point.value)
    return _told(request, contact_id, said, f"points/{point.id}/remove")


def _point(session: Session, contact: Contact, point_id: int) -> ContactPoint:
    point = session.get(ContactPoint, point_id)
    if point is None or point.contact_id != contact.id:
        raise NotFound
    return point


@post("/people/{contact_id:int}/points/{point_id:int}", enter=WORKERS)
@in_thread
def change_point(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    contact_id: FromPath[int],
    point_id: FromPath[int],
) -> Response[Any]:
    """An address or number written anew, or what it is called."""
    viewer = request.scope["user"]
    point = _point(session, person_for(session, viewer, contact_id), point_id)
    note = point.note
    edited = clientedits.change_point(
        session, point, form.line("value"), form.line("note"), by=viewer.staff_id
    )
    said = reader(request).gettext("Saved.")
    return _told(request, contact_id, said, f"points/{point_id}", value=edited.before, note=note)


@post("/people/{contact_id:int}/points/{point_id:int}/remove", enter=WORKERS)
@in_thread
def remove_point(
    request: PageRequest, session: Transaction, contact_id: FromPath[int], point_id: FromPath[int]
) -> Response[Any]:
    """It is not theirs, or not any more."""
    viewer = request.scope["user"]
    point = _point(session, person_for(session, viewer, contact_id), point_id)
    held = {"kind": point.kind.value, "value": point.value, "note": point.note}
    held["main"] = "1" if point.main else ""
    clientedits.remove_point(session, point, by=viewer.staff_id)
    said = reader(request).gettext("%(value)s is taken off.", value=held["value"])
    return _told(request, contact_id, said, "points", **held)


@post("/people/{contact_id:int}/points/{point_id:int}/main", enter=WORKERS)
@in_thread
def make_main(
    request: PageRequest, session: Transaction, contact_id: FromPath[int], point_id: FromPath[int]
) -> Response[Any]:
    """Use it first, of several."""
    point = _point(session, person_for(session, request.scope["user"], contact_id), point_id)
    before = clientedits.make_main(session, point)
    said = reader(request).gettext("%(value)s is used first from now on.", value=point.value)
    return _told(request, contact_id, said, f"points/{before}/main" if before != point_id else None)


@get("/people/{contact_id:int}/company", enter=WORKERS)
@in_thread
def ask_company(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """Which company they are with: one that is known, by its name or code, or a new one."""
    viewer = request.scope["user"]
    contact = person_for(session, viewer, contact_id)
    asked = " ".join(request.query_params.get("q", "").replace("\0", " ").split())[:200]
    found = persons.companies(session, asked, personview.may_see(viewer)) if len(asked) >= 2 else []
    return sheet(request, session, "person_company.html", contact=contact, asked=asked, found=found)


@post("/people/{contact_id:int}/company", enter=WORKERS)
@in_thread
def give_company(
    request: PageRequest, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """They are with a company; what was said with them belongs to it from now on."""
    viewer = request.scope["user"]
    contact = person_for(session, viewer, contact_id)
    if contact.account_id is not None:
        raise NotFound
    number = form.number("account_id")
    if number is not None:
        account: Account = client_for(session, viewer, number)
    else:
        by = session.get_one(StaffMember, viewer.staff_id)
        account = clientedits.add_account(session, form.line("name"), by=by)
    clientedits.attach(session, contact, account, by=viewer.staff_id)
    cardscores.count(session, [account.id])
    live.announce(session, "client", -account.id)
    place = f"/clients/{account.id}#p{contact.id}"
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


@get("/people/{contact_id:int}/deal", enter=SALES)
@in_thread
def ask_deal(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """The form of a deal opened by hand."""
    contact = person_for(session, request.scope["user"], contact_id)
    return sheet(
        request, session, "client_deal.html", place=f"/people/{contact_id}/deal", whom=contact.name,
        people=[contact], roads=pipelines.active(session), others=[],
    )  # fmt: skip


@post("/people/{contact_id:int}/deal", enter=SALES)
@in_thread
def open_deal(
    request: PageRequest, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """Open a deal with the person."""
    viewer = request.scope["user"]
    contact = person_for(session, viewer, contact_id)
    pipeline, initiative = deal_asked(session, form)
    deal = deals.open_deal(
        session,
        contact=contact,
        title=form.line("title", longest=300) or contact.name,
        source=form.line("source", longest=200) or "hand",
        owner_id=viewer.staff_id,
        reason="opened by hand",
        pipeline=pipeline,
        initiative=initiative,
        event=form.line("event"),
    )
    live.announce(session, "deal")
    said = reader(request).gettext("The deal is open.")
    return done(request, said, go=f"/deals/{deal.id}", events=("client", "deal", "asked"))


ROUTES = (
    show, history, ask, change, ask_points, add_point, change_point, remove_point, make_main, ask_company,
    give_company, ask_deal, open_deal,
)  # fmt: skip
