"""The client's card changed in place: fields, people, addresses and numbers, each with undo."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import cardscores, clientedits
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.clientedits import ACCOUNT_FIELDS, CONTACT_FIELDS
from core.errors import InputRefused, NotFound
from desk import clientlist, live, tables
from desk.access import WORKERS
from desk.clientview import client_for, contact_of
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

EVENTS = ("client", "asked")
"""What pages with the card hear after a change."""


def told(
    request: PageRequest, session: Session, account_id: int, said: str, undo: str | None = None, **values: Any
) -> Response[Any]:
    """After a change: a message with its undo, and every open page of the client looks anew."""
    live.announce(session, "client", -account_id)
    session.flush()
    cardscores.count(session, [account_id])
    place = f"/clients/{account_id}"
    return done(
        request, said, go=place, undo=f"{place}/{undo}" if undo else None, undo_values=values, events=EVENTS
    )


def point_of(session: Session, account: Account, point_id: int) -> ContactPoint:
    """An address or number of one of the client's contacts. Raises NotFound for any other."""
    point = session.get(ContactPoint, point_id)
    if point is None or point.contact.account_id != account.id:
        raise NotFound
    return point


@get("/clients/{account_id:int}/edit", enter=WORKERS)
@in_thread
def ask(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """The form of one field where its value stood; without a script a page of its own."""
    account = client_for(session, request.scope["user"], account_id)
    given = request.query_params
    field, number = given.get("field", ""), given.get("contact", "")
    contact = contact_of(session, account, int(number)) if number.isdecimal() and len(number) < 19 else None
    row: Account | Contact = contact if contact is not None else account
    home = f"/clients/{account_id}"
    if field not in (CONTACT_FIELDS if contact is not None else ACCOUNT_FIELDS):
        raise NotFound
    return sheet(
        request,
        session,
        "client_field.html",
        place=f"{home}/contacts/{contact.id}/field" if contact is not None else f"{home}/field",
        home=home,
        card="client-card",
        contact=contact,
        field=field,
        in_sheet=given.get("sheet") == "1",
        value=clientedits.as_written(getattr(row, field)),
        colleagues=tables.colleagues(session) if field == "curator_id" else [],
        known=clientlist.choices(session) if field in {"industry", "region"} else {},
    )


@post("/clients/{account_id:int}/field", enter=WORKERS)
@in_thread
def change(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """A field of the client."""
    account = client_for(session, request.scope["user"], account_id)
    return _change(request, session, form, account, account, "field")


@post("/clients/{account_id:int}/contacts/{contact_id:int}/field", enter=WORKERS)
@in_thread
def change_contact(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    account_id: FromPath[int],
    contact_id: FromPath[int],
) -> Response[Any]:
    """A field of a contact."""
    account = client_for(session, request.scope["user"], account_id)
    contact = contact_of(session, account, contact_id)
    return _change(request, session, form, account, contact, f"contacts/{contact_id}/field")


def _change(
    request: PageRequest, session: Session, form: Any, account: Account, row: Account | Contact, place: str
) -> Response[Any]:
    field = form.line("field", longest=40)
    edited = clientedits.change(
        session,
        row,
        field,
        form.text("value", longest=2000),
        was=form.text("was", longest=2000) if "was" in form.fields else None,
        by=request.scope["user"].staff_id,
    )
    _ = reader(request).gettext
    if not edited.changed:
        return told(request, session, account.id, _("Nothing was changed."))
    said = _("Saved.") if edited.after else _("Emptied.")
    return told(request, session, account.id, said, place, field=field, value=edited.before, was=edited.after)


@post("/clients/{account_id:int}/contacts", enter=WORKERS)
@in_thread
def add_contact(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """Another person, with an address and a number where they are known."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    contact = clientedits.add_contact(
        session, account, form.line("name"), position=form.line("position"), by=viewer.staff_id
    )
    for kind in (PointKind.EMAIL, PointKind.PHONE):
        if value := form.line(kind.value):
            clientedits.add_point(session, contact, kind, value, by=viewer.staff_id)
    said = reader(request).gettext("The contact is added.")
    return told(request, session, account.id, said, f"contacts/{contact.id}/detach")


@post("/clients/{account_id:int}/contacts/{contact_id:int}/detach", enter=WORKERS)
@in_thread
def detach(
    request: PageRequest, session: Transaction, account_id: FromPath[int], contact_id: FromPath[int]
) -> Response[Any]:
    """Somebody is not with this client."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    contact = contact_of(session, account, contact_id)
    clientedits.detach(session, contact, by=viewer.staff_id)
    said = reader(request).gettext("%(name)s no longer stands with this client.", name=contact.name or "–")
    return told(request, session, account.id, said, f"contacts/{contact.id}/attach")


@post("/clients/{account_id:int}/contacts/{contact_id:int}/attach", enter=WORKERS)
@in_thread
def attach(
    request: PageRequest, session: Transaction, account_id: FromPath[int], contact_id: FromPath[int]
) -> Response[Any]:
    """Somebody is with this client after all: undo of taking them off it."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    contact = session.get(Contact, contact_id)
    if (
        contact is None
        or contact.account_id is not None
        or not clientedits.was_with(session, contact, account)
    ):
        raise NotFound
    clientedits.attach(session, contact, account, by=viewer.staff_id)
    return told(request, session, account.id, reader(request).gettext("The contact is back."))


@get("/clients/{account_id:int}/contacts/new", enter=WORKERS)
@in_thread
def ask_contact(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """The form of another person."""
    account = client_for(session, request.scope["user"], account_id)
    return sheet(request, session, "client_contact.html", account=account)


@get("/clients/{account_id:int}/contacts/{contact_id:int}/points", enter=WORKERS)
@in_thread
def ask_points(
    request: PageRequest, session: Transaction, account_id: FromPath[int], contact_id: FromPath[int]
) -> Response[str]:
    """Somebody's addresses and numbers: add, write anew, choose the main one, take away."""
    account = client_for(session, request.scope["user"], account_id)
    contact = contact_of(session, account, contact_id)
    home = f"/clients/{account_id}"
    return sheet(
        request, session, "client_points.html", base=home, adding=f"{home}/contacts/{contact_id}/points",
        contact=contact, kinds=list(PointKind),
    )  # fmt: skip


@post("/clients/{account_id:int}/contacts/{contact_id:int}/points", enter=WORKERS)
@in_thread
def add_point(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    account_id: FromPath[int],
    contact_id: FromPath[int],
) -> Response[Any]:
    """Another address or number."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    contact = contact_of(session, account, contact_id)
    kind = form.line("kind")
    if kind not in set(PointKind):
        raise InputRefused("That is none of the choices.")
    point = clientedits.add_point(
        session, contact, PointKind(kind), form.line("value"), by=viewer.staff_id,
        note=form.line("note"), main=form.ticked("main"),
    )  # fmt: skip
    said = reader(request).gettext("%(value)s is added.", value=point.value)
    return told(request, session, account.id, said, f"points/{point.id}/remove")


@post("/clients/{account_id:int}/points/{point_id:int}", enter=WORKERS)
@in_thread
def change_point(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    account_id: FromPath[int],
    point_id: FromPath[int],
) -> Response[Any]:
    """An address or number written anew."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    point = point_of(session, account, point_id)
    note = point.note
    edited = clientedits.change_point(
        session, point, form.line("value"), form.line("note"), by=viewer.staff_id
    )
    said = reader(request).gettext("Saved.")
    return told(request, session, account.id, said, f"points/{point_id}", value=edited.before, note=note)


@post("/clients/{account_id:int}/points/{point_id:int}/remove", enter=WORKERS)
@in_thread
def remove_point(
    request: PageRequest, session: Transaction, account_id: FromPath[int], point_id: FromPath[int]
) -> Response[Any]:
    """It is not theirs, or not any more."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    point = point_of(session, account, point_id)
    held = {"kind": point.kind.value, "value": point.value, "note": point.note}
    held["main"] = "1" if point.main else ""
    place = f"contacts/{point.contact_id}/points"
    clientedits.remove_point(session, point, by=viewer.staff_id)
    said = reader(request).gettext("%(value)s is taken off.", value=held["value"])
    return told(request, session, account.id, said, place, **held)


@post("/clients/{account_id:int}/points/{point_id:int}/main", enter=WORKERS)
@in_thread
def make_main(
    request: PageRequest, session: Transaction, account_id: FromPath[int], point_id: FromPath[int]
) -> Response[Any]:
    """Use it first, of several."""
    account = client_for(session, request.scope["user"], account_id)
    point = point_of(session, account, point_id)
    before = clientedits.make_main(session, point)
    said = reader(request).gettext("%(value)s is used first from now on.", value=point.value)
    return told(request, session, account.id, said, f"points/{before}/main" if before != point_id else None)


ROUTES = (
    ask, change, change_contact, add_contact, detach, attach, ask_contact, ask_points, add_point,
    change_point, remove_point, make_main,
)  # fmt: skip
