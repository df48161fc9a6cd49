"""From data to a page: the Jinja2 environment, what every page gets, and answers to whole and partial
requests.

Views are in `desk/views`, escape everything, and speak the reader's language through `_()` and
`ngettext()`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.response import Redirect

from core.i18n import LANGUAGE_NAMES, Texts, negotiate, texts
from core.intents import URGENCY_NAMES, Urgency
from core.sessions import SignedIn
from core.staff import Role
from desk import alarmplaces, assets, labelnames, templatenames, wording

VIEWS = Path(__file__).parent / "views"

PageRequest = Request[SignedIn | None, str | None, Any]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment of all views; a name that a view uses and nobody gave is an error."""
    made = Environment(
        loader=FileSystemLoader(VIEWS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.globals.update(asset=assets.url, icon=assets.icon, Role=Role, languages=LANGUAGE_NAMES)
    made.filters["safe_text"] = safe_text
    made.filters.update(wording.FILTERS)
    made.filters["alarm_place"] = alarmplaces.place
    made.tests["of_concern_to"] = alarmplaces.concerns
    return made


_INVISIBLE = {
    ord(character): None
    for character in "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
} | {code: None for code in range(ord(" ")) if chr(code) not in "\n\t"}
"""Characters that turn text round, hide in it or steer a terminal."""
_HIDDEN = re.compile("[" + re.escape("".join(map(chr, _INVISIBLE))) + "]")


def safe_text(text: str | None) -> str:
    """Foreign text without characters that turn the text after them round or cannot be seen."""
    if not text or not _HIDDEN.search(text):  # Nearly always, and thirty times as quick.
        return text or ""
    return text.translate(_INVISIBLE)


def reader(request: PageRequest) -> Texts:
    """The language of whoever asks: their own, the one they chose at the door, or the browser's."""
    viewer = request.scope.get("user")
    zone = request.app.state.settings.company.timezone
    if viewer is not None:
        return texts(viewer.language, zone)
    chosen = request.cookies.get("frontdesk_language", "")
    return texts(
        chosen if chosen in LANGUAGE_NAMES else negotiate(request.headers.get("accept-language", "")), zone
    )


def is_partial(request: PageRequest) -> bool:
    """Whether htmx asks for a piece of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def html(request: PageRequest, view: str, /, **values: Any) -> str:
    """A view filled in."""
    language = reader(request)
    given: dict[str, Any] = {
        "t": language,
        "_": language.gettext,
        "gettext": language.gettext,
        "ngettext": language.ngettext,
        "lang": language.language,
        "viewer": request.scope.get("user"),
        "company": request.app.state.settings.company.name,
        "path": request.url.path,
        "intent_name": lambda key: labelnames.name(request.app.state.engine, key, language.language),
        "template_name": lambda key: templatenames.name(request.app.state.engine, key, language),
        "urgency_name": lambda key: URGENCY_NAMES[Urgency(key)][language.language],
        "partial": is_partial(request),
        "live_at": request.scope.get("state", {}).get("live_at", ""),
    }
    return environment().get_template(view).render(given | values)


def page(
    request: PageRequest,
    view: str,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response[str]:
    """A whole page, or a piece of one, as an answer; who opens a piece by its address is sent to the page
    around it."""
    text = html(request, view, **values)
    if _alone(request, text):
        headers = {"location": around(request.url.path)}
        return Response("", status_code=303, media_type=MediaType.HTML, headers=headers)
    return Response(
        text,
        status_code=status,
        media_type=MediaType.HTML,
        headers={"vary": "HX-Request, Cookie, Accept-Language", **(headers or {})},
    )


ELSEWHERE = {"/meetings": "/plan"}
"""Where the rooms are that have another address than what happens in them."""


def around(path: str) -> str:
    """The whole page that a piece belongs to: of ``/clients/5/history`` the client's, of ``/tasks/new`` the
    tasks'."""
    parts = path.strip("/").split("/")
    whole = parts[: 2 if len(parts) > 2 and parts[1].isdecimal() else 1]
    place = "/" + "/".join(whole if whole != parts else [])
    return ELSEWHERE.get(place, place)


def _alone(request: PageRequest, text: str) -> bool:
    """Whether a browser opens as a document what is only a piece of one (Fetch Metadata, section 2.1)."""
    document = request.headers.get("sec-fetch-dest") == "document"
    return document and request.method == "GET" and text.lstrip()[:9].lower() != "<!doctype"


def toast(
    text: str, *, undo: str | None = None, undo_values: Mapping[str, Any] | None = None, bad: bool = False
) -> str:
    """The header value that makes the page show a short message, with an undo button where it can be
    undone."""
    message: dict[str, Any] = {"text": text}
    if undo:
        message |= {"undo": undo, "values": dict(undo_values or {})}
    if bad:
        message["bad"] = True
    return json.dumps({"toast": message | {"target": "body"}})


def done(
    request: PageRequest,
    text: str,
    *,
    go: str,
    undo: str | None = None,
    undo_values: Mapping[str, Any] | None = None,
    events: tuple[str, ...] = (),
    details: Mapping[str, Mapping[str, Any]] | None = None,
) -> Response[Any]:
    """After a deed: for htmx a message and the events that make pieces of the page fetch themselves anew,
    `details` those that say something besides; without it, back to the page `go`."""
    if not is_partial(request):
        return Redirect(go, status_code=303)
    triggers = json.loads(toast(text, undo=undo, undo_values=undo_values)) | {
        event: {"target": "body", **(details or {}).get(event, {})} for event in (*events, *(details or {}))
    }
    return Response(
        "",
        status_code=200,
        media_type=MediaType.HTML,
        headers={"hx-trigger": json.dumps(triggers), "hx-reswap": "none"},
    )
