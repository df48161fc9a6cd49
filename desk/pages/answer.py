"""Answering a client: the preview while one writes, and the queueing of what was written."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import (
    approvalreads,
    approvals,
    copies,
    demofiles,
    enclosures,
    fileasks,
    handling,
    letters,
    outbox,
    outbox_copies,
    unsent,
)
from core.conversations import Conversation, ConversationState
from core.deals import Deal
from core.errors import FrontdeskError, InputRefused, NotFound
from core.staff import StaffMember
from core.values import LANGUAGES
from desk import answercopies, answers, approvalview, live, templatechoice
from desk.access import SALES, WORKERS, conversation_for
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages import sendlater
from desk.pages.enclosing import enclose
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread
from desk.uploads import ENCLOSED_LIMIT, Enclosed, enclosed
from templates.asread import keep_as_read


def files_of(session: Session, form: Form) -> list[int]:
    """The files that were ticked, of those that are offered."""
    offered = demofiles.offered(session)
    return [one.id for one in offered if form.ticked(f"file_{one.id}")][: fileasks.MOST]


def approver_of(session: Session, form: Form, staff_id: int) -> str:
    """Whose word is wanted first, empty for nobody's. Raises InputRefused for whom nobody can ask."""
    wanted = form.line("approver", longest=300)
    if wanted and wanted not in dict(approvalview.people(session, but=staff_id)):
        raise InputRefused("Choose whose word is needed.")
    return wanted


def choice_of(request: PageRequest, session: Session, form: Form) -> tuple[str, str | None]:
    """The template and the language that were chosen. Raises InputRefused for one that is not offered."""
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
    """How the answer will read; what hinders it is told in its place. What is written is kept meanwhile."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    template, language = choice_of(request, session, form)
    body = form.text("body")
    kept = unsent.keep(
        session,
        viewer.staff_id,
        conversation_id,
        body=body,
        subject=form.line("subject"),
        template=template,
        language=language,
        copies=form.text("copies"),
        key=f"answer:{_key(conversation_id, viewer.staff_id, form)}",
    )
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
            letter = answers.preview(session, draft, state.settings.company, today)
        except FrontdeskError as error:
            fault = error
    copied, copies_fault = answercopies.shown(session, state.settings, form)
    lacks_products = isinstance(fault, letters.NothingToOffer)
    cure = lacks_products and viewer.role in SALES and _has_open_deal(session, conversation)
    return page(
        request,
        "preview.html",
        letter=letter,
        fault=fault,
        products_at=f"/conversations/{conversation_id}/deal" if cure else None,
        kept=kept,
        copied=copied,
        copies_fault=copies_fault,
    )


def _key(conversation_id: int, staff_id: int, form: Form) -> str:
    """The intention of one form, by which it goes out once."""
    return f"{conversation_id}:{staff_id}:{form.line('key', longest=64)}"


def _has_open_deal(session: Session, conversation: Conversation) -> bool:
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    return deal is not None and deal.outcome is None


@post(
    "/conversations/{conversation_id:int}/answer",
    enter=WORKERS,
    request_max_body_size=ENCLOSED_LIMIT,
    dependencies={"uploads": Provide(enclosed)},
)
@in_thread
def send(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    uploads: Enclosed,
    conversation_id: FromPath[int],
) -> Response[Any]:
    """Queue the answer, and with ``settle`` be done with the conversation; the form's one-time key makes a
    second press do nothing."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    template, language = choice_of(request, session, form)
    if not form.line("key", longest=64):
        raise InputRefused("The form is too old.", cure="Load the page again.")
    staff = session.get_one(StaffMember, viewer.staff_id)
    later = sendlater.chosen(state.settings, form)
    draft = answers.write(
        session,
        conversation,
        staff,
        body=form.text("body"),
        subject=form.line("subject"),
        template=template,
        language=language,
        key=_key(conversation_id, viewer.staff_id, form),
        files=files_of(session, form),
        copies=answercopies.given(state.settings, form),
        approver=approver_of(session, form, viewer.staff_id),
        leaves=later,
    )
    delivery_id = outbox.queue(session, draft)
    if delivery_id is not None:
        place = enclosures.Place(viewer.staff_id, conversation_id=conversation_id)
        enclose(session, place, form, delivery_id, uploads)
        delivery = session.get_one(outbox.Delivery, delivery_id)
        keep_as_read(session, delivery, state.settings.company.default_language)
    asked = approvalreads.of_deliveries(session, [delivery_id] if delivery_id is not None else [])
    if not asked:
        conversation.waiting = False
    unsent.forget(session, viewer.staff_id, conversation_id)
    settled = form.ticked("settle")
    if settled and conversation.state == ConversationState.OPEN:
        session.flush()
        handling.bring_to(session, conversation, ConversationState.DONE)
    live.announce(session, "answer", conversation_id, viewer.staff_id)
    _ = reader(request).gettext
    if delivery_id is None:
        text = _("That answer is on its way already.")
    elif asked:
        text = _("It waits for approval, and leaves when it is given.")
        if later is not None:
            text = _(
                "It waits for approval, and goes out on %(when)s at the earliest.",
                when=reader(request).moment(later),
            )
    elif later is not None:
        text = sendlater.told(reader(request), later)
    elif settled:
        text = _("The answer is queued; the conversation is done.")
    else:
        text = _("The answer is queued.")
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        undo=f"/deliveries/{delivery_id}/cancel" if delivery_id is not None else None,
        undo_values={"reopen": "1"} if settled else None,
        events=("conversation", "answered", "inbox", "review", *(["onwards"] if settled else [])),
    )


@post("/deliveries/{delivery_id:int}/cancel", enter=WORKERS)
@in_thread
def cancel(
    request: PageRequest, session: Transaction, form: Filled, delivery_id: FromPath[int]
) -> Response[Any]:
    """Take back what has not left yet; one's own words stand in their field again."""
    viewer = request.scope["user"]
    delivery = session.get(outbox.Delivery, delivery_id)
    if delivery is None or delivery.conversation_id is None:
        raise NotFound
    conversation = conversation_for(session, viewer, delivery.conversation_id)
    if delivery.copy_of_id is not None:
        outbox.settle(session, delivery_id, outbox.DeliveryState.CANCELLED, staff_id=viewer.staff_id)
        live.announce(session, "cancelled", delivery.conversation_id)
        text = reader(request).gettext("Cancelled before it left.")
        return done(request, text, go=f"/conversations/{conversation.id}", events=("conversation",))
    left = outbox_copies.settle(
        session, delivery_id, outbox.DeliveryState.CANCELLED, staff_id=viewer.staff_id
    )
    approvals.cancelled(session, delivery_id, by=viewer.staff_id)
    if not delivery.automatic:
        handling.unanswered(session, conversation, delivery_id)
    if form.ticked("reopen") and conversation.state == ConversationState.DONE:
        handling.bring_to(session, conversation, ConversationState.OPEN)
    live.announce(session, "cancelled", delivery.conversation_id)
    text = reader(request).gettext("Cancelled before it left.")
    if left:
        who = ", ".join(one.recipient_name or one.address for one in left)
        text = reader(request).gettext("Cancelled, but a copy has left already: %(who)s.", who=who)
    go = f"/conversations/{delivery.conversation_id}"
    events = ("conversation", "inbox")
    if _stands_again(session, viewer.staff_id, delivery, conversation.id):
        return done(request, text, go=go, events=events, details={"rewrite": {"at": go}})
    return done(request, text, go=go, events=events)


def _stands_again(session: Session, staff_id: int, delivery: outbox.Delivery, conversation_id: int) -> bool:
    """Keep words and files of an answer that was taken back, unless its writer has begun another one."""
    written = delivery.staff_id == staff_id and delivery.key.startswith("answer:")
    if not written or unsent.of(session, staff_id, conversation_id) is not None:
        return False
    files = enclosures.take_back(session, delivery.id, conversation_id)
    words = unsent.keep(
        session,
        staff_id,
        conversation_id,
        body=delivery.body,
        subject=delivery.subject,
        template=delivery.template or "answer",
        language=delivery.language,
        copies=copies.written(outbox_copies.readers(session, delivery.id)),
    )
    return words or files


ROUTES = (preview, send, cancel)
