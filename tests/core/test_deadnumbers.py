"""Numbers that cannot be reached are given up by count and time, and one report is never enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core import deadnumbers, outbox
from core.accounts import Channel, Contact
from core.consent import Scope
from core.conversations import Conversation, Direction, Message
from core.deadnumbers import NO_SUCH, UNREACHABLE, class_of, why_failed
from core.outbox import Delivery, DeliveryEvent, DeliveryState, Draft

NUMBER = "+37061200101"
NOW = datetime.now(UTC)


def called(session: Session, detail: str, *days_ago: float) -> Delivery:
    """A call that failed so often, and how long ago each time."""
    contact = Contact(name="Ona")
    session.add(contact)
    session.flush()
    draft = Draft(key="a", address=NUMBER, channel=Channel.VOICE, body="x", contact_id=contact.id)
    number = outbox.queue(session, draft)
    assert number is not None
    for days in days_ago:
        told(session, number, DeliveryState.BOUNCED, detail, days)
    return session.get_one(Delivery, number)


def told(session: Session, delivery_id: int, state: DeliveryState, detail: str, days: float) -> None:
    at = NOW - timedelta(days=days)
    session.add(DeliveryEvent(delivery_id=delivery_id, state=state, detail=detail, happened_at=at))
    session.flush()


@pytest.mark.parametrize(
    ("detail", "days", "scope"),
    [
        (NO_SUCH, [0], None),
        (NO_SUCH, [0, 0.5], None),
        (NO_SUCH, [0, 2], Scope.EVERYTHING),
        (UNREACHABLE, [0, 5, 20], None),
        (UNREACHABLE, [0, 5, 10, 20], Scope.MARKETING),
        ("30003: the telephone cannot be reached", [0, 7, 15], Scope.MARKETING),
        ("30003: the telephone cannot be reached", [0, 7, 400], None),
        ("nobody answered: no_answer", [0, 5, 10, 20, 30, 40], None),
        ("the client did not answer: failed", [0, 2, 4], None),
    ],
)
def test_reports_of_one_kind_are_counted_over_time(
    session: Session, detail: str, days: list[float], scope: Scope | None
) -> None:
    assert deadnumbers.judge(session, called(session, detail, *days), detail) is scope


def test_reports_before_something_arrived_or_the_owner_rang_count_no_more(session: Session) -> None:
    delivery = called(session, NO_SUCH, 0, 2)
    told(session, delivery.id, DeliveryState.DELIVERED, "", 1)
    assert deadnumbers.judge(session, delivery, NO_SUCH) is None


def test_owner_who_rang_since_is_alive(session: Session) -> None:
    delivery = called(session, NO_SUCH, 0, 2)
    talk = Conversation(subject="x", channel=Channel.VOICE, contact_id=delivery.contact_id)
    session.add(talk)
    session.flush()
    session.add(
        Message(
            conversation_id=talk.id, contact_id=delivery.contact_id, direction=Direction.IN,
            channel=Channel.VOICE, sender=NUMBER, happened_at=NOW - timedelta(days=1),
        )
    )  # fmt: skip
    session.flush()
    assert deadnumbers.judge(session, delivery, NO_SUCH) is None


@pytest.mark.parametrize(("cause", "why"), [("404", NO_SUCH), ("503", UNREACHABLE), (None, UNREACHABLE)])
def test_answer_of_the_network_tells_a_dead_number_from_a_bad_line(cause: str | None, why: str) -> None:
    assert why_failed(cause) == why
    assert class_of(why) is not None
