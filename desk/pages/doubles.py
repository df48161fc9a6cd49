"""Likely doubles of the whole house: looked through, merged and kept apart, each with its way back."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import cardscores, duplicates, likelydoubles, merging
from core.accounts import Account, Contact
from core.deals import Deal
from core.duplicates import Pair
from core.errors import InputRefused, NotFound
from core.merging import ClientMerge
from core.notices import open_alarms
from core.sessions import SignedIn
from desk import live
from desk.access import LEADERS, SALES
from desk.clientview import may_see
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.personview import may_see_person
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread

EVENTS = ("doubles", "client")


@get("/doubles", enter=SALES)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Pairs of whom one may see both, the likeliest first; for htmx only the list, or its next page."""
    viewer, given = request.scope["user"], request.query_params
    kind = _kind(given.get("kind", ""))
    before = given.get("before", "")[:80]
    found, on = likelydoubles.page(session, kind, partial(_seen, session, viewer, kind), before=before)
    values: dict[str, Any] = {
        "kind": kind.value,
        "pairs": found,
        "records": _records(session, kind, {n for one in found for n in (one.low_id, one.high_id)}),
        "on": f"/doubles?kind={kind.value}&before={on}" if on else "",
        "found_at": likelydoubles.found_at(session),
    }
    if is_partial(request):
        return page(request, "doubles_rows.html" if before else "doubles_list.html", **values)
    return page(request, "doubles.html", **values, alarms=open_alarms(session), **rail(session, request))


def _kind(word: str) -> Pair:
    return Pair(word) if word in set(Pair) else Pair.ACCOUNT


def _seen(session: Session, viewer: SignedIn, kind: Pair, ids: Collection[int]) -> set[int]:
    """Which of these clients, or people, somebody may see."""
    if kind is Pair.ACCOUNT:
        query = select(Account.id).where(Account.id.in_(ids), may_see(viewer))
    else:
        query = select(Contact.id).outerjoin(Account, Account.id == Contact.account_id)
        query = query.where(Contact.id.in_(ids), may_see_person(viewer))
    return set(session.scalars(query))


def _records(session: Session, kind: Pair, ids: Collection[int]) -> dict[int, Any]:
    """What is shown of each: the record, and for clients how many people and deals it has."""
    if kind is Pair.CONTACT:
        query = select(Contact).where(Contact.id.in_(ids))
        rows = session.scalars(query.options(joinedload(Contact.account), selectinload(Contact.points)))
        return {one.id: (one, 0, 0) for one in rows}
    people = select(func.count()).where(Contact.account_id == Account.id).scalar_subquery()
    deals = select(func.count()).where(Deal.account_id == Account.id).scalar_subquery()
    found = session.execute(
        select(Account, people, deals).where(Account.id.in_(ids)).options(joinedload(Account.curator))
    )
    return {row[0].id: tuple(row) for row in found}


def _pair(session: Session, viewer: SignedIn, form: Form) -> tuple[Pair, int, int]:
    """Two records of one kind. Raises NotFound where one of them may not be seen."""
    kind, one, other = form.line("kind"), form.number("one"), form.number("other")
    if kind not in set(Pair) or one is None or other is None:
        raise InputRefused("That is none of the choices.")
    if _seen(session, viewer, Pair(kind), {one, other}) != {one, other}:
        raise NotFound
    return Pair(kind), one, other


@post("/doubles/merge", enter=SALES)
@in_thread
def merge(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Make the other record part of the one."""
    viewer = request.scope["user"]
    kind, one, other = _pair(session, viewer, form)
    made = merging.merge(session, kind, one, other, staff_id=viewer.staff_id, reason=form.line("reason"))
    _changed(session, kind, made, one)
    _ = reader(request).gettext
    said = _("“%(name)s” is part of the other record now.", name=made.gone_name or _("Name not known"))
    undo = f"/doubles/merges/{made.id}/undo"
    return done(request, said, go=f"/doubles?kind={kind.value}", undo=undo, events=EVENTS)


def _changed(session: Session, kind: Pair, made: ClientMerge, other: int) -> None:
    """Count how full the cards are now, and tell their open pages."""
    whose = {made.account_id, other if kind is Pair.ACCOUNT else None} - {None}
    cardscores.count(session, [number for number in whose if number is not None])
    for number in whose:
        live.announce(session, "client", -(number or 0))


@post("/doubles/merges/{merge_id:int}/undo", enter=SALES)
@in_thread
def undo_merge(request: PageRequest, session: Transaction, merge_id: FromPath[int]) -> Response[Any]:
    """They are two after all; for whoever merged them, and for leaders."""
    viewer = request.scope["user"]
    made = session.get(ClientMerge, merge_id)
    if made is None or (made.staff_id != viewer.staff_id and viewer.role not in LEADERS):
        raise NotFound
    made = merging.take_back(session, merge_id, staff_id=viewer.staff_id)
    _changed(session, made.kind, made, made.gone_id)
    said = reader(request).gettext("“%(name)s” is back.", name=made.gone_name)
    return done(request, said, go=f"/doubles?kind={made.kind.value}", events=EVENTS)


@post("/doubles/apart", enter=SALES)
@in_thread
def apart(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """They are two; do not show them as likely one again."""
    viewer = request.scope["user"]
    kind, one, other = _pair(session, viewer, form)
    duplicates.keep_apart(session, kind, one, other, staff_id=viewer.staff_id)
    values = {"kind": kind.value, "one": one, "other": other}
    return done(
        request, reader(request).gettext("They stay two."), go=f"/doubles?kind={kind.value}",
        undo="/doubles/together", undo_values=values, events=EVENTS,
    )  # fmt: skip


@post("/doubles/together", enter=SALES)
@in_thread
def together(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """They may be one after all."""
    kind, one, other = _pair(session, request.scope["user"], form)
    duplicates.bring_together(session, kind, one, other)
    said = reader(request).gettext("They are shown again.")
    return done(request, said, go=f"/doubles?kind={kind.value}", events=EVENTS)


ROUTES = (show, merge, undo_merge, apart, together)
