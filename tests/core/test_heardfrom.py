"""What was given up is opened when its owner is heard from; what its owner asked for is not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, consent
from core.accounts import Channel
from core.audit import AuditEntry
from core.consent import Scope, SuppressionReason
from core.heardfrom import BY_CALL, BY_LETTER, BY_SMS, Sign, number_signs, open_again

ONA, NUMBER = "ona@vandenis.lt", "+37061234567"
R = SuppressionReason


def _close(
    session: Session,
    reason: SuppressionReason,
    scope: Scope = Scope.EVERYTHING,
    *,
    channel: Channel = Channel.EMAIL,
    address: str = ONA,
    source: str = "delivery:1",
) -> None:
    consent.suppress(session, channel, address, scope=scope, reason=reason, source=source)


def _state(session: Session, channel: Channel = Channel.EMAIL, address: str = ONA) -> tuple[str, str] | None:
    session.expire_all()
    found = consent.suppression_of(session, channel, address)
    return (found.scope, found.reason) if found is not None else None


def _later() -> datetime:
    return clock.now() + timedelta(hours=1)


def _wrote(session: Session, at: datetime | None = None) -> bool:
    return bool(open_again(session, [Sign(Channel.EMAIL, ONA, at or _later())], BY_LETTER))


def test_what_bounced_is_opened_and_the_audit_says_why(session: Session) -> None:
    _close(session, R.BOUNCED)
    assert _wrote(session)
    assert _state(session) is None
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.kind, entry.name, entry.after) == ("suppression", ONA, {"why": BY_LETTER})


@pytest.mark.parametrize("reason", [R.UNSUBSCRIBED, R.COMPLAINED, R.MANUAL])
@pytest.mark.parametrize("scope", list(Scope))
def test_what_somebody_asked_for_stays(session: Session, reason: SuppressionReason, scope: Scope) -> None:
    _close(session, reason, scope)
    assert not _wrote(session)
    assert _state(session) == (scope, reason)


def test_a_letter_from_before_the_address_was_given_up_proves_nothing(session: Session) -> None:
    _close(session, R.BOUNCED)
    assert not _wrote(session, clock.now() - timedelta(days=1))
    assert _state(session) == (Scope.EVERYTHING, R.BOUNCED)


@pytest.mark.parametrize("asked", [R.UNSUBSCRIBED, R.MANUAL])
@pytest.mark.parametrize("first", ["asked", "bounced"])
def test_an_opt_out_outlives_the_bounce_whichever_came_first(
    session: Session, asked: SuppressionReason, first: str
) -> None:
    closings = [(asked, Scope.MARKETING), (R.BOUNCED, Scope.EVERYTHING)]
    for reason, scope in closings if first == "asked" else closings[::-1]:
        _close(session, reason, scope, source=reason)
    assert _state(session) == (Scope.EVERYTHING, R.BOUNCED)
    assert _wrote(session)
    assert _state(session) == (Scope.MARKETING, asked)
    found = consent.suppression_of(session, Channel.EMAIL, ONA)
    assert found is not None
    assert found.source == asked
    assert not _wrote(session)


@pytest.mark.parametrize("scope", list(Scope))
def test_an_opt_out_takes_the_place_of_a_bounce_that_stops_as_much(session: Session, scope: Scope) -> None:
    _close(session, R.BOUNCED, scope)
    _close(session, R.UNSUBSCRIBED, scope)
    assert not _wrote(session)
    assert _state(session) == (scope, R.UNSUBSCRIBED)


def test_a_call_proves_that_there_is_a_number_and_not_that_it_takes_sms(session: Session) -> None:
    _close(session, R.BOUNCED, channel=Channel.VOICE, address=NUMBER, source="delivery 1: no such number")
    landline = "delivery 2: 30006: no SMS goes to that number"
    _close(session, R.BOUNCED, channel=Channel.SMS, address=NUMBER, source=landline)
    assert open_again(session, number_signs(NUMBER, _later()), BY_CALL) == {(Channel.VOICE, NUMBER)}
    assert _state(session, Channel.VOICE, NUMBER) is None
    assert _state(session, Channel.SMS, NUMBER) is not None
    assert open_again(session, number_signs(NUMBER, _later()), BY_SMS) == {(Channel.SMS, NUMBER)}


def test_a_stop_by_sms_is_not_ended_by_a_call(session: Session) -> None:
    for channel in (Channel.SMS, Channel.VOICE):
        _close(session, R.UNSUBSCRIBED, channel=channel, address=NUMBER)
    assert open_again(session, number_signs(NUMBER, _later()), BY_CALL) == set()
