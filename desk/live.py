"""What changes while somebody looks: PostgreSQL notifications fanned out to open pages.

A notification says which conversation changed; a page is only told that its inbox or the very conversation
it shows did, and fetches the rest itself, so that rights are checked where they always are.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import sqlalchemy as sa
import structlog
from litestar import Litestar
from litestar.response import ServerSentEventMessage
from sqlalchemy.orm import Session

CHANNEL = "frontdesk_live"
BREATH = 20.0
"""Seconds between signs of life on a quiet stream, so that proxies keep it and dead ones are noticed."""
LONGEST = 300.0
"""Seconds after which a stream ends; the browser comes back by itself, and its session is looked at anew."""
GATHER = 0.3
"""Seconds in which several changes become one."""
WAITING = 200
"""Changes kept for a slow page; more are dropped, because one is enough to make it look."""

log = structlog.get_logger("desk.live")


def announce(
    session: Session, kind: str, conversation_id: int | None = None, staff_id: int | None = None
) -> None:
    """Tell open pages that something changed, when and if the caller's transaction commits."""
    payload = json.dumps({"kind": kind, "conversation_id": conversation_id, "staff_id": staff_id})
    session.execute(sa.select(sa.func.pg_notify(CHANNEL, payload)))


class Hub:
    """One listening connection a process, and the pages that wait for what it hears."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[int | None]] = set()
        self._ended = asyncio.Event()

    def publish(self, conversation_id: int | None) -> None:
        """Hand a change to every open page."""
        for page in self._pages:
            if page.qsize() < WAITING:
                page.put_nowait(conversation_id)

    def end(self) -> None:
        """End every stream, so that the server can stop."""
        self._ended.set()
        for page in self._pages:
            page.put_nowait(None)

    async def listen(self, url: str) -> None:
        """Hear the database's notifications for ever; a lost connection is made anew."""
        wait = 0.5
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    url, autocommit=True, application_name="frontdesk live"
                ) as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    wait = 0.5
                    # What happened while nobody listened is not known: every page looks once.
                    self.publish(None)
                    async for heard in connection.notifies():
                        self.publish(_conversation_of(heard.payload))
            except psycopg.Error as error:
                log.warning("live.lost", error=str(error).splitlines()[0] if str(error) else "")
            await asyncio.sleep(wait)
            wait = min(wait * 2, 15.0)

    async def changes(self, conversation_id: int | None) -> AsyncGenerator[ServerSentEventMessage, None]:
        """Events for one page: `inbox` at any change, `conversation` when it is the one shown."""
        page: asyncio.Queue[int | None] = asyncio.Queue()
        self._pages.add(page)
        started = asyncio.get_running_loop().time()
        try:
            yield ServerSentEventMessage(event="hello", data="", retry=2000)
            while not self._ended.is_set() and asyncio.get_running_loop().time() - started < LONGEST:
                try:
                    heard = {await asyncio.wait_for(page.get(), BREATH)}
                except TimeoutError:
                    yield ServerSentEventMessage(comment="still here")
                    continue
                await asyncio.sleep(GATHER)
                while not page.empty():
                    heard.add(page.get_nowait())
                if self._ended.is_set():
                    return
                yield ServerSentEventMessage(event="inbox", data="")
                if conversation_id is not None and (conversation_id in heard or None in heard):
                    yield ServerSentEventMessage(event="conversation", data="")
        finally:
            self._pages.discard(page)


def _conversation_of(payload: str) -> int | None:
    """Which conversation a notification is about; None, which means any, where it cannot be read."""
    with contextlib.suppress(ValueError, AttributeError):
        number = json.loads(payload).get("conversation_id")
        return number if isinstance(number, int) else None
    return None


@asynccontextmanager
async def listening(app: Litestar) -> AsyncIterator[None]:
    """Keep a hub that listens for as long as the application runs."""
    engine: sa.Engine = app.state.engine
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    hub = app.state.hub = Hub()
    task = asyncio.create_task(hub.listen(url))
    try:
        yield
    finally:
        hub.end()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
