"""What people say of how a message was understood: the newest word stands, and an older one can go."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.labels import Classification, Field, correct, keep_said, undo
from tests.classifier.letters import colleague, message


@pytest.fixture
def letter(session: Session) -> int:
    """A message that names a pump: its number."""
    made = message(session, "the pump is broken")
    session.add(Classification(message_id=made.id, language="en", interests=[["pump", 0.7, "pump"]]))
    session.flush()
    return made.id


def understood(session: Session, letter: int) -> Classification:
    return session.scalars(select(Classification).where(Classification.message_id == letter)).one()


def test_an_older_word_that_is_taken_back_leaves_the_newer_in_force(session: Session, letter: int) -> None:
    rasa = colleague(session)
    older = correct(session, letter, Field.URGENCY, "high", staff_id=rasa.id)
    correct(session, letter, Field.URGENCY, "low", staff_id=rasa.id)
    undo(session, older.id)
    assert understood(session, letter).urgency == "low"


def test_a_product_taken_away_by_mistake_returns_with_its_confidence_and_reason(
    session: Session, letter: int
) -> None:
    made = correct(session, letter, Field.INTEREST_REMOVED, "pump", staff_id=colleague(session).id)
    assert understood(session, letter).interests == []
    undo(session, made.id)
    assert understood(session, letter).interests == [["pump", 0.7, "pump"]]


def test_a_corrected_urgency_does_not_confirm_the_topic(session: Session, letter: int) -> None:
    correct(session, letter, Field.URGENCY, "high", staff_id=colleague(session).id)
    assert understood(session, letter).reviewed_at is None


def test_what_people_said_outlives_understanding_the_message_anew(session: Session, letter: int) -> None:
    rasa = colleague(session)
    correct(session, letter, Field.LANGUAGE, "lt", staff_id=rasa.id)
    correct(session, letter, Field.INTEREST_REMOVED, "pump", staff_id=rasa.id)
    known = understood(session, letter)
    known.language, known.interests = "en", [["pump", 0.8, "pump"], ["hose", 0.6, "hose"]]
    keep_said(session, known)
    assert (known.language, known.interests) == ("lt", [["hose", 0.6, "hose"]])


def test_words_taken_back_one_after_the_other_bring_back_what_was_before_them(
    session: Session, letter: int
) -> None:
    rasa = colleague(session)
    older = correct(session, letter, Field.URGENCY, "high", staff_id=rasa.id)
    newer = correct(session, letter, Field.URGENCY, "low", staff_id=rasa.id)
    undo(session, older.id)
    undo(session, newer.id)
    assert understood(session, letter).urgency == "normal"


def test_a_topic_stays_confirmed_by_an_older_word(session: Session, letter: int) -> None:
    rasa = colleague(session)
    correct(session, letter, Field.INTENT, "support", staff_id=rasa.id)
    newer = correct(session, letter, Field.INTENT, "demo", staff_id=rasa.id)
    undo(session, newer.id)
    known = understood(session, letter)
    assert (known.intent, known.confidence, known.abstained) == ("support", 1.0, False)
    assert known.reviewed_at is not None
