"""The board and the list of deals: what stands where, for whom, and what may be moved."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import clock
from core.accounts import Account
from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal, open_deal
from core.outbox import Delivery
from core.pipelines import Stage
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def own_deal(engine: sa.Engine, world: World) -> int:
    """The deal of the agent's own conversation, long in its stage."""
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["own"].id)
        deal = session.get_one(Deal, conversation.deal_id)
        deal.stage_entered_at = clock.now() - timedelta(days=90)
        return deal.id


def test_a_deal_stands_in_its_stage_with_client_and_days_and_is_marked_when_over_norm(
    signed_in: SignedIn, own_deal: int
) -> None:
    text = signed_in("agent").get("/deals").text
    assert f'id="d{own_deal}"' in text
    card = text[text.index(f'id="d{own_deal}"') - 60 :][:900]
    assert "deal-card over" in card
    assert "UAB „Vandenis“" in card
    assert "90" in card


def test_the_board_has_every_stage_of_the_pipeline_in_order(
    signed_in: SignedIn, engine: sa.Engine, own_deal: int
) -> None:
    text = signed_in("head").get("/deals").text
    with transaction(engine) as session:
        keys = session.scalars(sa.select(Stage.key).order_by(Stage.position)).all()
    places = [text.index(f'data-column="{key}"') for key in keys]
    assert places == sorted(places)


def test_a_colleague_does_not_see_a_deal_that_is_none_of_theirs(signed_in: SignedIn, own_deal: int) -> None:
    for address in ("/deals", "/deals?as=list"):
        assert f'id="d{own_deal}"' not in signed_in("other").get(address).text, address


def test_who_may_see_the_conversation_sees_its_deal(signed_in: SignedIn, own_deal: int) -> None:
    assert f'id="d{own_deal}"' in signed_in("mate").get("/deals").text


@pytest.mark.parametrize("name", ["support", "marketing"])
def test_those_who_do_not_sell_do_not_enter(signed_in: SignedIn, name: str) -> None:
    assert signed_in(name).get("/deals").status_code == 403


def test_mine_are_the_deals_i_own(signed_in: SignedIn, own_deal: int) -> None:
    assert f'id="d{own_deal}"' in signed_in("agent").get("/deals?whose=mine").text
    assert f'id="d{own_deal}"' not in signed_in("head").get("/deals?whose=mine").text


def test_the_list_narrows_to_a_stage_and_goes_on_where_it_stopped(
    signed_in: SignedIn, engine: sa.Engine, world: World, own_deal: int
) -> None:
    with transaction(engine) as session:
        account = session.scalars(sa.select(Account)).first()
        assert account is not None
        contact = account.contacts[0]
        for number in range(65):
            deal = open_deal(
                session, contact=contact, account=account, title=f"Sandoris {number}",
                owner_id=world.staff["agent"].id,
            )  # fmt: skip
            deal.stage_entered_at = clock.now() - timedelta(minutes=number)
        first = deal.stage.key
    browser = signed_in("agent")
    text = browser.get("/deals", params={"as": "list", "stage": first}).text
    assert text.count("deal-row") == 60
    assert f'id="d{own_deal}"' not in text
    on = re.findall(r'hx-get="(/deals[^"]*before=[^"]*)"', text)[0].replace("&amp;", "&")
    assert browser.get(on, headers=HTMX).text.count("deal-row") >= 5


def test_a_pipeline_that_does_not_exist_is_not_found(signed_in: SignedIn) -> None:
    assert signed_in("agent").get("/deals?pipeline=nowhere").status_code == 404


def test_a_made_up_cursor_is_refused_with_a_sentence(signed_in: SignedIn) -> None:
    assert signed_in("agent").get("/deals?as=list&before=x").status_code == 422


def test_the_question_asked_on_moving_comes_from_the_boards_own_stages(
    signed_in: SignedIn, engine: sa.Engine, world: World, own_deal: int
) -> None:
    with transaction(engine) as session:
        deal = session.get_one(Deal, own_deal)
        to = session.scalars(
            sa.select(Stage).where(
                Stage.pipeline_id == deal.pipeline_id, Stage.position == deal.stage.position + 1
            )
        ).one()
        talk = world.talks["own"].id
        number = to.id
    answer = signed_in("agent").get(f"/conversations/{talk}/move?stage={number}", headers=HTMX)
    assert answer.status_code == 200
    assert f'name="stage" value="{number}"' in answer.text


def test_a_move_is_taken_back_with_one_click_and_its_letter_does_not_leave(
    signed_in: SignedIn, engine: sa.Engine, world: World, own_deal: int
) -> None:
    talk, browser = world.talks["own"].id, signed_in("agent")
    with transaction(engine) as session:
        before = session.get_one(Deal, own_deal).stage.key
        to = session.scalars(sa.select(Stage.id).where(Stage.key == "commercial_offer")).one()
    moved = browser.post(f"/conversations/{talk}/move", data={"stage": to}, headers=HTMX)
    undo = json.loads(moved.headers["hx-trigger"])["toast"]["undo"]
    assert undo in browser.get(f"/deals/{own_deal}").text
    assert signed_in("mate").post(undo, headers=HTMX).status_code == 403
    assert "Laiškas" in browser.post(undo, headers=HTMX).headers["hx-trigger"].encode().decode(
        "unicode_escape"
    )
    with transaction(engine) as session:
        assert session.get_one(Deal, own_deal).stage.key == before
        assert not session.scalars(
            sa.select(Delivery.id).where(Delivery.deal_id == own_deal, Delivery.state == "queued")
        ).all()
    assert undo not in browser.get(f"/deals/{own_deal}").text
    assert browser.post(undo, headers=HTMX).status_code == 409
