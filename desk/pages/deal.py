"""The deal beside a conversation: opened by hand, moved to another stage, won or lost."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import approvalreads, deals, handover, letters, pipelines, stages
from core.conversations import Conversation
from core.deals import Deal, Initiative, LossReason, Outcome, Stage, WinReason
from core.errors import Conflict, FrontdeskError, InputRefused, NotAllowed, NotFound
from core.outbox import Delivery
from core.staff import StaffMember
from desk import answers, approvalview, live
from desk.access import LEADERS, SALES, conversation_for
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread
from outbound.sequences import house_of
from templates.asread import keep_as_read


def deal_of(session: Session, request: PageRequest, conversation_id: int) -> tuple[Conversation, Deal]:
    """A conversation that whoever asks may see, and its deal. Raises NotFound when either is not there."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if deal is None:
        raise NotFound
    return conversation, deal


def stage_of(session: Session, deal: Deal, number: int | None) -> Stage:
    """A stage of the deal's pipeline. Raises NotFound for any other."""
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
    conversation, deal = deal_of(session, request, conversation_id)
    return move_sheet(request, state, session, conversation, deal, stage_of(session, deal, stage))


def move_sheet(
    request: PageRequest, state: State, session: Session, conversation: Conversation, deal: Deal, to: Stage
) -> Response[str]:
    """The question whether to move, with the letter that would go out or what hinders it."""
    viewer = request.scope["user"]
    staff = session.get_one(StaffMember, viewer.staff_id)
    outlook = stages.outlook(session, deal, to, staff, reader(request).language)
    today = session.execute(select(func.current_date())).scalar_one()
    letter, fault = None, outlook.fault
    if outlook.draft is not None:
        try:
            letter = answers.preview(session, outlook.draft, state.settings.company, today)
        except FrontdeskError as error:
            # The company's own text may ask for what no deal has; the move itself is free to go on.
            fault = error
    performer = session.get(StaffMember, outlook.performer.staff_id) if outlook.performer.staff_id else None
    back = to.position < deal.stage.position
    ask = approvalreads.would_ask(session, outlook.draft) if outlook.draft else None
    return sheet(
        request,
        session,
        "move.html",
        conversation=conversation,
        deal=deal,
        to=to,
        outlook=outlook,
        draft=outlook.draft,
        letter=letter,
        fault=fault,
        performer=performer,
        stopped=not outlook.allowed or (bool(outlook.lacks) and not back),
        may_override=viewer.role in LEADERS,
        lacks_products=isinstance(fault, letters.NothingToOffer),
        asks=approvalview.names(session, ask.ids) if ask else [],
    )


@post("/conversations/{conversation_id:int}/move", enter=SALES)
@in_thread
def move(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Move the deal, end the follow-ups of the stage before, and queue what the new stage sends."""
    _conversation, deal = deal_of(session, request, conversation_id)
    to = stage_of(session, deal, form.number("stage"))
    staff = session.get_one(StaffMember, request.scope["user"].staff_id)
    override = form.ticked("override")
    if override and request.scope["user"].role not in LEADERS:
        raise NotAllowed("Only the head of sales may let it go.")
    house = house_of(state.settings)
    change, delivery_id = stages.enter_stage(
        session,
        deal,
        to,
        staff=staff,
        reason=form.line("reason"),
        calendar=house.calendar,
        # Without a letter no follow-up of the new stage may begin to speak of one.
        silent=form.ticked("silent"),
        override=override,
    )
    if delivery_id is not None:
        delivery = session.get_one(Delivery, delivery_id)
        keep_as_read(session, delivery, state.settings.company.default_language)
    live.announce(session, "deal", conversation_id)
    language = reader(request)
    text = language.gettext("Moved to “%(stage)s”.", stage=to.name(language.language))
    if approvalreads.of_deliveries(session, [delivery_id] if delivery_id is not None else []):
        text += " " + language.gettext("The letter waits for approval.")
    elif delivery_id is not None:
        text += " " + language.gettext("The letter is queued.")
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        undo=f"/deals/{deal.id}/moves/{change.id}/undo",
        events=("conversation", "moved", "deal", "review"),
    )


@post("/conversations/{conversation_id:int}/close", enter=SALES)
@in_thread
def close(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """The deal is won, or lost for a reason; its follow-ups end."""
    _conversation, deal = deal_of(session, request, conversation_id)
    outcome, reason = form.line("outcome"), form.line("loss_reason")
    if outcome not in Outcome.__members__.values():
        raise InputRefused("A deal is won or lost.")
    if reason and reason not in LossReason.__members__.values():
        raise InputRefused("That is none of the reasons.")
    won = form.line("win_reason")
    if won and won not in WinReason.__members__.values():
        raise InputRefused("That is none of the reasons.")
    stages.close(
        session,
        deal,
        Outcome(outcome),
        loss_reason=LossReason(reason) if reason else None,
        win_reason=WinReason(won) if won else None,
        note=form.line("note"),
        by=request.scope["user"].staff_id,
    )
    live.announce(session, "deal", conversation_id)
    _ = reader(request).gettext
    text = _("The deal is won.") if outcome == Outcome.WON else _("The deal is lost.")
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        undo=f"/deals/{deal.id}/reopen",
        events=("conversation", "deal"),
    )


@get("/conversations/{conversation_id:int}/deal/open", enter=SALES)
@in_thread
def ask_open(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """What is known of a deal that is to be opened by hand."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    return sheet(
        request,
        session,
        "deal_open.html",
        conversation=conversation,
        roads=pipelines.active(session),
        others=[
            one
            for one in handover.at_work(session, conversation.account_id)
            if one.staff_id != request.scope["user"].staff_id
        ],
    )


@post("/conversations/{conversation_id:int}/deal/open", enter=SALES)
@in_thread
def open_deal(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Open a deal with the client of a conversation that has none that is open."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    session.refresh(conversation, with_for_update={"of": Conversation})
    if conversation.contact is None:
        raise InputRefused("The sender is not a client yet.")
    present = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if present is not None and present.outcome is None:
        raise Conflict("The conversation has an open deal already.")
    road = form.line("pipeline")
    pipeline = pipelines.current(session, road) if road else None
    initiative = form.line("initiative")
    if (road and (pipeline is None or not pipeline.active)) or (
        initiative and initiative not in Initiative.__members__.values()
    ):
        raise InputRefused("That is none of the choices.")
    deal = deals.open_deal(
        session,
        contact=conversation.contact,
        account=conversation.account,
        title=form.line("title", longest=300) or conversation.subject[:300],
        source=form.line("source", longest=200) or "hand",
        owner_id=viewer.staff_id,
        reason="opened by hand",
        pipeline=pipeline,
        initiative=Initiative(initiative) if initiative else None,
        event=form.line("event"),
    )
    conversation.deal_id = deal.id
    live.announce(session, "deal", conversation_id)
    text = reader(request).gettext("The deal is open.")
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation", "moved"))


@post("/conversations/{conversation_id:int}/deal/dismiss", enter=SALES)
@in_thread
def dismiss_proposal(
    request: PageRequest, session: Transaction, conversation_id: FromPath[int]
) -> Response[Any]:
    """The stage that the client's letter speaks for is not what comes next."""
    _conversation, deal = deal_of(session, request, conversation_id)
    stages.dismiss_proposal(session, deal)
    live.announce(session, "deal", conversation_id)
    text = reader(request).gettext("The deal stays where it is.")
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation",))


ROUTES = (ask_move, move, close, ask_open, open_deal, dismiss_proposal)
