"""Deals pass their stages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deals, defaults, standardpipeline
from core.deals import DealClosed, LossReason, Outcome, Pipeline, Stage, StageChange, WinReason
from core.errors import Conflict, IllegalTransition, InputRefused
from core.values import Money
from tests.core.people import client, colleague, deal_with_lines, letter


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def test_the_standard_pipeline_is_put_in_once(session: Session) -> None:
    defaults.install(session)
    defaults.install(session)
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 1


def test_every_standard_stage_has_its_name_in_three_languages() -> None:
    for stage in standardpipeline.DOCUMENT["stages"]:
        texts = [stage["names"], stage["guide"], *(item["names"] for item in stage.get("checklist", ()))]
        assert all(set(names) == {"en", "ru", "lt"} for names in texts)


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


def test_a_won_deal_needs_its_reason(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    with pytest.raises(InputRefused):
        deals.close(session, deal, Outcome.WON)


def test_closing_a_deal_forgets_what_a_letter_proposed(session: Session) -> None:
    contact = client(session)
    deal = deal_with_lines(session, contact)
    deal.proposed_stage_id = _stage(session, "demo").id
    deal.proposed_by_message_id = letter(session, contact).id
    deals.close(session, deal, Outcome.LOST, loss_reason=LossReason.NO_NEED)
    assert (deal.proposed_stage_id, deal.proposed_by_message_id) == (None, None)


def test_a_closing_is_taken_back_and_the_log_shows_it(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    deals.close(session, deal, Outcome.LOST, loss_reason=LossReason.PRICE, note="10 % too dear", by=rasa.id)
    deals.reopen(session, deal, by=rasa.id)
    session.refresh(deal)
    assert (deal.outcome, deal.loss_reason, deal.close_note) == (None, None, "")
    assert [(change.reason, change.left_at is None) for change in deal.changes] == [
        ("", False),
        ("opened again", True),
    ]
    with pytest.raises(IllegalTransition):
        deals.reopen(session, deal)


def test_the_log_knows_when_each_stage_began_and_ended_and_who_worked_there(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    deals.move(session, deal, _stage(session, "demo"), staff_id=rasa.id)
    session.refresh(deal)
    first, second = deal.changes
    session.refresh(first)
    assert (first.left_at is not None, first.performer_id, second.left_at) == (True, rasa.id, None)


def test_the_first_deal_dates_the_account_and_gives_it_a_curator(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    assert deal.account is not None
    assert (deal.account.curator_id, deal.account.first_contact_at is not None) == (rasa.id, True)


def test_a_closed_deal_neither_moves_nor_closes_again(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deals.close(session, deal, Outcome.WON, win_reason=WinReason.PRODUCT)
    with pytest.raises(DealClosed):
        deals.move(session, deal, _stage(session, "demo"))
    with pytest.raises(DealClosed):
        deals.close(session, deal, Outcome.WON, win_reason=WinReason.PRODUCT)


def test_the_total_is_the_sum_of_rounded_lines(session: Session) -> None:
    assert deal_with_lines(session, client(session)).total == Money(Decimal("1499.97"))


def test_open_deals_are_found_by_account_or_by_a_contact_without_one(session: Session) -> None:
    company = client(session)
    person = client(session, "petras@gmail.com", "Petras")
    first = deal_with_lines(session, company)
    second = deals.open_deal(session, contact=person)
    assert company.account is not None
    assert deals.open_deals(session, [company.account.id], [person.id]) == [second, first]
