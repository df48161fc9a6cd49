"""Numbers of documents run without gaps or doubles."""

from __future__ import annotations

import threading

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db, documents


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
