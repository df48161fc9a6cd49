"""What changes while somebody looks: PostgreSQL notifications fanned out to open pages.

A notification says which conversation changed; a page is only told that its inbox or the very conversation
it shows did, and fetches the rest itself, so that rights are checked where they always are. A client's page
stands among them under the client's id below nought.

A page carries the place in the order of changes at which it began to be drawn, and every event the place it
tells of. A stream that begins or comes back names the place it knows, and is told what has happened since.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
import structlog
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.response import ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy.orm import Session

from desk import places
from desk.places import Order
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
KEPT = 2000
"""Changes kept for pages that are being drawn and streams that come back."""

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
    number: int = 0
    """Its place in the order of changes; 0 for what is not counted."""


class News(NamedTuple):
    """A change as it was heard, for whoever asks later."""

    number: int
    conversation_id: int | None
    rings: Collection[int] | None
    """Whose telephones it concerns; None for everybody's."""
    reminded: Collection[int]

    def told(self, staff_id: int | None) -> Change | None:
        """What the page of one colleague hears of it, None for nothing."""
        if self.reminded:
            reminds = Change(None, reminds=True, number=self.number)
            return reminds if staff_id in self.reminded else None
        rings = self.rings is None or staff_id in self.rings
        return Change(self.conversation_id, rings, number=self.number)


class Hub:
    """One listening connection a process, and the pages that wait for what it hears.

    Every process numbers what it hears alike, since what is told only here is told before its mark.
    """

    def __init__(self) -> None:
        self._pages: dict[asyncio.Queue[Change], int | None] = {}
        self._shown: dict[asyncio.Queue[Change], int] = {}
        self.presence = Presence()
        self._ended = asyncio.Event()
        self._order = Order()
        self._heard: deque[News] = deque(maxlen=KEPT)

    @property
    def place(self) -> str:
        """The place of the newest change, for a page that begins to be drawn.

        Taken before the page reads anything: what is committed later is heard later.
        """
        return self._order.place() or ""

    def publish(
        self,
        conversation_id: int | None,
        rings: Collection[int] | None = None,
        reminded: Collection[int] = (),
    ) -> None:
        """Hand a change to every open page; to those of colleagues whose telephones it concerns as such.

        Without `rings` it concerns everybody's; with `reminded` it is a reminder, and theirs only.
        """
        news = News(self._order.count(), conversation_id, rings, reminded)
        self._heard.append(news)
        for page, staff_id in self._pages.items():
            change = news.told(staff_id)
            if change is not None and page.qsize() < WAITING:
                page.put_nowait(change)

    def _since(self, place: str, staff_id: int | None) -> list[Change]:
        """What happened after a place; one change of everything where that is not known any more."""
        newest = self._order.number
        oldest = self._heard[0].number if self._heard else newest + 1
        number = self._order.number_of(place)
        if number is not None and number >= oldest - 1:
            told = [news.told(staff_id) for news in self._heard if news.number > number]
            missed = [change for change in told if change is not None]
            if len(missed) <= WAITING:
                return missed
        return [Change(None, True, number=newest), Change(None, reminds=True, number=newest)]

    def notice(self, payload: str) -> None:
        """Hand on one notification: who looks at a conversation only to the pages that show it."""
        if (name := places.name_in(payload)) is not None:
            self._order.heard(name)
            return
        if reminded := _reminded(payload):
            self.publish(None, reminded=reminded)
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
                    self._order.begin()
                    self.publish(None)
                    await connection.execute("select pg_notify(%s, %s)", (CHANNEL, places.mark()))
                    async for heard in connection.notifies():
                        self.notice(heard.payload)
            except psycopg.Error as error:
                log.warning("live.lost", error=str(error).splitlines()[0] if str(error) else "")
            await asyncio.sleep(wait)
            wait = min(wait * 2, 15.0)

    async def changes(
        self, shown: int | frozenset[int] | None, staff_id: int | None = None, since: str = ""
    ) -> AsyncGenerator[ServerSentEventMessage, None]:
        """Events for one page: `inbox` at any change, `conversation` when it is the one shown, `ring` when a
        call begins, goes on or ends at the colleague's telephone.

        ``since`` is the place from which the page knows nothing; without it only what happens from now on is
        told. An event's id is the place that whoever comes back names.
        """
        page: asyncio.Queue[Change] = asyncio.Queue()
        for missed in self._since(since, staff_id) if since else ():
            page.put_nowait(missed)
        self._pages[page] = staff_id
        if isinstance(shown, int):
            self._shown[page] = shown
        started = asyncio.get_running_loop().time()
        try:
            place = None if page.qsize() else self.place
            yield ServerSentEventMessage(event="hello", data="", id=place, retry=2000)
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
                events = _events(first, others, shown)
                number = max(one.number for one in (first, *others))
                for event in events:
                    # Only the last one names the place: whoever loses the line before it is told again.
                    named = bool(number) and event == events[-1]
                    place = self._order.place(number) if named else None
                    yield ServerSentEventMessage(event=event, data="", id=place)
        finally:
            self._pages.pop(page, None)
            self._shown.pop(page, None)


def _events(first: Change, others: Sequence[Change], shown: int | frozenset[int] | None) -> list[str]:
    """What a page is told of some changes; that the first one rings it has been told already."""
    together = (first, *others)
    places = shown if isinstance(shown, frozenset) else {shown}
    heard = {one.conversation_id for one in together if not one.presence and not one.reminds}
    said = {
        "remind": any(one.reminds for one in together),
        "presence": any(one.presence for one in together),
        "ring": any(one.rings for one in others),
        "inbox": bool(heard),
        "conversation": shown is not None and bool(heard & {None, *places}),
    }
    return [event for event, true in said.items() if true]


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


class PlaceLayer(ASGIMiddleware):
    """Notes where in the order of changes a page begins to be drawn, before anything is read for it."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Apply it to one request."""
        hub: Hub | None = getattr(ASGIConnection(scope).app.state, "hub", None)
        scope["state"]["live_at"] = hub.place if hub is not None else ""
        await next_app(scope, receive, send)


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
