"""Calls by rank: whatever order an exchange tells things in, the rows end the same."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import calls, phoneevents
from core.calls import Call, CallLeg, CallState, Happened, LegState, Recording, RecordingState
from core.errors import Conflict
from core.phoneevents import EventKind, EventState, PhoneEvent, Told

MOMENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TOLD = [
    (LegState.INITIATED, 0, None, None),
    (LegState.RINGING, 1, None, None),
    (LegState.ANSWERED, 6, None, None),
    (LegState.COMPLETED, 40, 34, "200"),
    (LegState.COMPLETED, 41, 34, None),
]


def leg_after(order: tuple[int, ...]) -> tuple[object, ...]:
    leg = CallLeg(call_id=1, sid="CA1", state=LegState.QUEUED)
    for number in order:
        state, at, seconds, cause = TOLD[number]
        calls.leg_told(leg, state, at=MOMENT + timedelta(seconds=at), seconds=seconds, cause=cause)
    return leg.state, leg.answered_at, leg.ended_at, leg.seconds, leg.cause


def test_all_120_orders_of_what_is_told_of_a_leg_end_the_same() -> None:
    """F49."""
    ends = {leg_after(order) for order in itertools.permutations(range(len(TOLD)))}
    assert ends == {
        (LegState.COMPLETED, MOMENT + timedelta(seconds=6), MOMENT + timedelta(seconds=40), 34, "200")
    }


@given(st.permutations(list(LegState) * 2))
def test_doubled_and_shuffled_states_of_a_leg_end_in_the_highest(order: list[LegState]) -> None:
    leg = CallLeg(call_id=1, sid="CA1", state=LegState.QUEUED)
    for state in order:
        calls.leg_told(leg, state, at=MOMENT)
    assert leg.state == LegState.COMPLETED


@given(st.permutations(list(RecordingState)))
def test_recording_ends_in_its_highest_state(order: list[RecordingState]) -> None:
    recording = Recording(call_id=1, sid="RE1", state=RecordingState.RUNNING)
    for state in order:
        calls.recording_told(recording, state, 5)
    assert recording.state == RecordingState.FETCHED


happened = st.builds(Happened, st.booleans(), st.booleans(), st.booleans(), st.booleans())


@given(happened, st.permutations(["ended", "accepted", "left_message", "rejected"]))
def test_a_call_never_falls_in_rank_as_more_is_known(all_of_it: Happened, order: list[str]) -> None:
    known: dict[str, bool] = {}
    rank = calls.CALL_RANK[calls.state_of(Happened())]
    for name in order:
        known[name] = getattr(all_of_it, name)
        now = calls.CALL_RANK[calls.state_of(Happened(**known))]
        assert now >= rank
        rank = now


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (Happened(), CallState.RINGING),
        (Happened(accepted=True), CallState.CONNECTED),
        (Happened(ended=True), CallState.MISSED),
        (Happened(ended=True, left_message=True), CallState.VOICEMAIL),
        (Happened(ended=True, left_message=True, accepted=True), CallState.ANSWERED),
        (Happened(ended=True, rejected=True), CallState.REJECTED),
    ],
)
def test_state_of_a_call_follows_from_what_happened(known: Happened, state: CallState) -> None:
    assert calls.state_of(known) == state


def test_every_state_has_a_rank_of_its_own() -> None:
    for states, ranks in (
        (LegState, calls.LEG_RANK),
        (CallState, calls.CALL_RANK),
        (RecordingState, calls.RECORDING_RANK),
    ):
        assert set(ranks) == set(states)
        assert len(set(ranks.values())) == len(ranks)


def test_a_call_a_leg_and_a_recording_are_on_record_once_however_often_they_are_named(
    session: Session,
) -> None:
    for _ in range(3):
        call = calls.find_or_add(session, "twilio", "CA1")
        calls.find_or_add_leg(session, call, "CA2")
        calls.find_or_add_recording(session, call, "RE1")
    for table in (Call, CallLeg, Recording):
        assert session.scalar(select(func.count()).select_from(table)) == 1


def told(key: str = "twilio:call:CA1:completed") -> Told:
    return Told(key, "twilio", EventKind.CALL, "CA1", {"status": "completed"}, {"CallSid": "CA1"})


def test_the_same_fact_from_webhook_and_list_is_one_event(session: Session) -> None:
    assert len(phoneevents.keep(session, [told(), told()])) == 1
    assert phoneevents.keep(session, [told()]) == []
    assert session.scalar(select(func.count()).select_from(PhoneEvent)) == 1


def test_characters_that_the_database_cannot_hold_are_replaced(session: Session) -> None:
    phoneevents.keep(session, [Told("k", "twilio", EventKind.SMS_IN, "SM1", {"text": "a\0b\ud800c"})])
    assert "\0" not in session.scalars(select(PhoneEvent.facts)).one()["text"]


def test_an_event_that_fails_three_times_is_quarantined_and_can_be_run_again(session: Session) -> None:
    (number,) = phoneevents.keep(session, [told()])
    assert [phoneevents.count_failure(session, number, "why") for _ in range(3)] == [False, False, True]
    assert phoneevents.waiting(session) == []
    phoneevents.run_again(session, number)
    session.expire_all()
    (event,) = phoneevents.waiting(session)
    phoneevents.settle(event, EventState.APPLIED)
    with pytest.raises(Conflict):
        phoneevents.settle(event, EventState.STORED)
    session.flush()
    with pytest.raises(Conflict):
        phoneevents.run_again(session, number)


def test_every_state_is_counted_also_at_nought(session: Session) -> None:
    phoneevents.keep(session, [told()])
    assert phoneevents.counts(session) == {"stored": 1, "applied": 0, "ignored": 0, "quarantined": 0}
    assert set(calls.counts(session)) == {state.value for state in CallState}
