"""A small company with staff, clients and letters in three languages, for tests and pictures of the
screens.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func
from sqlalchemy.orm import Session

from core import defaults, notices, outbox
from core.catalogue import Product, ProductInterest
from core.clock import now
from core.consent import Scope, SuppressionReason, suppress
from core.conversations import ConversationState
from core.deals import Deal, DealLine, Stage, default_pipeline, open_deal
from core.intake import IntakeState, Mailbox
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from tests.factories import World, add_client, add_staff, keep_raw, talk


def company(session: Session) -> World:
    """The whole company: seven people, five clients, a dozen conversations, a deal, sends in several
    states."""
    world = World()
    defaults.install(session)
    add_staff(session, world)
    _products(session, world)
    _talks(session, world)
    _deal(session, world)
    _troubles(session, world)
    session.flush()
    return world


def _products(session: Session, world: World) -> None:
    names = {
        "pump-cr": {
            "en": "Vertical pump CR 32",
            "ru": "Вертикальный насос CR 32",
            "lt": "Vertikalus siurblys CR 32",
        },
        "filter-f2": {"en": "Filter F2", "ru": "Фильтр F2", "lt": "Filtras F2"},
        "panel-s": {"en": "Control panel S", "ru": "Шкаф управления S", "lt": "Valdymo skydas S"},
    }
    for key, given in names.items():
        world.products[key] = Product(key=key, names=given, articles=[key.upper()], price=Decimal("1250.00"))
        session.add(world.products[key])
    session.flush()


HTML_LETTER = """<html><head><style>p{color:#00f}</style></head><body><p>Gerb. Rūta,</p>
<p>prašome <b>komercinio pasiūlymo</b>:</p><table border=1><tr><th>Prekė</th><th>Kiekis</th></tr>
<tr><td>Siurblys CR 32</td><td>4 vnt.</td></tr></table><img src="https://track.example/p.gif" alt="Logotipas">
<p><a href="https://vandenis.example">vandenis.example</a></p><script>alert(1)</script></body></html>"""


def _talks(session: Session, world: World) -> None:
    people = world.staff
    vandenis = add_client(
        session,
        world,
        "vandenis",
        "UAB „Vandenis“",
        "Ona Žukauskaitė",
        language="lt",
        position="Tiekimo vadovė",
        curator="agent",
        industry="Vandentvarka",
        region="Vilnius",
    )
    stroy = add_client(
        session,
        world,
        "stroymash",
        "ООО «Строймаш»",
        "Сергей Ёлкин",
        language="ru",
        position="Главный инженер",
        curator="mate",
        industry="Строительство",
        region="Рига",
    )
    nordic = add_client(
        session,
        world,
        "nordicfoods",
        "Nordic Foods Ltd",
        "Emma Lindqvist",
        language="en",
        position="Plant manager",
        curator="agent",
        industry="Food",
        region="Tallinn",
    )
    baltic = add_client(
        session,
        world,
        "balticheat",
        "AB „Baltic Heat“",
        "Darius Šimkus",
        language="lt",
        position="Direktorius",
        industry="Energetika",
        region="Kaunas",
    )
    make = world.talks
    make["own"] = talk(
        session,
        subject="Komercinis pasiūlymas keturiems siurbliams CR 32",
        contact=vandenis,
        assignee=people["agent"],
        language="lt",
        intent="price_request",
        confidence=0.96,
        hours=0.4,
        text="Laba diena, Rūta,\n\nprašome pateikti komercinį pasiūlymą keturiems vertikaliems siurbliams "
        "CR 32 su "
        "valdymo skydu. Pristatymas į Vilnių, pageidautina iki kito mėnesio 15 d.\n\nAr galite nurodyti ir "
        "garantijos sąlygas?\n",
        quoted="> 2026-11-12 10:15, Rūta Kazlauskienė rašė:\n> Ačiū už susidomėjimą, siunčiame katalogą.\n",
        signature="Pagarbiai\nOna Žukauskaitė\nUAB „Vandenis“, tiekimo vadovė",
        html=HTML_LETTER,
        pdf="Užklausa Nr. 118.pdf",
    )
    make["urgent"] = talk(
        session,
        subject="Nasos ne zapuskaetsya — Насос не запускается после промывки",
        contact=stroy,
        assignee=people["agent"],
        language="ru",
        intent="support_problem",
        confidence=0.88,
        urgency="high",
        hours=1.2,
        text="Добрый день!\n\nПосле промывки фильтра насос не запускается, на шкафу горит ошибка E4. "
        "Линия стоит, просим перезвонить как можно скорее.\n",
    )
    make["english"] = talk(
        session,
        subject="Demo of the control panel next week?",
        contact=nordic,
        assignee=people["agent"],
        language="en",
        intent="demo_request",
        confidence=0.91,
        hours=3,
        text="Hello,\n\nwe are rebuilding our cooling line in Tallinn and would like to see the control "
        "panel at work. "
        "Would Tuesday or Wednesday next week suit you?\n\nBest regards,\nEmma\n",
    )
    make["team"] = talk(
        session,
        subject="Запрос каталога и сроков поставки фильтров F2",
        contact=stroy,
        assignee=people["mate"],
        language="ru",
        intent="document_request",
        confidence=0.83,
        hours=5,
        text="Здравствуйте! Пришлите, пожалуйста, каталог фильтров F2 и сроки поставки в Ригу.\n",
    )
    make["unsure"] = talk(
        session,
        subject="Re: Dėl mūsų pokalbio",
        contact=baltic,
        assignee=people["agent"],
        language="lt",
        intent=None,
        hours=20,
        text="Sveiki, kaip ir tarėmės, laukiu žinių.\n",
    )
    make["other"] = talk(
        session,
        subject="Sąskaita Nr. 2210 apmokėta du kartus",
        contact=baltic,
        assignee=people["other"],
        language="lt",
        intent="invoice_payment",
        confidence=0.97,
        hours=26,
        text="Laba diena, pastebėjome, kad sąskaitą Nr. 2210 apmokėjome du kartus. Prašome grąžinti "
        "permoką.\n",
    )
    make["support"] = talk(
        session,
        subject="Error E4 on the panel",
        contact=nordic,
        assignee=people["support"],
        language="en",
        intent="support_problem",
        confidence=0.9,
        hours=30,
        text="The panel shows E4 after the power cut. What now?\n",
    )
    make["none"] = talk(
        session,
        subject="Partnership proposal",
        language="en",
        intent="supplier_offer",
        confidence=0.72,
        hours=7,
        text="Dear Sir or Madam, we produce shaft seals and would be glad to supply you.\n",
    )
    make["curated"] = talk(
        session,
        subject="Contract: two changes to clause 4",
        contact=nordic,
        assignee=people["other"],
        language="en",
        intent="contract",
        confidence=0.94,
        hours=49,
        text="Please find two changes to clause 4 of the contract.\n",
    )
    make["done"] = talk(
        session,
        subject="Ačiū už greitą atsakymą",
        contact=vandenis,
        assignee=people["agent"],
        language="lt",
        intent="positive_reply",
        confidence=0.89,
        hours=120,
        text="Ačiū, viskas aišku.\n",
        state=ConversationState.DONE,
    )


def _deal(session: Session, world: World) -> None:
    conversation = world.talks["own"]
    pipeline = default_pipeline(session)
    deal = open_deal(
        session,
        contact=conversation.contact,
        account=conversation.account,
        title="Siurbliai Vilniaus stočiai",
        owner_id=world.staff["agent"].id,
        reason="inquiry",
    )
    stage = session.query(Stage).filter_by(pipeline_id=pipeline.id, key="technical_proposal").one()
    deal.stage = stage
    deal.stage_entered_at = now() - timedelta(days=9)
    deal.need = "Keturi siurbliai su valdymo skydu stočiai Vilniuje."
    pump = world.products["pump-cr"]
    session.add(DealLine(deal_id=deal.id, product_id=pump.id, quantity=Decimal(4), price=Decimal("1250.00")))
    conversation.deal_id = deal.id
    session.add(
        ProductInterest(
            product_id=pump.id,
            contact_id=conversation.contact_id,
            account_id=conversation.account_id,
            confidence=0.9,
            reason="CR 32",
        )
    )
    session.flush()
    session.refresh(deal, ["lines"])
    assert isinstance(deal, Deal)


def _troubles(session: Session, world: World) -> None:
    contact = world.talks["urgent"].contact
    assert contact is not None
    for key, state in (("queued", DeliveryState.QUEUED), ("uncertain", DeliveryState.UNCERTAIN)):
        number = outbox.queue(
            session,
            Draft(
                key=f"answer:factory:{key}",
                address=contact.email or "",
                purpose=Purpose.ANSWER,
                automatic=False,
                recipient_name=contact.name,
                contact_id=contact.id,
                conversation_id=world.talks["urgent"].id,
                staff_id=world.staff["agent"].id,
                template="answer",
                language="ru",
                subject="Насос не запускается после промывки",
                body="Сергей, перезвоню в течение получаса. Пока не включайте насос повторно.",
            ),
        )
        assert number is not None
        world.deliveries[key] = number
        if state == DeliveryState.UNCERTAIN:
            row = session.get_one(Delivery, number)
            row.state, row.settled_at = state, now() - timedelta(minutes=40)
            row.error = "Connection lost after the final dot"
    suppress(
        session,
        contact.points[0].kind.value,
        "info@balticheat.example",
        scope=Scope.MARKETING,
        reason=SuppressionReason.UNSUBSCRIBED,
        source="reply",
    )
    world.raws["stuck"] = keep_raw(
        session,
        b"From: =?utf-8?B?w?= <broken@sender.example>\r\nSubject: =?koi8-r?B?5Q==\r\n\r\n\xff\xfe<b>body</b>",
        IntakeState.QUARANTINED,
        error="UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0",
        attempts=3,
    )
    fetched = func.now() - timedelta(seconds=40)
    session.add_all(
        [
            Mailbox(
                name="sales",
                address="sales@siurbliai.example",
                last_uid=5120,
                last_fetched_at=fetched,
                last_message_at=fetched,
            ),
            Mailbox(
                name="support",
                address="support@siurbliai.example",
                last_uid=40,
                backlog=12,
                last_fetched_at=func.now() - timedelta(hours=2),
                error="A server refused the user name or password.",
                failing_since=func.now() - timedelta(hours=2),
            ),
        ]
    )
    notices.raise_alarm(session, "mailbox_failing", "support", "A server refused the user name or password.")
