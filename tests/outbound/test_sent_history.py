"""What was sent stands in the client's history once, and its documents are made once."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
from sqlalchemy import func, select, update

from core.context import Context
from core.conversations import Attachment, Conversation, Direction, Message, ThreadId
from core.documents import Document
from core.outbox import Delivery, DeliveryState, Purpose
from outbound.channels.base import Outcome, Result
from outbound.channels.base import Scope as Speaks
from outbound.channels.memory import MemoryChannel
from tests.outbound.conftest import Company, draft, due_now, one, queue, send_all

S = DeliveryState


def conversation(context: Context) -> int:
    """A conversation to write into."""
    with context.transaction() as session:
        opened = Conversation(subject="Siurbliai", waiting=True)
        session.add(opened)
        session.flush()
        return opened.id


def test_what_a_person_writes_stands_in_the_conversation_at_once(company: Company):
    context = company()
    number = conversation(context)
    queue(context, draft(1, conversation_id=number, automatic=False, purpose=Purpose.ANSWER))
    with context.transaction() as session:
        message = session.scalars(select(Message)).one()
        assert message.text == "This is letter 1.\n"
        assert session.get_one(Conversation, number).waiting is False


async def test_what_was_sent_stands_in_the_conversation_once_with_its_message_id(company: Company):
    context = company()
    number = conversation(context)
    queue(
        context,
        draft(1, conversation_id=number, automatic=False, purpose=Purpose.ANSWER),
        draft(2, conversation_id=number),
    )
    await send_all(context, MemoryChannel())
    with context.transaction() as session:
        messages = session.scalars(select(Message).order_by(Message.delivery_id)).all()
        deliveries = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        assert [message.rfc_id for message in messages] == [delivery.rfc_id for delivery in deliveries]
        assert messages[1].recipients == {"to": [["", "client2@company2.example"]]}
        threads = set(session.scalars(select(ThreadId.rfc_id).where(ThreadId.conversation_id == number)))
        assert threads == {delivery.rfc_id for delivery in deliveries}


async def test_what_waited_for_its_time_stands_where_it_left_after_what_came_meanwhile(company: Company):
    context = company()
    number = conversation(context)
    queue(context, draft(1, conversation_id=number, automatic=False, purpose=Purpose.ANSWER))
    with context.transaction() as session:
        began = func.now() - timedelta(hours=14)
        session.execute(update(Message).values(happened_at=began))
        session.add(
            Message(
                conversation_id=number, direction=Direction.IN, subject="Siurbliai", sender="a@b.example",
                recipients={}, text="Dar klausimas.", reply="Dar klausimas.", trail=[],
                happened_at=func.now() - timedelta(hours=1),
            )
        )  # fmt: skip
    await send_all(context, MemoryChannel())
    with context.transaction() as session:
        ways = session.scalars(select(Message.direction).order_by(Message.happened_at)).all()
        assert ways == [Direction.IN, Direction.OUT]


async def test_who_looks_at_the_conversation_hears_that_their_letter_has_left(company: Company):
    context = company()
    number = conversation(context)
    address = context.engine.url.set(drivername="postgresql").render_as_string(False)
    queue(
        context,
        draft(1, conversation_id=number, automatic=False, purpose=Purpose.ANSWER),
        draft(2, conversation_id=conversation(context), automatic=True, purpose=Purpose.SERVICE),
    )
    with psycopg.connect(address, autocommit=True) as listener:
        listener.execute("listen frontdesk_live")
        await send_all(context, MemoryChannel())
        listener.execute("select pg_notify('frontdesk_live', '{}')")
        heard = [json.loads(notice.payload) for notice in listener.notifies(timeout=60, stop_after=2)]
    assert [news.get("conversation_id") for news in heard] == [number, None]


async def test_a_document_is_made_once_numbered_kept_and_the_same_at_every_attempt(company: Company):
    context = company()
    number = conversation(context)
    offer = {
        "client": {"name": "Ona Petraitė", "company": "UAB „Vanduo“"},
        "staff": {"name": "Jonas Jonaitis", "email": "jonas@example.lt"},
        "deal": {
            "currency": "EUR",
            "lines": [
                {"product": "NP-200", "quantity": "2", "unit": "vnt.", "price": "410.00", "sum": "820.00"}
            ],
            "sum": "820.00",
            "vat_rate": "21",
            "vat": "172.20",
            "total": "992.20",
            "valid_until": "2026-12-31",
        },
    }
    queue(
        context,
        draft(
            1,
            template="commercial_offer",
            language="lt",
            values=offer,
            documents=["commercial_offer"],
            conversation_id=number,
        ),
    )
    channel = MemoryChannel()
    full = Outcome(Result.DEFERRED, "RCPT: 450 4.2.2 full", Speaks.RECIPIENT)
    channel.answer("client1@company1.example", full)
    await send_all(context, channel)
    due_now(context)
    await send_all(context, channel)
    with context.transaction() as session:
        document = session.scalars(select(Document)).one()
        year = session.scalar(select(func.extract("year", document.created_at)))
        assert document.number == f"KP-{year}-0001"
        attached = session.scalars(select(Attachment)).one()
        assert (attached.document_id, attached.size) == (document.id, document.size)
        data = document.data
    assert one(context).error is None
    assert data.startswith(b"%PDF")
    import email
    from email import policy

    message = email.message_from_bytes(channel.sent[0].data, policy=policy.default)
    (part,) = message.iter_attachments()
    assert part.get_content() == data
    assert document.number in channel.sent[0].data.decode() or document.number in str(message["Subject"])
