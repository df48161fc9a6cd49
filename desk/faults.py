"""When something goes wrong: which status, what a person reads, and problem+json (RFC 9457) for a program."""

from __future__ import annotations

import json
from typing import Any, cast
from urllib.parse import quote

import structlog
from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Redirect
from sqlalchemy.exc import OperationalError

from core import errors
from core.errors import FrontdeskError
from core.i18n import N_
from desk.render import PageRequest, html, is_partial, reader, toast

log = structlog.get_logger("desk.faults")

STATUSES: tuple[tuple[type[FrontdeskError], int], ...] = (
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.Conflict, 409),
    (errors.IllegalTransition, 409),
    (errors.InputRefused, 422),
    (errors.DatabaseUnavailable, 503),
    (errors.Unreachable, 503),
)
"""The first that fits decides; anything else is 500."""

TITLES = {
    400: N_("That request cannot be understood"),
    401: N_("Please sign in"),
    403: N_("This room is not open to you"),
    404: N_("There is nothing here"),
    405: N_("That cannot be done here"),
    409: N_("Somebody was quicker"),
    413: N_("That is too large"),
    422: N_("That cannot be done so"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong on our side"),
    503: N_("The desk is not available just now"),
}

ADVICE = {
    403: N_("Ask whoever leads your team if you need it."),
    404: N_("It may have been moved, or it belongs to somebody else."),
    409: N_("Look at the present state and try again."),
    429: N_("Wait a quarter of an hour and try again."),
    500: N_("It has been written down. Try again in a minute."),
    503: N_("It usually comes back within a minute; nothing is lost."),
}


def status_of(error: Exception) -> int:
    """The HTTP status that fits an error."""
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, OperationalError):
        return 503
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def answer(request: PageRequest, error: Exception) -> Response[Any]:
    """The answer to a request that failed: a page, a message within the page, or problem+json."""
    status = status_of(error)
    if status >= 500:
        log.error("desk.failed", path=request.url.path, kind=type(error).__name__, exc_info=error)
    wants_page = "text/html" in request.headers.get("accept", "")
    if isinstance(error, NotAuthorizedException) and wants_page:
        return _to_the_door(request)
    _ = reader(request).gettext
    title = _(TITLES.get(status, TITLES[500]))
    said = error if isinstance(error, FrontdeskError) and status < 500 else None
    detail = _(said.message) if said and type(said) not in {errors.NotFound, errors.NotAllowed} else ""
    advice = _(said.cure) if said and said.cure else _(ADVICE[status]) if status in ADVICE else ""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if is_partial(request):
        text = " ".join(filter(None, (detail or title, advice)))
        headers |= {"hx-trigger": toast(text, bad=True), "hx-reswap": "none"}
        return Response("", status_code=status, media_type=MediaType.HTML, headers=headers)
    if wants_page:
        page = html(request, "fault.html", status=status, title=title, detail=detail, advice=advice)
        return Response(page, status_code=status, media_type=MediaType.HTML, headers=headers)
    problem = {"type": "about:blank", "title": title, "status": status, "instance": request.url.path}
    if detail:
        problem["detail"] = detail
    return Response(
        json.dumps(problem, ensure_ascii=False).encode(),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def _to_the_door(request: PageRequest) -> Response[Any]:
    """Send a stranger to sign in, and back to where they wanted to go."""
    place = request.url.path
    if request.method != "GET" or is_partial(request):
        place = "/"
    elif request.url.query:
        place += f"?{request.url.query}"
    door = "/login" if place == "/" else f"/login?next={quote(place, safe='')}"
    if is_partial(request):
        return Response("", status_code=401, media_type=MediaType.HTML, headers={"hx-redirect": door})
    return cast("Response[Any]", Redirect(door, status_code=303))
