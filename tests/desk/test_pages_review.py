"""The review queue: what it asks whom, and that an answer is written and can be taken back."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from core.conversations import Conversation, Message
from core.db import transaction
from core.intake import RawMessage
from core.labels import Classification, Correction
from core.staff import Role, StaffMember
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def unsure(engine: sa.Engine, world: World) -> int:
    """A letter of the agent's whose topic the classifier does not know: its number."""
    with transaction(engine) as session:
        number = session.scalars(
            sa.select(Message.id).where(
                Message.conversation_id == world.talks["own"].id, Message.direction == "in"
            )
        ).one()
        known = session.scalar(sa.select(Classification).where(Classification.message_id == number))
        if known is None:
            known = Classification(message_id=number)
            session.add(known)
        known.intent, known.abstained, known.reviewed_at = None, True, None
        known.alternatives = [
            ["order", 0.4],
            ["price_request", 0.35],
            ["demo_request", 0.2],
            ["refusal", 0.05],
        ]
        session.get_one(Conversation, world.talks["own"].id).intent = None
        return number


def topic_of(engine: sa.Engine, world: World, number: int) -> tuple[str | None, int]:
    with transaction(engine) as session:
        in_force = sa.select(sa.func.count()).where(
            Correction.message_id == number, Correction.undone_at.is_(None)
        )
        return session.get_one(Conversation, world.talks["own"].id).intent, session.scalar(in_force) or 0


def test_an_unsure_letter_is_asked_about_with_its_three_likeliest_topics(
    signed_in: SignedIn, unsure: int
) -> None:
    text = signed_in("agent").get(f"/review?item=topic-{unsure}").text
    order = [
        text.index(f'value="{one}" data-pick="{n}"')
        for n, one in enumerate(("order", "price_request", "demo_request"), start=1)
    ]
    assert order == sorted(order)
    assert 'data-pick="4"' not in text


def test_an_answer_teaches_and_can_be_taken_back(
    signed_in: SignedIn, engine: sa.Engine, world: World, unsure: int
) -> None:
    browser = signed_in("agent")
    answer = browser.post(f"/review/topic/{unsure}", data={"intent": "order"}, headers=HTMX)
    assert topic_of(engine, world, unsure) == ("order", 1)
    assert f"topic-{unsure}" not in browser.get("/review").text
    browser.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    assert topic_of(engine, world, unsure) == (None, 0)
    assert f"topic-{unsure}" in browser.get("/review").text


def test_nobody_is_asked_about_what_they_may_not_see(
    signed_in: SignedIn, engine: sa.Engine, world: World, unsure: int
) -> None:
    browser = signed_in("support")
    assert f"topic-{unsure}" not in browser.get("/review").text
    refused = browser.post(f"/review/topic/{unsure}", data={"intent": "order"}, follow_redirects=False)
    assert refused.status_code == 404
    assert topic_of(engine, world, unsure) == (None, 0)


def test_only_leaders_are_asked_about_quarantine(signed_in: SignedIn, world: World) -> None:
    key = f"quarantine-{world.raws['stuck'].id}"
    assert key in signed_in("head").get("/review").text
    assert key not in signed_in("agent").get("/review").text


def test_after_the_last_item_comes_the_one_in_its_place(signed_in: SignedIn, unsure: int) -> None:
    browser = signed_in("agent")
    text = browser.get("/review?item=topic-999999&place=500", headers=HTMX).text
    assert f'data-item="topic-{unsure}"' in text or 'data-item="topic-' in text


def test_every_kind_of_question_can_be_shown(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        session.get_one(Conversation, world.talks["own"].id).beside_id = world.talks["urgent"].id
    browser = signed_in("head")
    keys = {
        part.split("&")[0].split('"')[0] for part in browser.get("/review").text.split("/review?item=")[1:]
    }
    assert {key.split("-")[0] for key in keys} >= {"send", "quarantine", "beside"}
    for key in keys:
        shown = browser.get(f"/review?item={key}")
        assert shown.status_code == 200
        assert f'data-item="{key}"' in shown.text


def test_why_a_letter_cannot_be_read_is_told_in_the_readers_language(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    error = "There is nothing in this letter that can be read."
    with transaction(engine) as session:
        session.execute(sa.update(StaffMember).where(StaffMember.role == Role.HEAD).values(language="lt"))
        session.execute(sa.update(RawMessage).values(error=error))
    shown = signed_in("head").get(f"/review?item=quarantine-{world.raws['stuck'].id}").text
    assert "Šiame laiške nėra nieko" in shown
    assert error not in shown
