"""Deals pass their stages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deals, defaults
from core.deals import DealClosed, LossReason, Outcome, Pipeline, Stage, StageChange
from core.errors import Conflict, InputRefused
from core.values import Money
from tests.core.people import client, colleague, deal_with_lines


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def test_the_standard_pipeline_is_put_in_once(session: Session) -> None:
    defaults.install(session)
    defaults.install(session)
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 1


def test_every_standard_stage_has_its_name_in_three_languages() -> None:
    assert all(set(names) == {"en", "ru", "lt"} for _, _, _, names in defaults.STAGES)


def test_a_deal_opens_in_the_first_stage_and_logs_it(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    session.refresh(deal)
    assert deal.stage.key == "first_contact"
    assert [change.to_stage.key for change in deal.changes] == ["first_contact"]


def test_a_move_is_logged_with_who_and_why(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    deals.move(session, deal, _stage(session, "demo"), staff_id=rasa.id, reason="asked for it")
    change = session.scalars(select(StageChange).order_by(StageChange.id.desc())).first()
    assert change is not None
    assert (change.from_stage_id != change.to_stage_id, change.staff_id, change.reason) == (
        True,
        rasa.id,
        "asked for it",
    )


def test_a_deal_does_not_move_to_where_it_is(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    with pytest.raises(Conflict):
        deals.move(session, deal, _stage(session, "first_contact"))


def test_a_deal_does_not_move_into_another_pipeline(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    other = Pipeline(
        key="other", names={"en": "Other"}, stages=[Stage(key="x", position=1, names={"en": "X"})]
    )
    session.add(other)
    session.flush()
    with pytest.raises(InputRefused):
        deals.move(session, deal, other.stages[0])


def test_a_lost_deal_needs_its_reason(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    with pytest.raises(InputRefused):
        deals.close(session, deal, Outcome.LOST)
    deals.close(session, deal, Outcome.LOST, loss_reason=LossReason.PRICE)
    assert (deal.outcome, deal.loss_reason) == (Outcome.LOST, LossReason.PRICE)


def test_a_closed_deal_neither_moves_nor_closes_again(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deals.close(session, deal, Outcome.WON)
    with pytest.raises(DealClosed):
        deals.move(session, deal, _stage(session, "demo"))
    with pytest.raises(DealClosed):
        deals.close(session, deal, Outcome.WON)


def test_the_total_is_the_sum_of_rounded_lines(session: Session) -> None:
    assert deal_with_lines(session, client(session)).total == Money(Decimal("1499.97"))


def test_open_deals_are_found_by_account_or_by_a_contact_without_one(session: Session) -> None:
    company = client(session)
    person = client(session, "petras@gmail.com", "Petras")
    first = deal_with_lines(session, company)
    second = deals.open_deal(session, contact=person)
    assert company.account is not None
    assert deals.open_deals(session, [company.account.id], [person.id]) == [second, first]
