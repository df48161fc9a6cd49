"""Colleagues: who works here, with their roles; added, changed, invited and let go by those who lead."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from core import absences, invitations, staffroom
from core.errors import Conflict, FrontdeskError, InputRefused, NotFound
from core.i18n import LANGUAGE_NAMES, N_
from core.intents import Intent
from core.notices import open_alarms
from core.staff import Role, StaffMember, Team, absent_on
from desk import housewords
from desk.access import LEADERS, PUBLIC
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.threads import in_thread

SAID: dict[str, str] = {
    "added": N_("Added. Make a link by which they choose a password."),
    "changed": N_("Saved."),
    "password": N_("The password is set, and they are signed out everywhere."),
    "back": N_("They are back."),
    "left": N_("They are signed out, and their open conversations are in the queue."),
}
"""What is told after each deed, by the word in the address."""


def _by(request: PageRequest, session: Session) -> StaffMember:
    return staffroom.find(session, request.scope["user"].staff_id)


def _given(form: Form) -> dict[str, Any]:
    role, language = form.line("role", longest=20), form.line("language", longest=5)
    if role not in Role.__members__.values() or language not in LANGUAGE_NAMES:
        raise InputRefused("That is no role or no language.")
    return {
        "email": form.line("email"),
        "name": form.line("name"),
        "position": form.line("position", longest=200),
        "phone": form.line("phone", longest=40) or None,
        "role": role,
        "language": language,
        "speaks": [code for code in LANGUAGE_NAMES if form.ticked(f"speaks_{code}")],
        "topics": [one.value for one in Intent if form.ticked(f"topic_{one.value}")],
        "industries": [word.strip() for word in form.line("industries", longest=1000).split(",")],
        "team_id": form.number("team_id"),
    }


def _shown(member: StaffMember | None) -> dict[str, Any]:
    if member is None:
        return {
            "email": "", "name": "", "position": "", "phone": None, "role": Role.AGENT.value,
            "language": "lt", "speaks": ["lt"], "topics": [], "industries": [], "team_id": None,
        }  # fmt: skip
    return {key: getattr(member, key) for key in staffroom.CHANGEABLE}


def _one(
    request: PageRequest,
    session: Session,
    member: StaffMember | None,
    *,
    given: dict[str, Any] | None = None,
    fault: FrontdeskError | None = None,
    link: str = "",
    link_until: datetime | None = None,
) -> Response[str]:
    viewer = request.scope["user"]
    language = reader(request)
    word = SAID.get(request.query_params.get("said", ""), "")
    counts = staffroom.holds(session, member) if member else {}
    return page(
        request,
        "staff_one.html",
        status=422 if fault else 200,
        member=member,
        given=SimpleNamespace(**(given or _shown(member))),
        roles=[
            one for one in Role if one != Role.ADMIN or Role.ADMIN in (viewer.role, member and member.role)
        ],
        teams=session.scalars(select(Team).order_by(Team.name)).all(),
        topics=[one.value for one in Intent],
        holding=housewords.held(counts, language),
        absences=absences.coming(session, member.id) if member else [],
        fault=fault,
        said=language.gettext(word) if word and not fault and not link else "",
        link=link,
        link_until=link_until,
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/staff", enter=LEADERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """Everybody, those who have left last."""
    query = select(StaffMember).options(joinedload(StaffMember.team)).order_by(StaffMember.name)
    people = session.scalars(query).all()
    today = session.execute(select(func.current_date())).scalar_one()
    return page(
        request,
        "staff.html",
        here=[one for one in people if one.active],
        gone=[one for one in people if not one.active],
        away=absent_on(session, today),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/staff/new", enter=LEADERS)
@in_thread
def show_new(request: PageRequest, session: Transaction) -> Response[str]:
    """The form for a new colleague."""
    return _one(request, session, None)


@post("/staff", enter=LEADERS)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new colleague."""
    given = _given(form)
    try:
        with session.begin_nested():
            member = staffroom.add(session, given, by=_by(request, session))
    except (Conflict, InputRefused) as fault:
        return _one(request, session, None, given=given, fault=fault)
    return Redirect(f"/staff/{member.id}?said=added", status_code=303)


@get("/staff/{staff_id:int}", enter=LEADERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, staff_id: FromPath[int]) -> Response[str]:
    """A colleague, with what is in their hands."""
    return _one(request, session, staffroom.find(session, staff_id))


@post("/staff/{staff_id:int}", enter=LEADERS)
@in_thread
def change(
    request: PageRequest, session: Transaction, form: Filled, staff_id: FromPath[int]
) -> Response[Any]:
    """A colleague's role, team, languages and the like."""
    member, given = staffroom.find(session, staff_id), _given(form)
    try:
        with session.begin_nested():
            staffroom.change(session, member, given, by=_by(request, session))
    except (Conflict, InputRefused) as fault:
        return _one(request, session, member, given=given, fault=fault)
    return Redirect(f"/staff/{staff_id}?said=changed", status_code=303)


@post("/staff/{staff_id:int}/invite", enter=LEADERS)
@in_thread
def invite(
    request: PageRequest, state: State, session: Transaction, staff_id: FromPath[int]
) -> Response[Any]:
    """A link by which they choose a password, shown this once."""
    member = staffroom.find(session, staff_id)
    token = staffroom.invite(session, member, by=_by(request, session))
    until = session.execute(select(func.now() + invitations.VALID)).scalar_one()
    base = (state.settings.company.public_url or str(request.base_url)).rstrip("/")
    return _one(request, session, member, link=f"{base}/welcome/{token}", link_until=until)


@post("/staff/{staff_id:int}/password", enter=LEADERS)
@in_thread
def set_password(
    request: PageRequest, session: Transaction, form: Filled, staff_id: FromPath[int]
) -> Response[Any]:
    """A password set for them."""
    member = staffroom.find(session, staff_id)
    try:
        password = form.text("password", longest=1000)
        staffroom.set_password(session, member, password, by=_by(request, session))
    except InputRefused as fault:
        return _one(request, session, member, fault=fault)
    return Redirect(f"/staff/{staff_id}?said=password", status_code=303)


@post("/staff/{staff_id:int}/leave", enter=LEADERS)
@in_thread
def leave(request: PageRequest, session: Transaction, staff_id: FromPath[int]) -> Response[Any]:
    """They no longer work here."""
    member = staffroom.find(session, staff_id)
    try:
        with session.begin_nested():
            staffroom.deactivate(session, member, by=_by(request, session))
    except InputRefused as fault:
        return _one(request, session, member, fault=fault)
    return Redirect(f"/staff/{staff_id}?said=left", status_code=303)


@post("/staff/{staff_id:int}/return", enter=LEADERS)
@in_thread
def come_back(request: PageRequest, session: Transaction, staff_id: FromPath[int]) -> Response[Any]:
    """They work here again."""
    staffroom.reactivate(session, staffroom.find(session, staff_id), by=_by(request, session))
    return Redirect(f"/staff/{staff_id}?said=back", status_code=303)


@get("/welcome/{token:str}", enter=PUBLIC)
@in_thread
def show_welcome(request: PageRequest, session: Transaction, token: FromPath[str]) -> Response[str]:
    """Where somebody who was invited chooses a password; looking at it changes nothing."""
    return page(request, "welcome.html", member=invitations.invited(session, token), fault="")


@post("/welcome/{token:str}", enter=PUBLIC)
@in_thread
def welcome(request: PageRequest, session: Transaction, form: Filled, token: FromPath[str]) -> Response[Any]:
    """The password is chosen, and the link works no more."""
    member = invitations.invited(session, token)
    password = form.text("new", longest=1000)
    try:
        if password != form.text("again", longest=1000):
            raise InputRefused(N_("The two passwords differ."))
        invitations.accept(session, token, password)
    except NotFound:
        raise
    except InputRefused as fault:
        _ = reader(request).gettext
        words = " ".join(_(part) for part in (fault.message, fault.cure) if part)
        return page(request, "welcome.html", status=422, member=member, fault=words)
    return Redirect("/login", status_code=303)


ROUTES = (
    show_all, show_new, add, show_one, change, invite, set_password, leave, come_back, show_welcome, welcome,
)  # fmt: skip
