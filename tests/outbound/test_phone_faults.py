"""Requests to Twilio that go wrong: each order is asked for once at most, and its fate is found out."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, update

from core import outbox, outbox_pages
from core.accounts import Channel
from core.consent import Scope, suppression_of
from core.notices import open_alarms
from core.outbox import Delivery, DeliveryEvent, DeliveryState, Draft
from core.phoneevents import PhoneEvent
from desk.commands.ledger import at_twilio
from inbound.reconcile import PhoneBooks
from tests.twilio_local.creating import Fault
from tests.twilio_local.house import CLIENT, OURS
from tests.twilio_local.outgoing import Outgoing, outgoing
from tests.twilio_local.people import Callee


@pytest.fixture
def out(engine: sa.Engine, tmp_path: Path) -> Iterator[Outgoing]:
    """A company that may write at any hour."""
    with outgoing(engine, tmp_path, patience=60.0) as house:
        yield house
        assert house.house.exchange.errors == []


def text(number: int = 0, body: str = "Sveiki") -> Draft:
    return Draft(key=f"t:{number}:{body}", address=f"+3706112{number:04d}", channel=Channel.SMS, body=body)


def asked(out: Outgoing) -> Counter[tuple[str, str]]:
    """How often each number was written to or called with the same words."""
    return Counter(
        (form["To"][0], form.get("Body", form.get("Url", [""]))[0]) for _, form in out.creator.requests
    )


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, creates=True),
        Fault(502, creates=True),
        Fault(503, creates=True),
        Fault(0, creates=True),
        Fault(201, creates=True, stalls=1.2),
        Fault(302, creates=True),
    ],
    ids=lambda one: f"{one.status}{'-slow' if one.stalls else ''}",
)
def test_sms_that_was_created_behind_an_error_is_found_and_never_asked_for_again(
    out: Outgoing, fault: Fault
) -> None:
    """F54."""
    if fault.stalls:
        out.patience = fault.stalls / 2
    out.creator.faults = [fault]
    out.queue(text())
    out.send_all(Channel.SMS)
    assert out.states() == ["uncertain"]
    out.send_all(Channel.SMS)
    out.reconcile()
    assert out.states() == ["sent"]
    out.creator.carry_all()
    out.told()
    assert out.states() == ["delivered"]
    assert len(out.creator.requests) == 1


@pytest.mark.parametrize("fault", [Fault(500), Fault(0)], ids=["500", "cut"])
def test_sms_that_was_not_created_stays_uncertain_for_a_person_and_says_so(
    out: Outgoing, fault: Fault
) -> None:
    out.creator.faults = [fault]
    out.queue(text())
    out.send_all(Channel.SMS)
    out.reconcile()
    out.reconcile()
    assert (out.states(), len(out.creator.requests)) == (["uncertain"], 1)
    assert out.deliveries()[0].error == "the exchange was asked, and has nothing of it so far"


def test_call_that_was_placed_behind_a_timeout_is_found_and_never_placed_again(out: Outgoing) -> None:
    """F54."""
    out.house.exchange.book[CLIENT] = Callee(keys="")
    out.creator.faults = [Fault(201, creates=True, stalls=1.2)]
    out.patience = 0.6
    draft = Draft(
        key="v", address=CLIENT, channel=Channel.VOICE, template="follow_up", language="lt", values={}
    )
    out.queue(draft)
    out.send_all(Channel.VOICE)
    assert out.states() == ["uncertain"]
    out.creator.place()
    out.house.exchange.callbacks.clear()
    out.reconcile()
    (order,) = out.orders()
    assert (order.reason, order.answered_by) == ("", "human")
    assert (out.states(), len(out.creator.requests)) == (["delivered"], 1)


def test_too_many_requests_twenty_times_is_one_sms_in_the_end(out: Outgoing) -> None:
    """F53."""
    out.creator.faults = [Fault(429)] * 20
    out.queue(text())
    out.send_all(Channel.SMS, times=60)
    assert (out.states(), len(out.house.exchange.texts)) == (["sent"], 1)
    assert len(out.creator.requests) == 21


def test_exchange_that_cannot_be_reached_leaves_everything_waiting(engine: sa.Engine, tmp_path: Path) -> None:
    with outgoing(engine, tmp_path) as out:
        settings = out.context.settings
        assert settings.twilio is not None
        nowhere = settings.twilio.model_copy(update={"api_base": "http://127.0.0.1:9"})
        here = out.context
        out.context = type(here)(settings.model_copy(update={"twilio": nowhere}), here.engine)
        out.queue(text())
        out.send(Channel.SMS, seconds=3.0)
        assert out.states()[0] in {"queued", "deferred"}
        out.context = here
        out.send_all(Channel.SMS)
        assert (out.states(), len(out.creator.requests)) == (["sent"], 1)


def test_country_that_the_account_may_not_reach_is_an_alarm_and_not_a_bad_number(out: Outgoing) -> None:
    out.creator.refuses["+37061120000"] = (400, 21408)
    out.queue(text())
    out.send_all(Channel.SMS)
    assert out.states() == ["refused"]
    with out.context.transaction() as session:
        assert [one.kind for one in open_alarms(session)] == ["phone_refused"]
        assert session.scalar(select(func.count()).select_from(sa.table("suppression"))) == 0


def test_telephone_that_is_off_for_weeks_gets_no_more_mailings_and_one_report_stops_nothing(
    out: Outgoing,
) -> None:
    number = "+37061120000"
    for sent in range(3):
        out.queue(text(body=f"Sveiki, {sent}"))
        out.send_all(Channel.SMS)
        out.creator.carry(out.house.exchange.texts[-1], "sent", "undelivered", code=30003)
        out.told()
        with out.context.transaction() as session:
            stop = suppression_of(session, Channel.SMS, number)
            assert (stop.scope if stop else None) == (Scope.MARKETING if sent == 2 else None)
            week = update(DeliveryEvent).values(happened_at=DeliveryEvent.happened_at - timedelta(days=8))
            session.execute(week)


STATUSES = ("queued", "sending", "sent", "delivered", "undelivered")


def test_states_of_an_sms_end_the_same_in_each_of_120_orders(out: Outgoing) -> None:
    """F49."""
    orders = list(itertools.permutations(STATUSES))
    with out.context.transaction() as session:
        outbox.queue_many(session, [text(number) for number in range(len(orders))])
    raised = out.context.settings.dialling.model_copy(update={"sms_to_block_a_day": 1000})
    out.context = type(out.context)(
        out.context.settings.model_copy(update={"dialling": raised}), out.context.engine
    )
    out.send_all(Channel.SMS)
    for sms, order in zip(list(out.house.exchange.texts), orders, strict=True):
        for status in order:
            out.creator.carry(sms, status, code=30008 if status == "undelivered" else None)
    out.told()
    assert Counter(out.states()) == {"bounced": 120}
    with out.context.transaction() as session:
        assert session.scalar(select(func.count()).where(PhoneEvent.state != "applied")) == 0


def test_what_is_told_before_our_own_record_is_committed_is_not_lost(out: Outgoing) -> None:
    """F50."""
    out.queue(text())
    out.send(Channel.SMS)
    with out.context.transaction() as session:
        session.execute(
            update(Delivery).values(state=DeliveryState.TRANSMITTING, lease_owner="w", settled_at=None)
        )
        session.execute(sa.text("update phone_order set sid = null"))
    out.creator.carry_all()
    out.told()
    assert out.states() == ["transmitting"]
    with out.context.transaction() as session:
        session.execute(update(Delivery).values(lease_until=sa.text("now() - interval '1 second'")))
        outbox_pages.sweep(session)
    out.reconcile()
    assert out.states() == ["delivered"]


def test_callback_three_days_late_and_one_of_an_unknown_sms_do_no_harm(out: Outgoing) -> None:
    """F50."""
    out.queue(text())
    out.send(Channel.SMS)
    with out.context.transaction() as session:
        session.execute(sa.text("update phone_order set ordered_at = now() - interval '3 days'"))
    out.creator.carry_all()
    (url, fields) = out.house.exchange.callbacks[0]
    out.house.exchange.callbacks.append(
        (url.partition("?")[0], {**fields, "MessageSid": "SM" + "9" * 32, "SmsSid": "SM" + "9" * 32})
    )
    out.told()
    assert out.states() == ["delivered"]
    with out.context.transaction() as session:
        assert session.scalars(select(PhoneEvent.reason).where(PhoneEvent.state == "ignored")).all() == [
            "an SMS that was not sent from here"
        ]


def test_a_hundred_orders_through_a_storm_of_faults_are_each_asked_for_once(
    engine: sa.Engine, tmp_path: Path
) -> None:
    chance = random.Random(7)
    rules = {"sms_to_block_a_day": 1000, "sms_a_day": 1000}
    with outgoing(engine, tmp_path, dialling=rules, patience=3.0) as out:
        faults = [Fault(429)] * 20 + [Fault(500, creates=True)] * 10 + [Fault(0, creates=True)] * 10
        faults += [Fault(201, creates=True, stalls=4.0)] * 2 + [Fault(500)] * 4
        chance.shuffle(faults)
        out.creator.faults = faults
        out.queue(*(text(number, f"Sveiki {number}") for number in range(100)))
        out.send_all(Channel.SMS, times=80)
        out.creator.carry_all()
        out.told(lost=0.33, doubled=0.33, shuffled=True, seed=7)
        for _ in range(4):
            out.reconcile()
        created = Counter((one.to, one.body) for one in out.house.exchange.texts)
        assert max(created.values()) == 1
        counted = Counter(out.states())
        assert counted == {"delivered": 96, "uncertain": 4}
        books = at_twilio(out.context)
        assert isinstance(books, PhoneBooks)
        assert (books.messages_out, books.lost, books.foreign, books.uncertain) == (96, (), (), 4)


def test_webhooks_of_sms_that_came_in_are_not_taken_for_ours(out: Outgoing) -> None:
    out.house.exchange.sms(CLIENT, OURS, "Labas")
    out.house.work()
    out.reconcile()
    assert out.states() == []
