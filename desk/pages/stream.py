"""The stream of changes that open pages listen to."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from litestar import get
from litestar.datastructures import State
from litestar.params import FromQuery
from litestar.response import ServerSentEvent
from sqlalchemy.orm import Session

from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal
from desk.access import WORKERS, conversation_for
from desk.clientview import client_for
from desk.dealview import deal_for
from desk.render import PageRequest


def _shown(
    engine: sa.Engine, request: PageRequest, conversation: int | None, client: int | None, deal: int | None
) -> int | frozenset[int] | None:
    """Whose changes a page hears as its own; a deal's are those of its conversations and of its client."""
    viewer = request.scope["user"]
    with transaction(engine) as session:
        if conversation is not None:
            return conversation_for(session, viewer, conversation).id
        if client is not None:
            return -client_for(session, viewer, client).id
        if deal is None:
            return None
        return shown_of_deal(session, deal_for(session, viewer, deal))


def shown_of_deal(session: Session, deal: Deal) -> frozenset[int]:
    """Under which numbers changes of a deal are told."""
    talks = session.scalars(sa.select(Conversation.id).where(Conversation.deal_id == deal.id))
    return frozenset(talks) | frozenset({-deal.account_id} if deal.account_id is not None else ())


@get("/live", enter=WORKERS)
async def stream(
    request: PageRequest,
    state: State,
    conversation: FromQuery[int | None] = None,
    client: FromQuery[int | None] = None,
    deal: FromQuery[int | None] = None,
    since: FromQuery[str] = "",
) -> ServerSentEvent:
    """Server-sent events: `inbox` at any change, `conversation` at one of what is shown (a conversation, a
    client or a deal), `ring` at a call. A stream that comes back names the last event it had (HTML, section
    9.2.4), a page that begins one the place at which it was drawn."""
    shown = None
    if conversation is not None or client is not None or deal is not None:
        shown = await asyncio.to_thread(_shown, state.engine, request, conversation, client, deal)
    place = request.headers.get("last-event-id") or since
    return ServerSentEvent(state.hub.changes(shown, request.scope["user"].staff_id, place))


ROUTES = (stream,)
