"""Alarms stand until the fault is gone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import notices


def test_an_alarm_stands_once_however_often_it_is_raised(session: Session) -> None:
    assert notices.raise_alarm(session, "mailbox_failing", "sales", "no answer")
    assert not notices.raise_alarm(session, "mailbox_failing", "sales", "refused")
    assert [(one.subject, one.detail) for one in notices.open_alarms(session)] == [("sales", "refused")]


def test_a_cleared_alarm_may_be_raised_anew(session: Session) -> None:
    notices.raise_alarm(session, "mailbox_failing", "sales", "no answer")
    assert notices.clear_alarm(session, "mailbox_failing", "sales")
    assert not notices.clear_alarm(session, "mailbox_failing", "sales")
    assert notices.raise_alarm(session, "mailbox_failing", "sales", "again")
