"""What a person wants to get: chosen, changed, proven, and never reopened against a bounce."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import consent, wishes
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.consent import Consent, Scope, SuppressionReason, Topic
from core.errors import InputRefused

ONA = "ona@example.lt"
OFFERS, NEWS = (Channel.EMAIL, Topic.OFFERS), (Channel.EMAIL, Topic.NEWS)
BY_SMS = (Channel.SMS, Topic.OFFERS)


@pytest.fixture
def ona(session: Session) -> Contact:
    """A contact with an address and a number."""
    contact = Contact(name="Ona")
    session.add(contact)
    session.flush()
    session.add(ContactPoint(contact_id=contact.id, kind=PointKind.EMAIL, value=ONA))
    session.add(ContactPoint(contact_id=contact.id, kind=PointKind.PHONE, value="+37060000001"))
    session.flush()
    return contact


def stop(session: Session, reason: SuppressionReason, scope: Scope = Scope.MARKETING) -> None:
    consent.suppress(session, Channel.EMAIL, ONA, scope=scope, reason=reason, source="test")


def test_what_nobody_refused_is_wanted_on_each_channel_they_have(session: Session, ona: Contact):
    known = wishes.of(session, "Ona+tag@example.lt")
    assert known.contact_id == ona.id
    assert known.channels == (Channel.EMAIL, Channel.SMS, Channel.VOICE)
    assert all(known.wanted.values())
    assert len(known.wanted) == 7


def test_a_choice_is_kept_with_its_proof_and_written_once(session: Session, ona: Contact):
    everything = set(wishes.of(session, ONA).wanted)
    wishes.state(session, ONA, everything - {NEWS}, proof="page 1")
    wishes.state(session, ONA, everything - {NEWS}, proof="page 2")
    rows = session.scalars(select(Consent).where(Consent.contact_id == ona.id)).all()
    assert {(str(row.channel), row.purpose, row.proof) for row in rows if not row.granted} == {
        ("email", "news", "page 1")
    }
    assert len(rows) == len(everything)
    assert wishes.of(session, ONA).wanted[NEWS] is False


def test_refusing_all_topics_of_a_channel_closes_it_and_no_other(session: Session, ona: Contact):
    wishes.state(session, ONA, {OFFERS}, proof="page")
    assert consent.suppression_of(session, Channel.SMS, "+37060000001") is not None
    assert consent.suppression_of(session, Channel.EMAIL, ONA) is None
    assert wishes.of(session, ONA).wanted[BY_SMS] is False


def test_who_stopped_mailings_may_want_them_again(session: Session, ona: Contact):
    stop(session, SuppressionReason.UNSUBSCRIBED)
    session.add(Consent(contact_id=ona.id, channel="email", purpose="marketing", granted=False, proof="x"))
    assert not wishes.of(session, ONA).wanted[OFFERS]
    known = wishes.state(session, ONA, {OFFERS}, proof="page")
    assert known.wanted[OFFERS]
    assert not known.wanted[NEWS]


@pytest.mark.parametrize(
    ("reason", "scope"),
    [
        (SuppressionReason.BOUNCED, Scope.EVERYTHING),
        (SuppressionReason.COMPLAINED, Scope.EVERYTHING),
        (SuppressionReason.MANUAL, Scope.MARKETING),
    ],
)
def test_a_bounce_a_complaint_and_our_own_no_are_not_taken_back(
    session: Session, ona: Contact, reason: SuppressionReason, scope: Scope
):
    stop(session, reason, scope)
    wishes.state(session, ONA, {OFFERS}, proof="page")
    assert consent.suppression_of(session, Channel.EMAIL, ONA) is not None


def test_an_address_that_nobody_has_can_be_closed_and_nothing_else(session: Session):
    known = wishes.state(session, "nobody@example.lt", set(), proof="page")
    assert known.contact_id is None
    assert consent.suppression_of(session, Channel.EMAIL, "nobody@example.lt") is not None


def test_a_wish_that_was_not_offered_is_refused(session: Session, ona: Contact):
    with pytest.raises(InputRefused):
        wishes.state(session, ONA, {(Channel.FAX, Topic.NEWS)}, proof="page")


def test_automatic_calls_are_refused_and_allowed_apart_from_mail_and_sms(session: Session, ona: Contact):
    by_voice, number = (Channel.VOICE, Topic.MARKETING), "+37060000001"
    everything = set(wishes.of(session, ONA).wanted)
    assert not wishes.state(session, ONA, everything - {by_voice}, proof="page").wanted[by_voice]
    stop = consent.suppression_of(session, Channel.VOICE, number)
    assert stop is not None
    assert stop.scope == Scope.MARKETING
    assert consent.suppression_of(session, Channel.SMS, number) is None
    # Key 9 of an automatic call stops more than the page does, and has no key that takes it back.
    consent.suppress(
        session, Channel.VOICE, number, scope=Scope.EVERYTHING, reason=SuppressionReason.UNSUBSCRIBED,
        source="call",
    )  # fmt: skip
    assert wishes.state(session, ONA, everything, proof="page").wanted[by_voice]
    said = [one.granted for one in session.scalars(select(Consent).where(Consent.channel == "voice"))]
    assert said == [False, True]


def test_an_opt_out_taken_back_does_not_return_when_the_dead_address_lives_again(
    session: Session, ona: Contact
):
    stop(session, SuppressionReason.UNSUBSCRIBED)
    stop(session, SuppressionReason.BOUNCED, Scope.EVERYTHING)
    wishes.state(session, ONA, {OFFERS}, proof="page")
    found = consent.suppression_of(session, Channel.EMAIL, ONA)
    assert found is not None
    assert (found.reason, found.wish) == (SuppressionReason.BOUNCED, None)
