"""Who works here and how they sign in."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from core import invitations, staff
from core.errors import Conflict, NotFound
from core.invitations import Invitation
from core.staff import Absence, WeakPassword
from tests.core.people import colleague

PASSWORD = "ilgas slaptažodis"


def test_the_right_password_signs_in_whatever_the_case_of_the_address(session: Session) -> None:
    rasa = colleague(session, password=PASSWORD)
    assert staff.sign_in(session, "RASA@mes.lt", PASSWORD) is rasa


@pytest.mark.parametrize(
    ("email", "password"), [("rasa@mes.lt", "wrong"), ("nobody@mes.lt", PASSWORD), ("", "")]
)
def test_a_wrong_password_or_address_does_not_sign_in(session: Session, email: str, password: str) -> None:
    colleague(session, password=PASSWORD)
    assert staff.sign_in(session, email, password) is None


def test_somebody_who_left_does_not_sign_in(session: Session) -> None:
    colleague(session, password=PASSWORD).active = False
    session.flush()
    assert staff.sign_in(session, "rasa@mes.lt", PASSWORD) is None


def test_a_member_without_a_password_does_not_sign_in(session: Session) -> None:
    colleague(session)
    assert staff.sign_in(session, "rasa@mes.lt", "") is None


def test_a_short_password_is_refused(session: Session) -> None:
    with pytest.raises(WeakPassword):
        colleague(session, password="short")


def test_an_address_belongs_to_one_member(session: Session) -> None:
    colleague(session)
    with pytest.raises(Conflict):
        colleague(session)


def test_both_ends_of_an_absence_count(session: Session) -> None:
    rasa = colleague(session)
    session.add(Absence(staff_id=rasa.id, first_day=date(2026, 7, 1), last_day=date(2026, 7, 14)))
    session.flush()
    days = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 14), date(2026, 7, 15)]
    assert [rasa.id in staff.absent_on(session, day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize("token", ["", "x" * 19, "x" * 43])
def test_an_invitation_is_not_guessed(session: Session, token: str) -> None:
    invitations.invite(session, colleague(session))
    with pytest.raises(NotFound):
        invitations.invited(session, token)


def test_an_invitation_runs_out_and_an_older_one_is_worth_nothing(session: Session) -> None:
    member = colleague(session)
    older, newer = (invitations.invite(session, member) for _ in range(2))
    assert invitations.invited(session, newer).id == member.id
    with pytest.raises(NotFound):
        invitations.invited(session, older)
    session.execute(update(Invitation).values(expires_at=func.now()))
    with pytest.raises(NotFound):
        invitations.accept(session, newer, "ilgas slaptažodis")
