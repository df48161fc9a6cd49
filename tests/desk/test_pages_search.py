"""The search page: what it finds, for whom, how it narrows and goes on."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.config import Settings
from core.context import Context
from core.db import transaction
from core.deals import Deal
from inbound.indexing import index
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture(autouse=True)
def _indexed(engine: sa.Engine, desk_settings: Settings) -> None:
    """The words of every letter of the company are written."""
    context = Context(desk_settings, engine)
    assert index(context) > 10
    assert index(context) == 0


def _link(world: World, talk: str) -> str:
    return f'href="/conversations/{world.talks[talk].id}#'


def test_a_letter_is_found_without_the_marks_of_its_letters_and_the_words_are_marked(
    signed_in: SignedIn, world: World
) -> None:
    text = signed_in("agent").get("/search", params={"q": "komercinis pasiulymas siurblys "}).text
    assert _link(world, "own") in text
    assert "<mark>Komercinis</mark>" in text


def test_a_russian_word_is_found_in_any_form(signed_in: SignedIn, world: World) -> None:
    assert _link(world, "urgent") in signed_in("head").get("/search", params={"q": "насосы промывка "}).text


def test_nobody_finds_what_they_may_not_see(signed_in: SignedIn, world: World) -> None:
    for name in ("other", "support"):
        text = signed_in(name).get("/search", params={"q": "komercinis pasiulymas"}).text
        assert _link(world, "own") not in text
        assert "UAB „Vandenis“" not in text


def test_marketing_does_not_enter(signed_in: SignedIn) -> None:
    assert signed_in("marketing").get("/search", params={"q": "siurblys"}).status_code == 403


def test_a_client_is_found_by_name_and_leads_to_all_that_was_said_with_them(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    text = browser.get("/search", params={"q": "vanden"}).text
    with transaction(engine) as session:
        number = session.scalars(sa.select(Deal.account_id).where(Deal.account_id.is_not(None))).first()
    assert f"/clients/{number}" in text
    assert _link(world, "own") in browser.get("/search", params={"account": str(number)}).text


def test_what_is_found_by_htmx_is_the_list_alone(signed_in: SignedIn) -> None:
    text = signed_in("agent").get("/search", params={"q": "siurblys"}, headers=HTMX).text
    assert "<html" not in text
    assert 'class="rows"' in text


@pytest.mark.parametrize(
    ("narrowed", "there"),
    [
        ({}, True),
        ({"side": "in"}, True),
        ({"channel": "sms"}, False),
        ({"files": "1"}, True),
        ({"period": "year"}, True),
    ],
)
def test_filters_narrow_what_is_found(
    signed_in: SignedIn, world: World, narrowed: dict[str, str], there: bool
) -> None:
    text = signed_in("agent").get("/search", params={"q": "garantijos salygos ", **narrowed}).text
    assert (_link(world, "own") in text) is there


@pytest.mark.parametrize(
    "params",
    [
        {"q": "'\\ & | ! <-> :*"},
        {"q": '"'},
        {"q": "-"},
        {"q": "%_\0"},
        {"q": "ą" * 2000},
        {"account": "x", "period": "ever", "channel": "pigeon", "side": "up", "files": "2"},
        {"account": "9" * 30},
    ],
)
def test_odd_questions_find_nothing_and_break_nothing(signed_in: SignedIn, params: dict[str, str]) -> None:
    answer = signed_in("agent").get("/search", params=params)
    assert answer.status_code == 200
    assert 'class="rows"' not in answer.text


def test_a_made_up_cursor_is_refused_with_a_sentence(signed_in: SignedIn) -> None:
    answer = signed_in("agent").get("/search", params={"q": "siurblys", "before": "yesterday"})
    assert answer.status_code == 422
