"""The deal beside a conversation: opened by hand, moved to another stage, won or lost."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from sqlalchemy.orm import Session

from core import deals, handover, pipelines
from core.conversations import Conversation
from core.deals import Deal, Initiative
from core.errors import Conflict, InputRefused, NotFound
from desk import live
from desk.access import SALES, conversation_for
from desk.given import Filled, Transaction
from desk.pages import dealdeeds
from desk.pages.dealdeeds import At
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread


def at_talk(session: Session, request: PageRequest, conversation_id: int) -> At:
    """The deal of a conversation that whoever asks may see. Raises NotFound when either is not there."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if deal is None:
        raise NotFound
    page = f"/conversations/{conversation_id}"
    return At(deal, page, f"{page}/deal", conversation_id)


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
    at = at_talk(session, request, conversation_id)
    return dealdeeds.move_sheet(request, state, session, at, dealdeeds.stage_of(session, at.deal, stage))


@post("/conversations/{conversation_id:int}/move", enter=SALES)
@in_thread
def move(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Move the deal, end the follow-ups of the stage before, and queue what the new stage sends."""
    return dealdeeds.move(request, state, session, form, at_talk(session, request, conversation_id))


@post("/conversations/{conversation_id:int}/close", enter=SALES)
@in_thread
def close(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """The deal is won, or lost for a reason; its follow-ups end."""
    return dealdeeds.close(request, session, form, at_talk(session, request, conversation_id))


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
    return dealdeeds.dismiss(request, session, at_talk(session, request, conversation_id))


ROUTES = (ask_move, move, close, ask_open, open_deal, dismiss_proposal)
