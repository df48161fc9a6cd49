"""From the queue to the world: what is due goes out once, in its turn, and the books say what became of
it.
"""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock, consent, notices, outbox, outbox_pages
from core.accounts import Channel, Contact
from core.consent import Consent, Scope, SuppressionReason
from core.errors import Unreachable
from core.outbox import DeliveryEvent, DeliveryState, Purpose
from outbound.channels.base import Outcome, Result
from outbound.channels.base import Scope as Speaks
from outbound.channels.memory import MemoryChannel
from outbound.compose import Composer
from outbound.dispatch import Dispatcher
from outbound.pages import Pages
from tests.outbound.conftest import Company, draft, due_now, one, queue, send_all, smtp_channel, states, until
from tests.servers_smtp import DISCONNECT, Fault, RecordingServer

S = DeliveryState


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
    arrived = await asyncio.to_thread(smtp.at_dot.wait, 120)
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
    await asyncio.to_thread(smtp.at_dot.wait, 120)
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


async def test_two_dispatchers_at_once_send_each_letter_once(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, *(draft(number) for number in range(150)))
    await asyncio.gather(*(send_all(context, smtp_channel(context)) for _ in range(3)))
    await send_all(context, smtp_channel(context))
    assert set(states(context).values()) == {"sent"}
    assert len(smtp.copies) == 150
    assert set(smtp.copies.values()) == {1}
