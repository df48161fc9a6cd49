"""What an open page is told: from the moment at which it was drawn, nothing twice and nothing left out."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing

import pytest

from desk.live import KEPT, WAITING, Hub
from tests.desk.conftest import SignedIn

Heard = list[tuple[str | None, str | None]]


def _hear(hub: Hub, *, until: str, since: str = "", shown: int | None = None, who: int = 1) -> Heard:
    """Event and id of what a page is told, up to an event."""

    async def listen() -> Heard:
        heard: Heard = []
        async with aclosing(hub.changes(shown, who, since)) as stream:
            async for message in stream:
                heard.append((message.event, str(message.id) if message.id is not None else None))
                if message.event == until:
                    break
        return heard

    return asyncio.run(asyncio.wait_for(listen(), 60))


def test_what_changed_between_drawing_and_listening_is_told() -> None:
    hub = Hub()
    drawn = hub.place
    hub.publish(7, rings=())
    heard = _hear(hub, since=drawn, shown=7, until="conversation")
    assert heard == [("hello", None), ("inbox", None), ("conversation", hub.place)]


def test_what_changed_before_is_not_told_again() -> None:
    hub = Hub()
    hub.publish(7)
    assert _hear(hub, since=hub.place, until="hello") == [("hello", hub.place)]


def test_another_conversations_change_leaves_the_one_shown_alone() -> None:
    hub = Hub()
    drawn = hub.place
    hub.publish(8, rings=())
    assert _hear(hub, since=drawn, shown=7, until="inbox")[-1] == ("inbox", hub.place)


def test_a_call_and_a_reminder_are_told_to_whom_they_concern() -> None:
    hub = Hub()
    drawn = hub.place
    hub.publish(7, rings={1})
    hub.publish(None, reminded={1})
    assert [event for event, _ in _hear(hub, since=drawn, until="inbox")] == [
        "hello",
        "ring",
        "remind",
        "inbox",
    ]
    assert [event for event, _ in _hear(hub, since=drawn, until="inbox", who=2)] == ["hello", "inbox"]


@pytest.mark.parametrize("place", ["00000000.1", "x", "0.", "٣" * 9, "9" * 5000])
def test_a_place_that_is_not_known_has_the_page_look_at_everything(place: str) -> None:
    heard = _hear(Hub(), since=place, shown=7, until="conversation")
    assert [event for event, _ in heard] == ["hello", "ring", "remind", "inbox", "conversation"]


@pytest.mark.parametrize("many", [WAITING + 1, KEPT + 1])
def test_after_very_much_the_page_looks_at_everything(many: int) -> None:
    hub = Hub()
    drawn = hub.place
    for _ in range(many):
        hub.publish(8, rings=())
    assert _hear(hub, since=drawn, shown=7, until="conversation")[-1] == ("conversation", hub.place)


def test_every_page_names_the_place_at_which_it_was_drawn(signed_in: SignedIn) -> None:
    text = signed_in("agent").get("/inbox").text
    assert re.search(r'data-live="/live" data-live-at="([0-9a-f]{8}\.\d+)?"', text)
