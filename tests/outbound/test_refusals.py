"""Addresses that servers refuse again and again while we speak to them are given up by the count of that."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from core import consent, outbox
from core.accounts import Channel
from core.consent import Scope
from core.context import Context
from core.outbox import Delivery, DeliveryEvent, DeliveryState
from outbound.channels.base import Outcome, Reply
from outbound.channels.memory import MemoryChannel
from outbound.compose import Composer
from outbound.pages import Pages
from outbound.retry import Step, judge
from tests.outbound.conftest import Company, draft, queue, send_all

ADDRESS = "client1@company1.example"
UNKNOWN = judge(Step.RCPT, Reply(550, "No such user here"))
FULL = judge(Step.RCPT, Reply(552, "5.2.2 Mailbox full"))
BLOCKED = judge(Step.RCPT, Reply(554, "5.7.1 blocked using zen.spamhaus.org"))


async def refused(context: Context, number: int, days_ago: int, outcome: Outcome) -> None:
    """A letter to the address that was refused so many days ago."""
    channel = MemoryChannel()
    channel.answer(ADDRESS, outcome)
    queue(context, draft(number, address=ADDRESS))
    await send_all(context, channel)
    _turn_back(context, days_ago)


def _turn_back(context: Context, days_ago: int) -> None:
    with context.transaction() as session:
        last = select(func.max(DeliveryEvent.id)).scalar_subquery()
        happened = func.now() - timedelta(days=days_ago)
        session.execute(update(DeliveryEvent).where(DeliveryEvent.id == last).values(happened_at=happened))


def stopped(context: Context) -> Scope | None:
    with context.transaction() as session:
        found = consent.suppression_of(session, Channel.EMAIL, ADDRESS)
        return Scope(found.scope) if found is not None else None


async def test_an_address_that_is_unknown_for_a_second_time_is_given_up(company: Company):
    context = company()
    await refused(context, 1, 3, UNKNOWN)
    assert stopped(context) is None
    await refused(context, 2, 0, UNKNOWN)
    assert stopped(context) is Scope.EVERYTHING


async def test_a_refusal_counts_together_with_reports_that_came_back(company: Company):
    context = company()
    for number, days_ago in ((1, 20), (2, 10)):
        queue(context, draft(number, address=ADDRESS))
        await send_all(context, MemoryChannel())
        with context.transaction() as session:
            last = session.scalars(select(func.max(Delivery.id))).one()
            outbox.settle(session, last, DeliveryState.BOUNCED, detail="full 5.2.2 Mailbox full")
        _turn_back(context, days_ago)
    await refused(context, 3, 0, FULL)
    assert stopped(context) is Scope.MARKETING


async def test_a_sender_that_is_blocked_again_and_again_gives_no_address_up(company: Company):
    context = company()
    for number, days_ago in ((1, 30), (2, 20), (3, 10), (4, 0)):
        await refused(context, number, days_ago, BLOCKED)
    assert stopped(context) is None


async def test_one_refusal_that_is_recorded_twice_counts_once(company: Company):
    context = company()
    queue(context, draft(1, address=ADDRESS))
    pages = Pages(context, Composer(context.settings), "w1")
    page, _ = pages.prepare(range(1, 10), 5)
    assert page is not None
    page.ended(page.letters[0].id, UNKNOWN)
    pages.record(page)
    _turn_back(context, 3)
    pages.record(page)
    assert stopped(context) is None
