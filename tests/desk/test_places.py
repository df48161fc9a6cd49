"""Several processes of the desk: what one drew, another one's stream continues."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, suppress

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from desk.live import CHANNEL, Hub
from desk.places import KEPT, Order, mark, name_in

LOOKS = 6_000
"""Fifty a second."""


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail("waited in vain")


async def _events(hub: Hub, since: str, until: str) -> list[str | None]:
    heard: list[str | None] = []
    async with aclosing(hub.changes(7, 1, since)) as stream:
        async for message in stream:
            heard.append(message.event)
            if message.event == until:
                break
    return heard


def test_a_page_drawn_by_one_process_is_continued_by_another(engine: sa.Engine) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def play() -> tuple[list[str | None], list[str | None]]:
        first, second = Hub(), Hub()
        tasks = [asyncio.create_task(first.listen(url))]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as writer:

            async def tell(conversation_id: int) -> None:
                news = json.dumps({"kind": "message", "conversation_id": conversation_id})
                await writer.execute("select pg_notify(%s, %s)", (CHANNEL, news))

            private = first.place
            await _until(lambda: first.place[:8] != private[:8])
            await tell(5)
            private = second.place
            tasks.append(asyncio.create_task(second.listen(url)))
            await _until(lambda: second.place[:8] != private[:8])
            await _until(lambda: first.place == second.place)
            drawn = first.place
            quiet = await _events(second, drawn, "hello")
            await tell(7)
            await _until(lambda: first.place == second.place != drawn)
            changed = await _events(second, drawn, "conversation")
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return quiet, changed

    quiet, changed = asyncio.run(play())
    assert quiet == ["hello"]
    assert changed == ["hello", "inbox", "conversation"]


def test_a_place_stays_known_where_another_process_begins_to_listen() -> None:
    order = Order()
    order.count()
    place = order.place() or ""
    order.heard("0123abcd")
    assert (order.number_of(place), order.place()) == (1, "0123abcd.0")


def test_who_was_not_listening_compares_its_places_with_nobody() -> None:
    order = Order()
    order.heard("0123abcd")
    place = order.place() or ""
    order.begin()
    assert order.number_of(place) is None


@given(st.lists(st.booleans(), max_size=60))
def test_every_place_is_understood_as_it_was_given(steps: list[bool]) -> None:
    order = Order()
    for marked in steps:
        if marked:
            order.heard(name_in(mark()) or "")
        else:
            order.count()
        place = order.place()
        assert place is not None
        assert order.number_of(place) == order.number


def test_marks_are_not_kept_for_ever() -> None:
    order = Order()
    old = order.place() or ""
    for number in range(KEPT):
        order.heard(f"{number:08x}")
    assert order.number_of(old) is None
    assert order.place(-1) is None


@pytest.mark.parametrize("payload", ["", "x", "[]", '{"kind": "message"}', "7"])
def test_what_is_no_mark_is_a_change(payload: str) -> None:
    assert name_in(payload) is None


def test_a_mark_with_a_strange_name_changes_nothing() -> None:
    order = Order()
    before = order.place()
    order.heard("<script>")
    assert order.place() == before
