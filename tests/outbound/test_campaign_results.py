"""What came of a mailing is counted to it, and the variant that does better goes to the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from core import campaign_results, campaign_verbs, defaults
from core.campaign_results import Variant, winner
from core.campaigns import CampaignRecipient
from core.context import Context
from core.conversations import Conversation, Direction, Message
from core.csvcells import safe
from core.deals import Deal, default_pipeline, first_stage
from core.labels import Classification
from core.outbox import Delivery
from core.tabular import write_csv
from outbound.channels.memory import MemoryChannel
from outbound.unsubscribe import Unsubscriber
from tests.outbound.audiences import SALUTATION, TEXTS, mailing, move, now, people, recipients, started
from tests.outbound.conftest import Company, send_all


def answered(context: Context, contact_id: int, intent: str, machine: str | None = None) -> None:
    """A contact's answer to the mailing's letter, as intake files it."""
    with context.transaction() as session:
        delivery = session.scalars(select(Delivery).where(Delivery.contact_id == contact_id)).one()
        talk = Conversation(subject="Rudens pasiūlymas", contact_id=contact_id)
        session.add(talk)
        session.flush()
        message = Message(
            conversation_id=talk.id, contact_id=contact_id, direction=Direction.IN, machine=machine
        )
        session.add(message)
        session.flush()
        session.add(Classification(message_id=message.id, intent=intent))
        delivery.conversation_id = talk.id


def contacts(context: Context, campaign_id: int, variant: str | None = None) -> list[int]:
    """Who got a variant."""
    with context.transaction() as session:
        query = select(CampaignRecipient.contact_id).where(CampaignRecipient.campaign_id == campaign_id)
        if variant is not None:
            query = query.where(CampaignRecipient.variant == variant)
        return list(session.scalars(query.order_by(CampaignRecipient.contact_id)))


async def test_answers_deals_bounces_and_opt_outs_are_counted_to_the_mailing(company: Company):
    context = company()
    number = started(context, 30)
    move(context)
    await send_all(context, MemoryChannel())
    ids = contacts(context, number)
    answered(context, ids[0], "price_request")
    answered(context, ids[1], "price_request")
    answered(context, ids[2], "refusal")
    answered(context, ids[3], "out_of_office", machine="out_of_office")
    with context.transaction() as session:
        defaults.install(session)
        pipeline = default_pipeline(session)
        stage = first_stage(session, pipeline.id)
        session.add(Deal(contact_id=ids[0], pipeline_id=pipeline.id, stage_id=stage.id))
        session.execute(update(Delivery).where(Delivery.contact_id == ids[5]).values(state="bounced"))
        delivery = session.scalars(select(Delivery).where(Delivery.contact_id == ids[6])).one()
        links = Unsubscriber("f" * 64, "https://desk.example.lt")
        links.follow(session, links.token(delivery.address, delivery.id))
    move(context)
    with context.transaction() as session:
        made = campaign_verbs.get(session, number)
        results = campaign_results.of(session, made)
        days = campaign_results.over_time(session, made, "Europe/Vilnius")
        assert campaign_results.by_segment(session, made) == [(None, 29, 3)]
    assert (results.recipients, results.arrived, results.bounced) == (30, 29, 1)
    assert (results.replied, dict(results.replies)) == (3, {"price_request": 2, "refusal": 1})
    assert (results.deals, results.won, results.opted_out) == (1, 0, 1)
    assert sum(sent for _, sent, _ in days) == 30
    assert sum(replied for _, _, replied in days) == 3


async def test_the_variant_with_more_answers_goes_to_the_rest(company: Company):
    context, channel = company(), MemoryChannel()
    with context.transaction() as session:
        made = mailing(session, people(session, 200), test_percent=30, test_hours=5)
        for language, (_, body) in TEXTS.items():
            campaign_verbs.write(
                session, made, language, variant="B", subject=f"Variant B {language}", body=SALUTATION + body
            )
        campaign_verbs.start(session, made, now=now(session))
        number, begun = made.id, now(session)
    move(context)
    await send_all(context, channel)
    tested = len(channel.sent)
    assert 30 <= tested <= 90
    for one in contacts(context, number, "B")[:8]:
        answered(context, one, "price_request")
    move(context)
    for minutes in range(50, 250, 50):
        move(context, at=begun + timedelta(minutes=minutes))
    assert recipients(context, number)["waiting"] == 200 - tested
    for minutes in range(250, 451, 50):
        move(context, at=begun + timedelta(minutes=minutes))
    with context.transaction() as session:
        made = campaign_verbs.get(session, number)
        assert made.winner == "B"
        assert "8 of" in made.winner_reason
        session.execute(text("update delivery set due_at = now() where state = 'queued'"))
    await send_all(context, channel)
    assert len(channel.sent) == 200
    assert len({letter.recipients[0] for letter in channel.sent}) == 200


@pytest.mark.parametrize(
    ("variants", "chosen", "word"),
    [
        ([], "A", "nobody"),
        ([Variant("A", 100, 2), Variant("B", 100, 30)], "B", "30 of 100"),
        ([Variant("A", 100, 5), Variant("B", 100, 6)], "B", "chance"),
        ([Variant("A", 50, 5), Variant("B", 50, 5)], "A", "equal"),
        ([Variant("A", 0, 0), Variant("B", 10, 0)], "A", "equal"),
        ([Variant("B", 10, 1)], "B", "1 of 10"),
    ],
)
def test_the_winner_is_named_with_an_honest_reason(variants: list[Variant], chosen: str, word: str):
    name, reason = winner(variants)
    assert name == chosen
    assert word in reason


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+370",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "\u200b=1",
        " =1",
        "|x",
        "%x",
    ],
)
def test_no_cell_of_an_export_can_be_a_formula(cell: str):
    """B45."""
    assert safe(cell).startswith("'")


@given(st.text(max_size=60))
def test_any_cell_is_kept_or_marked_and_never_lost(cell: str):
    shown = safe(cell)
    assert shown.removeprefix("'").replace("\0", "") in (cell.replace("\0", ""), cell.replace("\0", "")[1:])
    assert shown[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")


async def test_the_export_has_every_recipient_and_no_formula(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 3)
        session.execute(
            text("update contact set name = '=cmd|''/C calc''!A0' where id = :id"), {"id": ids[0]}
        )
        made = mailing(session, ids)
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    with context.transaction() as session:
        rows = campaign_results.recipients(session, campaign_verbs.get(session, number))
        sheet = write_csv(campaign_results.COLUMNS, rows).decode("utf-8-sig")
    lines = sheet.split("\r\n")
    assert len(lines) == 5
    assert lines[0].startswith("name;company;address")
    assert lines[1].startswith("'=cmd")
