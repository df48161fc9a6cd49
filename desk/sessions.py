"""The visitor's cookie and whose it is: the layer that looks at it, and the cookies that open and end a
session."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from core import sessions
from core.sessions import SignedIn

COOKIE = "frontdesk_session"


def cookie(token: str, *, secure: bool) -> Cookie:
    """The cookie of an open session; it ends with the browser, and the server decides how long it is good."""
    return Cookie(key=COOKIE, value=token, path="/", httponly=True, secure=secure, samesite="lax")


def no_cookie(*, secure: bool) -> Cookie:
    """The cookie that removes it."""
    return Cookie(
        key=COOKIE, value="", path="/", httponly=True, secure=secure, samesite="lax", max_age=0, expires=0
    )


class SessionLayer(ASGIMiddleware):
    """Puts who is signed in into ``scope["user"]``, None for a stranger; what they may do is the guard's
    affair."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "without_session"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Apply it to one request."""
        connection = ASGIConnection(scope)
        token = connection.cookies.get(COOKIE, "")
        scope["user"] = await asyncio.to_thread(whose, connection.app.state, token) if token else None
        scope["auth"] = token or None
        await next_app(scope, receive, send)


def whose(state: State, token: str) -> SignedIn | None:
    """Whose session the token opens."""
    idle = timedelta(hours=state.settings.desk.session_hours)
    with state.engine.connect() as connection:
        return sessions.find(connection.execution_options(isolation_level="AUTOCOMMIT"), token, idle=idle)
