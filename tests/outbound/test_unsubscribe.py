"""A client's link stops marketing for exactly that client, for ever, and cannot be made by anybody else."""

from __future__ import annotations

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import consent, wishes
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.consent import Consent, Scope, SuppressionReason
from outbound.unsubscribe import BadLink, Unsubscriber

LINKS = Unsubscriber("a" * 64, "https://desk.example.lt/")


def test_following_the_link_stops_marketing_and_nothing_else(session: Session):
    token = LINKS.link("Ona+news@Example.lt", 7).removeprefix("https://desk.example.lt/unsubscribe/")
    assert LINKS.follow(session, token) == "Ona+news@Example.lt"
    found = consent.suppression_of(session, Channel.EMAIL, "ona@example.lt")
    assert found is not None
    assert (found.scope, found.reason) == (Scope.MARKETING, SuppressionReason.UNSUBSCRIBED)
    assert "7" in found.source


def test_who_follows_it_is_not_written_to_at_another_address_of_theirs_either(session: Session):
    contact = Contact(
        name="Ona",
        points=[ContactPoint(kind=PointKind.EMAIL, value=one) for one in ("ona@a.lt", "ona@b.lt")],
    )
    session.add(contact)
    session.flush()
    LINKS.follow(session, LINKS.token("ona@a.lt", 1))
    LINKS.follow(session, LINKS.token("ona@a.lt", 1))
    said = session.scalars(select(Consent)).one()
    assert (said.contact_id, said.channel, said.purpose, said.granted) == (
        contact.id, Channel.EMAIL, "marketing", False,
    )  # fmt: skip
    wishes.state(session, "ona@a.lt", [(Channel.EMAIL, wishes.Topic.NEWS)], proof="page")
    assert wishes.of(session, "ona@a.lt").wanted[Channel.EMAIL, wishes.Topic.NEWS]


def test_link_of_a_fax_stops_faxes_to_its_number_and_nothing_else(session: Session):
    number = "+37052123456"
    contact = Contact(name="Ona", points=[ContactPoint(kind=PointKind.FAX, value=number)])
    session.add(contact)
    session.flush()
    token = LINKS.token(number, 7)
    assert wishes.of(session, number).wanted == {(Channel.FAX, wishes.Topic.MARKETING): True}
    for _ in range(2):
        assert LINKS.follow(session, token) == number
    assert wishes.of(session, number).wanted == {(Channel.FAX, wishes.Topic.MARKETING): False}
    stop = session.scalars(select(consent.Suppression)).one()
    assert (stop.channel, stop.address, stop.scope) == (Channel.FAX, number, Scope.MARKETING)
    said = session.scalars(select(Consent)).one()
    assert (said.contact_id, said.channel, said.granted) == (contact.id, Channel.FAX, False)


def test_following_it_twice_does_nothing_more(session: Session):
    token = LINKS.token("ona@example.lt", 7)
    LINKS.follow(session, token)
    LINKS.follow(session, token)
    assert consent.suppression_of(session, Channel.EMAIL, "ona@example.lt") is not None


def test_a_link_works_years_later():
    with time_machine.travel("2020-01-01", tick=False):
        token = LINKS.token("ona@example.lt", 7)
    with time_machine.travel("2040-01-01", tick=False):
        assert LINKS.read(token) == ("ona@example.lt", 7)


def test_a_link_of_another_installation_is_refused():
    token = Unsubscriber("b" * 64, "https://desk.example.lt").token("ona@example.lt", 7)
    with pytest.raises(BadLink):
        LINKS.read(token)


@given(st.text(max_size=80))
def test_no_made_up_token_is_taken(token: str):
    with pytest.raises(BadLink):
        LINKS.read(token)


@given(st.integers(0, 500), st.characters(whitelist_categories=("L", "N")))
def test_a_changed_token_is_refused(place: int, letter: str):
    token = LINKS.token("ona@example.lt", 7)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(BadLink):
            LINKS.read(changed)


def test_one_click_is_offered_only_over_https():
    assert LINKS.one_click
    assert not Unsubscriber("a" * 64, "http://127.0.0.1:8080").one_click
