"""Two colleagues at one conversation in real browsers: each sees that the other looks and writes."""

from __future__ import annotations

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest
from playwright.sync_api import expect

from tests.desk.test_journey_day import Watched
from tests.factories import World

pytestmark = pytest.mark.chromium


@pytest.fixture
def two(chromium: playwright.Browser, address: str) -> Iterator[list[Watched]]:
    """Two windows, each with cookies of its own."""
    expect.set_options(timeout=60_000)
    pages = [chromium.new_page(viewport={"width": 1360, "height": 820}) for _ in range(2)]
    for page in pages:
        page.set_default_timeout(60_000)
    yield [Watched(page, address) for page in pages]
    for page in pages:
        page.close()


def test_a_colleague_who_looks_or_writes_is_seen_by_the_other(two: list[Watched], world: World) -> None:
    place = f"{two[0].address}/conversations/{world.talks['own'].id}"
    for watched, who in zip(two, ("agent", "head"), strict=True):
        watched.sign_in(who)
        watched.page.goto(place)
    agent, head = (watched.page for watched in two)
    expect(head.locator("#who")).to_contain_text("Rūta Kazlauskienė is looking")
    expect(agent.locator("#who")).to_contain_text("Helen Marsh")
    agent.click("#answer textarea")
    agent.keyboard.type("Ačiū")
    expect(head.locator("#who")).to_contain_text("Rūta Kazlauskienė is writing")
    agent.goto(f"{two[0].address}/tasks")
    expect(head.locator("#who")).not_to_contain_text("Rūta")
    assert [watched.faults for watched in two] == [[], []]
