"""Entering a stage sends its document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.conversations import Conversation
from core.deals import Stage
from core.letters import NoAddress, NothingToOffer, deal_values
from core.outbox import Delivery
from core.stages import enter_stage
from tests.core.people import client, colleague, deal_with_lines, letter


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def test_the_offer_is_queued_with_its_lines_and_sums(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    _, delivery_id = enter_stage(session, deal, _stage(session, "commercial_offer"), staff=rasa)
    delivery = session.get(Delivery, delivery_id)
    assert delivery is not None
    assert (delivery.template, delivery.language, delivery.documents) == (
        "commercial_offer",
        "lt",
        ["commercial_offer"],
    )
    assert delivery.values["deal"]["lines"][0] == {
        "product": "Siurblys CR", "article": "CR-10", "quantity": "3", "unit": "vnt.",
        "price": "499.99", "sum": "1499.97",
    }  # fmt: skip
    assert (delivery.values["deal"]["vat"], delivery.values["deal"]["total"]) == ("314.99", "1814.96")


def test_the_document_goes_into_the_deals_conversation(session: Session) -> None:
    contact = client(session)
    message = letter(session, contact)
    deal = deal_with_lines(session, contact)
    message.conversation.deal_id = deal.id
    session.flush()
    _, delivery_id = enter_stage(session, deal, _stage(session, "demo"))
    delivery = session.get(Delivery, delivery_id)
    assert delivery is not None
    assert (delivery.conversation_id, delivery.in_reply_to) == (message.conversation_id, "1@vandenis.lt")


def test_a_stage_without_a_template_sends_nothing(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    assert enter_stage(session, deal, _stage(session, "contract"))[1] is None


def test_an_offer_without_products_is_refused_and_the_deal_stays(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.lines.clear()
    session.flush()
    with pytest.raises(NothingToOffer):
        enter_stage(session, deal, _stage(session, "commercial_offer"))
    session.refresh(deal)
    assert deal.stage.key == "first_contact"


def test_a_contact_without_an_address_is_refused_and_the_deal_stays(session: Session) -> None:
    contact = client(session)
    deal = deal_with_lines(session, contact)
    for point in list(contact.points):
        session.delete(point)
    session.flush()
    session.expire(contact)
    with pytest.raises(NoAddress):
        enter_stage(session, deal, _stage(session, "commercial_offer"))
    session.refresh(deal)
    assert deal.stage.key == "first_contact"


def test_the_first_letter_of_a_deal_begins_a_conversation(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    _, delivery_id = enter_stage(session, deal, _stage(session, "demo"))
    delivery = session.get(Delivery, delivery_id)
    assert delivery is not None
    conversation = session.get_one(Conversation, delivery.conversation_id)
    assert (conversation.deal_id, conversation.subject, conversation.waiting) == (deal.id, "Siurbliai", False)


def test_without_one_of_its_own_the_document_goes_into_the_clients_newest_conversation(
    session: Session,
) -> None:
    contact = client(session)
    message = letter(session, contact)
    deal = deal_with_lines(session, contact)
    _, delivery_id = enter_stage(session, deal, _stage(session, "demo"))
    delivery = session.get(Delivery, delivery_id)
    assert delivery is not None
    assert delivery.conversation_id == message.conversation_id


def test_ten_pieces_are_written_as_ten(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.lines[0].quantity = Decimal("10.000")
    values = deal_values(deal, "ru", date(2026, 11, 22))
    assert (values["lines"][0]["quantity"], values["lines"][0]["unit"]) == ("10", "шт.")
