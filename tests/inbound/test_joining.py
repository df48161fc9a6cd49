"""Which conversation a letter joins, whose history it enters, and what reports do to deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import consent, outbox, staff
from core.accounts import Channel, Contact
from core.config import Settings
from core.consent import Scope
from core.context import Context
from core.conversations import Conversation, ConversationState, Direction, Message, ThreadId
from core.intake import RawMessage
from core.outbox import Delivery, DeliveryState, Draft
from tests.inbound import posting
from tests.inbound.posting import OURS, letter, messages, run

ANSWER = {"in_reply_to": "<a1@vandenis.lt>", "references": "<a1@vandenis.lt>"}


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    context = Context(settings=posting.mail_settings(settings, acknowledgement=False), engine=engine)
    with context.transaction() as session:
        posting.install(session)
        staff.add(session, email="jonas@siurbliai.example", name="Jonas", team="Sales")
    return context


def conversations(context: Context) -> list[Conversation]:
    with context.transaction() as session:
        return list(session.scalars(sa.select(Conversation).order_by(Conversation.id)))


def sent(context: Context, address: str = "ona@vandenis.lt") -> Delivery:
    """A delivery of ours in the first conversation that was sent."""
    with context.transaction() as session:
        conversation = session.scalars(sa.select(Conversation).order_by(Conversation.id)).first()
        (delivery_id,) = outbox.queue_many(
            session,
            [
                Draft(
                    key=f"test:{address}",
                    address=address,
                    template="brochure",
                    subject="Pasiūlymas",
                    conversation_id=conversation.id if conversation else None,
                )
            ],
        )
        session.execute(
            sa.update(Delivery).where(Delivery.id == delivery_id).values(state=DeliveryState.SENT)
        )
        return session.get_one(Delivery, delivery_id)


def state_of(context: Context, delivery: Delivery) -> DeliveryState:
    with context.transaction() as session:
        return session.get_one(Delivery, delivery.id).state


def test_answer_joins_its_conversation(context: Context) -> None:
    run(context, [letter()])
    run(context, [letter(message_id="<a2@vandenis.lt>", subject="Re: Siurblių kainos", **ANSWER)])

    (conversation,) = conversations(context)
    with context.transaction() as session:
        assert [one.conversation_id for one in messages(session)] == [conversation.id] * 2


def test_answer_wakes_what_was_put_off_and_a_machines_does_not(context: Context) -> None:
    run(context, [letter()])
    later = datetime.now(UTC) + timedelta(days=9)
    with context.transaction() as session:
        session.execute(sa.update(Conversation).values(snoozed_until=later))
    run(
        context,
        [
            letter(
                message_id="<a2@vandenis.lt>",
                subject="Re: Siurblių kainos",
                auto_submitted="auto-replied",
                **ANSWER,
            )
        ],
    )
    assert [one.snoozed_until for one in conversations(context)] == [later]
    run(context, [letter(message_id="<a3@vandenis.lt>", subject="Re: Siurblių kainos", **ANSWER)])
    assert [one.snoozed_until for one in conversations(context)] == [None]


def test_answer_before_its_letter_finds_it_in_either_order_and_in_one_batch(context: Context) -> None:
    run(context, [letter(message_id="<a2@vandenis.lt>", subject="Re: Siurblių kainos", **ANSWER), letter()])

    assert len(conversations(context)) == 1


def test_colleague_of_the_client_may_join(context: Context) -> None:
    run(context, [letter()])
    run(
        context,
        [letter(sender="v@vandenis.lt", message_id="<v@v>", subject="Re: Siurblių kainos", **ANSWER)],
    )

    assert len(conversations(context)) == 1


def test_stranger_who_knows_an_id_is_set_beside_with_a_warning(context: Context) -> None:
    run(context, [letter()])
    run(
        context,
        [letter(sender="x@evil.lt", message_id="<x@e>", subject="Re: Siurblių kainos", **ANSWER)],
    )

    assert len(conversations(context)) == 2
    with context.transaction() as session:
        stranger = messages(session)[1]
        assert "refers_to_foreign_conversation" in stranger.warnings
        shared = session.scalars(
            sa.select(ThreadId.conversation_id).where(ThreadId.rfc_id == "a1@vandenis.lt")
        )
        assert list(shared) == [conversations(context)[0].id]


def test_new_subject_under_an_old_id_begins_a_topic(context: Context) -> None:
    run(context, [letter()])
    run(context, [letter(message_id="<a2@vandenis.lt>", subject="Visai kitas reikalas", **ANSWER)])

    assert [one.subject for one in conversations(context)] == ["Siurblių kainos", "Visai kitas reikalas"]


def test_answer_without_references_is_told_by_subject_and_sender(context: Context) -> None:
    run(context, [letter()])
    run(context, [letter(message_id="<a2@vandenis.lt>", subject="RE: Siurblių kainos")])

    assert len(conversations(context)) == 1


def test_same_subject_of_another_client_is_another_conversation(context: Context) -> None:
    run(context, [letter()])
    run(context, [letter(sender="b@kitas.lt", message_id="<b@kitas.lt>", subject="RE: Siurblių kainos")])

    assert len(conversations(context)) == 2


def test_letter_opens_a_settled_conversation_again(context: Context) -> None:
    run(context, [letter()])
    with context.transaction() as session:
        session.execute(sa.update(Conversation).values(state=ConversationState.DONE, waiting=False))
    run(context, [letter(message_id="<a2@vandenis.lt>", subject="Re: Siurblių kainos", **ANSWER)])

    (conversation,) = conversations(context)
    assert (conversation.state, conversation.waiting) == (ConversationState.OPEN, True)


def test_out_of_office_is_filed_and_opens_nothing(context: Context) -> None:
    run(context, [letter()])
    with context.transaction() as session:
        session.execute(sa.update(Conversation).values(state=ConversationState.DONE, waiting=False))
    run(
        context,
        [
            letter(
                message_id="<o@vandenis.lt>",
                subject="Automatinis atsakymas: Siurblių kainos",
                auto_submitted="auto-replied",
                **ANSWER,
            )
        ],
    )

    (conversation,) = conversations(context)
    assert (conversation.state, conversation.waiting) == (ConversationState.DONE, False)
    with context.transaction() as session:
        assert messages(session)[1].machine is not None


def test_list_mail_of_a_stranger_makes_no_contact(context: Context) -> None:
    outcome = run(context, [letter(list_id="<news.example.com>", precedence="bulk")])

    assert outcome.ignored == 1
    with context.transaction() as session:
        assert session.scalars(sa.select(Contact)).all() == []
        assert session.scalars(sa.select(RawMessage.reason)).one()


def test_our_own_letter_that_comes_back_is_ignored(context: Context) -> None:
    outcome = run(context, [letter(sender=OURS)])

    assert outcome.ignored == 1
    assert conversations(context) == []


def test_form_on_our_site_brings_in_who_stands_in_reply_to(context: Context) -> None:
    run(context, [letter(sender=OURS, reply_to="Petras <petras@klientas.lt>")])

    with context.transaction() as session:
        contact = session.scalars(sa.select(Contact)).one()
        assert (contact.name, contact.email) == ("Petras", "petras@klientas.lt")


def test_colleague_who_answers_with_us_in_copy_is_filed_as_ours(context: Context) -> None:
    run(context, [letter()])
    run(
        context,
        [
            letter(
                sender="Jonas <jonas@siurbliai.example>",
                message_id="<j@s>",
                subject="Re: Siurblių kainos",
                **ANSWER,
            )
        ],
    )

    (conversation,) = conversations(context)
    assert conversation.waiting is False
    with context.transaction() as session:
        ours = messages(session)[1]
        assert ours.direction == Direction.OUT
        assert ours.staff_member is not None
        assert len(session.scalars(sa.select(Contact)).all()) == 1


def test_answer_to_a_delivery_joins_its_conversation_and_shows_that_it_arrived(context: Context) -> None:
    run(context, [letter()])
    delivery = sent(context)
    reference = f"<fd-{delivery.token}@siurbliai.example>"
    run(context, [letter(message_id="<a9@v.lt>", subject="Re: Pasiūlymas", in_reply_to=reference)])

    assert len(conversations(context)) == 1
    assert state_of(context, delivery) == DeliveryState.DELIVERED


def bounce(delivery_token: str, recipient: str = "ona@vandenis.lt", status: str = "5.1.1") -> bytes:
    return f"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.vandenis.lt>
To: {OURS}
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@mx.vandenis.lt>
Date: Mon, 02 Nov 2026 10:00:00 +0200
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail could not be delivered: user unknown.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.vandenis.lt

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{recipient}>: User unknown in virtual mailbox table

--b
Content-Type: message/rfc822

From: {OURS}
To: {recipient}
Subject: Pasiulymas
Message-ID: <fd-{delivery_token}@siurbliai.example>

x
--b--
""".encode()


def test_report_of_an_address_that_does_not_exist_settles_and_suppresses(context: Context) -> None:
    run(context, [letter()])
    delivery = sent(context)
    outcome = run(context, [bounce(delivery.token)])

    assert outcome.ignored == 1
    assert state_of(context, delivery) == DeliveryState.BOUNCED
    with context.transaction() as session:
        suppression = consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt")
        assert suppression is not None
        assert suppression.scope == Scope.EVERYTHING


def test_forged_report_changes_nothing(context: Context) -> None:
    run(context, [letter()])
    delivery = sent(context)
    run(context, [bounce("0" * 32)])

    assert state_of(context, delivery) == DeliveryState.SENT
    with context.transaction() as session:
        assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is None


def test_report_cannot_suppress_another_address_than_its_deliverys(context: Context) -> None:
    run(context, [letter()])
    delivery = sent(context)
    run(context, [bounce(delivery.token, recipient="vadovas@kitas.lt")])

    with context.transaction() as session:
        assert consent.suppression_of(session, Channel.EMAIL, "vadovas@kitas.lt") is None
        assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is None


def test_full_mailbox_suppresses_nothing(context: Context) -> None:
    run(context, [letter()])
    delivery = sent(context)
    run(context, [bounce(delivery.token, status="4.2.2").replace(b"User unknown", b"Mailbox full")])

    with context.transaction() as session:
        assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is None


def test_messages_are_ordered_by_when_we_got_them(context: Context) -> None:
    run(context, [letter(date="Mon, 02 Nov 1970 10:00:00 +0200")])

    with context.transaction() as session:
        message = session.scalars(sa.select(Message)).one()
        assert message.happened_at.year > 2000


def _again(context: Context, number: int, days_ago: int, status: str, said: str) -> Delivery:
    """A delivery that came back so many days ago."""
    with context.transaction() as session:
        (delivery_id,) = outbox.queue_many(
            session, [Draft(key=f"again:{number}", address="ona@vandenis.lt", subject="Naujienos")]
        )
        session.execute(
            sa.update(Delivery).where(Delivery.id == delivery_id).values(state=DeliveryState.SENT)
        )
        delivery = session.get_one(Delivery, delivery_id)
    report = bounce(delivery.token, status=status).replace(b"User unknown", said.encode())
    run(context, [report.replace(b"<b1@", b"<b%d@" % number)])
    with context.transaction() as session:
        session.execute(
            sa.update(outbox.DeliveryEvent)
            .where(outbox.DeliveryEvent.delivery_id == delivery_id)
            .values(happened_at=sa.func.now() - timedelta(days=days_ago))
        )
    return delivery


def _stopped(context: Context) -> Scope | None:
    with context.transaction() as session:
        found = consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt")
        return Scope(found.scope) if found is not None else None


def test_address_that_is_unknown_for_a_second_time_is_given_up(context: Context) -> None:
    _again(context, 1, 3, "5.7.1", "No such user")
    assert _stopped(context) is None
    _again(context, 2, 0, "5.7.1", "No such user")
    assert _stopped(context) is Scope.EVERYTHING


def test_mailbox_that_stays_full_gets_no_more_mailings(context: Context) -> None:
    for number, days_ago in ((1, 20), (2, 10), (3, 0)):
        assert _stopped(context) is None
        _again(context, number, days_ago, "5.2.2", "Mailbox full")
    assert _stopped(context) is Scope.MARKETING


def test_sender_that_is_blocked_again_and_again_gives_no_address_up(context: Context) -> None:
    for number, days_ago in ((1, 30), (2, 20), (3, 10), (4, 5), (5, 0)):
        _again(context, number, days_ago, "5.7.1", "blocked using zen.spamhaus.org")
    assert _stopped(context) is None


def test_form_of_a_foreign_service_is_the_letter_of_who_filled_it_in(context: Context) -> None:
    run(context, [letter(sender="Forms <noreply@forms.example>", reply_to="Ona <ona@vandenis.lt>")])

    with context.transaction() as session:
        assert [one.sender for one in messages(session)] == ["ona@vandenis.lt"]
        assert session.scalars(sa.select(Contact.name)).all() == ["Ona"]


def test_form_cannot_speak_for_a_colleague(context: Context) -> None:
    form = letter(sender="Forms <noreply@forms.example>", reply_to="Jonas <jonas@siurbliai.example>")
    run(context, [form])

    with context.transaction() as session:
        (message,) = messages(session)
        assert message.staff_id is None
        assert "claims_to_be_colleague" in message.warnings


def test_address_of_our_own_domain_that_is_no_colleagues_does_not_join_by_it(context: Context) -> None:
    run(context, [letter()])
    forged = letter(sender="Vadovas <vadovas@siurbliai.example>", message_id="<f1@x.lt>", **ANSWER)
    run(context, [forged])

    first, second = conversations(context)
    assert second.beside_id == first.id
