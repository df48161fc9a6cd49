"""Follow-ups in the card: what will go out and when, steered by hand, ended with the deal."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from httpx import Response

from core import clock, sequences
from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal, Stage
from core.i18n import texts
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep, StopReason
from desk.wording import ENDINGS
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
THURSDAY = datetime.fromisoformat("2030-01-17T08:00:00+00:00")
"""Ten in the morning in Vilnius, far ahead."""


@pytest.fixture
def enrolment(engine: sa.Engine, world: World) -> int:
    """The client of the agent's own conversation in the follow-up after an offer."""
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["own"].id)
        assert conversation.contact_id is not None
        sequence = sequences.current(session, "after_offer")
        assert sequence is not None
        return sequences.enrol(
            session,
            sequence,
            contact_id=conversation.contact_id,
            deal_id=conversation.deal_id,
            due_at=THURSDAY,
        ).id


def _read(engine: sa.Engine, number: int) -> Enrolment:
    with transaction(engine) as session:
        return session.get_one(Enrolment, number)


def _steer(browser: Browser, world: World, number: int, deed: str, position: int = 1) -> Response:
    path = f"/conversations/{world.talks['own'].id}/followups/{number}"
    answer = browser.post(path, data={"deed": deed, "position": position}, headers=HTMX)
    assert isinstance(answer, Response)
    return answer


def test_the_card_says_what_will_go_out_and_when(signed_in: SignedIn, world: World, enrolment: int) -> None:
    text = signed_in("agent").get(f"/conversations/{world.talks['own'].id}").text
    vilnius = texts("lt")
    for part in (
        "Po pasiūlymo",
        "Priminimas",
        "Paskambinti: neatsakė į pasiūlymą",
        vilnius.moment(THURSDAY),
        vilnius.moment(THURSDAY + timedelta(days=7)),
    ):
        assert part in text, part


def test_a_follow_up_is_paused_and_goes_on(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int
) -> None:
    browser = signed_in("agent")
    assert '"undo"' in _steer(browser, world, enrolment, "pause").headers["hx-trigger"]
    assert _read(engine, enrolment).state == EnrolmentState.PAUSED
    assert "Pristabdyta" in browser.get(f"/conversations/{world.talks['own'].id}").text
    _steer(browser, world, enrolment, "resume")
    assert _read(engine, enrolment).state == EnrolmentState.ACTIVE


def test_the_next_step_is_skipped_once_however_often_it_is_pressed(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int
) -> None:
    browser = signed_in("agent")
    assert [_steer(browser, world, enrolment, "skip").status_code for _ in range(2)] == [200, 409]
    assert _read(engine, enrolment).next_position == 2
    with transaction(engine) as session:
        assert session.scalars(sa.select(EnrolmentStep.outcome)).all() == ["skipped"]


def test_a_stopped_follow_up_says_by_whom(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int
) -> None:
    browser = signed_in("agent")
    _steer(browser, world, enrolment, "stop")
    assert _read(engine, enrolment).stop_reason == StopReason.HAND
    text = browser.get(f"/conversations/{world.talks['own'].id}").text
    assert "Po pasiūlymo: nutraukta ranka: Rūta Kazlauskienė" in text
    assert _steer(browser, world, enrolment, "resume").status_code == 409


@pytest.mark.parametrize("reason", StopReason)
def test_every_way_of_ending_is_told(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int, reason: StopReason
) -> None:
    with transaction(engine) as session:
        row = session.get_one(Enrolment, enrolment)
        row.state, row.stop_reason, row.ended_at = EnrolmentState.STOPPED, reason, clock.now()
    text = signed_in("head").get(f"/conversations/{world.talks['own'].id}").text
    assert ENDINGS[reason].replace("%(who)s", "?") in text


@pytest.mark.parametrize("how", ["move", "silent", "close"])
def test_moving_and_closing_the_deal_ends_its_follow_up(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int, how: str
) -> None:
    with transaction(engine) as session:
        contract = session.scalars(sa.select(Stage.id).where(Stage.key == "contract")).one()
    given = {"stage": contract, "outcome": "won", "win_reason": "price"}
    given |= {"silent": "1"} if how == "silent" else {}
    path = "close" if how == "close" else "move"
    signed_in("agent").post(f"/conversations/{world.talks['own'].id}/{path}", data=given, headers=HTMX)
    assert _read(engine, enrolment).stop_reason == StopReason.DEAL_MOVED


def test_a_follow_up_of_another_client_is_out_of_reach(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int
) -> None:
    path = f"/conversations/{world.talks['english'].id}/followups/{enrolment}"
    assert signed_in("agent").post(path, data={"deed": "stop"}, headers=HTMX).status_code == 404
    assert _read(engine, enrolment).state == EnrolmentState.ACTIVE


def test_support_sees_follow_ups_and_steers_none(
    signed_in: SignedIn, engine: sa.Engine, world: World, enrolment: int
) -> None:
    with transaction(engine) as session:
        deal_id = session.scalars(sa.select(Deal.id)).one()
        session.get_one(Conversation, world.talks["support"].id).deal_id = deal_id
    text = signed_in("support").get(f"/conversations/{world.talks['support'].id}").text
    assert "After the offer" in text
    assert 'value="pause"' not in text


@pytest.mark.parametrize("where", ["conversation", "deal"])
def test_a_follow_up_is_begun_by_hand_and_stands_on_its_page(
    signed_in: SignedIn, engine: sa.Engine, world: World, where: str
) -> None:
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["own"].id)
        contact_id, deal_id = conversation.contact_id, conversation.deal_id
        session.execute(sa.update(sequences.Sequence).values(once=True))
    home = f"/conversations/{conversation.id}" if where == "conversation" else f"/deals/{deal_id}"
    browser = signed_in("agent")
    assert f'href="{home}/followups"' in browser.get(home).text
    offered = browser.get(f"{home}/followups", headers=HTMX).text
    assert "Priminimas" in offered.split("Po pasiūlymo")[1]
    begun = browser.post(f"{home}/followups", data={"sequence": "after_offer"}, headers=HTMX)
    assert begun.status_code < 400
    with transaction(engine) as session:
        one = session.scalars(sa.select(Enrolment)).one()
        assert (one.contact_id, one.deal_id, one.state) == (contact_id, deal_id, EnrolmentState.ACTIVE)
        assert one.due_at > clock.now() + timedelta(days=4)
    again = browser.post(f"{home}/followups", data={"sequence": "after_offer"}, headers=HTMX)
    assert again.status_code == 409
    browser.post(f"{home}/followups/{one.id}", data={"deed": "unbegin"}, headers=HTMX)
    assert _read(engine, one.id).stop_reason == StopReason.TAKEN_BACK
    browser.post(f"{home}/followups", data={"sequence": "after_offer"}, headers=HTMX)
    assert f'href="/deals/{deal_id}"' in signed_in("head").get("/sequences/after_offer").text
