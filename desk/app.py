"""The web application: every layer and every route, put together for one database and one set of settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import sqlalchemy as sa
from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from sqlalchemy.orm import Session

from core.config import Settings
from core.db import session_factory
from desk import faults, live, ownexchange, security, webhooks
from desk.access import admit
from desk.forms import form_of
from desk.live import PlaceLayer
from desk.pages import ROUTES
from desk.security import OriginLayer, ProxyLayer
from desk.sessions import SessionLayer
from desk.threads import ended

BODY_LIMIT = 2_000_000
"""Bytes of a request: the longest letter somebody writes here."""


async def provide_session(state: State) -> AsyncGenerator[Session, None]:
    """The request's transaction: committed before the answer leaves, rolled back when anything was raised."""
    session = session_factory(state.engine)()
    try:
        yield session
    except BaseException:
        await ended(session.rollback)
        raise
    else:
        await ended(session.commit)
    finally:
        session.close()


def create_app(settings: Settings, engine: sa.Engine) -> Litestar:
    """The desk over a migrated database; serve it with any ASGI server."""
    return Litestar(
        route_handlers=[*ROUTES, *webhooks.ROUTES, *ownexchange.ROUTES],
        state=State({"settings": settings, "engine": engine}),
        dependencies={"session": Provide(provide_session), "form": Provide(form_of)},
        guards=[admit],
        middleware=[
            ProxyLayer(settings.desk.trusted_proxies),
            OriginLayer(),
            PlaceLayer(),
            SessionLayer(),
        ],
        before_send=[security.add_headers],
        exception_handlers={Exception: faults.answer},
        lifespan=[live.listening],
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=5, minimum_size=1000, exclude=["^/live", "^/static"]
        ),
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
        path="",
    )
