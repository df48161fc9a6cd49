"""Segments: the list, the editor with its live count, sample and sentence, and what leaves as a file."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import segments, segments_kept, segments_ready
from core.errors import FrontdeskError, InputRefused
from core.notices import open_alarms
from core.segments import Segment
from core.segments_language import EVERYBODY, Group, SegmentRefused, dump, parse
from core.segments_sentence import sentence
from desk import segmentform
from desk.access import MARKETERS
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.segmentoptions import Options, options
from desk.threads import in_thread

PATIENCE = "set local statement_timeout = '20s'"
"""A count that takes longer is not waited for."""


@get("/segments", enter=MARKETERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """Every segment as a sentence, with how many it describes."""
    t = reader(request)
    segments_ready.install(session)
    names = options(session, t).names
    rows = [
        (one, segments_ready.name_of(one, t), sentence(parse(one.conditions), t, names))
        for one in segments.in_use(session)
    ]
    view = "segments_list.html" if is_partial(request) else "segments.html"
    return page(request, view, rows=rows, **_around(request, session))


@get("/segments/new", enter=MARKETERS)
@in_thread
def show_new(request: PageRequest, session: Transaction) -> Response[str]:
    """An empty editor."""
    data = segmentform.after(dump(EVERYBODY), segmentform.Pressed("add"))
    return _editor(request, session, None, "", data)


@get("/segments/{segment_id:int}", enter=MARKETERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, segment_id: FromPath[int]) -> Response[str]:
    """A segment in the editor."""
    segment = segments.get(session, segment_id)
    name = segments_ready.name_of(segment, reader(request))
    return _editor(request, session, segment, name, dict(segment.conditions))


@post("/segments/draft", enter=MARKETERS)
@in_thread
def draft(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """The editor after something was changed or pressed; saving leaves it."""
    number = form.number("segment_id")
    segment = segments.get(session, number) if number is not None else None
    button = segmentform.pressed(form.fields)
    data = segmentform.after(segmentform.read(form.fields), button)
    name = form.line("name", longest=200)
    if button.what != "save":
        return _editor(request, session, segment, name, data, anew=button.what == "anew")
    try:
        saved = _save(request, session, segment, name, parse(data), form.number("revision") or 0)
    except (SegmentRefused, InputRefused) as refused:
        return _editor(request, session, segment, name, data, fault=refused)
    return _go(request, f"/segments/{saved.id}?saved=1")


def _save(
    request: PageRequest, session: Session, segment: Segment | None, name: str, tree: Group, revision: int
) -> Segment:
    staff_id = request.scope["user"].staff_id
    if segment is None:
        return segments.add(session, name, tree, staff_id=staff_id)
    if segment.ready is not None and name == segments_ready.name_of(segment, reader(request)):
        name = segment.name
    segments.change(session, segment, name=name, tree=tree, revision=revision, staff_id=staff_id)
    return segment


def _go(request: PageRequest, place: str) -> Response[Any]:
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


def _around(request: PageRequest, session: Session) -> dict[str, Any]:
    return {"alarms": open_alarms(session), **rail(session, request)}


def _editor(
    request: PageRequest,
    session: Session,
    segment: Segment | None,
    name: str,
    data: segmentform.Data,
    *,
    fault: FrontdeskError | None = None,
    anew: bool = False,
) -> Response[str]:
    t = reader(request)
    offered = options(session, t)
    values: dict[str, Any] = {
        "segment": segment,
        "name": name,
        "data": data,
        "offered": offered,
        "groups": segmentform.GROUPS,
        "widgets": segmentform.WIDGETS,
        "labels": segmentform.LABELS,
        "fault": fault,
        "saved": request.query_params.get("saved") == "1",
        **_said(session, data, t, offered, anew=anew),
    }
    view = "segment_draft.html" if is_partial(request) else "segment.html"
    return page(request, view, **values, **({} if is_partial(request) else _around(request, session)))


def _said(
    session: Session, data: segmentform.Data, t: Any, offered: Options, *, anew: bool
) -> dict[str, Any]:
    """The sentence, the count and a sample, and of when they are; or what is still missing and where."""
    said: dict[str, Any] = {
        "sentence": "", "size": None, "people": (), "as_of": None, "lacking": None, "late": False,
    }  # fmt: skip
    try:
        tree = parse(data)
    except SegmentRefused as refused:
        return said | {"lacking": refused}
    said["sentence"] = sentence(tree, t, offered.names)
    try:
        with session.begin_nested():
            session.execute(text(PATIENCE))
            if anew:
                segments_kept.forget(session, tree)
            counted = segments_kept.count(session, tree)
            said |= {"size": counted.size, "people": counted.people, "as_of": counted.as_of}
    except OperationalError:
        said["late"] = True
    return said


@post("/segments/{segment_id:int}/undo", enter=MARKETERS)
@in_thread
def undo(request: PageRequest, session: Transaction, segment_id: FromPath[int]) -> Response[Any]:
    """Back to what it was before the last change."""
    segment = segments.get(session, segment_id)
    segments.undo(session, segment, staff_id=request.scope["user"].staff_id)
    return _go(request, f"/segments/{segment_id}")


@post("/segments/{segment_id:int}/archive", enter=MARKETERS)
@in_thread
def archive(request: PageRequest, session: Transaction, segment_id: FromPath[int]) -> Response[Any]:
    """Put it away."""
    segments.archive(session, segments.get(session, segment_id))
    text_said = reader(request).gettext("The segment is put away.")
    return done(
        request, text_said, go="/segments", undo=f"/segments/{segment_id}/restore", events=("segments",)
    )


@post("/segments/{segment_id:int}/restore", enter=MARKETERS)
@in_thread
def restore(request: PageRequest, session: Transaction, segment_id: FromPath[int]) -> Response[Any]:
    """Bring it back."""
    segments.restore(session, segment_id)
    text_said = reader(request).gettext("The segment is back.")
    return done(request, text_said, go="/segments", events=("segments",))


ROUTES = (show_all, show_new, show_one, draft, undo, archive, restore)
