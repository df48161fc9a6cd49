"""Static lists: contacts put together by hand or by an import; and segments and lists that leave as files."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core import lists, segments, tabular
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.errors import InputRefused, NotFound
from core.lists import ContactList, ContactListMember
from core.notices import open_alarms
from core.segments_compile import OF_CONTACT, contacts
from core.segments_language import ConsentState, parse
from core.values import is_email, normal_email
from desk.access import MARKETERS
from desk.given import Filled, Transaction
from desk.pages.imports import table_file
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread

SHOWN = 200
UNKNOWN_SHOWN = 5
"""Addresses that nobody has, named in the answer."""
MOST_EXPORTED = 100_000


def _list(session: Session, list_id: int) -> ContactList:
    found = session.get(ContactList, list_id)
    if found is None or found.archived_at is not None:
        raise NotFound
    return found


def _point(kind: PointKind) -> Any:
    return (
        select(ContactPoint.value)
        .where(ContactPoint.contact_id == Contact.id, ContactPoint.kind == kind)
        .order_by(ContactPoint.main.desc(), ContactPoint.id)
        .limit(1)
        .scalar_subquery()
    )


def _people(session: Session, ids: Select[Any], most: int) -> Select[*tuple[Any, ...]]:
    """The contacts of some ids as rows of a table, by name."""
    refused = {"channel": Channel.EMAIL.value, "state": ConsentState.REFUSED.value}
    refuses: Any = OF_CONTACT["consent"](refused, segments.moment(session))
    return (
        select(
            Contact.id,
            Contact.name,
            Contact.position,
            Contact.language,
            _point(PointKind.EMAIL).label("email"),
            _point(PointKind.PHONE).label("phone"),
            Account.name.label("account"),
            Account.code,
            Account.industry,
            Account.region,
            Account.country,
            refuses.label("refuses"),
        )
        .outerjoin(Account, Contact.account_id == Account.id)
        .where(Contact.id.in_(ids))
        .order_by(Contact.name, Contact.id)
        .limit(most)
    )


@get("/lists", enter=MARKETERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """Every list with the number of its contacts."""
    view = "lists_list.html" if is_partial(request) else "lists.html"
    rows = lists.all_with_counts(session)
    return page(request, view, rows=rows, alarms=open_alarms(session), **rail(session, request))


@post("/lists", enter=MARKETERS)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new list."""
    made = lists.add(session, form.line("name", longest=300), staff_id=request.scope["user"].staff_id)
    place = f"/lists/{made.id}"
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


@get("/lists/{list_id:int}", enter=MARKETERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, list_id: FromPath[int]) -> Response[str]:
    """Who is on it."""
    one = _list(session, list_id)
    ids = select(ContactListMember.contact_id).where(ContactListMember.list_id == list_id)
    total = session.scalar(select(func.count()).select_from(ids.subquery()))
    people = session.execute(_people(session, ids, SHOWN)).all()
    values: dict[str, Any] = {"one": one, "people": people, "total": total, "shown": SHOWN}
    if is_partial(request):
        return page(request, "list_people.html", **values)
    return page(request, "list.html", **values, alarms=open_alarms(session), **rail(session, request))


@post("/lists/{list_id:int}/members", enter=MARKETERS)
@in_thread
def put_on(request: PageRequest, session: Transaction, form: Filled, list_id: FromPath[int]) -> Response[Any]:
    """Put contacts on it by their addresses, however many lines of them."""
    one = _list(session, list_id)
    words = form.text("addresses", longest=100_000).replace(",", " ").replace(";", " ").split()
    addresses = {word: normal_email(word) if is_email(word) else "" for word in words}
    known = select(ContactPoint.value, ContactPoint.contact_id).where(
        ContactPoint.kind == PointKind.EMAIL, ContactPoint.value.in_(set(addresses.values()) - {""})
    )
    found = session.execute(known).all()
    if not found:
        raise InputRefused("None of these addresses is known.", cure="Import them first.")
    added = lists.put_on(session, one.id, [contact_id for _value, contact_id in found])
    t = reader(request)
    text = t.ngettext("%(num)d contact was added.", "%(num)d contacts were added.", added)
    there = {value for value, _contact_id in found}
    unknown = [word for word, value in addresses.items() if value not in there]
    if unknown:
        shown = ", ".join(unknown[:UNKNOWN_SHOWN]) + (" …" if len(unknown) > UNKNOWN_SHOWN else "")
        text += " " + t.gettext("Nobody has these addresses: %(addresses)s", addresses=shown)
    return done(request, text, go=f"/lists/{list_id}", events=("people",))


@post("/lists/{list_id:int}/members/{contact_id:int}/remove", enter=MARKETERS)
@in_thread
def take_off(
    request: PageRequest, session: Transaction, list_id: FromPath[int], contact_id: FromPath[int]
) -> Response[Any]:
    """Take somebody off it."""
    lists.take_off(session, _list(session, list_id).id, [contact_id])
    text = reader(request).gettext("Taken off the list.")
    back = f"/lists/{list_id}/members/{contact_id}/restore"
    return done(request, text, go=f"/lists/{list_id}", undo=back, events=("people",))


@post("/lists/{list_id:int}/members/{contact_id:int}/restore", enter=MARKETERS)
@in_thread
def put_back(
    request: PageRequest, session: Transaction, list_id: FromPath[int], contact_id: FromPath[int]
) -> Response[Any]:
    """Put somebody back on it."""
    if session.get(Contact, contact_id) is None:
        raise NotFound
    lists.put_on(session, _list(session, list_id).id, [contact_id])
    return done(
        request, reader(request).gettext("Back on the list."), go=f"/lists/{list_id}", events=("people",)
    )


@post("/lists/{list_id:int}/archive", enter=MARKETERS)
@in_thread
def archive(request: PageRequest, session: Transaction, list_id: FromPath[int]) -> Response[Any]:
    """Put it away."""
    _list(session, list_id).archived_at = func.now()
    text = reader(request).gettext("The list is put away.")
    return done(request, text, go="/lists", undo=f"/lists/{list_id}/restore", events=("lists",))


@post("/lists/{list_id:int}/restore", enter=MARKETERS)
@in_thread
def restore(request: PageRequest, session: Transaction, list_id: FromPath[int]) -> Response[Any]:
    """Bring it back."""
    found = session.get(ContactList, list_id)
    if found is None:
        raise NotFound
    found.archived_at = None
    return done(request, reader(request).gettext("The list is back."), go="/lists", events=("lists",))


@get("/lists/{list_id:int}/export", enter=MARKETERS)
@in_thread
def export_list(request: PageRequest, session: Transaction, list_id: FromPath[int]) -> Response[bytes]:
    """The list as a file."""
    one = _list(session, list_id)
    ids = select(ContactListMember.contact_id).where(ContactListMember.list_id == one.id)
    return _exported(request, session, ids, f"list-{list_id}")


@get("/segments/{segment_id:int}/export", enter=MARKETERS)
@in_thread
def export_segment(request: PageRequest, session: Transaction, segment_id: FromPath[int]) -> Response[bytes]:
    """Who is in a segment now, as a file."""
    segment = segments.get(session, segment_id)
    described = contacts(parse(segment.conditions), segments.moment(session)).subquery()
    return _exported(request, session, select(described.c.id), f"segment-{segment_id}")


def _exported(request: PageRequest, session: Session, ids: Select[Any], name: str) -> Response[bytes]:
    _ = reader(request).gettext
    found = session.execute(_people(session, ids, MOST_EXPORTED + 1)).all()
    if len(found) > MOST_EXPORTED:
        raise InputRefused(
            "These are more contacts than one file can hold.",
            cure="Narrow the conditions and take several files.",
        )
    rows = [(*tuple(row)[1:-1], _("no") if row.refuses else "") for row in found]
    header = [
        _("Full name"), _("Position"), _("Language"), _("E-mail"), _("Telephone"), _("Company"),
        _("Company code"), _("Industry"), _("Region"), _("Country"), _("Wants mailings"),
    ]  # fmt: skip
    if request.query_params.get("as") == "xlsx":
        return table_file(tabular.write_xlsx(header, rows), f"{name}.xlsx")
    return table_file(tabular.write_csv(header, rows), f"{name}.csv")


ROUTES = (
    show_all, add, show_one, put_on, take_off, put_back, archive, restore, export_list, export_segment,
)  # fmt: skip
