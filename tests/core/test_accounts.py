"""Contacts find their accounts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import accounts
from core.accounts import ContactPoint, PointKind


def test_two_colleagues_of_one_domain_share_an_account(session: Session) -> None:
    first = accounts.find_or_add_contact(session, address="ona@vandenis.lt")
    second = accounts.find_or_add_contact(session, address="Jonas@VANDENIS.lt")
    assert first.account is not None
    assert first.account is second.account


def test_free_mail_makes_no_account(session: Session) -> None:
    assert accounts.find_or_add_contact(session, address="ona@gmail.com").account is None


def test_the_same_address_is_the_same_contact(session: Session) -> None:
    first = accounts.find_or_add_contact(session, address="ona@vandenis.lt", name="Ona")
    assert accounts.find_or_add_contact(session, address="ONA@vandenis.lt") is first


def test_an_account_gets_a_readable_name_from_its_domain(session: Session) -> None:
    assert accounts.name_of_domain("siaures-siurbliai.lt") == "Siaures Siurbliai"
    assert accounts.name_of_domain("acme.co.uk") == "Acme"


def test_a_switchboard_number_leads_to_several_contacts(session: Session) -> None:
    people = [
        accounts.find_or_add_contact(session, address=f"{name}@vandenis.lt") for name in ("ona", "jonas")
    ]
    for person in people:
        person.points.append(ContactPoint(kind=PointKind.PHONE, value="+37052000000"))
    session.flush()
    assert accounts.find_by_phone(session, "8 5 200 0000") == people
