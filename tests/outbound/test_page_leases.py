"""Who holds a page, for how long, and what becomes of what a dead or late worker held."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, text, update

from core import outbox_pages
from core.outbox import Delivery, DeliveryState
from outbound.channels.base import Outcome, Result
from outbound.compose import Composer
from outbound.pages import Pages
from tests.outbound.conftest import Company, draft, one, queue, states

S = DeliveryState


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
