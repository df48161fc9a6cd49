"""A day at the desk in a real browser, in each language: sign in, read, answer, finish, undo, see changes
live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import playwright.sync_api as playwright
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.conversations import Conversation
from core.db import transaction
from core.outbox import Delivery
from desk import live
from tests.factories import PASSWORD, World

pytestmark = [pytest.mark.chromium, pytest.mark.long]

WORDS: dict[str, dict[str, str]] = {
    "agent": {
        "title": "Mano",
        "queued": "Eilėje",
        "done": "Pažymėta kaip atlikta.",
        "say": "Pasiūlymą atsiųsime rytoj.",
    },
    "mate": {
        "title": "Мои",
        "queued": "В очереди",
        "done": "Отмечено как выполненное.",
        "say": "Каталог пришлём завтра.",
    },
    "support": {
        "title": "Mine",
        "queued": "Queued",
        "done": "Marked as done.",
        "say": "Please press the reset key.",
    },
}
"""What each colleague reads in their own language, and what they answer."""
FIRST = {"agent": "urgent", "mate": "team", "support": "support"}
"""The conversation at the top of each one's inbox."""


class Watched:
    """A page that remembers what went wrong on it and whom it called."""

    def __init__(self, page: playwright.Page, address: str) -> None:
        self.page = page
        self.address = address
        self.faults: list[str] = []
        self.abroad: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.abroad.append(request.url)

    def sign_in(self, who: str) -> None:
        """Go through the door as a person does."""
        self.page.goto(f"{self.address}/login")
        self.page.fill("#email", f"{who}@siurbliai.example")
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/inbox")


@pytest.fixture
def watched(chromium: playwright.Browser, address: str) -> Iterator[Watched]:
    """A fresh page in a window of its own."""
    page = chromium.new_page(viewport={"width": 1360, "height": 820})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield Watched(page, address)
    page.close()


@pytest.mark.parametrize("who", sorted(WORDS))
def test_a_letter_is_read_answered_and_done_with_the_keyboard(
    who: str, watched: Watched, engine: sa.Engine, world: World
) -> None:
    page, words = watched.page, WORDS[who]
    watched.sign_in(who)
    expect(page.locator("h1")).to_have_text(words["title"])
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    number = world.talks[FIRST[who]].id
    page.wait_for_url(f"**/conversations/{number}")
    page.keyboard.press("r")
    page.keyboard.type(words["say"])
    expect(page.locator("#preview .preview-text")).to_contain_text(words["say"])
    before = page.locator("#thread .letter").count()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread .letter")).to_have_count(before + 1)
    expect(page.locator("#thread .letter").last).to_contain_text(words["queued"])
    expect(page.locator("#answer textarea")).to_have_value("")
    with transaction(engine) as session:
        query = sa.select(sa.func.count()).where(
            Delivery.conversation_id == number, Delivery.body == words["say"]
        )
        assert session.scalar(query) == 1
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.wait_for_url("**/inbox")
    row = page.locator(f"#c{number}")
    expect(row).to_have_class(re.compile("chosen"))
    page.keyboard.press("e")
    expect(row).to_have_count(0)
    expect(page.locator(".toast-box").first).to_contain_text(words["done"])
    page.keyboard.press("z")
    expect(row).to_be_visible()
    assert watched.faults == []
    assert watched.abroad == []


def test_a_letter_that_comes_in_appears_by_itself(watched: Watched, engine: sa.Engine, world: World) -> None:
    watched.sign_in("agent")
    page = watched.page
    with transaction(engine) as session:
        fresh = Conversation(
            subject="Ką tik atėjęs laiškas", assignee_id=world.staff["agent"].id, language="lt"
        )
        session.add(fresh)
        session.flush()
        number = fresh.id
    for _ in range(60):
        # The page hears it once its stream is open, however long that takes.
        with transaction(engine) as session:
            live.announce(session, "message", number)
        with suppress(AssertionError):
            expect(page.locator(".row").first).to_contain_text("Ką tik atėjęs laiškas", timeout=2_000)
            break
    expect(page.locator(".row").first).to_contain_text("Ką tik atėjęs laiškas")
    expect(page.locator('.rail [data-box="mine"] .count')).to_have_text("5")
    assert watched.faults == []


def test_a_deal_is_moved_after_its_letter_was_shown(
    watched: Watched, engine: sa.Engine, world: World
) -> None:
    watched.sign_in("agent")
    page = watched.page
    page.goto(f"{watched.address}/conversations/{world.talks['own'].id}")
    page.click(".move button >> nth=0")
    expect(page.locator("#ask .preview-text")).to_contain_text("Vertikalus siurblys CR 32")
    page.click("#ask .btn-primary")
    expect(page.locator("#card .deal-stage strong")).to_have_text("Komercinis pasiūlymas")
    expect(page.locator("#ask")).not_to_be_visible()
    with transaction(engine) as session:
        assert (
            session.scalar(sa.select(Delivery.id).where(Delivery.template == "commercial_offer")) is not None
        )
    assert watched.faults == []


def test_an_offer_without_products_gets_them_on_the_way(
    watched: Watched, engine: sa.Engine, world: World
) -> None:
    watched.sign_in("head")
    page = watched.page
    page.goto(f"{watched.address}/conversations/{world.talks['english'].id}")
    page.click("#card form[action$='/deal/open'] button")
    page.click("#ask .btn-primary")
    expect(page.locator("#card .deal-stage")).to_be_visible()
    # The card may draw itself anew beneath the hand, with the stage it proposes.
    page.reload()
    page.wait_for_function("() => window.htmx && document.readyState === 'complete'")
    page.select_option("#stage", label="Commercial offer")
    page.click(".move button >> nth=0")
    page.click("#ask a.btn-primary")
    page.select_option("#new-product", label="Control panel S")
    expect(page.locator("#new-price")).to_have_value("1250.00")
    page.dblclick("#new-add")
    expect(page.locator("#ask .sums .total")).to_contain_text("€1,512.50")
    page.click("#ask .btn-primary")
    expect(page.locator("#ask .preview-text")).to_contain_text("Control panel S")
    page.click("#ask .btn-primary")
    expect(page.locator("#card .deal-stage strong")).to_have_text("Commercial offer")
    expect(page.locator("#card .coming")).to_contain_text("Call: no answer to the offer")
    assert watched.faults == []


def test_a_foreign_letter_shown_as_sent_calls_nobody_and_runs_nothing(watched: Watched, world: World) -> None:
    watched.sign_in("agent")
    page = watched.page
    page.goto(f"{watched.address}/conversations/{world.talks['own'].id}")
    page.click(".original summary")
    frame = page.frame_locator(".original iframe")
    expect(frame.locator("body")).to_contain_text("4 vnt.")
    expect(frame.locator("img, script")).to_have_count(0)
    assert watched.faults == []
    assert watched.abroad == []


def test_the_desk_fits_a_telephone(chromium: playwright.Browser, address: str, world: World) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(60_000)
    watched = Watched(page, address)
    watched.sign_in("mate")
    own = f"/conversations/{world.talks['own'].id}"
    for path in ("/inbox?box=team", own, f"{own}/deal", "/tasks", "/uncertain", "/settings"):
        page.goto(address + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, path
    page.goto(f"{address}/inbox")
    page.click("[data-toggle=rail]")
    expect(page.locator("#rail a").first).to_be_visible()
    assert watched.faults == []
    page.close()
