"""Where a client stops our mailings: the page changes nothing, the press of its button does (RFC 8058)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from core.i18n import texts
from desk.access import PUBLIC
from desk.given import Transaction
from desk.render import PageRequest, page
from desk.threads import in_thread
from outbound.unsubscribe import BadLink, Unsubscriber

_IN_ORDER = ("lt", "ru", "en")


def _links(state: State) -> Unsubscriber:
    return Unsubscriber(state.settings.signing_key(), state.settings.company.public_url)


def _page(request: PageRequest, *, address: str, stopped: bool, status: int = 200) -> Response[Any]:
    return page(
        request,
        "unsubscribe.html",
        status=status,
        address=address,
        stopped=stopped,
        each=[(language, texts(language).gettext) for language in _IN_ORDER],
    )


@get("/unsubscribe/{token:str}", enter=PUBLIC, without_session=True)
@in_thread
def ask(request: PageRequest, state: State, token: FromPath[str]) -> Response[Any]:
    """A page in three languages with one button; programs that follow links stop nothing."""
    try:
        address, _delivery = _links(state).read(token)
    except BadLink:
        return _page(request, address="", stopped=False, status=404)
    return _page(request, address=address, stopped=False)


@post("/unsubscribe/{token:str}", enter=PUBLIC, without_session=True, from_anywhere=True, status_code=200)
@in_thread
def stop(request: PageRequest, state: State, session: Transaction, token: FromPath[str]) -> Response[Any]:
    """Stop mailings to the link's address: from our page, or in one click from a mail program."""
    try:
        address = _links(state).follow(session, token)
    except BadLink:
        return _page(request, address="", stopped=False, status=404)
    return _page(request, address=address, stopped=True)


ROUTES = (ask, stop)
