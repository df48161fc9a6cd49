"""Raw messages and their states."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import intake
from core.context import Context
from core.errors import Conflict
from core.intake import TRANSITIONS, IntakeState, RawMessage


def _raw(session: Session, state: IntakeState, key: bytes = b"k") -> RawMessage:
    raw = RawMessage(content_key=key, data=b"x", size=1, state=state, source="test", attempts=3, error="boom")
    session.add(raw)
    session.flush()
    return raw


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(IntakeState)


@pytest.mark.parametrize("state", [IntakeState.QUARANTINED, IntakeState.IGNORED])
def test_run_again_gives_three_new_attempts(session: Session, state: IntakeState) -> None:
    raw = _raw(session, state)
    intake.run_again(session, raw.id)
    session.refresh(raw)
    assert (raw.state, raw.attempts, raw.error) == (IntakeState.STORED, 0, None)


@pytest.mark.parametrize("state", [IntakeState.STORED, IntakeState.UNDERSTOOD])
def test_what_is_in_order_is_not_run_again(session: Session, state: IntakeState) -> None:
    with pytest.raises(Conflict):
        intake.run_again(session, _raw(session, state).id)


def test_counts_name_every_state_also_at_nought(session: Session) -> None:
    _raw(session, IntakeState.QUARANTINED)
    assert intake.counts(session) == {"stored": 0, "understood": 0, "ignored": 0, "quarantined": 1}


def _store(context: Context, mailbox: str) -> intake.Kept:
    letters = [intake.RawLetter(key, b"a letter", 8) for key in (b"first", b"second")]
    with context.transaction() as session:
        return intake.keep(session, letters, source=mailbox)


def test_letter_that_two_mailboxes_store_at_once_is_kept_once(context: Context) -> None:
    with ThreadPoolExecutor(1) as pool, context.transaction() as session:
        mine = intake.keep(session, [intake.RawLetter(b"second", b"a letter", 8)], source="sales")
        theirs = pool.submit(_store, context, "info")
        with context.transaction() as other:
            while not other.scalar(
                select(func.count()).select_from(text("pg_locks")).where(text("not granted"))
            ):
                assert not theirs.done()
        session.commit()
        kept = theirs.result()
    assert (len(mine.new_ids), len(kept.new_ids), kept.duplicates) == (1, 1, 1)
    with context.transaction() as session:
        assert sorted(session.scalars(select(RawMessage.content_key))) == [b"first", b"second"]


def test_letters_are_numbered_in_the_order_in_which_they_came(session: Session) -> None:
    keys = [b"c", b"a", b"d", b"b"]
    intake.keep(session, [intake.RawLetter(key, b"a letter", 8) for key in keys], source="sales")
    query = select(RawMessage.content_key).order_by(RawMessage.id)
    assert list(session.scalars(query)) == keys
