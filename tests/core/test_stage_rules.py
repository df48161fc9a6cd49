"""What stages ask for, whom they give a deal to, and where their rules lead it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import checklists, handover, notices, payments, stages
from core.deals import Deal, Stage, StageChange
from core.errors import Conflict, InputRefused
from core.outbox import Delivery
from core.performers import Choice, Client, Colleague, choose
from core.readiness import NotReady
from core.sequences import Enrolment
from core.stages import LOOP_ALARM, MOST_HOPS, NotNext, enter_stage, outlook, run_rules
from core.tasks import Task
from tests.core.people import client, colleague, deal_with_lines


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def _pay(session: Session, deal: Deal) -> None:
    payments.pay(session, deal, amount=Decimal(10_000), paid_on=date(2026, 11, 20), number="P-1")


def test_a_deal_that_lacks_something_stays_and_the_sentence_says_what(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.stage.required_fields = ["need", "lines"]
    deal.stage.checklist = [{"key": "called", "names": {"en": "We have called"}, "required": True}]
    with pytest.raises(NotReady, match="what the client needs, We have called"):
        enter_stage(session, deal, _stage(session, "contract"))
    deal.need = "Water"
    session.flush()
    checklists.tick(session, deal, "called", done=True, by=None)
    enter_stage(session, deal, _stage(session, "contract"))
    assert deal.stage.key == "contract"


def test_letting_it_go_needs_a_reason_and_is_logged(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.stage.required_fields = ["need"]
    contract = _stage(session, "contract")
    with pytest.raises(InputRefused):
        enter_stage(session, deal, contract, override=True)
    change, _ = enter_stage(session, deal, contract, override=True, reason="in a hurry")
    assert (change.lacking, change.reason) == (["need"], "in a hurry")


def test_only_a_stage_that_may_follow_is_entered(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.stage.next_stages = ["demo"]
    with pytest.raises(NotNext):
        enter_stage(session, deal, _stage(session, "contract"))
    enter_stage(session, deal, _stage(session, "demo"))


def test_the_outlook_tells_everything_and_changes_nothing(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    seen = outlook(session, deal, _stage(session, "demo"), rasa, "en")
    assert seen.draft is not None
    assert (seen.draft.template, seen.begins.key if seen.begins else None, seen.performer.staff_id) == (
        "demo_invitation",
        "after_demo",
        rasa.id,
    )
    assert session.scalars(select(Delivery.id)).all() == []
    assert session.scalars(select(Enrolment.id)).all() == []
    assert deal.stage.key == "first_contact"


def test_another_performer_gets_a_task_and_the_brief(session: Session) -> None:
    rasa, ivan = colleague(session), colleague(session, "Ivan", speaks=["lt"], team="Engineers")
    deal = deal_with_lines(session, client(session), rasa)
    deal.need = "Water for a house"
    stage = _stage(session, "contract")
    stage.performer = "team:Engineers"
    change, _ = enter_stage(session, deal, stage, staff=rasa, reason="ordered")
    made = handover.newest(session, deal.id)
    assert made is not None
    task = session.get_one(Task, made.task_id)
    assert (made.from_id, made.to_id, task.assignee_id, change.performer_id) == (
        rasa.id, ivan.id, ivan.id, ivan.id,
    )  # fmt: skip
    assert made.brief["need"] == "Water for a house"
    assert set(made.brief["guide"]) == {"en", "ru", "lt"}
    assert [point["names"]["en"] for point in made.brief["checklist"]] == [
        "The contract is signed",
        "The invoice is sent",
    ]


def test_who_else_is_at_work_with_the_client_stands_in_the_task(session: Session) -> None:
    rasa, ivan, ona = colleague(session), colleague(session, "Ivan"), colleague(session, "Ona")
    contact = client(session)
    deal = deal_with_lines(session, contact, rasa)
    session.add(
        Deal(title="Other", account=deal.account, pipeline=deal.pipeline, stage=deal.stage, owner=ona)
    )
    session.flush()
    made = handover.hand_over(session, deal, giver_id=rasa.id, taker_id=ivan.id)
    assert "Ona" in session.get_one(Task, made.task_id).title


def test_f64_rules_that_go_round_in_a_circle_end_and_are_told_of(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    for key, following in (("contract", "payment"), ("payment", "contract")):
        _stage(session, key).automatic_on = ["paid"]
        _stage(session, key).next_stages = [following]
    _pay(session, deal)
    moved = run_rules(session, deal)
    assert len(moved) == MOST_HOPS
    assert [(alarm.kind, alarm.subject) for alarm in notices.open_alarms(session)] == [
        (LOOP_ALARM, f"S-{deal.id}")
    ]


def test_what_happened_once_does_not_lead_a_deal_back(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    for key in ("demo", "delivery"):
        _stage(session, key).automatic_on = ["paid"]
    enter_stage(session, deal, _stage(session, "after_sale"))
    _pay(session, deal)
    assert run_rules(session, deal) == []


@pytest.mark.parametrize(("goes", "state"), [("need_identified", "cancelled"), ("contract", "queued")])
def test_a_deal_that_goes_back_takes_back_the_letter_that_has_not_left(
    session: Session, goes: str, state: str
) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    _, number = enter_stage(session, deal, _stage(session, "commercial_offer"), staff=rasa)
    enter_stage(session, deal, _stage(session, goes), staff=rasa, silent=True)
    assert session.get_one(Delivery, number, populate_existing=True).state == state


def test_what_is_paid_proposes_the_delivery(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    _pay(session, deal)
    assert run_rules(session, deal) == []
    assert deal.proposed_stage_id == _stage(session, "delivery").id


def test_a_rule_never_forces_a_deal_that_lacks_something(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    deal.stage.required_fields = ["need"]
    contract = _stage(session, "contract")
    contract.automatic_on = ["paid"]
    _pay(session, deal)
    assert stages.run_rules(session, deal) == []
    assert (deal.stage.key, deal.proposed_stage_id) == ("first_contact", contract.id)


def test_a_payment_entered_twice_is_refused_and_one_taken_back_does_not_count(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    _pay(session, deal)
    with pytest.raises(Conflict):
        _pay(session, deal)
    payments.take_back(session, payments.payments(session, deal.id)[0])
    assert payments.owed(session, deal).amount == Decimal("1814.96")


def test_every_stay_in_a_stage_has_one_open_end_at_most(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    for key in ("contract", "payment", "contract"):
        enter_stage(session, deal, _stage(session, key))
    assert len(session.scalars(select(StageChange.id).where(StageChange.left_at.is_(None))).all()) == 1


HERE = (
    Colleague(1, "ona@mes.lt", "agent", "Sales", frozenset({"lt"}), 5),
    Colleague(2, "ivan@mes.lt", "agent", "Sales", frozenset({"ru"}), 9),
    Colleague(3, "emma@mes.lt", "head", None, frozenset({"en"}), 0),
)


@pytest.mark.parametrize(
    ("performer", "rules", "language", "chosen"),
    [
        ("owner", [], "lt", 7),
        ("curator", [], "lt", 8),
        ("person:emma@mes.lt", [], "lt", 3),
        ("team:Sales", [], "ru", 2),
        ("team:Sales", [], "en", 1),
        ("role:head", [], "lt", 3),
        ("team:Nobody", [], "lt", 7),
        ("owner", [{"when": {"language": "ru"}, "performer": "person:ivan@mes.lt"}], "ru", 2),
        ("owner", [{"when": {"language": "ru"}, "performer": "person:ivan@mes.lt"}], "lt", 7),
        ("owner", [{"when": {"industry": "FOOD"}, "performer": "role:head"}], "lt", 3),
        ("owner", [{"when": {"territory": "vilnius", "product": "x"}, "performer": "role:head"}], "lt", 7),
        ("owner", [{"when": {"territory": "vilnius", "product": "pump"}, "performer": "role:head"}], "lt", 3),
    ],
)
def test_a_stage_finds_its_performer(
    performer: str, rules: list[dict[str, object]], language: str, chosen: int
) -> None:
    stage = Stage(performer=performer, performer_rules=rules)
    facts = Client(frozenset({"Vilnius"}), "food", frozenset({"pump"}), language)
    assert choose(stage, facts, HERE, owner_id=7, curator_id=8).staff_id == chosen


@given(st.sampled_from([1, 2]), st.sampled_from(["lt", "ru", "en"]))
def test_whoever_works_on_it_already_stays(present: int, language: str) -> None:
    stage = Stage(performer="team:Sales", performer_rules=[])
    found = choose(stage, Client(language=language), HERE, owner_id=7, curator_id=None, present_id=present)
    assert found == Choice(present, "the stage")


def test_what_a_person_said_no_to_is_not_proposed_again_but_by_something_new(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    _pay(session, deal)
    run_rules(session, deal)
    stages.dismiss_proposal(session, deal)
    run_rules(session, deal)
    assert deal.proposed_stage_id is None
    delivery = _stage(session, "delivery")
    delivery.proposed_on = ["paid", "checklist"]
    deal.stage.checklist = [{"key": "called", "names": {"en": "We have called"}}]
    session.flush()
    checklists.tick(session, deal, "called", done=True, by=None)
    run_rules(session, deal)
    assert deal.proposed_stage_id == delivery.id
    enter_stage(session, deal, _stage(session, "contract"))
    run_rules(session, deal)
    assert deal.proposed_stage_id == delivery.id
