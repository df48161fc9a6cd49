"""Calls on record, counted: lost, doubled and shuffled callbacks, and an exchange that lists what it has."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from classifier.classify import Classifier
from classifier.inforce import ClassifierInForce
from core import phoneevents, sequences
from core.accounts import Channel, Contact
from core.callplan import Step
from core.calls import Call, CallLeg, CallState, Recording
from core.clock import now
from core.config_sections import Twilio
from core.consent import Scope, suppression_of
from core.conversations import Conversation, Message
from core.db import transaction
from core.errors import LoginRefused, Unreachable
from core.labels import Classification
from core.phoneevents import EventKind, PhoneEvent, Told
from core.sequences import Enrolment, Sequence, SequenceStep, StepKind
from core.tasks import Task, TaskState
from inbound.answering import Answering
from inbound.calls import STEP_ORDER
from inbound.reconcile import compare, reconcile
from inbound.twilio import Signed
from inbound.twilioapi import TwilioApi
from tests.twilio_local.api import Api, serving
from tests.twilio_local.exchange import ACCOUNT, TOKEN
from tests.twilio_local.house import (
    CLIENT,
    OURS,
    OWNER,
    SECOND,
    STRANGER,
    SUPPORT,
    PhoneHouse,
    phone_house,
    phone_settings,
)
from tests.twilio_local.people import Answer, Callee, Caller

CALLS = int(os.environ.get("CALLS", "120"))
"""A short draw; `make faults` plays 500."""


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company with a telephone, today."""
    with phone_house(engine, phone_settings(tmp_path)) as house:
        house.exchange.clock = now().replace(microsecond=0)
        yield house


@pytest.fixture
def api(house: PhoneHouse) -> Iterator[Api]:
    """The exchange's lists, over a socket."""
    with serving(house.exchange) as api:
        yield api


def client_of(api: Api, token: str = TOKEN) -> TwilioApi:
    return TwilioApi(
        Twilio.model_validate({"account_sid": ACCOUNT, "auth_token": token, "api_base": api.base})
    )


def by_time(calls: list[Call]) -> list[Call]:
    """The last call of each client that was missed, or that a colleague talked in."""
    last = {call.contact_id: call for call in sorted(calls, key=lambda one: (one.ended_at, one.id))}
    return list(last.values())


@pytest.mark.faults
def test_calls_with_callbacks_lost_doubled_and_shuffled_are_each_on_record_once(
    house: PhoneHouse, api: Api
) -> None:
    chance = random.Random(7)
    for number in range(CALLS):
        house.exchange.book = {
            one: Callee(chance.choice(list(Answer)), ring_seconds=chance.randint(1, 30), talk_seconds=number)
            for one in (OWNER, SECOND, SUPPORT)
        }
        caller = Caller(
            keys=[chance.choice(["", "1", "2", "9"]) for _ in range(4)],
            message_seconds=chance.choice([0, 8]),
            hangs_up_at=chance.choice([None, None, 0, 1, 2, 3]),
        )
        house.exchange.call(chance.choice([CLIENT, f"+3706120{number:04}"]), OURS, caller)
    counted = house.exchange.deliver(lost=1 / 3, doubled=1 / 3, shuffled=True, seed=7)
    assert house.exchange.errors == []
    assert counted["lost"] > CALLS
    assert counted["doubled"] > CALLS
    house.work()
    twilio = client_of(api)
    found = reconcile(house.context, twilio, whole=True)
    assert found.calls > 0
    house.work()
    assert reconcile(house.context, twilio, whole=True).total == 0
    legs = {leg.sid: leg for leg in house.exchange.legs}
    outside = {sid for sid, leg in legs.items() if leg.parent is None}
    with house.looking() as session:
        calls = house.calls(session)
        assert {call.sid for call in calls} == outside
        assert len(calls) == CALLS
        assert {row.sid for row in session.scalars(select(CallLeg))} == set(legs)
        assert {row.sid for row in session.scalars(select(Recording))} == {
            sound.sid for sound in house.exchange.sounds
        }
        ends = {call.sid: call for call in calls}
        for sid in outside:
            assert ends[sid].ended_at is not None
            assert ends[sid].seconds == legs[sid].seconds
        missed = {call.id for call in calls if call.state in {CallState.MISSED, CallState.VOICEMAIL}}
        assert missed
        # Whoever was talked with after the last call of theirs that nobody took needs no ringing back.
        waiting = {last.contact_id for last in by_time(calls) if last.id in missed}
        assert {call.id for call in calls if call.task_id is not None} <= missed
        rung_back = session.scalars(select(Task.contact_id).where(Task.state == TaskState.OPEN)).all()
        assert sorted(rung_back) == sorted(waiting)
        assert session.scalar(select(func.count()).select_from(Message)) == CALLS
        assert set(session.scalars(select(PhoneEvent.state))) <= {"applied", "ignored"}
    books = compare(house.context, twilio)
    assert books.sound
    assert books.calls == CALLS


def test_what_came_while_we_were_down_is_found_by_listing(house: PhoneHouse, api: Api) -> None:
    reachable, house.exchange.post = house.exchange.post, lambda *given: (503, "text/plain", "")
    house.exchange.call(CLIENT, OURS)
    house.exchange.sms(STRANGER, OURS, "Kiek kainuoja siurblys?")
    house.exchange.deliver()
    house.exchange.post = reachable
    twilio = client_of(api)
    before = compare(house.context, twilio)
    assert (len(before.missing_calls), len(before.missing_messages)) == (1, 1)
    found = reconcile(house.context, twilio)
    assert (found.calls, found.messages) == (1, 1)
    house.work()
    with house.looking() as session:
        (call,) = house.calls(session)
        assert (call.state, call.task_id is not None) == (CallState.MISSED, True)
        assert session.scalar(select(func.count()).where(Message.channel == Channel.SMS)) == 1
    assert compare(house.context, twilio).sound


def test_webhook_that_comes_days_after_the_list_changes_nothing(house: PhoneHouse, api: Api) -> None:
    house.exchange.call(CLIENT, OURS)
    reconcile(house.context, client_of(api))
    house.work()
    with house.looking() as session:
        before = session.execute(select(Call.state, Call.ended_at, Call.seconds)).one()
    house.exchange.deliver(shuffled=True, doubled=0.9)
    house.work()
    with house.looking() as session:
        assert session.execute(select(Call.state, Call.ended_at, Call.seconds)).one() == before


def test_lists_are_read_page_by_page_and_known_pages_end_a_light_pass(house: PhoneHouse, api: Api) -> None:
    for number in range(3):
        for _ in range(250):
            house.exchange.sms(f"+3706130000{number}", OURS, "Labas")
    twilio = client_of(api)
    assert reconcile(house.context, twilio, whole=True).messages == 0
    whole = len([path for _, path, _ in api.asked if "Messages" in path])
    api.asked.clear()
    reconcile(house.context, twilio)
    light = len([path for _, path, _ in api.asked if "Messages" in path])
    assert (whole, light) == (4, 2)


@pytest.mark.parametrize(("status", "error"), [(429, Unreachable), (503, Unreachable), (0, Unreachable)])
def test_exchange_that_fails_in_mid_list_loses_nothing_of_what_was_read(
    house: PhoneHouse, api: Api, status: int, error: type[Exception]
) -> None:
    house.exchange.call(CLIENT, OURS)
    api.faults = [status]
    with pytest.raises(error):
        reconcile(house.context, client_of(api))
    assert reconcile(house.context, client_of(api)).calls == 2


def test_wrong_token_is_named_as_such(api: Api, house: PhoneHouse) -> None:
    with pytest.raises(LoginRefused):
        reconcile(house.context, client_of(api, "another"))


@pytest.mark.corpus
def test_what_is_asked_and_answered_is_what_twilios_own_description_says(
    house: PhoneHouse, api: Api, corpus: Path
) -> None:
    house.exchange.call(CLIENT, OURS, Caller())
    house.exchange.sms(CLIENT, OURS, "Labas")
    reconcile(house.context, client_of(api))
    described = json.loads((corpus / "twilio" / "twilio_api_v2010.frontdesk-subset.json").read_text())
    for _, path, params in api.asked:
        operation = described["paths"][path.replace(ACCOUNT, "{AccountSid}")]["get"]
        assert set(params) <= {one["name"] for one in operation["parameters"]} | {"Page", "PageToken"}
    for path, body in api.answered:
        operation = described["paths"][path.replace(ACCOUNT, "{AccountSid}")]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(body) <= set(schema["properties"])
        rows = next(name for name in body if isinstance(body[name], list))
        row: dict[str, Any] = schema["properties"][rows]["items"]
        known = described["components"]["schemas"][row["$ref"].rpartition("/")[2]]["properties"]
        for one in body[rows]:
            assert set(one) <= set(known)


def test_sms_is_understood_like_a_letter_and_stop_holds_at_once(house: PhoneHouse) -> None:
    house.context.provide(ClassifierInForce, Classifier.load)
    house.exchange.sms(CLIENT, OURS, "Laba diena, prašome pateikti kainą siurbliui CR 32, 4 vnt.")
    house.work()
    with house.looking() as session:
        classified = session.scalars(select(Classification)).one()
        talk = session.scalars(select(Conversation)).one()
        assert (classified.intent, talk.intent, talk.language) == ("price_request", "price_request", "lt")
        assert talk.assignee_id is not None
        (segment,) = session.scalars(select(Message.segment))
        assert segment is not None
        assert segment["intent"] == "price_request"
    for text in ("СТОП", "Atsisakau", "stop"):
        house.exchange.sms(STRANGER, OURS, text)
    house.work()
    with house.looking() as session:
        suppression = suppression_of(session, Channel.SMS, STRANGER)
        assert suppression is not None
        assert suppression.scope == Scope.EVERYTHING
        assert session.scalar(select(func.count()).select_from(Classification)) == 1
    house.exchange.sms(STRANGER, OURS, "Start")
    house.work()
    with house.looking() as session:
        assert suppression_of(session, Channel.SMS, STRANGER) is None


def test_client_who_cries_urgent_in_every_sms_is_urgent_no_more_and_their_answer_ends_follow_ups(
    house: PhoneHouse,
) -> None:
    house.context.provide(ClassifierInForce, Classifier.load)
    with house.looking() as session:
        contact = session.scalars(select(Contact).where(Contact.points.any(value=CLIENT))).one()
        step = SequenceStep(position=1, kind=StepKind.EMAIL, delay_days=5, template="follow_up")
        sequence = Sequence(key="test", names={"en": "Test"}, steps=[step])
        session.add(sequence)
        session.flush()
        enrolled = sequences.enrol(session, sequence, contact_id=contact.id, due_at=now()).id
    for number in range(4):
        house.exchange.sms(CLIENT, OURS, f"SKUBU! Sugedo siurblys, skubiai paskambinkite, Nr. {number}")
        house.work()
    with house.looking() as session:
        urgencies = session.scalars(select(Classification.urgency).order_by(Classification.id)).all()
        assert urgencies == ["high", "high", "high", "normal"]
        ended = session.get_one(Enrolment, enrolled)
        assert (ended.state, ended.stop_reason) == ("stopped", "reply")


def test_an_event_that_cannot_be_applied_is_quarantined_and_stops_no_other(house: PhoneHouse) -> None:
    with house.looking() as session:
        phoneevents.keep(session, [Told("bad", "twilio", EventKind.STEP, "CA1", {"step": "dance"})])
    house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        assert phoneevents.counts(session)["quarantined"] == 1
        assert [call.state for call in house.calls(session)] == [CallState.ANSWERED]


def test_call_back_is_taken_back_when_a_late_event_says_that_somebody_answered(house: PhoneHouse) -> None:
    house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
    leg = house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        assert session.scalars(select(Task)).one().state == TaskState.OPEN
        facts = {"call": leg.sid, "step": "accept", "input": "1", "staff_id": None}
        phoneevents.keep(session, [Told("late", "twilio", EventKind.STEP, leg.sid, facts)])
    house.work()
    with house.looking() as session:
        assert session.scalars(select(Call)).one().state == CallState.ANSWERED
        assert session.scalars(select(Task)).one().state == TaskState.CANCELLED


def test_every_step_of_a_call_has_its_place_in_the_order() -> None:
    assert set(STEP_ORDER) == {step.value for step in Step}


@pytest.mark.parametrize(
    ("step", "voicemail", "said"),
    [
        (Step.GREET, True, "<Record"),
        (Step.GREET, False, "<Hangup"),
        (Step.WHISPER, True, "<Hangup"),
        (Step.MESSAGE, True, "<Hangup"),
    ],
)
def test_only_a_caller_is_asked_for_a_message_where_no_plan_could_be_made(
    engine: sa.Engine, tmp_path: Path, step: Step, voicemail: bool, said: str
) -> None:
    answering = Answering(phone_settings(tmp_path, {"voicemail": voicemail}))
    fields = {"CallSid": "CA" + "7" * 32, "From": CLIENT, "To": OURS}
    with transaction(engine) as session:
        document = answering.apologise(session, step, Signed(fields, {}))
    assert said in document
    assert ("<Record" in document) == (said == "<Record")
