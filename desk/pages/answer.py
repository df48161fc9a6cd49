"""Answering a client: the preview while one writes, and the queueing of what was written."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import approvalreads, approvals, demofiles, fileasks, letters, outbox
from core.conversations import Conversation
from core.deals import Deal
from core.errors import FrontdeskError, InputRefused, NotFound
from core.staff import StaffMember
from core.values import LANGUAGES
from desk import answers, approvalview, live, templatechoice
from desk.access import SALES, WORKERS, conversation_for
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread
from templates.library import shelf_of


def _files(session: Session, form: Form) -> list[int]:
    """The files that were ticked, of those that are offered."""
    offered = demofiles.offered(session)
    return [one.id for one in offered if form.ticked(f"file_{one.id}")][: fileasks.MOST]


def _approver(session: Session, form: Form, staff_id: int) -> str:
    wanted = form.line("approver", longest=300)
    if wanted and wanted not in dict(approvalview.people(session, but=staff_id)):
        raise InputRefused("Choose whose word is needed.")
    return wanted


def _choice(request: PageRequest, session: Session, form: Form) -> tuple[str, str | None]:
    template, language = form.line("template") or "answer", form.line("language") or None
    offered = templatechoice.for_answers(session, request.scope["user"], reader(request))
    if template not in offered or (language is not None and language not in LANGUAGES):
        raise InputRefused("That template does not exist.")
    return template, language


@post("/conversations/{conversation_id:int}/preview", enter=WORKERS, status_code=200)
@in_thread
def preview(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[str]:
    """How the answer will read; what hinders it is told in its place."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    template, language = _choice(request, session, form)
    body = form.text("body")
    staff = session.get_one(StaffMember, viewer.staff_id)
    letter, fault = None, None
    if template != "answer" or body.strip():
        try:
            draft = answers.write(
                session,
                conversation,
                staff,
                body=body,
                subject=form.line("subject"),
                template=template,
                language=language,
            )
            today = session.execute(select(func.current_date())).scalar_one()
            shelf = shelf_of(session, viewer.staff_id, kind="email", key=template)
            letter = answers.preview(draft, state.settings.company, today, shelf)
        except FrontdeskError as error:
            fault = error
    lacks_products = isinstance(fault, letters.NothingToOffer)
    cure = lacks_products and viewer.role in SALES and _has_open_deal(session, conversation)
    return page(
        request,
        "preview.html",
        letter=letter,
        fault=fault,
        products_at=f"/conversations/{conversation_id}/deal" if cure else None,
    )


def _has_open_deal(session: Session, conversation: Conversation) -> bool:
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    return deal is not None and deal.outcome is None


@post("/conversations/{conversation_id:int}/answer", enter=WORKERS)
@in_thread
def send(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Queue the answer; the form's one-time key makes a second press do nothing."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    template, language = _choice(request, session, form)
    key = form.line("key", longest=64)
    if not key:
        raise InputRefused("The form is too old.", cure="Load the page again.")
    staff = session.get_one(StaffMember, viewer.staff_id)
    draft = answers.write(
        session,
        conversation,
        staff,
        body=form.text("body"),
        subject=form.line("subject"),
        template=template,
        language=language,
        key=f"{conversation_id}:{viewer.staff_id}:{key}",
        files=_files(session, form),
        approver=_approver(session, form, viewer.staff_id),
    )
    delivery_id = outbox.queue(session, draft)
    asked = approvalreads.of_deliveries(session, [delivery_id] if delivery_id is not None else [])
    if not asked:
        conversation.waiting = False
    live.announce(session, "answer", conversation_id, viewer.staff_id)
    _ = reader(request).gettext
    if delivery_id is None:
        text = _("That answer is on its way already.")
    elif asked:
        text = _("It waits for approval, and leaves when it is given.")
    else:
        text = _("The answer is queued.")
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        events=("conversation", "answered", "inbox", "review"),
    )


@post("/deliveries/{delivery_id:int}/cancel", enter=WORKERS)
@in_thread
def cancel(
    request: PageRequest, session: Transaction, form: Filled, delivery_id: FromPath[int]
) -> Response[Any]:
    """Take back what has not left yet."""
    viewer = request.scope["user"]
    delivery = session.get(outbox.Delivery, delivery_id)
    if delivery is None or delivery.conversation_id is None:
        raise NotFound
    conversation_for(session, viewer, delivery.conversation_id)
    outbox.settle(session, delivery_id, outbox.DeliveryState.CANCELLED, staff_id=viewer.staff_id)
    approvals.cancelled(session, delivery_id, by=viewer.staff_id)
    live.announce(session, "cancelled", delivery.conversation_id)
    text = reader(request).gettext("Cancelled before it left.")
    go = f"/conversations/{delivery.conversation_id}"
    return done(request, text, go=go, events=("conversation",))


ROUTES = (preview, send, cancel)
