"""The door: signing in and out, and where everybody goes first."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.exceptions import TooManyRequestsException
from litestar.response import Redirect

from core import sessions, staff
from core.db import transaction
from core.i18n import LANGUAGE_NAMES
from core.sessions import ATTEMPT_WINDOW
from desk.access import EVERYBODY, PUBLIC, WORKERS
from desk.forms import own_place
from desk.given import Filled, Transaction
from desk.render import PageRequest, page, reader
from desk.sessions import cookie, no_cookie
from desk.threads import in_thread

log = structlog.get_logger("desk.door")

_HASHING = threading.BoundedSemaphore(4)
"""Argon2 takes 64 MB and a good part of a second each time, so only a few may be at it."""


@get("/", enter=PUBLIC)
async def home(request: PageRequest) -> Redirect:
    """Lead somebody to the room where they work, and a stranger to the door."""
    viewer = request.scope.get("user")
    if viewer is None:
        return Redirect("/login", status_code=303)
    return Redirect("/inbox" if viewer.role in WORKERS else "/segments", status_code=303)


@get("/login", enter=PUBLIC)
@in_thread
def show_login(request: PageRequest) -> Response[Any]:
    """The page that asks who you are; somebody who is signed in goes on."""
    going = own_place(request.query_params.get("next"), "/")
    if request.scope.get("user") is not None:
        return Redirect(going, status_code=303)
    language = request.query_params.get("lang", "")
    if language in LANGUAGE_NAMES:
        chosen = Cookie(
            key="frontdesk_language",
            value=language,
            path="/",
            max_age=31_536_000,
            httponly=True,
            samesite="lax",
        )
        return Redirect(
            f"/login?next={quote(going, safe='')}" if going != "/" else "/login",
            status_code=303,
            cookies=[chosen],
        )
    return page(request, "login.html", going=going, email="", fault="")


@post("/login", enter=PUBLIC)
@in_thread
def log_in(request: PageRequest, state: State, session: Transaction, form: Filled) -> Response[Any]:
    """Open a session for whoever knows the password; the attempt is counted before the password is looked
    at."""
    email, password = form.line("email"), form.text("password", longest=1000)
    going = own_place(form.line("next", longest=2000), "/")
    client = request.client.host if request.client else ""
    engine: sa.Engine = state.engine
    with transaction(engine) as book:
        allowed = sessions.note_attempt(book, email, client)
    if not allowed:
        log.warning("login.too_many", client=client)
        raise TooManyRequestsException(headers={"retry-after": str(int(ATTEMPT_WINDOW.total_seconds()))})
    with _HASHING:
        member = staff.sign_in(session, email, password)
    if member is None:
        log.info("login.refused", client=client)
        fault = reader(request).gettext("The address and the password do not belong together.")
        return page(request, "login.html", status=422, going=going, email=email, fault=fault)
    sessions.forget_attempts(session, email)
    if old := request.scope.get("auth"):
        sessions.end(session, old)
    token = sessions.open_session(session, member, client=client, agent=request.headers.get("user-agent", ""))
    log.info("login.done", staff_id=member.id)
    return Redirect(going, status_code=303, cookies=[cookie(token, secure=request.url.scheme == "https")])


@post("/logout", enter=EVERYBODY)
@in_thread
def log_out(request: Request[Any, Any, Any], session: Transaction) -> Response[Any]:
    """End the session."""
    sessions.end(session, request.scope["auth"])
    return Redirect("/login", status_code=303, cookies=[no_cookie(secure=request.url.scheme == "https")])


ROUTES = (home, show_login, log_in, log_out)
