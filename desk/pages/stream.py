"""The stream of changes that open pages listen to."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from litestar import get
from litestar.datastructures import State
from litestar.params import FromQuery
from litestar.response import ServerSentEvent

from core.db import transaction
from desk.access import WORKERS, conversation_for
from desk.clientview import client_for
from desk.render import PageRequest


def _check(
    engine: sa.Engine, request: PageRequest, conversation_id: int | None, account_id: int | None
) -> None:
    with transaction(engine) as session:
        if conversation_id is not None:
            conversation_for(session, request.scope["user"], conversation_id)
        elif account_id is not None:
            client_for(session, request.scope["user"], account_id)


@get("/live", enter=WORKERS)
async def stream(
    request: PageRequest,
    state: State,
    conversation: FromQuery[int | None] = None,
    client: FromQuery[int | None] = None,
    since: FromQuery[str] = "",
) -> ServerSentEvent:
    """Server-sent events: `inbox` at any change, `conversation` at one of what is shown, a conversation or a
    client, `ring` at a call. A stream that comes back names the last event it had (HTML, section 9.2.4), a
    page that begins one the place at which it was drawn."""
    if conversation is not None or client is not None:
        await asyncio.to_thread(_check, state.engine, request, conversation, client)
    shown = conversation if conversation is not None else -client if client is not None else None
    place = request.headers.get("last-event-id") or since
    return ServerSentEvent(state.hub.changes(shown, request.scope["user"].staff_id, place))


ROUTES = (stream,)
