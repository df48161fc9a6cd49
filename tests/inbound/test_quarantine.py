"""Leaders are told that letters wait in quarantine, for as long as one does."""

from __future__ import annotations

import sqlalchemy as sa

from core import intake, notices
from core.context import Context
from core.intake import IntakeState, RawMessage
from tests.inbound.posting import install, letter, run


def _alarms(context: Context) -> list[tuple[str, str]]:
    with context.transaction() as session:
        return [(one.kind, one.detail) for one in notices.open_alarms(session)]


def test_alarm_stands_while_letters_wait_in_quarantine(context: Context) -> None:
    with context.transaction() as session:
        install(session)
    assert run(context, [b"\0" * 30, b" " * 40, letter()]).quarantined == 2
    assert _alarms(context) == [(intake.ALARM, "2")]

    with context.transaction() as session:
        waiting = session.scalars(
            sa.select(RawMessage.id).where(RawMessage.state == IntakeState.QUARANTINED)
        ).all()
        intake.run_again(session, waiting[0])
    assert _alarms(context) == [(intake.ALARM, "1")]
    with context.transaction() as session:
        intake.run_again(session, waiting[1])
    assert _alarms(context) == []

    assert run(context).quarantined == 2
    assert _alarms(context) == [(intake.ALARM, "2")]
