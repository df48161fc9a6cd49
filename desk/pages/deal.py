"""The deal beside a conversation: moved to another stage, won or lost."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deals, letters, stages
from core.conversations import Conversation
from core.deals import Deal, LossReason, Outcome, Stage, StageChange
from core.errors import FrontdeskError, InputRefused, NotFound
from core.staff import StaffMember
from desk import answers, live
from desk.access import SALES, conversation_for
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread


def _deal(session: Session, request: PageRequest, conversation_id: int) -> tuple[Conversation, Deal]:
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if deal is None:
        raise NotFound
    return conversation, deal


def _stage(session: Session, deal: Deal, number: int | None) -> Stage:
    stage = session.get(Stage, number) if number is not None else None
    if stage is None or stage.pipeline_id != deal.pipeline_id:
        raise NotFound
    return stage


@get("/conversations/{conversation_id:int}/move", enter=SALES)
@in_thread
def ask_move(
    request: PageRequest,
    state: State,
    session: Transaction,
    conversation_id: FromPath[int],
    stage: FromQuery[int | None] = None,
) -> Response[str]:
    """What moving the deal would send, shown before it is done; nothing is changed."""
    conversation, deal = _deal(session, request, conversation_id)
    to = _stage(session, deal, stage)
    staff = session.get_one(StaffMember, request.scope["user"].staff_id)
    draft, letter, fault = None, None, None
    today = session.execute(select(func.current_date())).scalar_one()
    try:
        change = StageChange(id=0, deal_id=deal.id, to_stage=to)
        with session.no_autoflush:
            draft = letters.stage_document(session, deal, change, staff, today=today)
        session.expunge(change) if change in session else None
        if draft is not None:
            letter = answers.preview(draft, state.settings.company, today)
    except FrontdeskError as error:
        fault = error
    return page(
        request,
        "move.html",
        conversation=conversation,
        deal=deal,
        to=to,
        draft=draft,
        letter=letter,
        fault=fault,
    )


@post("/conversations/{conversation_id:int}/move", enter=SALES)
@in_thread
def move(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Move the deal and queue what its new stage sends, both or neither."""
    _conversation, deal = _deal(session, request, conversation_id)
    to = _stage(session, deal, form.number("stage"))
    staff = session.get_one(StaffMember, request.scope["user"].staff_id)
    silent = form.ticked("silent")
    if silent:
        deals.move(session, deal, to, staff_id=staff.id, reason=form.line("reason"))
        delivery_id = None
    else:
        _change, delivery_id = stages.enter_stage(session, deal, to, staff=staff, reason=form.line("reason"))
    live.announce(session, "deal", conversation_id)
    language = reader(request)
    text = language.gettext("Moved to “%(stage)s”.", stage=to.name(language.language))
    if delivery_id is not None:
        text += " " + language.gettext("The letter is queued.")
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation", "moved"))


@post("/conversations/{conversation_id:int}/close", enter=SALES)
@in_thread
def close(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """The deal is won, or lost for a reason."""
    _conversation, deal = _deal(session, request, conversation_id)
    outcome, reason = form.line("outcome"), form.line("loss_reason")
    if outcome not in Outcome.__members__.values():
        raise InputRefused("A deal is won or lost.")
    if reason and reason not in LossReason.__members__.values():
        raise InputRefused("That is none of the reasons.")
    deals.close(session, deal, Outcome(outcome), loss_reason=LossReason(reason) if reason else None)
    live.announce(session, "deal", conversation_id)
    _ = reader(request).gettext
    text = _("The deal is won.") if outcome == Outcome.WON else _("The deal is lost.")
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation",))


ROUTES = (ask_move, move, close)
