"""The rooms where work is done: inbox, conversation, answer and deal."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import outbox
from core.clock import now
from core.conversations import Conversation, ConversationState, Message
from core.db import transaction
from core.deals import Deal, Outcome, Stage, StageChange
from core.labels import Classification, Correction
from core.outbox import Delivery, DeliveryState, Draft
from tests.desk.conftest import SignedIn, fewest_queries
from tests.factories import World

HTMX = {"hx-request": "true"}


def _one(engine: sa.Engine, model: type, number: int) -> object:
    with transaction(engine) as session:
        return session.get_one(model, number)


def test_the_inbox_shows_what_was_routed_to_me_newest_first(signed_in: SignedIn) -> None:
    text = signed_in("agent").get("/inbox").text
    order = [
        text.index(part)
        for part in ("Komercinis pasiūlymas", "Demo of the control panel", "Dėl mūsų pokalbio")
    ]
    assert order == sorted(order)
    assert "Запрос каталога" not in text
    assert "96" in text


def test_the_inbox_shows_what_the_client_wrote_and_not_our_acknowledgement(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        talk = session.get_one(Conversation, world.talks["own"].id)
        draft = Draft("ack", "ona@vandenis.lt", template="acknowledgement", conversation_id=talk.id)
        session.add(
            Message(
                conversation_id=talk.id,
                direction="out",
                staff_id=world.staff["agent"].id,
                delivery_id=outbox.queue(session, draft),
                text="Your letter has reached us.",
                happened_at=now() + timedelta(minutes=5),
            )
        )
    text = signed_in("agent").get("/inbox").text
    assert f'id="c{talk.id}"' in text
    assert "Your letter has reached us." not in text


def test_a_conversation_is_unread_until_it_is_opened(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    number = world.talks["own"].id
    mark = f'<li class="row unread" id="c{number}"'
    assert mark in browser.get("/inbox").text
    browser.get(f"/conversations/{number}")
    assert mark not in browser.get("/inbox").text


def test_done_takes_a_conversation_out_of_the_inbox_and_undo_brings_it_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    answer = browser.post(f"/conversations/{number}/done", headers=HTMX)
    told = json.loads(answer.headers["hx-trigger"])
    assert "inbox" in told
    assert f'id="c{number}"' not in browser.get("/inbox").text
    browser.post(told["toast"]["undo"], headers=HTMX)
    assert f'id="c{number}"' in browser.get("/inbox").text


def test_done_twice_is_told_and_changes_nothing(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    browser.post(f"/conversations/{number}/done", headers=HTMX)
    answer = browser.post(f"/conversations/{number}/done", headers=HTMX)
    assert answer.status_code == 409
    assert json.loads(answer.headers["hx-trigger"])["toast"]["bad"] is True
    row = _one(engine, Conversation, number)
    assert isinstance(row, Conversation)
    assert row.state == ConversationState.DONE


def test_every_deed_works_without_javascript(signed_in: SignedIn, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    answer = browser.post(
        f"/conversations/{number}/done", data={"back": "/inbox?box=team"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/inbox?box=team"


def test_giving_a_conversation_away_can_be_undone(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    answer = browser.post(
        f"/conversations/{number}/assign", data={"staff_id": world.staff["mate"].id}, headers=HTMX
    )
    row = _one(engine, Conversation, number)
    assert isinstance(row, Conversation)
    assert row.assignee_id == world.staff["mate"].id
    toast = json.loads(answer.headers["hx-trigger"])["toast"]
    browser.post(toast["undo"], data=toast["values"], headers=HTMX)
    row = _one(engine, Conversation, number)
    assert isinstance(row, Conversation)
    assert row.assignee_id == world.staff["agent"].id


def test_the_list_goes_on_below(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        for number in range(70):
            session.add(
                Conversation(
                    subject=f"Letter {number}", assignee_id=world.staff["agent"].id, team_id=1, language="en"
                )
            )
    browser = signed_in("agent")
    first = browser.get("/inbox").text
    assert first.count('class="row-link"') == 50
    more = first.split('hx-get="/inbox?box=mine&amp;before=')[1].split('"')[0]
    second = browser.get(f"/inbox?box=mine&before={more}", headers=HTMX).text
    assert second.count('class="row-link"') == 24


@pytest.mark.parametrize("box", ["nonsense", "mine'--"])
def test_a_shelf_that_does_not_exist_is_not_found(signed_in: SignedIn, box: str) -> None:
    assert signed_in("agent").get("/inbox", params={"box": box}).status_code == 404


def test_a_bad_place_in_the_list_is_told(signed_in: SignedIn) -> None:
    assert signed_in("agent").get("/inbox?before=yesterday").status_code == 422


def test_the_inbox_takes_the_same_number_of_queries_however_long_it_is(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    few = fewest_queries(engine, lambda: browser.get("/inbox"))
    with transaction(engine) as session:
        session.add_all(
            Conversation(subject=str(n), assignee_id=world.staff["agent"].id, language="en")
            for n in range(40)
        )
    assert fewest_queries(engine, lambda: browser.get("/inbox")) == few <= 8


def test_a_conversation_shows_letter_client_deal_and_reasons(signed_in: SignedIn, world: World) -> None:
    text = signed_in("agent").get(f"/conversations/{world.talks['own'].id}").text
    for part in (
        "Ar galite nurodyti",
        "UAB „Vandenis“",
        "+37061234567",
        "Techninis pasiūlymas",
        "9 iš 7 d.",
        "Vertikalus siurblys CR 32",
        "kliento kuratorius",
        "Užklausa Nr. 118.pdf",
        "Cituojamas tekstas",
    ):
        assert part in text, part


def test_the_same_conversation_speaks_russian_to_who_reads_russian(signed_in: SignedIn, world: World) -> None:
    text = signed_in("mate").get(f"/conversations/{world.talks['own'].id}").text
    for part in (
        "Запрос цены",
        "Техническое предложение",
        "Почему здесь",
        "Вертикальный насос CR 32",
        "9 из 7 дн.",
    ):
        assert part in text, part


def test_the_topic_is_corrected_in_one_press_and_teaches(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["unsure"].id
    with transaction(engine) as session:
        message = session.scalars(sa.select(Message.id).where(Message.conversation_id == number)).one()
    browser.post(
        f"/conversations/{number}/intent", data={"message_id": message, "intent": "meeting"}, headers=HTMX
    )
    with transaction(engine) as session:
        assert session.scalars(sa.select(Correction.value)).all() == ["meeting"]
        assert session.get_one(Conversation, number).intent == "meeting"
        known = session.scalars(sa.select(Classification).where(Classification.message_id == message)).one()
        assert known.reviewed_at is not None


def test_a_letter_of_another_conversation_cannot_be_corrected_through_mine(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        foreign = session.scalars(
            sa.select(Message.id).where(Message.conversation_id == world.talks["other"].id)
        ).one()
    answer = signed_in("agent").post(
        f"/conversations/{world.talks['own'].id}/intent", data={"message_id": foreign, "intent": "order"}
    )
    assert answer.status_code == 404


def test_the_preview_reads_as_the_letter_will(signed_in: SignedIn, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    given = {
        "body": "Pasiūlymą atsiųsime rytoj.",
        "language": "lt",
        "template": "answer",
        "subject": "Pasiūlymas",
    }
    text = browser.post(f"/conversations/{number}/preview", data=given, headers=HTMX).text
    assert "Pasiūlymą atsiųsime rytoj." in text
    assert "Rūta Kazlauskienė" in text
    assert "Šiaurės siurbliai" in text


@pytest.mark.parametrize(("language", "word"), [("lt", "Komercinis"), ("ru", "предложение"), ("en", "offer")])
def test_a_template_is_previewed_in_each_language(
    signed_in: SignedIn, world: World, language: str, word: str
) -> None:
    given = {"template": "commercial_offer", "language": language}
    text = (
        signed_in("agent")
        .post(f"/conversations/{world.talks['own'].id}/preview", data=given, headers=HTMX)
        .text
    )
    assert word in text
    assert "6" in text


def test_an_offer_without_products_says_what_is_missing(signed_in: SignedIn, world: World) -> None:
    given = {"template": "commercial_offer", "language": "en"}
    number = world.talks["english"].id
    text = signed_in("head").post(f"/conversations/{number}/preview", data=given, headers=HTMX).text
    assert "The deal has no products yet" in text


def test_an_answer_is_queued_once_however_often_it_is_pressed(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    given = {"key": "once", "body": "Pasiūlymą atsiųsime rytoj.", "language": "lt", "template": "answer"}
    for _ in range(3):
        browser.post(f"/conversations/{number}/answer", data=given, headers=HTMX)
    with transaction(engine) as session:
        sent = session.scalars(sa.select(Delivery).where(Delivery.conversation_id == number)).all()
        assert [(one.address, one.automatic, one.staff_id) for one in sent] == [
            ("info@vandenis.example", False, world.staff["agent"].id)
        ]
    assert "Eilėje" in browser.get(f"/conversations/{number}").text


def test_an_empty_answer_is_refused(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    number = world.talks["own"].id
    answer = signed_in("agent").post(
        f"/conversations/{number}/answer", data={"key": "k", "body": "  "}, headers=HTMX
    )
    assert answer.status_code == 422


def test_a_suppressed_address_is_warned_of(signed_in: SignedIn, world: World) -> None:
    text = signed_in("head").get(f"/conversations/{world.talks['unsure'].id}").text
    assert "The address is on the suppression list: unsubscribed from mailings." in text


def test_what_has_not_left_can_be_cancelled(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("agent"), world.deliveries["queued"]
    browser.post(f"/deliveries/{number}/cancel", headers=HTMX)
    row = _one(engine, Delivery, number)
    assert isinstance(row, Delivery)
    assert row.state == DeliveryState.CANCELLED


def test_moving_a_deal_is_shown_before_it_is_done(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        offer = session.scalars(sa.select(Stage).where(Stage.key == "commercial_offer")).one().id
        before = session.scalar(sa.select(sa.func.count()).select_from(StageChange))
    browser, number = signed_in("agent"), world.talks["own"].id
    text = browser.get(f"/conversations/{number}/move?stage={offer}").text
    assert "info@vandenis.example" in text
    assert "Vertikalus siurblys CR 32" in text
    with transaction(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(StageChange)) == before
        assert session.scalar(sa.select(Delivery.id).where(Delivery.template == "commercial_offer")) is None
    browser.post(f"/conversations/{number}/move", data={"stage": offer}, headers=HTMX)
    with transaction(engine) as session:
        assert session.scalars(sa.select(Deal.stage_id)).one() == offer
        assert (
            session.scalar(sa.select(Delivery.id).where(Delivery.template == "commercial_offer")) is not None
        )


def test_a_deal_can_move_without_a_letter(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        offer = session.scalars(sa.select(Stage).where(Stage.key == "commercial_offer")).one().id
    number = world.talks["own"].id
    signed_in("agent").post(
        f"/conversations/{number}/move", data={"stage": offer, "silent": "1"}, headers=HTMX
    )
    with transaction(engine) as session:
        assert session.scalars(sa.select(Deal.stage_id)).one() == offer
        assert session.scalar(sa.select(Delivery.id).where(Delivery.template == "commercial_offer")) is None


def test_a_lost_deal_needs_its_reason(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    assert browser.post(f"/conversations/{number}/close", data={"outcome": "lost"}).status_code == 422
    browser.post(f"/conversations/{number}/close", data={"outcome": "lost", "loss_reason": "price"})
    with transaction(engine) as session:
        assert session.scalars(sa.select(Deal.outcome)).one() == Outcome.LOST
