"""An agent and support in a real browser: decide, put off, several at once, note, interest, by keys."""

from __future__ import annotations

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.catalogue import ProductInterest
from core.conversations import Conversation, Message
from core.db import transaction
from core.labels import Classification, Correction
from core.notes import Note
from core.staff import StaffMember
from core.tasks import Task
from core.values import Language
from tests.desk.test_journey_day import Watched
from tests.factories import World

pytestmark = [pytest.mark.chromium, pytest.mark.long]


@pytest.fixture
def watched(chromium: playwright.Browser, address: str) -> Iterator[Watched]:
    """A fresh page in a window of its own."""
    page = chromium.new_page(viewport={"width": 1360, "height": 820})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield Watched(page, address)
    page.close()


def unsure(engine: sa.Engine, *talks: int) -> list[int]:
    """Make the letters of these conversations ones whose topic is unsure."""
    with transaction(engine) as session:
        numbers = list(
            session.scalars(
                sa.select(Message.id).where(Message.conversation_id.in_(talks), Message.direction == "in")
            )
        )
        session.execute(sa.delete(Classification).where(Classification.message_id.in_(numbers)))
        likely = [["order", 0.4], ["price_request", 0.35], ["demo_request", 0.2]]
        for number in numbers:
            session.add(Classification(message_id=number, abstained=True, alternatives=likely))
        return numbers


def undo(page: playwright.Page) -> None:
    """Press the key once what was done offers it."""
    expect(page.locator(".toast-box button:not(.toast-close)").last).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(".toast-box button:not(.toast-close)")).to_have_count(0)


def test_an_agent_decides_puts_off_and_does_several_at_once_by_keys(
    watched: Watched, engine: sa.Engine, world: World
) -> None:
    letters = unsure(engine, world.talks["own"].id, world.talks["english"].id)
    page = watched.page
    watched.sign_in("agent")
    page.goto(f"{watched.address}/review?item=topic-{letters[0]}")
    now = page.locator("#review")
    expect(now).to_have_attribute("data-item", f"topic-{letters[0]}")
    page.keyboard.press("2")
    expect(now).not_to_have_attribute("data-item", f"topic-{letters[0]}")
    undo(page)
    expect(now).to_have_attribute("data-item", f"topic-{letters[0]}")
    page.keyboard.press("Enter")
    expect(now).not_to_have_attribute("data-item", f"topic-{letters[0]}")
    with transaction(engine) as session:
        in_force = Correction.undone_at.is_(None) & (Correction.message_id == letters[0])
        assert session.scalars(sa.select(Correction.value).where(in_force)).all() == ["order"]
    page.goto(f"{watched.address}/inbox")
    page.keyboard.press("j")
    first = page.locator(".row").first
    number = first.get_attribute("id")
    page.keyboard.press("s")
    page.keyboard.press("1")
    expect(page.locator(f"#{number}")).to_have_count(0)
    expect(page.locator(".row-link:focus")).to_have_count(1)
    undo(page)
    expect(page.locator(f"#{number}")).to_be_visible()
    before = page.locator(".row").count()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("X")
    expect(page.locator("#several-count")).to_have_text("2")
    page.keyboard.press("e")
    expect(page.locator(".row")).to_have_count(before - 2)
    undo(page)
    expect(page.locator(".row")).to_have_count(before)
    page.keyboard.press("Control+k")
    page.keyboard.type("atlik")
    expect(page.locator("#command .option.on")).to_contain_text("Atlikta")
    page.keyboard.press("Escape")
    assert watched.faults == []
    assert watched.abroad == []


@pytest.mark.parametrize(
    ("language", "first", "product"),
    [("en", "f", "Filter F2"), ("lt", "f", "Filtras F2"), ("ru", "ф", "Фильтр F2")],
)
def test_support_logs_an_interest_in_three_keystrokes_and_leaves_a_note(
    language: str, first: str, product: str, watched: Watched, engine: sa.Engine, world: World
) -> None:
    number = world.talks["support"].id
    page = watched.page
    with transaction(engine) as session:
        session.get_one(StaffMember, world.staff["support"].id).language = Language(language)
    watched.sign_in("support")
    page.goto(f"{watched.address}/conversations/{number}")
    page.wait_for_function("() => window.htmx && document.readyState === 'complete'")
    page.keyboard.press("i")
    expect(page.locator("#ask [data-picker-input]")).to_be_focused()
    page.keyboard.type(first)
    page.keyboard.press("Enter")
    expect(page.locator(".toast-box").first).to_contain_text(product)
    with transaction(engine) as session:
        by = ProductInterest.staff_id == world.staff["support"].id
        assert session.scalars(sa.select(ProductInterest.product_id).where(by)).all() == [
            world.products["filter-f2"].id
        ]
        assert (
            session.scalar(sa.select(sa.func.count()).select_from(Task).where(Task.kind == "interest")) == 1
        )
    expect(page.locator("#ask")).not_to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("The filter was changed in May.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".letter.note")).to_contain_text("changed in May")
    with transaction(engine) as session:
        assert session.scalars(sa.select(Note.conversation_id)).all() == [number]
        assert session.get_one(Conversation, number).state == "open"
    assert watched.faults == []
    assert watched.abroad == []


def test_an_answer_is_the_last_word_and_leads_to_the_next_conversation_and_back(
    watched: Watched, engine: sa.Engine, world: World
) -> None:
    page = watched.page
    ready = "() => window.htmx && document.readyState === 'complete'"
    watched.sign_in("agent")
    page.wait_for_function(ready)
    first, second = (page.locator("#list .row").nth(place).get_attribute("data-id") or "" for place in (0, 1))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/conversations/{first}")
    expect(page.locator("#walk")).to_contain_text("1 /")
    page.wait_for_function(ready)
    page.keyboard.press("r")
    page.keyboard.type("Atsakysime rytoj.")
    expect(page.locator("#kept")).not_to_be_empty()
    page.keyboard.press("Control+Shift+Enter")
    page.wait_for_url(f"**/conversations/{second}")
    page.wait_for_function(ready)
    expect(page.locator(".toast-box")).to_be_visible()
    page.keyboard.press("z")
    page.wait_for_url(f"**/conversations/{first}")
    expect(page.locator("#answer textarea")).to_have_value("Atsakysime rytoj.")
    page.wait_for_function(ready)
    page.keyboard.press("j")
    page.wait_for_url(f"**/conversations/{second}")
    with transaction(engine) as session:
        assert session.get_one(Conversation, int(first)).state == "open"
    assert watched.faults == []
    assert watched.abroad == []
