"""A move taken back leaves the deal as if it had not been moved, unless something is with the client."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import handover, payments, proposals, sequences, stages_back
from core.audit import AuditEntry
from core.deals import Deal, LossReason, Outcome, Stage, StageChange
from core.labels import Classification
from core.outbox import Delivery, DeliveryState
from core.sequences import Enrolment, EnrolmentState, StopReason
from core.staff import StaffMember
from core.stages import close, enter_stage, run_rules
from core.stages_back import HasLeft, MovedOn, TooLate, last_to_take_back, take_back
from core.tasks import Task, TaskState
from tests.core.people import client, colleague, deal_with_lines, letter


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def _at_demo(session: Session) -> tuple[Deal, StaffMember]:
    """A deal whose demo's follow-up is under way and whose letter has left."""
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    _, delivery_id = enter_stage(session, deal, _stage(session, "demo"), staff=rasa)
    session.get_one(Delivery, delivery_id).state = DeliveryState.SENT
    session.flush()
    return deal, rasa


def _follow_ups(session: Session) -> dict[str, tuple[EnrolmentState, StopReason | None]]:
    session.expire_all()
    return {one.sequence_key: (one.state, one.stop_reason) for one in session.scalars(select(Enrolment))}


def _moved(session: Session, deal: Deal, rasa: StaffMember, key: str = "commercial_offer") -> StageChange:
    return enter_stage(session, deal, _stage(session, key), staff=rasa)[0]


def test_the_deal_its_log_and_its_follow_ups_stand_as_before(session: Session) -> None:
    deal, rasa = _at_demo(session)
    before = [(one.id, one.left_at) for one in deal.changes]
    entered, follow_ups = deal.stage_entered_at, _follow_ups(session)
    proposed = _stage(session, "commercial_offer")
    deal.proposed_stage_id = proposed.id
    session.flush()
    change = _moved(session, deal, rasa)
    assert _follow_ups(session)["after_demo"] == (EnrolmentState.STOPPED, StopReason.DEAL_MOVED)
    back = take_back(session, deal, change.id, by=rasa.id)
    assert (back.letters, back.follow_ups, back.lost) == (1, 1, 0)
    assert (deal.stage.key, deal.stage_entered_at, deal.proposed_stage_id) == ("demo", entered, proposed.id)
    assert [(one.id, one.left_at) for one in deal.changes] == before
    assert _follow_ups(session) == follow_ups | {
        "after_offer": (EnrolmentState.STOPPED, StopReason.TAKEN_BACK)
    }
    offer = session.scalars(select(Delivery).where(Delivery.template == "commercial_offer")).one()
    assert offer.state == DeliveryState.CANCELLED
    entry = session.scalars(select(AuditEntry).where(AuditEntry.deed == "taken_back")).one()
    assert (entry.object_id, entry.staff_id) == (str(deal.id), rasa.id)


def test_moved_once_more_the_letter_goes_and_the_follow_up_begins_also_where_it_is_for_once(
    session: Session,
) -> None:
    deal, rasa = _at_demo(session)
    sequence = sequences.current(session, "after_offer")
    assert sequence is not None
    sequence.once = True
    take_back(session, deal, _moved(session, deal, rasa).id, by=rasa.id)
    _moved(session, deal, rasa)
    states = session.scalars(select(Delivery.state).where(Delivery.template == "commercial_offer")).all()
    assert sorted(states) == [DeliveryState.CANCELLED, DeliveryState.QUEUED]
    assert len(sequences.live_of(session, deal_id=deal.id)) == 1


def test_what_a_person_held_is_held_again(session: Session) -> None:
    deal, rasa = _at_demo(session)
    (follow_up,) = sequences.live_of(session, deal_id=deal.id)
    sequences.pause(session, follow_up)
    take_back(session, deal, _moved(session, deal, rasa).id, by=rasa.id)
    assert _follow_ups(session)["after_demo"] == (EnrolmentState.PAUSED, None)


def test_a_follow_up_does_not_go_on_when_the_client_has_written_meanwhile(session: Session) -> None:
    deal, rasa = _at_demo(session)
    change = _moved(session, deal, rasa)
    assert deal.contact is not None
    letter(session, deal.contact)
    assert take_back(session, deal, change.id, by=rasa.id).follow_ups == 0
    assert _follow_ups(session)["after_demo"] == (EnrolmentState.STOPPED, StopReason.DEAL_MOVED)


@pytest.mark.parametrize(
    "state", [DeliveryState.TRANSMITTING, DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.BOUNCED]
)
def test_a_letter_that_has_left_or_may_have_lets_the_move_stand(
    session: Session, state: DeliveryState
) -> None:
    deal, rasa = _at_demo(session)
    change = _moved(session, deal, rasa)
    offer = session.scalars(select(Delivery).where(Delivery.template == "commercial_offer")).one()
    offer.state = state
    session.flush()
    assert stages_back.last_to_take_back(session, deal) is None
    with pytest.raises(HasLeft):
        take_back(session, deal, change.id, by=rasa.id)
    assert deal.stage.key == "commercial_offer"


def test_the_task_and_the_brief_of_whoever_would_have_got_it_go(session: Session) -> None:
    deal, rasa = _at_demo(session)
    jonas = colleague(session, "Jonas")
    contract = _stage(session, "contract")
    contract.performer = f"person:{jonas.email}"
    session.flush()
    change = _moved(session, deal, rasa, "contract")
    assert (deal.performer_id, change.performer_id) == (jonas.id, jonas.id)
    take_back(session, deal, change.id, by=rasa.id)
    task = session.scalars(select(Task).where(Task.kind == "handover")).one()
    session.refresh(task)
    assert task.state == TaskState.CANCELLED
    assert handover.newest(session, deal.id) is None
    assert deal.performer_id is None


def test_only_the_last_move_of_an_open_deal_is_taken_back(session: Session) -> None:
    deal, rasa = _at_demo(session)
    first = _moved(session, deal, rasa, "contract")
    second = _moved(session, deal, rasa, "payment")
    with pytest.raises(MovedOn):
        take_back(session, deal, first.id, by=rasa.id)
    close(session, deal, Outcome.LOST, loss_reason=LossReason.PRICE, by=rasa.id)
    with pytest.raises(MovedOn):
        take_back(session, deal, second.id, by=rasa.id)


def test_a_move_of_long_ago_stands(session: Session) -> None:
    deal, rasa = _at_demo(session)
    change = _moved(session, deal, rasa, "contract")
    change.changed_at -= stages_back.WITHIN + timedelta(seconds=1)
    session.flush()
    with pytest.raises(TooLate):
        take_back(session, deal, change.id, by=rasa.id)


def test_a_letter_that_the_move_cancelled_is_told_of(session: Session) -> None:
    deal, rasa = _at_demo(session)
    _moved(session, deal, rasa)
    back = take_back(session, deal, _moved(session, deal, rasa, "first_contact").id, by=rasa.id)
    assert (back.letters, back.lost, deal.stage.key) == (0, 1, "commercial_offer")


def test_a_move_by_a_rule_is_taken_back_and_the_same_event_makes_it_no_more(session: Session) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    delivery, after = _stage(session, "delivery"), _stage(session, "after_sale")
    delivery.automatic_on, delivery.template = ["paid"], None
    after.automatic_on, after.template = ["delivered"], None
    enter_stage(session, deal, _stage(session, "payment"), staff=rasa, silent=True)
    payments.pay(session, deal, amount=Decimal(10_000), paid_on=date(2026, 11, 20), number="P-1")
    [change] = run_rules(session, deal)
    assert last_to_take_back(session, deal) is change
    take_back(session, deal, change.id, by=rasa.id)
    assert (deal.stage.key, run_rules(session, deal), deal.proposed_stage_id) == ("payment", [], None)
    payments.deliver(session, deal, delivered_on=date(2026, 11, 21), number="D-1")
    assert [one.to_stage.key for one in run_rules(session, deal)] == ["after_sale"]


def test_a_letter_whose_move_was_taken_back_moves_the_deal_no_more(
    session: Session,
) -> None:
    rasa = colleague(session)
    deal = deal_with_lines(session, client(session), rasa)
    contract = _stage(session, "contract")
    contract.automatic_on, contract.template = ["order"], None
    assert deal.contact is not None
    message = letter(session, deal.contact)
    session.add(Classification(message_id=message.id, intent="order", confidence=0.9))
    deal.proposed_stage_id, deal.proposed_by_message_id = contract.id, message.id
    session.flush()
    [(_, _, topic)] = proposals.automatic(session, 10)
    change, _ = enter_stage(session, deal, contract, reason=f"by rule: {topic}")
    take_back(session, deal, change.id, by=rasa.id)
    assert (deal.stage.key, proposals.automatic(session, 10)) == ("first_contact", [])
    assert proposals.was_dismissed(deal, "contract", proposals.spoken_by(message.id))
