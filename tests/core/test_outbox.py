"""The send ledger: once queued, always in one state."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import db, outbox
from core.errors import IllegalTransition
from core.outbox import TRANSITIONS, AutoAnswer, Delivery, DeliveryEvent, DeliveryState, Draft
from core.values import BadAddress


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)


def test_nothing_leads_from_sent_back_to_the_queue() -> None:
    reached, frontier = set(), {DeliveryState.SENT}
    while frontier:
        reached |= frontier
        frontier = {after for state in frontier for after in TRANSITIONS[state]} - reached
    assert not reached & {
        DeliveryState.QUEUED,
        DeliveryState.CLAIMED,
        DeliveryState.TRANSMITTING,
        DeliveryState.DEFERRED,
    }


def test_what_was_transmitted_comes_back_to_the_queue_only_through_uncertain() -> None:
    assert not TRANSITIONS[DeliveryState.TRANSMITTING] & {DeliveryState.QUEUED, DeliveryState.CLAIMED}


def test_one_intention_is_queued_once(session: Session) -> None:
    draft = Draft(key="offer:1", address="ona@vandenis.lt")
    assert outbox.queue(session, draft) is not None
    assert outbox.queue(session, draft) is None


def test_an_address_is_kept_in_its_normal_form_with_its_domain(session: Session) -> None:
    delivery = session.get(Delivery, outbox.queue(session, Draft(key="k", address="Ona+x@Vandenis.LT")))
    assert delivery is not None
    assert (delivery.address, delivery.address_key, delivery.domain) == (
        "ona+x@vandenis.lt", "ona@vandenis.lt", "vandenis.lt",
    )  # fmt: skip


def test_reply_keys_differ_and_are_long(session: Session) -> None:
    outbox.queue_many(session, [Draft(key=f"k{n}", address="ona@vandenis.lt") for n in range(50)])
    tokens = session.scalars(select(Delivery.token)).all()
    assert len(set(tokens)) == 50
    assert all(len(token) == 32 for token in tokens)


def test_nothing_is_queued_to_what_is_no_address(session: Session) -> None:
    with pytest.raises(BadAddress):
        outbox.queue(session, Draft(key="k", address="ona@x\r\nBcc: all@x.lt"))


def test_a_person_may_send_an_uncertain_delivery_again(session: Session) -> None:
    delivery_id = outbox.queue(session, Draft(key="k", address="ona@vandenis.lt"))
    assert delivery_id is not None
    session.execute(update(Delivery).values(state=DeliveryState.UNCERTAIN))
    outbox.settle(session, delivery_id, DeliveryState.QUEUED, detail="not in the relay's log")
    assert session.scalar(select(Delivery.state)) == DeliveryState.QUEUED
    assert session.scalars(select(DeliveryEvent.detail)).one() == "not in the relay's log"


@pytest.mark.parametrize("state", list(DeliveryState))
@pytest.mark.parametrize("after", list(DeliveryState))
def test_only_written_transitions_happen(
    session: Session, state: DeliveryState, after: DeliveryState
) -> None:
    delivery_id = outbox.queue(session, Draft(key="k", address="ona@vandenis.lt"))
    assert delivery_id is not None
    session.execute(update(Delivery).values(state=state))
    if after in TRANSITIONS[state]:
        outbox.settle(session, delivery_id, after)
    else:
        with pytest.raises(IllegalTransition):
            outbox.settle(session, delivery_id, after)


def test_one_automatic_answer_in_seven_days(session: Session) -> None:
    assert outbox.may_answer_automatically(session, "ona@vandenis.lt")
    assert not outbox.may_answer_automatically(session, "ONA+tag@vandenis.lt")
    session.execute(update(AutoAnswer).values(answered_at=func.now() - timedelta(days=7, minutes=1)))
    assert outbox.may_answer_automatically(session, "ona@vandenis.lt")


def test_of_two_workers_at_once_one_may_answer(engine: sa.Engine) -> None:
    granted: list[bool] = []
    gate = threading.Barrier(2)

    def ask() -> None:
        gate.wait()
        with db.transaction(engine) as session:
            granted.append(outbox.may_answer_automatically(session, "ona@vandenis.lt"))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False, True]


@given(st.lists(st.sampled_from(list(DeliveryState)), max_size=12))
def test_no_path_sends_twice_without_a_person(path: list[DeliveryState]) -> None:
    """Along any legal path, a second transmission comes only after a refusal for now or a person's word."""
    state, handed_over = DeliveryState.QUEUED, False
    for after in path:
        if after not in TRANSITIONS[state]:
            continue
        if after == DeliveryState.TRANSMITTING:
            assert not handed_over
        if after in {DeliveryState.SENT, DeliveryState.DELIVERED}:
            handed_over = True
        state = after


def test_counts_name_every_state_also_at_nought(session: Session) -> None:
    outbox.queue(session, Draft(key="k", address="ona@vandenis.lt"))
    counts = outbox.counts(session)
    assert set(counts) == {state.value for state in DeliveryState}
    assert (counts["queued"], sum(counts.values())) == (1, 1)
