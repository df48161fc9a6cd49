"""A person who was copied: their answer joins the conversation, their server's report is about their copy."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core import outbox
from core.config import Settings
from core.consent import Suppression
from core.context import Context
from core.conversations import Conversation
from core.copies import Reader
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from tests.inbound.posting import OURS, install, letter, mail_settings, messages, run

ONA, PETRAS = "ona@vandenis.lt", "petras@statyba.example"
REPORT = """From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Return-Path: <>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {who}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b
Content-Type: message/rfc822

From: {ours}
To: {ona}
Message-ID: <fd-{token}@siurbliai.example>
Subject: Re: Siurblys

Hello
--b--
"""


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    made = Context(mail_settings(settings), engine)
    with made.transaction() as session:
        install(session)
    return made


@pytest.fixture
def token(context: Context) -> str:
    """The reply key of a letter to Ona with a copy to Petras, both of which have left."""
    run(context, [letter(subject="Siurblys")])
    with context.transaction() as session:
        talk = session.scalars(sa.select(Conversation)).one()
        number = outbox.queue(
            session,
            Draft(
                key="answer:1", address=ONA, purpose=Purpose.ANSWER, automatic=False,
                conversation_id=talk.id, contact_id=talk.contact_id, subject="Re: Siurblys", body="Taip.",
                copies=[Reader("Petras", PETRAS)],
            ),
        )  # fmt: skip
        session.execute(sa.update(Delivery).values(state=DeliveryState.SENT))
        return session.get_one(Delivery, number).token


def _states(context: Context) -> dict[str, str]:
    with context.transaction() as session:
        query = sa.select(Delivery.address, Delivery.state).where(Delivery.key.startswith("answer:"))
        return {address: str(state) for address, state in session.execute(query)}


def test_who_was_copied_answers_into_the_conversation(context: Context, token: str) -> None:
    run(
        context,
        [
            letter(
                sender=f"Petras <{PETRAS}>", subject="Re: Siurblys", text="Tinka ir man.",
                message_id="<p1@statyba.example>", in_reply_to=f"<fd-{token}@siurbliai.example>",
            )
        ],
    )  # fmt: skip
    with context.transaction() as session:
        assert len({one.conversation_id for one in messages(session)}) == 1
    assert _states(context) == {ONA: "sent", PETRAS: "delivered"}


@pytest.mark.parametrize("to", [OURS, "sales+fd-unknown@siurbliai.example"])
def test_a_returned_copy_says_nothing_of_the_letter_itself(context: Context, token: str, to: str) -> None:
    report = REPORT.format(to=to, who=PETRAS, ours=OURS, ona=ONA, token=token)
    run(context, [report.encode()])
    assert _states(context) == {ONA: "sent", PETRAS: "bounced"}
    with context.transaction() as session:
        assert [one.address for one in session.scalars(sa.select(Suppression))] == [PETRAS]


def test_a_report_that_names_no_reader_settles_nobody(context: Context, token: str) -> None:
    report = REPORT.format(to=OURS, who="x@elsewhere.example", ours=OURS, ona=ONA, token=token)
    run(context, [report.encode()])
    assert set(_states(context).values()) == {"sent"}
