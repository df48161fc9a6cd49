"""The count itself: each kind of fault is found when there is one."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core import outbox
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery, DeliveryState, Draft
from tests.core.people import client, letter
from tests.faults.count import count
from tests.faults.relay import BadDayRelay


@pytest.fixture
def relay() -> BadDayRelay:
    """A relay that took one document and was never started."""
    relay = BadDayRelay(1)
    relay.taken["fd-1@house.test"] = 1
    return relay


def _world(session: Session) -> None:
    """One letter filed and one document sent, all in order."""
    raw = RawMessage(content_key=b"1", data=b"x", size=1, state=IntakeState.UNDERSTOOD, source="test")
    session.add(raw)
    session.flush()
    letter(session, client(session), subject="T-1").raw_id = raw.id
    outbox.queue(session, Draft(key="d-1", address="ona@vandenis.lt"))
    session.execute(update(Delivery).values(state=DeliveryState.SENT, rfc_id="fd-1@house.test"))
    session.flush()


def _faults(session: Session, relay: BadDayRelay, tokens: tuple[str, ...] = ("T-1",)) -> set[str]:
    found = count(session, tokens, ["d-1"], relay).faults
    return {name for name, number in found.items() if number}


def test_a_house_in_order_has_no_faults(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    assert _faults(session, relay) == set()


def test_a_lost_letter_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    assert _faults(session, relay, ("T-1", "T-2")) == {"letters lost"}


def test_a_letter_filed_twice_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    raw = RawMessage(content_key=b"2", data=b"x", size=1, state=IntakeState.UNDERSTOOD, source="test")
    session.add(raw)
    session.flush()
    letter(session, client(session), subject="T-1", rfc_id="2@vandenis.lt").raw_id = raw.id
    session.flush()
    assert _faults(session, relay) == {"letters filed twice", "letters stored twice"}


def test_a_document_sent_twice_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    relay.taken["fd-1@house.test"] = 2
    assert _faults(session, relay) == {"documents sent twice"}


def test_a_document_called_sent_that_never_arrived_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    relay.taken.clear()
    assert _faults(session, relay) == {"called sent but never taken"}


def test_a_document_that_arrived_and_is_not_on_record_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    session.execute(update(Delivery).values(state=DeliveryState.REFUSED))
    assert _faults(session, relay) == {"taken but neither sent nor uncertain"}


def test_a_document_left_lying_is_found(session: Session, relay: BadDayRelay) -> None:
    _world(session)
    relay.taken.clear()
    session.execute(update(Delivery).values(state=DeliveryState.DEFERRED, rfc_id=None))
    assert _faults(session, relay) == {"documents still waiting"}
