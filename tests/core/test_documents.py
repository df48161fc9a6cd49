"""Numbers of documents run without gaps or doubles."""

from __future__ import annotations

import threading

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db, documents
from core.documents import Document
from core.outbox import Draft, queue
from tests.core.people import client, deal_with_lines


def test_numbers_run_per_kind_and_year(session: Session) -> None:
    taken = [documents.next_number(session, "commercial_offer", year) for year in (2026, 2026, 2027)]
    assert taken == ["KP-2026-0001", "KP-2026-0002", "KP-2027-0001"]
    assert documents.next_number(session, "technical_proposal", 2026) == "TP-2026-0001"


def test_two_at_once_get_two_numbers(engine: sa.Engine) -> None:
    taken: list[str] = []

    def take() -> None:
        with db.transaction(engine) as session:
            taken.append(documents.next_number(session, "commercial_offer", 2026))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"KP-2026-000{n}" for n in range(1, 5)]


def _made(session: Session, deal_id: int, content: str, key: str) -> Document:
    """The offer that a letter carries, as the composer makes it."""
    delivery_id = queue(session, Draft(key=key, address="ona@vandenis.lt", deal_id=deal_id))
    assert delivery_id is not None
    version = documents.next_version(session, "commercial_offer", 2026, deal_id=deal_id, content=content)
    if version.known is not None:
        return documents.send_again(session, version.known, delivery_id)
    return documents.keep(
        session, kind="commercial_offer", number=version.number, version=version.version, content=content,
        title="Offer", filename="offer.pdf", language="lt", data=b"%PDF", deal_id=deal_id,
        delivery_id=delivery_id,
    )  # fmt: skip


def test_a_changed_offer_keeps_its_number_with_the_next_version(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    numbers = [_made(session, deal.id, content, content).number for content in ("one", "two", "three")]
    assert numbers == ["KP-2026-0001", "KP-2026-0001-2", "KP-2026-0001-3"]
    assert documents.next_number(session, "commercial_offer", 2026) == "KP-2026-0002"


def test_the_same_offer_again_is_no_new_version_and_who_got_it_is_known(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    first, again = _made(session, deal.id, "one", "a"), _made(session, deal.id, "one", "b")
    later = _made(session, deal.id, "two", "c")
    assert first is again
    sendings = [(one.document.version, one.recipient) for one in documents.of_deal(session, deal.id)]
    assert sendings == [(2, "ona@vandenis.lt"), (1, "ona@vandenis.lt"), (1, "ona@vandenis.lt")]
    assert later.number == "KP-2026-0001-2"


def test_a_number_that_was_rolled_back_is_taken_by_the_next(engine: sa.Engine) -> None:
    with Session(engine) as lost:
        assert documents.next_number(lost, "commercial_offer", 2026) == "KP-2026-0001"
        lost.rollback()
    with db.transaction(engine) as session:
        assert documents.next_number(session, "commercial_offer", 2026) == "KP-2026-0001"


def test_what_no_document_shows_makes_no_new_version() -> None:
    plain = documents.fingerprint({"deal": {"total": "1"}}, "lt")
    assert documents.fingerprint({"deal": {"total": "1"}, "answer": {"text": "Labas"}}, "lt") == plain
    assert documents.fingerprint({"deal": {"total": "2"}}, "lt") != plain
    assert documents.fingerprint({"deal": {"total": "1"}}, "ru") != plain
