"""The library of files for clients, and the links that were sent: withdrawn, working again, prolonged."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from core import demofiles, downloads
from core.demofiles import MOST_BYTES, DemoFile
from core.errors import InputRefused, NotFound
from core.fileasks import DemoLink
from core.i18n import Texts
from core.notices import open_alarms
from core.outbox import Delivery
from core.values import LANGUAGES
from desk import live, templatechoice
from desk.access import LEADERS, WORKERS, conversation_for
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread
from desk.uploads import Upload

BODY_LIMIT = MOST_BYTES + 200_000
"""Bytes of a request that brings a file: the file and what stands around it."""


async def _uploaded(request: PageRequest) -> tuple[Upload, str, Form]:
    given = await request.form()
    file = given.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InputRefused("Choose a file first.")
    form = Form({name: value for name, value in given.multi_items() if isinstance(value, str)})
    return Upload(file.filename, await file.read()), file.content_type, form


Given = NamedDependency[tuple[Upload, str, Form]]


@get("/files", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The files, with how often each was sent and downloaded."""
    sent = _by_file(session, true())
    taken = _by_file(session, DemoLink.downloads > 0)
    values: dict[str, Any] = {
        "rows": demofiles.offered(session),
        "away": session.scalars(
            select(DemoFile).where(~DemoFile.active).order_by(DemoFile.id.desc()).limit(50)
        ).all(),
        "sent": sent,
        "taken": taken,
        "sent_with": _sent_with(session, reader(request)),
        "days": demofiles.DAYS,
        "leads": request.scope["user"].role in LEADERS,
    }
    if is_partial(request):
        return page(request, "files_list.html", **values)
    return page(request, "files.html", alarms=open_alarms(session), **values, **rail(session, request))


def _sent_with(session: Session, t: Texts) -> dict[str, str]:
    """Templates that a file may go along with, by key: letters, and SMS as `sms/key`."""
    letters = {key: name for key, name in templatechoice.for_rules(session, t).items() if key != "answer"}
    texts = templatechoice.for_steps(session, t)["sms"]
    return letters | {f"sms/{key}": f"SMS: {name}" for key, name in texts.items()}


def _by_file(session: Session, which: ColumnElement[bool]) -> dict[int, int]:
    """How many links there are to each file."""
    query = select(DemoLink.file_id, func.count()).where(which).group_by(DemoLink.file_id)
    return dict(session.execute(query).all())


@post("/files", enter=WORKERS, request_max_body_size=BODY_LIMIT, dependencies={"given": Provide(_uploaded)})
@in_thread
def add(request: PageRequest, session: Transaction, given: Given) -> Response[Any]:
    """Put a file into the library."""
    upload, kind, form = given
    made = demofiles.add(
        session,
        title=form.line("title", longest=200),
        filename=upload.name,
        content_type=kind,
        data=upload.data,
        **_described(session, request, form),
        by=request.scope["user"].staff_id,
    )
    text = reader(request).gettext("The file is in the library.")
    return done(request, text, go="/files", undo=f"/files/{made.id}/away", events=("files",))


def _described(session: Session, request: PageRequest, form: Form) -> dict[str, Any]:
    language = form.line("language") or None
    if language is not None and language not in LANGUAGES:
        raise InputRefused("There is no such language.")
    return {
        "language": language,
        "days": form.number("days") or demofiles.DAYS,
        "templates": [key for key in _sent_with(session, reader(request)) if form.ticked(f"with_{key}")],
    }


@post("/files/{file_id:int}", enter=WORKERS)
@in_thread
def change(request: PageRequest, session: Transaction, form: Filled, file_id: FromPath[int]) -> Response[Any]:
    """For whom it is, and with what it goes."""
    file = demofiles.find(session, file_id)
    title = form.line("title", longest=200)
    demofiles.change(
        session, file, title=title, **_described(session, request, form), by=request.scope["user"].staff_id
    )
    return done(request, reader(request).gettext("Saved."), go="/files", events=("files",))


@post("/files/{file_id:int}/away", enter=WORKERS)
@in_thread
def put_away(
    request: PageRequest, session: Transaction, form: Filled, file_id: FromPath[int]
) -> Response[Any]:
    """Offer it no more; links that were sent hold."""
    del form
    file = demofiles.find(session, file_id)
    demofiles.put_away(session, file, active=False, by=request.scope["user"].staff_id)
    text = reader(request).gettext("It is not offered any more; links already sent still work.")
    return done(request, text, go="/files", undo=f"/files/{file_id}/back", events=("files",))


@post("/files/{file_id:int}/back", enter=WORKERS)
@in_thread
def bring_back(
    request: PageRequest, session: Transaction, form: Filled, file_id: FromPath[int]
) -> Response[Any]:
    """Offer it again."""
    del form
    file = demofiles.find(session, file_id)
    demofiles.put_away(session, file, active=True, by=request.scope["user"].staff_id)
    text = reader(request).gettext("It is offered again.")
    return done(request, text, go="/files", undo=f"/files/{file_id}/away", events=("files",))


def _link(request: PageRequest, session: Session, link_id: int) -> tuple[DemoLink, int]:
    """A link that went out in a conversation one may see, and that conversation. Raises NotFound."""
    link = session.get(DemoLink, link_id)
    delivery = session.get(Delivery, link.delivery_id) if link is not None else None
    if link is None or delivery is None or delivery.conversation_id is None:
        raise NotFound
    conversation_for(session, request.scope["user"], delivery.conversation_id)
    return link, delivery.conversation_id


@post("/links/{link_id:int}/revoke", enter=WORKERS)
@in_thread
def revoke(request: PageRequest, session: Transaction, form: Filled, link_id: FromPath[int]) -> Response[Any]:
    """The link holds no more."""
    del form
    link, conversation_id = _link(request, session, link_id)
    downloads.revoke(session, link, by=request.scope["user"].staff_id)
    live.announce(session, "link", conversation_id)
    text = reader(request).gettext("The link works no more.")
    return done(
        request, text, go=f"/conversations/{conversation_id}",
        undo=f"/links/{link_id}/restore", events=("conversation",),
    )  # fmt: skip


@post("/links/{link_id:int}/restore", enter=WORKERS)
@in_thread
def restore(
    request: PageRequest, session: Transaction, form: Filled, link_id: FromPath[int]
) -> Response[Any]:
    """The link holds again."""
    del form
    link, conversation_id = _link(request, session, link_id)
    downloads.restore(session, link, by=request.scope["user"].staff_id)
    live.announce(session, "link", conversation_id)
    text = reader(request).gettext("The link works again.")
    return done(
        request, text, go=f"/conversations/{conversation_id}",
        undo=f"/links/{link_id}/revoke", events=("conversation",),
    )  # fmt: skip


@post("/links/{link_id:int}/extend", enter=WORKERS)
@in_thread
def extend(request: PageRequest, session: Transaction, form: Filled, link_id: FromPath[int]) -> Response[Any]:
    """The link holds as long again, from now."""
    del form
    link, conversation_id = _link(request, session, link_id)
    downloads.extend(session, link, link.file.days, by=request.scope["user"].staff_id)
    live.announce(session, "link", conversation_id)
    until = reader(request).day(link.expires_at)
    text = reader(request).gettext("The link works until %(day)s.", day=until)
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation",))


ROUTES = (show, add, change, put_away, bring_back, revoke, restore, extend)
