"""Two colleagues at one conversation in real browsers: each sees what the other does, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal
from desk import live
from tests.desk.test_journey_day import Watched
from tests.factories import World

pytestmark = [pytest.mark.chromium, pytest.mark.long]


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


def test_what_somebody_has_chosen_stands_until_they_ask_for_what_is_new(
    two: list[Watched], engine: sa.Engine, world: World
) -> None:
    watched = two[0]
    watched.sign_in("agent")
    page = watched.page
    page.goto(f"{watched.address}/conversations/{world.talks['own'].id}")
    stage = page.locator("#card form.move select")
    stage.select_option(index=1)
    chosen = stage.input_value()
    page.locator("#card .close-deal summary").click()
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["own"].id)
        session.get_one(Deal, conversation.deal_id).need = "Trijų siurblių"
        live.announce(session, "deal", conversation.id)
    news = page.locator("#card .news button")
    expect(news).to_be_visible()
    expect(page.locator("#card .deal-need")).not_to_contain_text("Trijų")
    expect(stage).to_have_value(chosen)
    news.click()
    expect(page.locator("#card .deal-need")).to_contain_text("Trijų siurblių")
    expect(stage).to_have_value(chosen)
    expect(page.locator("#card .close-deal")).to_have_attribute("open", "")
    expect(news).to_have_count(0)
    assert watched.faults == []
