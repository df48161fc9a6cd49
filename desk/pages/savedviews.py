"""Views of the inbox under a name: kept, and forgotten."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Response, post
from litestar.params import FromPath

from core import savedviews
from core.savedviews import SavedView
from desk.access import WORKERS
from desk.given import Filled, Transaction
from desk.pages.inbox import box_of, view_place, wanted_of
from desk.render import PageRequest, done, reader
from desk.threads import in_thread


@post("/inbox/views", enter=WORKERS)
@in_thread
def keep(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Keep what the inbox shows now under a name."""
    viewer = request.scope["user"]
    box = box_of(form.line("box"))
    wanted = wanted_of(form.fields)
    name = form.line("name", longest=savedviews.LONGEST)
    kept = savedviews.save(session, viewer.staff_id, name, box.value, wanted.filters)
    text = reader(request).gettext("The view “%(name)s” is kept.", name=kept.name)
    return done(
        request, text, go=view_place(kept), undo=f"/inbox/views/{kept.id}/remove", events=("inbox", "kept")
    )


@post("/inbox/views/{view_id:int}/remove", enter=WORKERS)
@in_thread
def forget(request: PageRequest, session: Transaction, form: Filled, view_id: FromPath[int]) -> Response[Any]:
    """Forget a view; undoing keeps it anew."""
    del form
    gone: SavedView = savedviews.remove(session, request.scope["user"].staff_id, view_id)
    text = reader(request).gettext("The view “%(name)s” is removed.", name=gone.name)
    return done(
        request,
        text,
        go=f"/inbox?{urlencode({'box': gone.box, **gone.filters})}",
        undo="/inbox/views",
        undo_values={"name": gone.name, "box": gone.box, **gone.filters},
        events=("inbox",),
    )


ROUTES = (keep, forget)
