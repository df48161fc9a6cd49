"""Versions of a template: what an older one said, who got which, and the files that go along."""

from __future__ import annotations

import mimetypes
from typing import Any

from litestar import Response, get, post
from litestar.di import Provide
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select, true

from core import templatelibrary, templatelibrary_uses, templatelibrary_verbs
from core.conversations import Conversation
from core.documents import Document
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.staff import StaffMember
from core.templatelibrary import KINDS
from core.values import LANGUAGES
from desk import templatewords as words
from desk.access import EVERYBODY, MARKETERS, WORKERS, visible
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.pages.letter import disposition, media_type, safe_label
from desk.render import PageRequest, done, page, reader
from desk.security import DOWNLOAD_POLICY
from desk.templaterights import layer_from, layer_of, layer_to_change, may_change, may_see
from desk.threads import in_thread
from desk.uploads import BODY_LIMIT, Uploaded, uploaded

SENT_AT_ONCE = 100


@get("/templates/{kind:str}/{key:str}/versions/{number:int}", enter=EVERYBODY)
@in_thread
def show_version(
    request: PageRequest, session: Transaction, kind: FromPath[str], key: FromPath[str], number: FromPath[int]
) -> Response[str]:
    """What an older version said, in every language."""
    viewer = request.scope["user"]
    layer = layer_from(viewer, request.query_params.get("of", ""))
    row = templatelibrary_verbs.find(session, layer.at(kind, key))
    if row is None:
        raise NotFound
    one = templatelibrary_verbs.version(session, row.id, number)
    writer = session.get(StaffMember, one.created_by) if one.created_by else None
    return page(
        request, "template_version.html", alarms=open_alarms(session), **rail(session, request),
        kind=kind, key=key, of=layer.code, one=one, row=row, may=may_change(viewer, layer),
        name=words.name(row.names, key, reader(request)), writer=writer.name if writer else "",
        part_names=words.PARTS, tongues=[code for code in LANGUAGES if code in one.texts],
        files=templatelibrary.files_of(session, [one.id]).get(one.id, ()),
    )  # fmt: skip


@get("/templates/{kind:str}/{key:str}/sent", enter=EVERYBODY)
@in_thread
def show_sent(
    request: PageRequest, session: Transaction, kind: FromPath[str], key: FromPath[str]
) -> Response[str]:
    """Who got which version, as far as whoever asks may see the clients."""
    viewer, t = request.scope["user"], reader(request)
    if kind not in KINDS:
        raise NotFound
    before = request.query_params.get("before", "")
    among = true() if viewer.role in MARKETERS else visible(viewer) & Conversation.id.is_not(None)
    rows = templatelibrary_uses.sent(
        session, kind, key, among=among, limit=SENT_AT_ONCE,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )  # fmt: skip
    known = templatelibrary.in_force(session, kind=kind, key=key)
    seen = [one for one in known if may_see(viewer, layer_of(one))]
    names = next((one.names for one in seen if one.names), {})
    return page(
        request, "template_sent.html", alarms=open_alarms(session), **rail(session, request),
        kind=kind, key=key, name=words.name(names, key, t), rows=rows,
        opens=viewer.role in WORKERS, more=rows[-1].delivery_id if len(rows) == SENT_AT_ONCE else None,
        scopes={"company": t.gettext("Company"), "team": t.gettext("Team"), "mine": t.gettext("Personal")},
    )  # fmt: skip


@post(
    "/templates/{kind:str}/{key:str}/files",
    enter=EVERYBODY,
    dependencies={"upload": Provide(uploaded)},
    request_max_body_size=BODY_LIMIT,
)
@in_thread
def attach(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    upload: Uploaded,
    kind: FromPath[str],
    key: FromPath[str],
) -> Response[Any]:
    """Let a file go along with a letter."""
    layer = layer_to_change(request.scope["user"], form.line("of"))
    language = form.line("file_language")
    if kind != "email" or (language and language not in LANGUAGES):
        raise InputRefused("Files go along with letters only.")
    name = safe_label(upload.name)
    templatelibrary_verbs.attach(
        session, layer.at(kind, key), filename=name,
        content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        data=upload.data, language=language, by=request.scope["user"].staff_id,
    )  # fmt: skip
    return Redirect(
        f"/templates/{kind}/{key}?of={layer.code}&language={form.line('language')}", status_code=303
    )


@post("/templates/{kind:str}/{key:str}/files/{document_id:int}/remove", enter=EVERYBODY)
@in_thread
def detach(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    kind: FromPath[str],
    key: FromPath[str],
    document_id: FromPath[int],
) -> Response[Any]:
    """Let a file go along no more."""
    layer, base = layer_to_change(request.scope["user"], form.line("of")), form.number("base")
    templatelibrary_verbs.detach(session, layer.at(kind, key), document_id, by=request.scope["user"].staff_id)
    return done(
        request, reader(request).gettext("The file goes along no more."),
        go=f"/templates/{kind}/{key}?of={layer.code}",
        undo=f"/templates/{kind}/{key}/restore", undo_values={"of": layer.code, "number": base or 0},
        events=("template",),
    )  # fmt: skip


@get("/templates/{kind:str}/{key:str}/files/{document_id:int}", enter=EVERYBODY)
@in_thread
def download(
    request: PageRequest,
    session: Transaction,
    kind: FromPath[str],
    key: FromPath[str],
    document_id: FromPath[int],
) -> Response[bytes]:
    """A file that goes along with a template in force."""
    viewer = request.scope["user"]
    rows = [
        one for one in templatelibrary.in_force(session, kind=kind, key=key) if may_see(viewer, layer_of(one))
    ]
    known = [file for row in rows for file in row.files if file.document_id == document_id]
    if not known:
        raise NotFound
    content = session.scalar(select(Document.data).where(Document.id == document_id)) or b""
    return Response(
        content,
        media_type=media_type(known[0].content_type),
        headers={
            "content-disposition": disposition(known[0].filename),
            "content-security-policy": DOWNLOAD_POLICY,
        },
    )


ROUTES = (show_version, show_sent, attach, detach, download)
