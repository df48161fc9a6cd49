"""Clients are led through follow-ups until they act."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import defaults, outbox, sequences, sequences_stops
from core.deals import LossReason, Outcome, Stage
from core.errors import IllegalTransition
from core.outbox import Delivery, DeliveryState, Draft
from core.sequences import AlreadyEnrolled, Enrolment, EnrolmentState, EnrolmentStep, Sequence, StopReason
from core.stages import close, enter_stage
from tests.core.people import client, colleague, deal_with_lines

WHEN = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def _enrolled(session: Session, address: str = "ona@vandenis.lt") -> Enrolment:
    defaults.install(session)
    sequence = sequences.current(session, "after_offer")
    assert sequence is not None
    return sequences.enrol(session, sequence, contact_id=client(session, address).id, due_at=WHEN)


def _queued_step(session: Session, enrolment: Enrolment) -> Delivery:
    delivery_id = outbox.queue(session, Draft(key=f"enrolment:{enrolment.id}:1", address="ona@vandenis.lt"))
    session.add(EnrolmentStep(enrolment_id=enrolment.id, position=1, outcome="done", delivery_id=delivery_id))
    session.flush()
    return session.get_one(Delivery, delivery_id)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(sequences.TRANSITIONS) == set(EnrolmentState)


def test_a_client_is_in_a_sequence_once_at_a_time(session: Session) -> None:
    enrolment = _enrolled(session)
    with pytest.raises(AlreadyEnrolled):
        _enrolled(session)
    sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY)
    assert _enrolled(session).id != enrolment.id


def test_a_sequence_for_once_is_not_taken_twice(session: Session) -> None:
    enrolment = _enrolled(session)
    enrolment.sequence.once = True
    sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY)
    with pytest.raises(AlreadyEnrolled):
        _enrolled(session)


def test_a_reply_ends_it_and_takes_back_what_has_not_left(session: Session) -> None:
    enrolment = _enrolled(session)
    delivery = _queued_step(session, enrolment)
    assert sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY) == 1
    session.refresh(enrolment)
    session.refresh(delivery)
    assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.REPLY)
    assert delivery.state == DeliveryState.CANCELLED


def test_what_has_left_is_not_taken_back(session: Session) -> None:
    enrolment = _enrolled(session)
    delivery = _queued_step(session, enrolment)
    delivery.state = DeliveryState.SENT
    session.flush()
    sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY)
    session.refresh(delivery)
    assert delivery.state == DeliveryState.SENT


def test_a_sequence_that_does_not_stop_on_a_reply_goes_on(session: Session) -> None:
    enrolment = _enrolled(session)
    enrolment.sequence.stop_on = []
    session.flush()
    assert sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY) == 0


@pytest.mark.parametrize("reason", [StopReason.OPT_OUT, StopReason.BOUNCE])
def test_opting_out_or_bouncing_ends_every_sequence(session: Session, reason: StopReason) -> None:
    enrolment = _enrolled(session)
    enrolment.sequence.stop_on = []
    session.flush()
    assert sequences_stops.stop_for_contacts(session, [enrolment.contact_id], reason) == 1


def test_another_clients_reply_stops_nothing(session: Session) -> None:
    _enrolled(session)
    other = client(session, "petras@kitas.lt", "Petras")
    assert sequences_stops.stop_for_contacts(session, [other.id], StopReason.REPLY) == 0


def test_somebody_away_is_waited_for(session: Session) -> None:
    enrolment = _enrolled(session)
    back = WHEN + timedelta(days=20)
    sequences_stops.pause_for_contacts(session, [enrolment.contact_id], back)
    session.refresh(enrolment)
    assert (enrolment.state, enrolment.due_at) == (EnrolmentState.ACTIVE, back)


def test_coming_back_earlier_does_not_bring_a_step_forward(session: Session) -> None:
    enrolment = _enrolled(session)
    sequences_stops.pause_for_contacts(session, [enrolment.contact_id], WHEN - timedelta(days=2))
    session.refresh(enrolment)
    assert enrolment.due_at == WHEN


def test_a_person_may_hold_it_let_it_go_on_and_end_it(session: Session) -> None:
    rasa, enrolment = colleague(session), _enrolled(session)
    sequences.pause(session, enrolment)
    sequences.resume(session, enrolment)
    sequences_stops.stop(session, enrolment, by=rasa.id)
    assert (enrolment.state, enrolment.stopped_by) == (EnrolmentState.STOPPED, rasa.id)
    with pytest.raises(IllegalTransition):
        sequences.resume(session, enrolment)


def test_entering_a_stage_begins_its_follow_up_and_leaving_it_ends_it(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    stages = {stage.key: stage for stage in session.scalars(select(Stage))}
    enter_stage(session, deal, stages["demo"])
    (first,) = sequences.live_of(session, deal_id=deal.id)
    enter_stage(session, deal, stages["commercial_offer"])
    session.refresh(first)
    (second,) = sequences.live_of(session, deal_id=deal.id)
    assert (first.sequence_key, first.stop_reason) == ("after_demo", StopReason.DEAL_MOVED)
    assert second.sequence_key == "after_offer"


def test_closing_a_deal_ends_its_follow_up(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    enter_stage(session, deal, session.scalars(select(Stage).where(Stage.key == "demo")).one())
    close(session, deal, Outcome.LOST, loss_reason=LossReason.TIMING)
    assert sequences.live_of(session, deal_id=deal.id) == []


def test_every_shipped_follow_up_is_named_in_three_languages(session: Session) -> None:
    defaults.install(session)
    for sequence in session.scalars(select(Sequence)):
        assert set(sequence.names) == {"en", "ru", "lt"}
        assert all(set(step.titles) == {"en", "ru", "lt"} for step in sequence.steps if step.kind == "task")


@pytest.mark.parametrize(("stop_on", "state"), [(["reply"], "cancelled"), ([], "queued")])
def test_a_reply_takes_back_a_last_step_that_has_not_left(
    session: Session, stop_on: list[str], state: str
) -> None:
    enrolment = _enrolled(session)
    enrolment.sequence.stop_on = stop_on
    delivery = _queued_step(session, enrolment)
    delivery.contact_id, enrolment.state = enrolment.contact_id, EnrolmentState.FINISHED
    session.flush()
    assert sequences_stops.stop_for_contacts(session, [enrolment.contact_id], StopReason.REPLY) == 0
    session.expire_all()
    assert (enrolment.state, delivery.state) == (EnrolmentState.FINISHED, state)


def test_a_deal_that_moves_takes_back_a_last_step_that_has_not_left(session: Session) -> None:
    enrolment = _enrolled(session)
    deal = deal_with_lines(session, enrolment.contact)
    enrolment.deal_id = deal.id
    delivery = _queued_step(session, enrolment)
    enrolment.state = EnrolmentState.FINISHED
    session.flush()
    sequences_stops.stop_for_deal(session, deal.id)
    session.expire_all()
    assert delivery.state == DeliveryState.CANCELLED


def test_somebody_whom_a_person_holds_is_waited_for_as_well(session: Session) -> None:
    enrolment = _enrolled(session)
    sequences.pause(session, enrolment)
    sequences_stops.pause_for_contacts(session, [enrolment.contact_id], WHEN + timedelta(days=20))
    sequences.resume(session, enrolment)
    assert enrolment.due_at == WHEN + timedelta(days=20)


def test_a_follow_up_of_somebody_away_begins_when_they_are_back(session: Session) -> None:
    client(session).away_until = date(2026, 12, 7)
    enrolment = _enrolled(session)
    assert (enrolment.due_at, enrolment.waits_for) == (datetime(2026, 12, 7, tzinfo=UTC), sequences.AWAY)
