"""The deal at the desk: its products and terms, the stage the client's letter speaks for, opened by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core import clock, sequences
from core.conversations import Conversation, Message
from core.db import transaction
from core.deals import Deal, DealLine, Stage
from core.outbox import Delivery
from core.tasks import Task
from desk.live import Hub
from desk.pages.stream import shown_of_deal
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


def _stage(engine: sa.Engine, key: str) -> int:
    with transaction(engine) as session:
        return session.scalars(sa.select(Stage.id).where(Stage.key == key)).one()


def _deal(engine: sa.Engine, world: World, talk: str = "own") -> Deal:
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks[talk].id)
        query = sa.select(Deal).where(Deal.id == conversation.deal_id).options(selectinload(Deal.lines))
        return session.scalars(query).one()


def _lines(engine: sa.Engine, world: World, talk: str = "own") -> list[tuple[Decimal, Decimal]]:
    return [(line.quantity, line.price) for line in _deal(engine, world, talk).lines]


def _save(browser: Browser, world: World, talk: str = "own", **given: object) -> str:
    answer = browser.post(f"/conversations/{world.talks[talk].id}/deal", data=given, headers=HTMX)
    assert answer.status_code == 200
    return answer.text


def test_the_card_shows_products_with_their_sums(signed_in: SignedIn, world: World) -> None:
    text = signed_in("agent").get(f"/conversations/{world.talks['own'].id}").text
    assert "Suma be PVM" in text
    assert "5\u00a0000,00\u00a0€" in text


def test_the_sheet_shows_sum_vat_and_total_in_the_readers_forms(signed_in: SignedIn, world: World) -> None:
    number = world.talks["own"].id
    lithuanian = signed_in("agent").get(f"/conversations/{number}/deal", headers=HTMX).text
    for part in ("PVM 21\u00a0%", "5\u00a0000,00\u00a0€", "1\u00a0050,00\u00a0€", "6\u00a0050,00\u00a0€"):
        assert part in lithuanian, part
    assert "€6,050.00" in signed_in("head").get(f"/conversations/{number}/deal", headers=HTMX).text


def test_a_product_is_added_at_the_price_of_the_catalogue(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    product = world.products["filter-f2"].id
    text = _save(signed_in("agent"), world, do="add", product_id=product, quantity="2", price="")
    assert "Filtras F2" in text
    assert _lines(engine, world) == [
        (Decimal(4), Decimal("1250.00")),
        (Decimal(2), Decimal("1250.00")),
    ]


def test_the_price_of_the_catalogue_is_at_hand_before_anything_is_sent(
    signed_in: SignedIn, world: World
) -> None:
    text = signed_in("agent").get(f"/conversations/{world.talks['own'].id}/deal", headers=HTMX).text
    assert f'value="{world.products["filter-f2"].id}" data-price="1250,00"' in text
    assert 'name="quantity" value="1"' in text


@pytest.mark.parametrize(
    ("who", "written", "meant"),
    [
        ("agent", "1 190,50", "1190.50"),
        ("agent", "1190.5", "1190.50"),
        ("head", "1,190.50", "1190.50"),
        ("head", "1,190", "1190.00"),
        ("mate", "1190,50", "1190.50"),
    ],
)
def test_quantity_and_price_are_changed_as_people_write_numbers(
    signed_in: SignedIn, engine: sa.Engine, world: World, who: str, written: str, meant: str
) -> None:
    line = _deal(engine, world).lines[0].id
    with transaction(engine) as session:
        session.get_one(Conversation, world.talks["own"].id).assignee_id = world.staff[who].id
    _save(signed_in(who), world, do="save", **{f"quantity_{line}": "2.5", f"price_{line}": written})
    assert _lines(engine, world) == [(Decimal("2.5"), Decimal(meant))]


@pytest.mark.parametrize(
    ("quantity", "price"), [("0", "1"), ("-1", "1"), ("1", "-1"), ("viens", "1"), ("1", ""), ("1", "9" * 15)]
)
def test_a_bad_number_changes_nothing_and_stays_to_be_mended(
    signed_in: SignedIn, engine: sa.Engine, world: World, quantity: str, price: str
) -> None:
    line = _deal(engine, world).lines[0].id
    given = {f"quantity_{line}": quantity, f"price_{line}": price, "need": "naujas", "do": "save"}
    text = _save(signed_in("agent"), world, **given)
    assert 'role="alert"' in text
    assert f'value="{quantity}"' in text
    assert _lines(engine, world) == [(Decimal(4), Decimal("1250.00"))]


def test_a_product_is_taken_out_whatever_its_fields_hold(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    line = _deal(engine, world).lines[0].id
    _save(signed_in("agent"), world, remove=line, **{f"quantity_{line}": "x", f"price_{line}": ""})
    assert _lines(engine, world) == []


def test_a_line_of_another_deal_is_not_touched(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    signed_in("head").post(f"/conversations/{world.talks['english'].id}/deal/open", headers=HTMX)
    foreign = _deal(engine, world).lines[0].id
    _save(signed_in("head"), world, "english", remove=foreign)
    assert _lines(engine, world) == [(Decimal(4), Decimal("1250.00"))]


def test_need_solution_and_terms_are_kept(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    given = {
        "title": "Stotis Vilniuje",
        "need": "Keturi siurbliai.",
        "solution": "CR 32 su skydu.",
        "payment_terms": "30 dienų",
        "delivery_terms": "DAP Vilnius",
        "vat_rate": "9,5",
    }
    answer = signed_in("agent").post(
        f"/conversations/{world.talks['own'].id}/deal", data=given | {"do": "save"}, headers=HTMX
    )
    assert "asked" in json.loads(answer.headers["hx-trigger"])
    deal = _deal(engine, world)
    kept = {name: getattr(deal, name) for name in given}
    assert kept == given | {"vat_rate": Decimal("9.50")}


def test_an_offer_refused_for_want_of_products_leads_to_adding_one_and_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("head"), world.talks["english"].id
    offer = _stage(engine, "commercial_offer")
    browser.post(f"/conversations/{number}/deal/open", headers=HTMX)
    refused = browser.get(f"/conversations/{number}/move?stage={offer}", headers=HTMX).text
    assert "The deal has no products yet" in refused
    there = f"/conversations/{number}/deal?then={offer}"
    assert f'hx-get="{there}"' in refused
    assert f'name="then" value="{offer}"' in browser.get(there, headers=HTMX).text
    product = world.products["panel-s"].id
    onward = _save(browser, world, "english", then=offer, product_id=product, quantity="1", do="move")
    assert "Move and send" in onward
    assert "Control panel S" in onward
    browser.post(f"/conversations/{number}/move", data={"stage": offer}, headers=HTMX)
    with transaction(engine) as session:
        assert session.scalars(sa.select(Delivery.template).where(Delivery.conversation_id == number)).all()


def test_a_preview_refused_for_want_of_products_leads_to_them(signed_in: SignedIn, world: World) -> None:
    browser, number = signed_in("head"), world.talks["english"].id
    given = {"template": "technical_proposal", "language": "en"}
    there = f'href="/conversations/{number}/deal"'
    assert there not in browser.post(f"/conversations/{number}/preview", data=given, headers=HTMX).text
    browser.post(f"/conversations/{number}/deal/open", headers=HTMX)
    assert there in browser.post(f"/conversations/{number}/preview", data=given, headers=HTMX).text


def test_the_sheet_stands_as_a_page_without_a_script(signed_in: SignedIn, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    assert "<!doctype html>" in browser.get(f"/conversations/{number}/deal").text
    answer = browser.post(f"/conversations/{number}/deal", data={"do": "save"}, follow_redirects=False)
    assert answer.headers["location"] == f"/conversations/{number}"


def test_a_closed_deal_is_not_changed(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    won = {"outcome": "won", "win_reason": "terms"}
    browser.post(f"/conversations/{number}/close", data=won, headers=HTMX)
    answer = browser.post(
        f"/conversations/{number}/deal", data={"product_id": world.products["panel-s"].id}, headers=HTMX
    )
    assert answer.status_code == 409
    assert len(_lines(engine, world)) == 1


def test_a_deal_is_opened_by_hand_once(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["unsure"].id
    assert f"/conversations/{number}/deal/open" in browser.get(f"/conversations/{number}").text
    assert browser.post(f"/conversations/{number}/deal/open", headers=HTMX).status_code == 200
    assert browser.post(f"/conversations/{number}/deal/open", headers=HTMX).status_code == 409
    deal = _deal(engine, world, "unsure")
    assert (deal.owner_id, deal.source, deal.title) == (
        world.staff["agent"].id,
        "hand",
        "Re: Dėl mūsų pokalbio",
    )


def test_a_deal_needs_a_client(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, number = signed_in("head"), world.talks["none"].id
    assert f"/conversations/{number}/deal/open" not in browser.get(f"/conversations/{number}").text
    assert browser.post(f"/conversations/{number}/deal/open", headers=HTMX).status_code == 422


def test_support_sees_the_deal_and_is_offered_no_change(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["support"].id)
        conversation.deal_id = _deal(engine, world).id
    text = signed_in("support").get(f"/conversations/{world.talks['support'].id}").text
    assert "Vertical pump CR 32" in text
    assert "/deal" not in text


def test_the_stage_a_letter_speaks_for_is_offered_and_can_be_dismissed(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    contract = _stage(engine, "contract")
    with transaction(engine) as session:
        deal = session.get_one(Deal, _deal(engine, world).id)
        deal.proposed_stage_id = contract
        deal.proposed_by_message_id = session.scalars(
            sa.select(Message.id).where(Message.conversation_id == number)
        ).first()
    text = browser.get(f"/conversations/{number}").text
    assert "Kliento laiškas rodo, kad metas: Sutartis ir sąskaita" in text
    assert f'name="stage" value="{contract}"' in text
    browser.post(f"/conversations/{number}/deal/dismiss", headers=HTMX)
    assert _deal(engine, world).proposed_stage_id is None
    assert "Kliento laiškas rodo" not in browser.get(f"/conversations/{number}").text


def test_no_line_is_kept_that_nobody_sees(engine: sa.Engine, world: World, signed_in: SignedIn) -> None:
    line = _deal(engine, world).lines[0].id
    _save(signed_in("agent"), world, remove=line)
    with transaction(engine) as session:
        assert session.scalars(sa.select(DealLine)).all() == []


def test_a_deal_without_a_conversation_is_worked_on_and_closed_on_its_page(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    deal = _deal(engine, world)
    with transaction(engine) as session:
        session.execute(sa.update(Conversation).where(Conversation.deal_id == deal.id).values(deal_id=None))
        session.get_one(Deal, deal.id).proposed_stage_id = _stage(engine, "demo")
    browser, home = signed_in("agent"), f"/deals/{deal.id}"
    assert f'action="{home}/dismiss"' in browser.get(home).text
    browser.post(f"{home}/dismiss", headers=HTMX)
    assert f'hx-post="{home}/goods"' in browser.get(f"{home}/goods", headers=HTMX).text
    browser.post(f"{home}/goods", data={"title": "Siurbliai be laiško", "vat_rate": "21"}, headers=HTMX)
    stage = str(_stage(engine, "payment"))
    assert f'hx-post="{home}/move"' in browser.get(f"{home}/move?stage={stage}", headers=HTMX).text
    browser.post(f"{home}/move", data={"stage": stage, "silent": "1"}, headers=HTMX)
    browser.post(f"{home}/close", data={"outcome": "lost", "loss_reason": "price"}, headers=HTMX)
    with transaction(engine) as session:
        kept = session.get_one(Deal, deal.id)
        assert (kept.title, kept.proposed_stage_id, str(kept.stage_id)) == (
            "Siurbliai be laiško",
            None,
            stage,
        )
        assert (kept.outcome, kept.loss_reason) == ("lost", "price")


def test_a_deals_page_shows_its_follow_ups_and_tasks_and_steers_them(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    deal = _deal(engine, world)
    with transaction(engine) as session:
        sequence = sequences.current(session, "after_offer")
        assert sequence is not None
        assert deal.contact_id is not None
        one = sequences.enrol(
            session, sequence, contact_id=deal.contact_id, deal_id=deal.id,
            due_at=clock.now() + timedelta(days=3),
        )  # fmt: skip
        session.add(Task(title="Patikslinti kiekius", deal_id=deal.id, assignee_id=world.staff["other"].id))
        number = one.id
    browser = signed_in("agent")
    text = browser.get(f"/deals/{deal.id}", headers=HTMX).text
    assert "Patikslinti kiekius" in text
    there = f"/deals/{deal.id}/followups/{number}"
    assert f'hx-post="{there}"' in text
    assert browser.post(there, data={"deed": "stop"}, headers=HTMX).status_code < 400
    assert browser.post(f"/deals/{deal.id}/followups/{number + 1}", data={"deed": "stop"}).status_code == 404
    with transaction(engine) as session:
        assert session.get_one(sequences.Enrolment, number).state == "stopped"


def test_a_deals_page_hears_what_colleagues_do_in_its_conversations(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    deal = _deal(engine, world)
    page = signed_in("agent").get(f"/deals/{deal.id}").text
    assert f'data-stream="deal={deal.id}"' in page
    assert 'hx-trigger="conversation from:body"' in page
    hub = Hub()
    drawn = hub.place
    hub.publish(world.talks["own"].id, rings=())
    with transaction(engine) as session:
        shown = shown_of_deal(session, session.get_one(Deal, deal.id))
    assert world.talks["own"].id in shown
    assert _events_of(hub, shown, drawn) == ["hello", "inbox", "conversation"]


def _events_of(hub: Hub, shown: frozenset[int], since: str) -> list[str | None]:
    async def listen() -> list[str | None]:
        heard = []
        async with aclosing(hub.changes(shown, 1, since)) as stream:
            async for message in stream:
                heard.append(message.event)
                if message.event == "conversation":
                    break
        return heard

    return asyncio.run(asyncio.wait_for(listen(), 60))
