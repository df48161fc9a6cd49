"""The segment of one letter: whose it is, about what, and where the deal stands."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import defaults, outbox, segments, traffic
from core.accounts import Contact, find_or_add_contact
from core.catalogue import Product
from core.conversations import Conversation, Message
from core.deals import Deal, DealLine, open_deal
from core.letters import client_values
from core.outbox import Delivery, Draft
from core.segments import Segment
from core.segments_language import parse
from core.traffic import mark


def test_what_is_unknown_is_left_out_of_the_mark() -> None:
    assert mark() is None
    assert mark([4, 2], "order", ["pump", "pump"], None) == {
        "segments": [4, 2],
        "intent": "order",
        "products": ["pump"],
    }


def _client(session: Session) -> tuple[Contact, Deal, Conversation]:
    defaults.install(session)
    contact = find_or_add_contact(session, address="ona@imone.example", name="Ona", language="lt")
    deal = open_deal(session, contact=contact, account=contact.account, title="Pumps", reason="test")
    pump = Product(key="pump", names={"en": "Pump"})
    session.add(pump)
    session.flush()
    session.add(DealLine(deal_id=deal.id, product_id=pump.id, price=Decimal(5)))
    talk = Conversation(contact_id=contact.id, account_id=contact.account_id, intent="order", deal_id=deal.id)
    session.add(talk)
    session.flush()
    return contact, deal, talk


def _segment(session: Session, name: str, rank: int) -> Segment:
    leaf = {"fact": "language", "values": ["lt"]}
    made = segments.add(session, name, parse({"version": 1, "group": "all", "of": [leaf]}))
    made.rank = rank
    segments.refresh(session, made)
    return made


def test_a_queued_delivery_and_its_copy_carry_their_segment(session: Session) -> None:
    contact, deal, talk = _client(session)
    second, first = _segment(session, "Second", 20), _segment(session, "First", 10)
    number = outbox.queue(
        session,
        Draft(
            key="answer:1",
            address="ona@imone.example",
            automatic=False,
            contact_id=contact.id,
            conversation_id=talk.id,
            deal_id=deal.id,
            subject="Re",
            body="Laba diena",
        ),
    )
    expected = {
        "segments": [first.id, second.id],
        "intent": "order",
        "products": ["pump"],
        "stage": "first_contact",
    }
    assert session.get_one(Delivery, number).segment == expected
    copy = session.scalars(select(Message).where(Message.delivery_id == number)).one()
    assert copy.segment == expected


def test_a_delivery_to_nobody_known_carries_none(session: Session) -> None:
    number = outbox.queue(session, Draft(key="answer:2", address="nobody@else.example"))
    assert session.get_one(Delivery, number).segment is None


def test_a_segment_that_was_put_away_marks_no_more(session: Session) -> None:
    contact, _deal, _talk = _client(session)
    made = _segment(session, "Gone", 1)
    assert traffic.look_up(session, [contact.id], []).segments == {contact.id: [made.id]}
    segments.archive(session, made)
    assert traffic.look_up(session, [contact.id], []).segments == {}


def test_the_wording_of_a_letter_may_differ_by_the_clients_segments(session: Session) -> None:
    contact, _deal, _talk = _client(session)
    _segment(session, "Dealers", 20)
    _segment(session, "Baltic", 10)
    draft = Draft(
        key="offer:1",
        address="ona@imone.example",
        contact_id=contact.id,
        values={"client": {"name": "Ona"}},
    )
    number = outbox.queue(session, draft)
    queued = session.get_one(Delivery, number)
    assert queued.values["client"] == {"name": "Ona", "segments": "Baltic; Dealers"}
    assert client_values(contact)["segments"] == "Baltic; Dealers"
