"""Stored letters become history: contacts, conversations, deals, assignments and acknowledgements."""

from __future__ import annotations

import json
from collections.abc import Sequence

import psycopg
import pytest
import sqlalchemy as sa

from classifier.classify import Labels, ProductTerms, Text
from core import consent, intake, intakework, staff
from core.accounts import Account, Channel, Contact, ContactPoint
from core.catalogue import Product, ProductInterest
from core.config import Settings
from core.consent import Scope, SuppressionReason
from core.context import Context
from core.conversations import Conversation
from core.deals import Deal
from core.intake import IntakeRun, IntakeState, RawMessage
from core.outbox import Delivery
from core.routing import Assignment
from inbound.pipeline import understand
from inbound.readers import ReadersHere
from inbound.work import Tools
from tests.inbound import posting
from tests.inbound.posting import Keywords, letter, messages, run


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


def test_two_letters_of_one_new_client_make_one_contact_and_one_deal(context: Context) -> None:
    run(context, [letter(), letter(message_id="<a2@vandenis.lt>", subject="Kitos kainos")])

    with context.transaction() as session:
        assert len(session.scalars(sa.select(Contact)).all()) == 1
        deal = session.scalars(sa.select(Deal)).one()
        assert set(session.scalars(sa.select(Conversation.deal_id))) == {deal.id}
        assert len(session.scalars(sa.select(Delivery)).all()) == 1


def test_letter_of_another_employee_belongs_to_the_same_account_and_deal(context: Context) -> None:
    run(context, [letter()])
    run(context, [letter(sender="petras@vandenis.lt", message_id="<p@vandenis.lt>", subject="Kainos?")])

    with context.transaction() as session:
        assert len(session.scalars(sa.select(Account)).all()) == 1
        assert len(session.scalars(sa.select(Contact)).all()) == 2
        assert len(session.scalars(sa.select(Deal)).all()) == 1


def test_letter_that_wants_nothing_opens_no_deal_and_gets_no_answer(context: Context) -> None:
    run(context, [letter(text="Ačiū, viską gavome.", subject="Laiškas")])

    with context.transaction() as session:
        assert session.scalars(sa.select(Deal)).all() == []
        assert session.scalars(sa.select(Delivery)).all() == []


def test_interest_in_a_product_is_noted(context: Context) -> None:
    with context.transaction() as session:
        session.add(Product(key="pump", names={"lt": "siurblys"}, terms={"lt": ["siurbli"]}))
    run(context, [letter()])

    with context.transaction() as session:
        interest = session.scalars(sa.select(ProductInterest)).one()
        assert interest.message_id is not None
        assert interest.account_id is not None


def test_wish_not_to_be_written_to_stops_mailings(context: Context) -> None:
    run(context, [letter(text="Prašau, nebesiųskite man reklamos.", subject="Stop")])

    with context.transaction() as session:
        suppression = consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt")
        assert suppression is not None
        assert (suppression.scope, suppression.reason) == (Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)


def test_what_a_database_cannot_hold_is_replaced_and_the_letter_filed(context: Context) -> None:
    raw = letter(text="kaina").replace(b"kaina", b"kai\0na \xed\xa0\x80")
    run(context, [raw.replace(b"Siurb", b"S\0")])

    with context.transaction() as session:
        (message,) = messages(session)
        assert "\0" not in message.text + message.subject


def test_letter_nobody_can_read_is_quarantined_after_three_attempts_and_may_run_again(
    context: Context,
) -> None:
    outcome = run(context, [b"\r\n \r\n"])

    assert (outcome.failed, outcome.quarantined) == (3, 1)
    with context.transaction() as session:
        raw = session.scalars(sa.select(RawMessage)).one()
        assert raw.state == IntakeState.QUARANTINED
        assert raw.error == "There is nothing in this letter that can be read."
        intake.run_again(session, raw.id)
    assert run(context).quarantined == 1


def test_bad_letter_stops_no_other(context: Context) -> None:
    outcome = run(context, [letter(), b"\n", letter(message_id="<b@c.lt>", sender="a@c.lt")])

    assert (outcome.understood, outcome.quarantined) == (2, 1)


class FailsOn:
    """A labeller that one letter breaks, so that its whole batch does."""

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        if any("sprogsta" in text.body for text in texts):
            raise ZeroDivisionError("a fault of ours")
        return Keywords().classify(texts, products)


def test_letter_that_breaks_its_batch_is_found_and_the_rest_is_filed(context: Context) -> None:
    posting.post(context, [letter(), letter(message_id="<x@y.lt>", sender="x@y.lt", text="sprogsta")])
    tools = Tools(context.settings, ReadersHere(), FailsOn())

    outcome = understand(context, tools)

    assert (outcome.understood, outcome.failed) == (1, 1)
    with context.transaction() as session:
        assert len(messages(session)) == 1
        failed = session.scalars(sa.select(RawMessage).where(RawMessage.attempts == 1)).one()
        assert "ZeroDivisionError" in (failed.error or "")
        assert session.scalars(sa.select(IntakeRun)).all() == []


def test_every_letter_says_who_decided_what(context: Context) -> None:
    run(context, [letter(text="Ačiū")])

    with context.transaction() as session:
        (message,) = messages(session)
        assert all(entry["reason"] for entry in message.trail)


def test_open_screens_hear_of_it(context: Context) -> None:
    with psycopg.connect(context.engine.url.set(drivername="postgresql").render_as_string(False)) as listener:
        listener.autocommit = True
        listener.execute("listen frontdesk_live")
        run(context, [letter()])
        notice = next(listener.notifies(timeout=120))

    news = json.loads(notice.payload)
    assert (news["kind"], type(news["conversation_id"]), type(news["staff_id"])) == ("message", int, int)


def test_letter_whose_worker_died_is_taken_up_again_and_the_death_counts(context: Context) -> None:
    (raw_id,) = posting.post(context, [letter()])
    with context.transaction() as session:
        intakework.begin_run(session, "a worker that is dead", [raw_id])

    run(context)

    with context.transaction() as session:
        raw = session.get_one(RawMessage, raw_id)
        assert (raw.state, raw.attempts) == (IntakeState.UNDERSTOOD, 1)


def test_letter_that_kills_its_worker_thrice_while_alone_is_quarantined(context: Context) -> None:
    (raw_id,) = posting.post(context, [letter()])
    for _ in range(intakework.DEATHS_IN_COMPANY + 3):
        with context.transaction() as session:
            intakework.begin_run(session, "a worker that is dead", [raw_id])
        with context.transaction() as session:
            intakework.reap_runs(session)

    with context.transaction() as session:
        assert session.get_one(RawMessage, raw_id).state == IntakeState.QUARANTINED


def test_letters_of_a_living_worker_are_not_taken_for_a_dead_ones(context: Context) -> None:
    (raw_id,) = posting.post(context, [letter()])
    with context.transaction() as working:
        intakework.claim(working)
        with context.transaction() as session:
            intakework.begin_run(session, "a worker that lives", [raw_id])
        with context.transaction() as session:
            assert intakework.reap_runs(session) == 0
            assert intakework.claim(session) == []
