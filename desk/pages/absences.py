"""Absences: one's own, and for leaders everybody's."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import func, select

from core import absences, staffroom
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.staff import StaffMember
from desk.access import EVERYBODY, LEADERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.audit import day_of
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread


@get("/absences", enter=EVERYBODY)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Absences that are not over; for whoever leads nobody, their own."""
    viewer = request.scope["user"]
    leads = viewer.role in LEADERS
    values: dict[str, Any] = {
        "rows": absences.coming(session, None if leads else viewer.staff_id),
        "today": session.scalar(select(func.current_date())),
        "leads": leads,
    }
    if is_partial(request):
        return page(request, "absences_list.html", **values)
    everybody = select(StaffMember).where(StaffMember.active).order_by(StaffMember.name)
    values["everybody"] = session.scalars(everybody).all()
    values["colleagues"] = values["everybody"] if leads else []
    values["chosen"] = Form(dict(request.query_params.items())).number("staff") or viewer.staff_id
    return page(request, "absences.html", **values, alarms=open_alarms(session), **rail(session, request))


@post("/absences", enter=EVERYBODY)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Somebody is going to be away; whoever leads nobody enters only their own days."""
    viewer = request.scope["user"]
    staff_id = form.number("staff_id") if viewer.role in LEADERS else None
    member = staffroom.find(session, staff_id or viewer.staff_id)
    first, last = day_of(form, "first_day"), day_of(form, "last_day")
    if first is None or last is None:
        raise InputRefused("An absence has a first and a last day.")
    deputy = form.number("deputy_id")
    if deputy is not None:
        staffroom.find(session, deputy)
    made = absences.add(session, member, first, last, deputy_id=deputy, by=viewer.staff_id)
    return done(
        request, reader(request).gettext("The absence is entered."),
        go="/absences", undo=f"/absences/{made.id}/remove", events=("absences",),
    )  # fmt: skip


@post("/absences/{absence_id:int}/remove", enter=EVERYBODY)
@in_thread
def remove(request: PageRequest, session: Transaction, absence_id: FromPath[int]) -> Response[Any]:
    """They are here after all; somebody else's is only removed by who leads."""
    viewer = request.scope["user"]
    absence = absences.find(session, absence_id)
    if viewer.role not in LEADERS and absence.staff_id != viewer.staff_id:
        raise NotFound
    back = {
        "staff_id": absence.staff_id,
        "first_day": absence.first_day.isoformat(),
        "last_day": absence.last_day.isoformat(),
        "deputy_id": absence.deputy_id or "",
    }
    absences.remove(session, absence, by=viewer.staff_id)
    return done(
        request, reader(request).gettext("The absence is removed."),
        go="/absences", undo="/absences", undo_values=back, events=("absences",),
    )  # fmt: skip


ROUTES = (show, add, remove)
