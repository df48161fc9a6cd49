"""What changes while somebody looks: PostgreSQL notifications fanned out to open pages.

A notification says which conversation changed; a page is only told that its inbox or the very conversation
it shows did, and fetches the rest itself, so that rights are checked where they always are. A client's page
stands among them under the client's id below nought.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
import structlog
from litestar import Litestar
from litestar.response import ServerSentEventMessage
from sqlalchemy.orm import Session

from desk.presence import Presence

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


def announce_presence(session: Session, conversation_id: int, staff_id: int, name: str, state: str) -> None:
    """Tell the pages that show a conversation who looks at it or writes; nothing is stored."""
    news = {"kind": "presence", "conversation_id": conversation_id, "staff_id": staff_id}
    payload = json.dumps(news | {"name": name[:200], "state": state})
    session.execute(sa.select(sa.func.pg_notify(CHANNEL, payload)))


class Change(NamedTuple):
    """What one page hears of a change."""

    conversation_id: int | None
    """None for any."""
    rings: bool = False
    """It concerns a call at the telephone of the page's reader."""
    presence: bool = False
    """Only who looks at the conversation changed."""
    reminds: bool = False
    """Something of the page's reader is due soon."""


class Hub:
    """One listening connection a process, and the pages that wait for what it hears."""

    def __init__(self) -> None:
        self._pages: dict[asyncio.Queue[Change], int | None] = {}
        self._shown: dict[asyncio.Queue[Change], int] = {}
        self.presence = Presence()
        self._ended = asyncio.Event()

    def publish(self, conversation_id: int | None, rings: Collection[int] | None = None) -> None:
        """Hand a change to every open page; to those of colleagues whose telephones it concerns as such.

        Without `rings` it concerns everybody's.
        """
        for page, staff_id in self._pages.items():
            if page.qsize() < WAITING:
                page.put_nowait(Change(conversation_id, rings is None or staff_id in rings))

    def notice(self, payload: str) -> None:
        """Hand on one notification: who looks at a conversation only to the pages that show it."""
        if reminded := _reminded(payload):
            for page, staff_id in self._pages.items():
                if staff_id in reminded and page.qsize() < WAITING:
                    page.put_nowait(Change(None, reminds=True))
            return
        sign = _presence_of(payload)
        if sign is None:
            self.publish(*_news_of(payload))
            return
        if self.presence.heard(*sign):
            for page, shown in self._shown.items():
                if shown == sign[0] and page.qsize() < WAITING:
                    page.put_nowait(Change(shown, presence=True))

    def end(self) -> None:
        """End every stream, so that the server can stop."""
        self._ended.set()
        for page in self._pages:
            page.put_nowait(Change(None))

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
                        self.notice(heard.payload)
            except psycopg.Error as error:
                log.warning("live.lost", error=str(error).splitlines()[0] if str(error) else "")
            await asyncio.sleep(wait)
            wait = min(wait * 2, 15.0)

    async def changes(
        self, conversation_id: int | None, staff_id: int | None = None
    ) -> AsyncGenerator[ServerSentEventMessage, None]:
        """Events for one page: `inbox` at any change, `conversation` when it is the one shown, `ring` when a
        call begins, goes on or ends at the colleague's telephone.
        """
        page: asyncio.Queue[Change] = asyncio.Queue()
        self._pages[page] = staff_id
        if conversation_id is not None:
            self._shown[page] = conversation_id
        started = asyncio.get_running_loop().time()
        try:
            yield ServerSentEventMessage(event="hello", data="", retry=2000)
            while not self._ended.is_set() and asyncio.get_running_loop().time() - started < LONGEST:
                try:
                    first = await asyncio.wait_for(page.get(), BREATH)
                except TimeoutError:
                    yield ServerSentEventMessage(comment="still here")
                    continue
                if first.rings and not self._ended.is_set():
                    # Whoever picks up wants to know at once.
                    yield ServerSentEventMessage(event="ring", data="")
                await asyncio.sleep(GATHER)
                others: list[Change] = []
                while not page.empty():
                    others.append(page.get_nowait())
                if self._ended.is_set():
                    return
                if any(one.reminds for one in (first, *others)):
                    yield ServerSentEventMessage(event="remind", data="")
                if any(one.presence for one in (first, *others)):
                    yield ServerSentEventMessage(event="presence", data="")
                heard = {
                    one.conversation_id for one in (first, *others) if not one.presence and not one.reminds
                }
                if not heard:
                    continue
                if any(one.rings for one in others):
                    yield ServerSentEventMessage(event="ring", data="")
                yield ServerSentEventMessage(event="inbox", data="")
                if conversation_id is not None and (conversation_id in heard or None in heard):
                    yield ServerSentEventMessage(event="conversation", data="")
        finally:
            self._pages.pop(page, None)
            self._shown.pop(page, None)


def _reminded(payload: str) -> frozenset[int]:
    """Whom a notification reminds of something, where it does."""
    with contextlib.suppress(ValueError, AttributeError, TypeError):
        news = json.loads(payload)
        if news.get("kind") == "reminder":
            return frozenset(news.get("reminds") or [])
    return frozenset()


def _presence_of(payload: str) -> tuple[int, int, str, str] | None:
    """Who gave which sign at which conversation, where a notification is one."""
    with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError):
        news = json.loads(payload)
        if news.get("kind") == "presence":
            return int(news["conversation_id"]), int(news["staff_id"]), str(news["name"]), str(news["state"])
    return None


def _news_of(payload: str) -> tuple[int | None, Collection[int] | None]:
    """Which conversation a notification is about, and whose telephones ring; None, which means any, where it
    cannot be read."""
    with contextlib.suppress(ValueError, AttributeError, TypeError):
        news = json.loads(payload)
        number, rings = news.get("conversation_id"), news.get("rings") or []
        return number if isinstance(number, int) else None, frozenset(rings)
    return None, None


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
