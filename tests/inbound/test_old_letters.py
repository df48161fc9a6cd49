"""Letters of long ago, imported or found in a mailbox that is new to us, are history and not answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa

from core import defaults
from core.context import Context
from core.outbox import Delivery
from tests.inbound.posting import letter, messages, run


@pytest.fixture
def context(context: Context) -> Context:
    with context.transaction() as session:
        defaults.install(session)
    return context


@pytest.mark.parametrize(("days", "answers"), [(0.5, 1), (1.9, 1), (2.1, 0), (900, 0)])
def test_only_a_letter_of_the_last_two_days_is_acknowledged(
    context: Context, days: float, answers: int
) -> None:
    written = format_datetime(datetime.now(UTC) - timedelta(days=days))
    outcome = run(context, [letter(date=written)])

    assert outcome.understood == 1
    with context.transaction() as session:
        assert len(session.scalars(sa.select(Delivery)).all()) == answers
        (message,) = messages(session)
        assert answers or {"step": "acknowledge", "reason": "it was written too long ago"} in message.trail
