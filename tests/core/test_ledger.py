"""The books add up, and say so when they do not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from core import intake, ledger, outbox
from core.intake import IntakeState, RawMessage, RawOrigin
from core.outbox import Delivery, DeliveryState, Draft
from tests.core.people import client, letter


def _raw(session: Session, state: IntakeState, key: bytes, reason: str | None = None) -> RawMessage:
    raw = RawMessage(content_key=key, data=b"x", size=1, state=state, source="test", reason=reason)
    session.add(raw)
    session.flush()
    return raw


def test_an_empty_house_is_sound(session: Session) -> None:
    assert ledger.balance(session).sound


def test_an_understood_letter_in_a_conversation_is_sound(session: Session) -> None:
    letter(session, client(session)).raw_id = _raw(session, IntakeState.UNDERSTOOD, b"1").id
    _raw(session, IntakeState.IGNORED, b"2", reason="a list")
    session.flush()
    assert ledger.balance(session).sound


def test_an_understood_letter_in_no_conversation_is_named(session: Session) -> None:
    raw = _raw(session, IntakeState.UNDERSTOOD, b"1")
    books = ledger.balance(session)
    assert [(one.count, one.items) for one in books.discrepancies] == [(1, (str(raw.id),))]


def test_an_ignored_letter_needs_a_reason(session: Session) -> None:
    _raw(session, IntakeState.IGNORED, b"1")
    assert not ledger.balance(session).sound


def test_a_delivery_nobody_holds_any_more_is_named(session: Session) -> None:
    outbox.queue(session, Draft(key="k", address="ona@vandenis.lt"))
    lapsed = func.now() - timedelta(minutes=11)
    session.execute(update(Delivery).values(state=DeliveryState.TRANSMITTING, lease_until=lapsed))
    assert not ledger.balance(session).sound


def test_a_uid_below_the_cursor_without_a_record_is_missing(session: Session) -> None:
    mailbox = intake.find_or_add_mailbox(session, "sales")
    mailbox.uidvalidity, mailbox.last_uid = 7, 3
    raw = _raw(session, IntakeState.STORED, b"1")
    session.add_all(
        [RawOrigin(mailbox_id=mailbox.id, uidvalidity=7, uid=uid, raw_id=raw.id) for uid in (1, 3)]
    )
    session.flush()
    books = ledger.balance(session, {("sales", "INBOX"): {1, 2, 3, 4}})
    assert (books.mailboxes[0].missing, books.mailboxes[0].backlog, books.sound) == ((2,), 1, False)


def test_a_server_that_does_not_answer_is_said_so(session: Session) -> None:
    intake.find_or_add_mailbox(session, "sales")
    books = ledger.balance(session, {("sales", "INBOX"): "no answer"})
    assert books.mailboxes[0].error == "no answer"
