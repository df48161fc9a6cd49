"""Where an exchange of our own tells us of its calls; who names no token of ours leaves no trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from core.db import transaction
from desk.access import PUBLIC
from desk.threads import in_thread
from inbound import cti

ROAD: Final = "/phone/cti"

log = structlog.get_logger("desk.webhooks")


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as it came."""

    token: str
    content_type: str
    body: bytes


async def knock_of(request: Request[Any, Any, State]) -> Knock:
    """The request; its token stands in the address, or in a header for exchanges that can set one."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    token = str(request.path_params.get("token") or given)
    return Knock(token, request.headers.get("content-type", ""), await request.body())


@post(
    [ROAD, ROAD + "/{token:str}"],
    enter=PUBLIC,
    without_session=True,
    from_anywhere=True,
    dependencies={"knock": Provide(knock_of)},
)
@in_thread
def heard(state: State, knock: NamedDependency[Knock]) -> Response[dict[str, str]]:
    """It tells of a call, which goes on as it would, unless the caller is one that we refuse."""
    try:
        exchange = cti.exchange_of(state.settings, knock.token)
    except cti.UnknownExchange:
        log.warning("webhook.refused", path=ROAD, reason="unknown token")
        raise
    news = cti.read(exchange.name, knock.content_type, knock.body)
    with transaction(state.engine) as session:
        refused = cti.take(session, state.settings, news)
    return Response({"action": "reject", "reason": "busy"} if refused else {}, status_code=200)


ROUTES = (heard,)
"""Its only door."""
