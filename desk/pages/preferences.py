"""What somebody sets for themselves: language, theme and password."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import sessions, staff
from core.errors import InputRefused
from core.notices import open_alarms
from core.preferences import Theme, choose_theme
from core.staff import StaffMember
from core.values import Language
from desk.access import EVERYBODY
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.sessions import cookie
from desk.threads import in_thread


def _page(
    request: PageRequest, session: Session, *, fault: str = "", said: str = "", status: int = 200
) -> Response[Any]:
    return page(
        request,
        "settings.html",
        status=status,
        fault=fault,
        said=said,
        themes=list(Theme),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/settings", enter=EVERYBODY)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[Any]:
    """The page of settings."""
    _ = reader(request).gettext
    said = {"look": _("Saved."), "password": _("The password is changed; every other browser is signed out.")}
    return _page(request, session, said=said.get(request.query_params.get("saved", ""), ""))


@post("/settings", enter=EVERYBODY)
@in_thread
def save(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Keep the language and the theme."""
    language, theme = form.line("language"), form.line("theme")
    if language not in Language.__members__.values() and language not in {one.value for one in Language}:
        raise InputRefused("That language is not one of ours.")
    if theme not in {one.value for one in Theme}:
        raise InputRefused("That theme does not exist.")
    viewer = request.scope["user"]
    session.get_one(StaffMember, viewer.staff_id).language = Language(language)
    choose_theme(session, viewer.staff_id, Theme(theme))
    return Redirect("/settings?saved=look", status_code=303)


@post("/settings/password", enter=EVERYBODY)
@in_thread
def change_password(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Change the password: the old one must be right, and every session but a new one here ends."""
    viewer = request.scope["user"]
    _ = reader(request).gettext
    member = session.get_one(StaffMember, viewer.staff_id)
    client = request.client.host if request.client else ""
    if not sessions.note_attempt(session, f"password:{member.id}", client):
        return _page(request, session, fault=_("Too many attempts"), status=429)
    new = form.text("new", longest=1000)
    if not staff.password_fits(form.text("old", longest=1000), member.password_hash):
        return _page(request, session, fault=_("The present password is not right."), status=422)
    if new != form.text("again", longest=1000):
        return _page(request, session, fault=_("The two new passwords differ."), status=422)
    try:
        member.password_hash = staff.hash_password(new)
    except InputRefused as error:
        return _page(request, session, fault=f"{_(error.message)} {_(error.cure)}", status=422)
    sessions.end_all(session, member.id)
    sessions.forget_attempts(session, f"password:{member.id}")
    token = sessions.open_session(session, member, client=client, agent=request.headers.get("user-agent", ""))
    secure = request.url.scheme == "https"
    return Redirect("/settings?saved=password", status_code=303, cookies=[cookie(token, secure=secure)])


ROUTES = (show, save, change_password)
