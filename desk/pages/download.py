"""Where a client downloads a file: looking changes nothing, and only a press of the button fetches it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import downloads
from core.downloads import Deed, Seen, Standing
from core.errors import NotFound
from core.fileasks import DemoLink
from core.i18n import texts
from core.outbox import Delivery
from desk import live
from desk.access import PUBLIC
from desk.given import Transaction
from desk.render import PageRequest, page, reader
from desk.security import DOWNLOAD_POLICY
from desk.threads import in_thread
from outbound.filelinks import BadFileLink, FileLinks

STATUS = {Standing.OPEN: 200, Standing.EXPIRED: 410, Standing.REVOKED: 410}


def _links(state: State) -> FileLinks:
    company = state.settings.company
    return FileLinks(state.settings.signing_key(), company.public_url, ZoneInfo(company.timezone))


def _found(state: State, session: Session, token: str) -> DemoLink | None:
    try:
        return downloads.find(session, _links(state).read(token))
    except (BadFileLink, NotFound):
        return None


def _page(request: PageRequest, state: State, session: Session, link: DemoLink | None) -> Response[Any]:
    """The page in the language of the letter; for an unknown link, in the browser's."""
    if link is None:
        tongue = reader(request)
        standing, status = None, 404
    else:
        tongue = texts(link.language, state.settings.company.timezone)
        standing = downloads.standing(link, downloads.now_of(session))
        status = STATUS[standing]
    return page(
        request,
        "download.html",
        status=status,
        link=link,
        standing=standing,
        tongue=tongue,
        contact=state.settings.company.email,
    )


@get("/d/{token:str}", enter=PUBLIC, without_session=True)
@in_thread
def ask(request: PageRequest, state: State, session: Transaction, token: FromPath[str]) -> Response[Any]:
    """What the file is and until when it can be downloaded; programs that follow links download nothing."""
    link = _found(state, session, token)
    if link is not None:
        downloads.record(session, link, Deed.LOOKED, _seen(request))
    return _page(request, state, session, link)


@post("/d/{token:str}", enter=PUBLIC, without_session=True, from_anywhere=True, status_code=200)
@in_thread
def fetch(request: PageRequest, state: State, session: Transaction, token: FromPath[str]) -> Response[Any]:
    """The file itself, written down with its time."""
    link = _found(state, session, token)
    if link is None or downloads.standing(link, downloads.now_of(session)) is not Standing.OPEN:
        return _page(request, state, session, link)
    downloads.record(session, link, Deed.DOWNLOADED, _seen(request, downloads.last_look(session, link)))
    delivery = session.get_one(Delivery, link.delivery_id)
    live.announce(session, "download", delivery.conversation_id)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(link.file.filename, safe='')}",
        "content-security-policy": DOWNLOAD_POLICY,
        "cache-control": "no-store",
        "x-robots-tag": "noindex",
    }
    return Response(downloads.data_of(session, link), media_type="application/octet-stream", headers=headers)


def _seen(request: Request[Any, Any, Any], looked: timedelta | None = None) -> Seen:
    mode = request.headers.get("sec-fetch-mode")
    return Seen(
        agent=request.headers.get("user-agent", "")[:500],
        looked=looked,
        navigated=None
        if mode is None
        else mode == "navigate" and request.headers.get("sec-fetch-user") == "?1",
    )


ROUTES = (ask, fetch)
