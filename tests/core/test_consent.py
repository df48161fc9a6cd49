"""Addresses that must not be written to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import consent
from core.accounts import Channel
from core.consent import Scope, SuppressionReason


def _suppress(session: Session, address: str, scope: Scope, reason: SuppressionReason) -> None:
    consent.suppress(session, Channel.EMAIL, address, scope=scope, reason=reason, source="test")


def test_an_opt_out_is_found_under_any_spelling(session: Session) -> None:
    _suppress(session, "Ona+akcijos@Vandenis.lt", Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)
    assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is not None


def test_a_dead_address_widens_an_opt_out(session: Session) -> None:
    _suppress(session, "ona@vandenis.lt", Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)
    _suppress(session, "ona@vandenis.lt", Scope.EVERYTHING, SuppressionReason.BOUNCED)
    row = consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt")
    assert row is not None
    assert (row.scope, row.reason) == (Scope.EVERYTHING, SuppressionReason.BOUNCED)


def test_an_opt_out_does_not_narrow_a_dead_address(session: Session) -> None:
    _suppress(session, "ona@vandenis.lt", Scope.EVERYTHING, SuppressionReason.BOUNCED)
    _suppress(session, "ona@vandenis.lt", Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)
    row = consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt")
    assert row is not None
    assert row.scope == Scope.EVERYTHING


def test_an_opt_out_from_mail_says_nothing_of_sms(session: Session) -> None:
    _suppress(session, "ona@vandenis.lt", Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)
    assert consent.suppression_of(session, Channel.SMS, "+37061234567") is None
