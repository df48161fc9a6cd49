"""From the queue to the world: what is due goes out once, in its turn, and the books say what became of
it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from core import clock, consent, notices, outbox, outbox_pages
from core.accounts import Channel, Contact
from core.consent import Consent, Scope, SuppressionReason
from core.context import Context
from core.conversations import Attachment, Conversation, Message, ThreadId
from core.documents import Document
from core.errors import Unreachable
from core.outbox import Delivery, DeliveryEvent, DeliveryState, Purpose
from outbound.channels.base import Outcome, Result
from outbound.channels.base import Scope as Speaks
from outbound.channels.memory import MemoryChannel
from outbound.channels.smtp import SmtpChannel
from outbound.compose import Composer
from outbound.dispatch import Dispatcher
from outbound.pages import Pages
from tests.outbound.conftest import draft, queue, send_all
from tests.servers_smtp import DISCONNECT, Fault, RecordingServer

Company = Callable[..., Context]
S = DeliveryState


def smtp_channel(context: Context) -> SmtpChannel:
    assert context.settings.relay is not None
    return SmtpChannel(context.settings.relay, context.settings.limits)


def states(context: Context) -> dict[str, str]:
    """The state of each delivery by its address."""
    with context.transaction() as session:
        return {
            address: str(state)
            for address, state in session.execute(select(Delivery.address, Delivery.state))
        }


def one(context: Context, **wanted: Any) -> Delivery:
    """The only delivery, or the one with those values."""
    with context.transaction() as session:
        return session.scalars(select(Delivery).filter_by(**wanted)).one()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something another task brings about."""
    for _ in range(3000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def due_now(context: Context) -> None:
    """As if the waits were over."""
    with context.transaction() as session:
        session.execute(update(Delivery).where(Delivery.state == S.DEFERRED).values(due_at=func.now()))


async def test_what_is_queued_goes_out_once_and_is_sent(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(120)))
    await send_all(context, smtp_channel(context))
    assert set(smtp.copies.values()) == {1}
    assert len(smtp.copies) == 120
    assert set(states(context).values()) == {"sent"}
    assert set(smtp.message_ids.values()) == {1}


async def test_what_is_queued_while_the_dispatcher_runs_leaves_without_being_asked_for(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    stop = threading.Event()
    dispatcher = Dispatcher(context, smtp_channel(context))
    running = asyncio.create_task(dispatcher.main(stop))
    await asyncio.sleep(0.3)
    queue(context, draft())
    arrived = await asyncio.to_thread(smtp.at_dot.wait, 10)
    stop.set()
    await running
    assert arrived
    assert one(context).state is S.SENT


async def test_what_is_not_due_yet_stays(company: Company):
    context = company()
    channel = MemoryChannel()
    queue(context, draft(due_at=clock.now() + timedelta(hours=1)))
    await send_all(context, channel)
    assert channel.sent == []
    assert one(context).state is S.QUEUED


async def test_a_persons_answer_overtakes_a_mailing(company: Company):
    context = company()
    queue(context, *(draft(number, priority=7) for number in range(40)))
    channel = MemoryChannel(lines=1, pause=0.02)
    stop = threading.Event()
    dispatcher = Dispatcher(context, channel)
    running = asyncio.create_task(dispatcher.main(stop))
    await until(lambda: len(channel.sent) >= 3)
    queue(context, draft(99, "urgent@x.example", priority=1))
    await until(lambda: "urgent@x.example" in [letter.recipients[0] for letter in channel.sent])
    before = len(channel.sent)
    stop.set()
    await running
    assert before < 40


async def test_a_stop_leaves_nothing_uncertain_and_nothing_half_done(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    smtp.pause = 0.05
    queue(context, *(draft(number) for number in range(100)))
    stop = threading.Event()
    running = asyncio.create_task(Dispatcher(context, smtp_channel(context)).main(stop))
    await until(lambda: len(smtp.received) >= 5)
    stop.set()
    await running
    found = states(context)
    assert set(found.values()) <= {"sent", "queued", "deferred"}
    assert {address for address, state in found.items() if state == "sent"} == set(smtp.copies)
    await send_all(context, smtp_channel(context))
    assert set(states(context).values()) == {"sent"}
    assert set(smtp.copies.values()) == {1}


async def test_a_final_answer_that_does_not_come_before_the_stop_is_uncertain(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    smtp.fault(".", Fault(silence=60, kept=True, close=True))
    queue(context, draft())
    stop = threading.Event()
    dispatcher = Dispatcher(context, smtp_channel(context), drain_seconds=1.0)
    running = asyncio.create_task(dispatcher.main(stop))
    await asyncio.to_thread(smtp.at_dot.wait, 10)
    stop.set()
    await running
    assert one(context).state is S.UNCERTAIN


async def test_a_temporary_refusal_is_tried_again_after_five_minutes_and_arrives_once(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    queue(context, draft())
    smtp.fault("RCPT", "450 4.7.1 greylisted, come back")
    await send_all(context, smtp_channel(context))
    waiting = one(context)
    assert waiting.state is S.DEFERRED
    assert waiting.reply is not None
    assert "greylisted" in waiting.reply
    assert timedelta(seconds=290) < waiting.due_at - waiting.created_at < timedelta(seconds=400)
    first_id = waiting.rfc_id
    due_now(context)
    await send_all(context, smtp_channel(context))
    assert one(context).state is S.SENT
    assert one(context).rfc_id == first_id
    assert set(smtp.copies.values()) == {1}


async def test_a_permanent_refusal_ends_one_delivery_and_no_other(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(10)))
    smtp.refusals |= {
        "client3@company3.example": "550 5.1.1 no such user",
        "client4@company4.example": "550 5.7.1 not welcome",
        "client5@company5.example": "450 4.2.2 full",
    }
    await send_all(context, smtp_channel(context))
    found = states(context)
    assert found.pop("client3@company3.example") == "refused"
    assert found.pop("client4@company4.example") == "refused"
    assert found.pop("client5@company5.example") == "deferred"
    assert set(found.values()) == {"sent"}


async def test_an_address_that_does_not_exist_is_closed_for_everything(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    queue(context, draft(1), draft(2))
    smtp.refusals |= {
        "client1@company1.example": "550 5.1.1 no such user",
        "client2@company2.example": "550 5.7.1 not welcome",
    }
    await send_all(context, smtp_channel(context))
    with context.transaction() as session:
        closed = consent.suppression_of(session, Channel.EMAIL, "client1@company1.example")
        assert closed is not None
        assert (closed.scope, closed.reason) == (Scope.EVERYTHING, SuppressionReason.BOUNCED)
        assert consent.suppression_of(session, Channel.EMAIL, "client2@company2.example") is None


async def test_a_line_lost_after_the_final_dot_is_uncertain_and_never_repeated(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    queue(context, draft())
    smtp.fault(".", Fault(close=True, kept=True))
    await send_all(context, smtp_channel(context))
    assert one(context).state is S.UNCERTAIN
    await send_all(context, smtp_channel(context))
    await send_all(context, smtp_channel(context))
    assert set(smtp.copies.values()) == {1}
    with context.transaction() as session:
        assert [listed.id for listed in outbox_pages.uncertain(session)] == [one(context).id]


async def test_a_person_may_send_an_uncertain_letter_again(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, draft())
    smtp.fault(".", DISCONNECT)
    await send_all(context, smtp_channel(context))
    with context.transaction() as session:
        outbox.settle(session, outbox_pages.uncertain(session)[0].id, S.QUEUED, detail="asked the client")
    await send_all(context, smtp_channel(context))
    assert one(context).state is S.SENT
    assert set(smtp.copies.values()) == {1}


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_a_line_lost_before_the_final_dot_is_tried_again(
    company: Company, smtp: RecordingServer, step: str
):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(5)))
    smtp.fault(step, DISCONNECT)
    await send_all(context, smtp_channel(context))
    due_now(context)
    await send_all(context, smtp_channel(context))
    assert set(states(context).values()) == {"sent"}
    assert set(smtp.copies.values()) == {1}


async def test_a_relay_that_is_down_costs_no_delivery_an_attempt_and_staff_hear_of_it(company: Company):
    context = company()
    queue(context, draft())
    channel = MemoryChannel(lines=1)
    channel.faults.extend(
        [Unreachable("The relay does not answer."), Unreachable("The relay does not answer.")]
    )
    stop = threading.Event()
    running = asyncio.create_task(Dispatcher(context, channel).main(stop))
    alarms: set[str] = set()

    def sent() -> bool:
        with context.transaction() as session:
            alarms.update(notice.kind for notice in notices.open_alarms(session))
        return bool(channel.sent)

    await until(sent)
    stop.set()
    await running
    assert alarms == {"relay_failing"}
    assert one(context).attempts == 1
    with context.transaction() as session:
        assert notices.open_alarms(session) == []


async def test_a_domain_that_defers_does_not_hold_up_the_others(company: Company):
    context = company()
    channel = MemoryChannel(lines=2)
    busy = Outcome(Result.DEFERRED, "RCPT: 451 4.7.1 slow down", Speaks.DESTINATION)
    for number in range(100):
        channel.answer(f"c{number}@busy.example", *[busy] * 5)
    queue(context, *(draft(number, f"c{number}@busy.example") for number in range(100)))
    queue(context, *(draft(1000 + number, f"c{number}@quick.example") for number in range(100)))
    await send_all(context, channel)
    found = states(context)
    quick = [state for address, state in found.items() if address.endswith("@quick.example")]
    assert quick == ["sent"] * 100
    assert sum(len(channel.answers[f"c{number}@busy.example"]) < 5 for number in range(100)) < 15


async def test_an_opt_out_after_queueing_stops_marketing_at_its_claim(company: Company):
    context = company()
    channel = MemoryChannel()
    queue(context, draft(1, purpose=Purpose.MARKETING), draft(2, purpose=Purpose.ANSWER, automatic=False))
    with context.transaction() as session:
        for number in (1, 2):
            consent.suppress(
                session,
                Channel.EMAIL,
                f"client{number}@company{number}.example",
                scope=Scope.MARKETING,
                reason=SuppressionReason.UNSUBSCRIBED,
                source="test",
            )
    await send_all(context, channel)
    assert states(context) == {"client1@company1.example": "suppressed", "client2@company2.example": "sent"}


def test_an_opt_out_between_claim_and_transmission_is_seen(company: Company):
    context = company()
    pages = Pages(context, Composer(context.settings), "me")
    queue(context, draft(1, purpose=Purpose.MARKETING))
    with context.transaction() as session:
        (claimed,) = outbox_pages.claim(session, owner="me", channel="email", priorities=[5], most=9)
    with context.transaction() as session:
        consent.suppress(
            session,
            Channel.EMAIL,
            claimed.address,
            scope=Scope.MARKETING,
            reason=SuppressionReason.UNSUBSCRIBED,
            source="test",
        )
    with context.transaction() as session:
        going = outbox_pages.begin_transmission(session, owner="me", rfc_ids=[(claimed.id, "x@y")])
    assert going == set()
    assert pages.owner == "me"


def test_an_opt_out_while_a_page_is_on_its_way_stops_what_was_not_sent_yet(company: Company):
    context = company()
    pages = Pages(context, Composer(context.settings), "me")
    queue(context, draft(1, purpose=Purpose.MARKETING), draft(2, purpose=Purpose.MARKETING))
    page, _ = pages.prepare([5], 10)
    assert page is not None
    first, second = (letter.id for letter in page.letters)
    with context.transaction() as session:
        consent.suppress(
            session,
            Channel.EMAIL,
            page.claimed[second].address,
            scope=Scope.MARKETING,
            reason=SuppressionReason.UNSUBSCRIBED,
            source="test",
        )
    pages.renew([page])
    assert page.may_finish(first)
    assert not page.may_finish(second)


async def test_a_withdrawn_consent_stops_marketing(company: Company):
    context = company()
    with context.transaction() as session:
        contact = Contact(name="Ona")
        session.add(contact)
        session.flush()
        for granted in (True, False):
            session.add(
                Consent(
                    contact_id=contact.id,
                    channel=Channel.EMAIL,
                    purpose="marketing",
                    granted=granted,
                    proof="call",
                )
            )
            session.flush()
        contact_id = contact.id
    queue(context, draft(1, purpose=Purpose.MARKETING, contact_id=contact_id))
    await send_all(context, MemoryChannel())
    assert one(context).state is S.SUPPRESSED


async def test_an_automatic_letter_to_a_machine_or_to_ourselves_is_cancelled(company: Company):
    context = company()
    channel = MemoryChannel()
    queue(
        context, draft(1, "noreply@x.example"), draft(2, "support@example.lt"), draft(3, "sales@example.lt")
    )
    await send_all(context, channel)
    assert channel.sent == []
    assert set(states(context).values()) == {"cancelled"}


async def test_what_is_past_its_time_expires(company: Company):
    context = company()
    queue(context, draft(1, expires_at=clock.now() - timedelta(seconds=1)))
    await send_all(context, MemoryChannel())
    assert one(context).state is S.EXPIRED


async def test_a_letter_that_cannot_be_composed_is_refused_with_the_reason_and_stops_no_other(
    company: Company,
):
    context = company()
    channel = MemoryChannel()
    queue(context, draft(1, template="no_such_template"), draft(2, template="commercial_offer"), draft(3))
    await send_all(context, channel)
    assert states(context) == {
        "client1@company1.example": "refused",
        "client2@company2.example": "refused",
        "client3@company3.example": "sent",
    }
    assert "no_such_template" in (one(context, template="no_such_template").error or "")


async def test_every_step_is_in_the_events(company: Company):
    context = company()
    channel = MemoryChannel()
    channel.answer(
        "client1@company1.example", Outcome(Result.DEFERRED, "RCPT: 450 4.2.2 full", Speaks.RECIPIENT)
    )
    queue(context, draft(1))
    await send_all(context, channel)
    due_now(context)
    await send_all(context, channel)
    with context.transaction() as session:
        events = session.execute(select(DeliveryEvent.state, DeliveryEvent.detail).order_by(DeliveryEvent.id))
        assert [(str(state), detail) for state, detail in events] == [
            ("deferred", "RCPT: 450 4.2.2 full"),
            ("sent", "250 kept in memory"),
        ]


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


def test_a_page_whose_lease_ran_out_records_nothing_on_waking(company: Company):
    context = company()
    pages = Pages(context, Composer(context.settings), "frozen")
    queue(context, draft(1), draft(2))
    page, _ = pages.prepare([5], 10)
    assert page is not None
    with context.transaction() as session:
        session.execute(update(Delivery).values(lease_until=func.now() - timedelta(seconds=1)))
        assert outbox_pages.sweep(session) == {"uncertain": 2}
    pages.renew([page])
    assert not any(page.may_finish(letter.id) for letter in page.letters)
    for letter in page.letters:
        page.outcomes[letter.id] = Outcome(Result.UNTRIED, "given up before the final dot")
    pages.record(page)
    assert set(states(context).values()) == {"deferred"}


def test_a_worker_that_comes_back_with_an_answer_resolves_what_was_uncertain(company: Company):
    context = company()
    pages = Pages(context, Composer(context.settings), "slow")
    queue(context, draft(1))
    page, _ = pages.prepare([5], 10)
    assert page is not None
    with context.transaction() as session:
        session.execute(update(Delivery).values(lease_until=func.now() - timedelta(seconds=1)))
        outbox_pages.sweep(session)
    page.outcomes[page.letters[0].id] = Outcome(Result.SENT, "250 2.0.0 queued")
    pages.record(page)
    assert one(context).state is S.SENT


def test_what_a_dead_worker_had_claimed_is_queued_again_until_it_killed_too_many(company: Company):
    context = company()
    queue(context, draft(1))
    for lapse in range(1, outbox_pages.LAPSES + 1):
        with context.transaction() as session:
            session.execute(update(Delivery).values(due_at=func.now() - timedelta(seconds=1)))
        with context.transaction() as session:
            assert outbox_pages.claim(session, owner="dead", channel="email", priorities=[5], most=9)
            session.execute(update(Delivery).values(lease_until=func.now() - timedelta(seconds=1)))
        with context.transaction() as session:
            expected = "queued" if lapse < outbox_pages.LAPSES else "refused"
            assert outbox_pages.sweep(session) == {expected: 1}


def test_a_live_lease_is_not_swept(company: Company):
    context = company()
    queue(context, draft(1))
    with context.transaction() as session:
        outbox_pages.claim(session, owner="alive", channel="email", priorities=[5], most=9)
    with context.transaction() as session:
        assert outbox_pages.sweep(session) == {}


def test_a_lease_with_less_than_four_seconds_left_may_not_transmit(company: Company):
    context = company()
    queue(context, draft(1))
    with context.transaction() as session:
        (claimed,) = outbox_pages.claim(session, owner="me", channel="email", priorities=[5], most=9)
        session.execute(text("update delivery set lease_until = clock_timestamp() + interval '3 seconds'"))
    with context.transaction() as session:
        assert outbox_pages.begin_transmission(session, owner="me", rfc_ids=[(claimed.id, "x@y")]) == set()


async def test_two_dispatchers_at_once_send_each_letter_once(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(150)))
    await asyncio.gather(*(send_all(context, smtp_channel(context)) for _ in range(3)))
    await send_all(context, smtp_channel(context))
    assert set(states(context).values()) == {"sent"}
    assert len(smtp.copies) == 150
    assert set(smtp.copies.values()) == {1}
