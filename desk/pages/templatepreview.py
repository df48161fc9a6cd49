"""How a template reads while one writes it, on sample values or a client's, and the frames that show it."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from core.errors import FrontdeskError, NotFound
from core.templatelibrary import TemplatePreview
from desk import templatefacts
from desk import templatewords as words
from desk.access import EVERYBODY
from desk.given import Filled, Transaction
from desk.pages.templates import source_from, told_in
from desk.render import PageRequest, page, reader
from desk.threads import in_thread
from templates.plainletters import offer

MAIL_FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""Policy of a letter in its frame: its styles stand in the elements; nothing runs and nothing is loaded."""
PDF_FRAME = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
"""A browser shows a PDF in a part of its own, which a sandbox would keep it from."""


@post("/templates/{kind:str}/{key:str}/preview", enter=EVERYBODY, status_code=200)
@in_thread
def show(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    kind: FromPath[str],
    key: FromPath[str],
) -> Response[str]:
    """What stands in the editor, checked and filled in."""
    viewer, t, company = request.scope["user"], reader(request), state.settings.company
    source = source_from(form, kind, key, form.line("language"))
    today = session.execute(select(func.current_date())).scalar_one()
    values, contact_id, fault = None, form.number("contact"), None
    if contact_id is not None:
        values = templatefacts.values_of(session, viewer, contact_id, source.language, company, today)
        if values is None:
            raise NotFound
    try:
        read = templatefacts.read(source, values, company, today)
    except FrontdeskError as error:
        read, fault = templatefacts.Read(), error
    frame = ""
    if read.html:
        frame = templatefacts.keep(session, viewer, "text/html", read.html.encode())
    elif read.pdf:
        frame = templatefacts.keep(session, viewer, "application/pdf", read.pdf)
    return page(
        request, "template_preview.html",
        kind=kind, language=source.language, read=read, fault=fault or read.fault, frame=frame,
        findings=read.findings, told=told_in(t), part_names=words.PARTS,
        sampled=[t.gettext(words.GROUPS.get(group, group)) for group in read.sampled],
        plain=offer(read.text) if read.segments is not None else None,
    )  # fmt: skip


@get("/templates/clients", enter=EVERYBODY)
@in_thread
def clients(request: PageRequest, session: Transaction) -> Response[str]:
    """Clients to see a template with, by what was typed."""
    wanted = " ".join(request.query_params.get("client", "").split())[:80]
    found = templatefacts.clients(session, request.scope["user"], wanted)
    return page(request, "template_clients.html", clients=found)


@get("/templates/previews/{token:str}", enter=EVERYBODY)
@in_thread
def frame(request: PageRequest, session: Transaction, token: FromPath[str]) -> Response[bytes]:
    """A letter or a PDF as it would go out, for the frame of whoever wrote it."""
    kept = session.scalar(
        select(TemplatePreview)
        .where(TemplatePreview.token == token, TemplatePreview.staff_id == request.scope["user"].staff_id)
        .options(undefer(TemplatePreview.data))
    )
    if kept is None:
        raise NotFound
    pdf = kept.content_type == "application/pdf"
    return Response(
        kept.data,
        media_type=kept.content_type if pdf else "text/html; charset=utf-8",
        headers={
            "content-security-policy": PDF_FRAME if pdf else MAIL_FRAME,
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
            "content-disposition": "inline",
        },
    )


ROUTES = (show, clients, frame)
