"""A conversation: its letters, the client beside it, why it came here, and what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import approvalreads, demofiles, downloads, enclosures, notes, teaching, timeline, unsent
from core.clock import now
from core.conversations import Conversation, Message
from core.deals import LossReason, Stage
from core.errors import NotFound
from core.limits import LETTER_FILES_BYTES
from core.notes import Note
from core.notices import open_alarms
from core.outbox import DeliveryState
from core.reading import mark_read
from core.sessions import SignedIn
from desk import (
    answercopies,
    approvalview,
    card,
    colleagues,
    doubts,
    followups,
    phoneout,
    templatechoice,
    todo,
)
from desk.access import WORKERS, conversation_for, visible
from desk.forms import one_time_key
from desk.given import Filled, Transaction
from desk.pages import understood
from desk.pages.inbox import later_choices, rail
from desk.pages.review import told
from desk.render import PageRequest, page, reader
from desk.threads import in_thread
from desk.wording import LOSS_REASONS, sentence


def _values(request: PageRequest, session: Session, conversation: Conversation) -> dict[str, Any]:
    language = reader(request)
    read = card.read(session, conversation)
    deal = read.deal.deal if read.deal else None
    everybody = colleagues.active(session)
    begun = unsent.of(session, request.scope["user"].staff_id, conversation.id)
    stages = (
        session.scalars(
            select(Stage).where(Stage.pipeline_id == deal.pipeline_id).order_by(Stage.position)
        ).all()
        if deal
        else []
    )
    return {
        "page": read,
        "doubts": doubts.read(session, request.scope["user"], conversation),
        "followups": followups.read(session, conversation, followups.house_of(request.app.state.settings)),
        "tasks": todo.of_client(session, request.scope["user"], conversation),
        "conversation": conversation,
        "stages": stages,
        "loss_reasons": [(reason.value, language.gettext(LOSS_REASONS[reason])) for reason in LossReason],
        "templates": templatechoice.for_answers(session, request.scope["user"], reader(request)),
        "colleagues": colleagues.of_clients(everybody),
        "form_key": one_time_key(),
        "begun": begun,
        "copying": answercopies.of_conversation(
            session,
            request.app.state.settings,
            conversation,
            read.last_letter,
            begun=begun.copies if begun else "",
            all_of_them="all" in request.query_params,
        ),
        "files": demofiles.offered(session),
        "enclosures": enclosures.waiting(
            session, enclosures.Place(request.scope["user"].staff_id, conversation_id=conversation.id)
        ),
        "enclosure_bytes": LETTER_FILES_BYTES,
        "approver_people": colleagues.approvers(everybody, but=request.scope["user"].staff_id),
        "asked": approvalreads.of_deliveries(session, _held(read)),
        "note_text": lambda ask: approvalview.note_text(ask, language),
        "followed": downloads.of_conversation(session, conversation.id),
        "reach": phoneout.read(session, request.app.state.settings, conversation),
        "stream": _stream(read, notes.of(session, conversation.id)),
        "callable_staff": colleagues.who_may_see(everybody, conversation),
        "later": later_choices(request),
        "now": now(),
        "sentence": lambda item: sentence(item, language),
    } | understood.choices(session, language)


def _held(read: card.Page) -> list[int]:
    """Letters that wait for a word, or waited in vain."""
    told = (DeliveryState.HELD, DeliveryState.CANCELLED, DeliveryState.SUPPRESSED)
    found = [one.id for one in read.sent.values() if one.state in told]
    return found + [one.id for one in read.items if isinstance(one, card.Sent) and one.state in told]


def _stream(read: card.Page, private: Sequence[Note]) -> list[Message | card.Sent | Note]:
    """Letters, sends and private notes in the order in which they happened."""
    everything: list[Message | card.Sent | Note] = [*read.items, *private]
    return sorted(everything, key=_when)


def _when(one: Message | card.Sent | Note) -> datetime:
    if isinstance(one, Note):
        return one.written_at
    return one.at if isinstance(one, card.Sent) else one.happened_at


@get("/conversations/{conversation_id:int}", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """The whole page; whoever sees it has read it."""
    viewer: SignedIn = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id, whole=True)
    mark_read(session, viewer.staff_id, conversation_id)
    values = _values(request, session, conversation) | rail(session, request)
    return page(request, "conversation.html", alarms=open_alarms(session), **values)


@get("/conversations/{conversation_id:int}/thread", enter=WORKERS)
@in_thread
def thread(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """The letters and the card anew, for a page that is open; what is being written stays as it is."""
    viewer: SignedIn = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id, whole=True)
    mark_read(session, viewer.staff_id, conversation_id)
    return page(request, "conversation_parts.html", **_values(request, session, conversation))


@get("/conversations/{conversation_id:int}/history", enter=WORKERS)
@in_thread
def history(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """Everything that ever happened with this client; what one may not see is told without its words."""
    viewer: SignedIn = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    account, contact = conversation.account, conversation.contact
    events = timeline.history(session, account=account, contact=contact) if account or contact else []
    numbers = {event.link["conversation_id"] for event in events if "conversation_id" in event.link}
    query = select(Conversation.id).where(Conversation.id.in_(numbers), visible(viewer))
    return page(
        request,
        "history.html",
        conversation=conversation,
        events=events,
        open_to_me=set(session.scalars(query)),
    )


@post("/conversations/{conversation_id:int}/intent", enter=WORKERS)
@in_thread
def correct_intent(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Say what a letter really is about; the classifier learns from it."""
    viewer: SignedIn = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    message = _message_of(session, conversation_id, form.number("message_id"))
    made = teaching.teach(session, message, form.line("intent", longest=60), staff_id=viewer.staff_id)
    return told(request, session, conversation, made, go=f"/conversations/{conversation_id}")


def _message_of(session: Session, conversation_id: int, message_id: int | None) -> Message:
    message = session.get(Message, message_id) if message_id is not None else None
    if message is None or message.conversation_id != conversation_id:
        raise NotFound
    return message


ROUTES = (show, thread, history, correct_intent)
