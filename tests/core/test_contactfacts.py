"""What letters say of each contact: counted as they come, and anew to the same end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import contactfacts, outbox
from core.accounts import Account, Contact, find_or_add_contact
from core.clock import now
from core.contactfacts import ContactIntent, FactProgress
from core.conversations import Conversation, Direction, Message
from core.labels import Classification
from core.outbox import DeliveryState, Draft, Purpose


def _person(session: Session, address: str = "ona@imone.example") -> Contact:
    return find_or_add_contact(session, address=address, name="Ona")


def _letter(
    session: Session, person: Contact, at: datetime, direction: Direction, intent: str | None = None
) -> Message:
    talk = Conversation(contact_id=person.id, account_id=person.account_id)
    session.add(talk)
    session.flush()
    made = Message(
        conversation_id=talk.id, contact_id=person.id, direction=direction, happened_at=at, sender=""
    )
    session.add(made)
    session.flush()
    if intent:
        session.add(Classification(message_id=made.id, intent=intent, confidence=0.9))
        session.flush()
    return made


def _facts(session: Session, person: Contact) -> tuple[datetime | None, datetime | None]:
    session.expire_all()
    return person.last_in_at, person.last_out_at


def test_the_newest_letters_each_way_stand_at_contact_and_client(session: Session) -> None:
    ona, jonas = _person(session), _person(session, "jonas@imone.example")
    old, new, ours = (now() - timedelta(days=days) for days in (30, 3, 1))
    _letter(session, ona, new, Direction.IN)
    _letter(session, ona, old, Direction.IN)
    _letter(session, jonas, ours, Direction.OUT)
    contactfacts.bring_up_to_date(session)
    assert _facts(session, ona) == (new, None)
    assert _facts(session, jonas) == (None, ours)
    account = session.get_one(Account, ona.account_id)
    assert (account.last_in_at, account.last_out_at) == (new, ours)


def test_an_intent_is_kept_with_its_last_time(session: Session) -> None:
    ona = _person(session)
    for days in (40, 5, 9):
        _letter(session, ona, now() - timedelta(days=days), Direction.IN, "order")
        contactfacts.bring_up_to_date(session)
    held = session.scalars(select(ContactIntent).where(ContactIntent.contact_id == ona.id)).one()
    assert held.intent == "order"
    assert now() - held.last_at < timedelta(days=6)


def test_a_mailing_that_went_out_is_counted_and_one_that_waits_is_not(session: Session) -> None:
    ona = _person(session)
    for key in ("first", "second"):
        outbox.queue(
            session,
            Draft(key=key, address="ona@imone.example", purpose=Purpose.MARKETING, contact_id=ona.id),
        )
    contactfacts.bring_up_to_date(session)
    session.refresh(ona)
    assert ona.last_mailing_at is None
    number = session.scalars(select(outbox.Delivery.id).where(outbox.Delivery.key == "first")).one()
    session.add(outbox.DeliveryEvent(delivery_id=number, state=DeliveryState.SENT))
    session.flush()
    contactfacts.bring_up_to_date(session)
    session.refresh(ona)
    assert ona.last_mailing_at is not None


def test_counting_anew_takes_back_what_is_no_longer_so(session: Session) -> None:
    ona, jonas = _person(session), _person(session, "jonas@kita.example")
    letter = _letter(session, ona, now(), Direction.IN, "order")
    contactfacts.bring_up_to_date(session)
    letter.contact_id = jonas.id
    session.flush()
    contactfacts.rebuild(session)
    assert _facts(session, ona) == (None, None)
    assert _facts(session, jonas)[0] is not None
    assert session.scalars(select(ContactIntent.contact_id)).all() == [jonas.id]


def test_a_letter_whose_transaction_ends_late_is_not_missed(session: Session) -> None:
    ona = _person(session)
    early = _letter(session, ona, now() - timedelta(days=9), Direction.IN)
    late = _letter(session, ona, now(), Direction.IN)
    # As if the second had been seen while the first was still being written.
    session.add(FactProgress(name="message", settled_id=early.id - 1, ahead_id=late.id, ahead_at=now()))
    contactfacts.bring_up_to_date(session)
    assert _facts(session, ona)[0] is not None
    held = session.get_one(FactProgress, "message")
    assert held.settled_id == early.id - 1
