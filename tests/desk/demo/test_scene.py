"""How the demonstration ends, and what it tells while it stays."""

from __future__ import annotations

import signal

import pytest
import sqlalchemy as sa

from core.db import transaction
from core.outbox import DeliveryEvent, DeliveryState
from desk.demo import observed
from desk.demo.scene import told_to_end
from tests.factories import World


def _broken_off() -> None:
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        # As a connection does that is put back in the middle of a statement.
        raise ValueError("can't change 'autocommit' now")


def test_what_breaks_because_it_was_told_to_end_is_the_end_and_no_fault() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), told_to_end():
        _broken_off()
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_fails_by_itself_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="by itself"), told_to_end():
        raise ValueError("by itself")


def test_an_answer_is_told_when_it_leaves_and_one_taken_back_is_not(engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        message, event = observed.newest(session)
        number = world.deliveries["queued"]
        session.add(DeliveryEvent(delivery_id=number, state=DeliveryState.CANCELLED))
        session.flush()
        assert (observed.came(session, message), observed.left(session, event)) == ([], [])
        session.add(DeliveryEvent(delivery_id=number, state=DeliveryState.SENT))
        session.flush()
        assert len(observed.left(session, event)) == 1
