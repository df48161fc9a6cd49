"""Stored letters become history: contacts, conversations, deals, assignments and acknowledgements."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core import staff
from core.accounts import Account, Contact, ContactPoint
from core.config import Settings
from core.context import Context
from core.conversations import Conversation
from core.deals import Deal
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery
from core.routing import Assignment
from tests.inbound import posting
from tests.inbound.posting import letter, messages, run


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    context = Context(settings=posting.mail_settings(settings), engine=engine)
    with context.transaction() as session:
        posting.install(session)
        staff.add(session, email="jonas@siurbliai.example", name="Jonas", team="Sales", speaks=["lt", "en"])
        staff.add(session, email="inga@siurbliai.example", name="Inga", team="Support", speaks=["lt", "ru"])
    return context


def test_letter_from_nobody_we_know_becomes_a_client_with_a_deal(context: Context) -> None:
    outcome = run(context, [letter()])

    assert (outcome.understood, outcome.failed) == (1, 0)
    with context.transaction() as session:
        contact = session.scalars(sa.select(Contact)).one()
        assert contact.name == "Ona Petraitė"
        assert contact.account is not None
        assert contact.account.name == "Vandenis"
        conversation = session.scalars(sa.select(Conversation)).one()
        assert conversation.contact_id == contact.id
        assert conversation.intent == "price_request"
        deal = session.scalars(sa.select(Deal)).one()
        assert (deal.account_id, conversation.deal_id) == (contact.account_id, deal.id)
        assert deal.stage.key == "first_contact"
        assignment = session.scalars(sa.select(Assignment)).one()
        assert assignment.staff_member is not None
        assert (assignment.staff_member.name, assignment.rule) == ("Jonas", "topic_team")
        delivery = session.scalars(sa.select(Delivery)).one()
        assert (delivery.address, delivery.template) == ("ona@vandenis.lt", "acknowledgement")
        (message,) = messages(session)
        assert deal.trigger_message_id == message.id
        assert [one["step"] for one in message.trail] == [
            "parse", "screen", "recognise", "thread", "classify", "file", "file", "assign", "acknowledge",
        ]  # fmt: skip
        assert session.scalars(sa.select(RawMessage.state)).one() == IntakeState.UNDERSTOOD


def test_free_mail_makes_no_account(context: Context) -> None:
    run(context, [letter(sender="Ona <ona@gmail.com>")])

    with context.transaction() as session:
        assert session.scalars(sa.select(Account)).all() == []
        assert session.scalars(sa.select(ContactPoint.value)).all() == ["ona@gmail.com"]
