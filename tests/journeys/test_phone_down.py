"""Our desk slow or away while clients call and write: a document at Twilio answers, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core.calls import CallState, Recording
from core.clock import now
from core.context import Context
from core.conversations import Message
from core.phoneevents import PhoneEvent
from core.tasks import Task
from inbound.reconcile import compare, reconcile
from inbound.twilioapi import TwilioApi
from tests.twilio_local.api import Api, serving
from tests.twilio_local.house import (
    CLIENT,
    OURS,
    OWNER,
    PUBLIC,
    SECOND,
    STRANGER,
    SUPPORT,
    PhoneHouse,
    phone_house,
    phone_settings,
)
from tests.twilio_local.people import Answer, Callee, Caller

DOCUMENTED = Path(__file__).parent.parent.parent / "docs" / "operate" / "twilio.md"
AWAY = (503, "text/plain", "")


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company whose number is set up as our own page says, with its fallback."""
    with phone_house(engine, phone_settings(tmp_path)) as house:
        house.exchange.clock = now().replace(microsecond=0)
        page = DOCUMENTED.read_text()
        found = re.search(r"```xml\n(<Response>.*?)```", page, re.DOTALL)
        assert found is not None
        house.exchange.fallback = found[1].replace("https://desk.example.lt", PUBLIC)
        fragment = re.search(r"/phone/twilio/voice#([^`]+)`", page)
        assert fragment is not None
        house.exchange.fragment = fragment[1]
        yield house
        assert house.exchange.errors == []


@pytest.fixture
def api(house: PhoneHouse) -> Iterator[Api]:
    """The exchange's lists, over a socket."""
    with serving(house.exchange) as api:
        yield api


def asked_again(house: PhoneHouse, api: Api, tmp_path: Path) -> Context:
    """Twilio's lists read as the nightly pass does."""
    settings = phone_settings(tmp_path, api_base=api.base)
    assert settings.twilio is not None
    context = Context(settings, house.context.engine)
    reconcile(context, TwilioApi(settings.twilio), whole=True)
    house.work()
    return context


def test_desk_that_needs_fourteen_seconds_still_puts_the_caller_through(house: PhoneHouse) -> None:
    """F52."""
    house.exchange.slow = 14.0
    house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    assert house.exchange.rung == [OWNER]
    with house.looking() as session:
        assert [call.state for call in house.calls(session)] == [CallState.ANSWERED]


def test_desk_that_needs_sixteen_seconds_leaves_the_caller_to_the_fallback_and_one_call_on_record(
    house: PhoneHouse, api: Api, tmp_path: Path
) -> None:
    """F52: each attempt reached us, was answered too late, and is one event all the same."""
    house.exchange.slow = 16.0
    house.exchange.call(CLIENT, OURS, Caller(message_seconds=7))
    assert house.exchange.heard[0].startswith("Atsiprašome")
    assert house.exchange.asked >= 3
    house.exchange.slow = 0.0
    house.exchange.deliver()
    house.work()
    asked_again(house, api, tmp_path)
    with house.looking() as session:
        (call,) = house.calls(session)
        assert (call.state, call.voicemail_seconds) == (CallState.VOICEMAIL, 7)
        greeted = select(func.count()).where(PhoneEvent.facts["step"].astext == "greet")
        assert session.scalar(greeted) == 1
        assert session.scalars(select(Task)).one().kind == "call_back"


def test_two_hours_away_lose_no_call_message_or_sms(house: PhoneHouse, api: Api, tmp_path: Path) -> None:
    """F52: 20 calls of which 7 leave a message, and 6 SMS, while our address answers 503."""
    reachable, house.exchange.post = house.exchange.post, lambda *given: AWAY
    for number in range(20):
        caller = Caller(message_seconds=5) if number % 3 == 0 else Caller(hangs_up_at=0)
        house.exchange.call(CLIENT if number % 2 else f"+370612{number:05}", OURS, caller)
    for number in range(6):
        house.exchange.sms(STRANGER, OURS, f"Kiek kainuoja siurblys? {number}")
    house.exchange.deliver()
    house.exchange.errors.clear()
    house.exchange.post = reachable
    asked_again(house, api, tmp_path)
    context = asked_again(house, api, tmp_path)
    with house.looking() as session:
        calls = house.calls(session)
        assert len(calls) == 20
        assert [call.state for call in calls].count(CallState.VOICEMAIL) == 7
        assert session.scalar(select(func.count()).select_from(Recording)) == 7
        assert all(call.task_id is not None for call in calls)
        texts = select(func.count()).where(Message.channel == "sms")
        assert session.scalar(texts) == 6
    settings = context.settings.twilio
    assert settings is not None
    assert compare(context, TwilioApi(settings)).sound


def test_nothing_of_a_client_is_said_to_whoever_shows_their_number(house: PhoneHouse) -> None:
    """B59: a number proves nothing; what is said on the caller's own line names nobody."""
    house.exchange.book = {one: Callee(Answer.BUSY) for one in (SECOND, SUPPORT)} | {OWNER: Callee(keys="")}
    house.exchange.call(CLIENT, OURS, Caller(message_seconds=3))
    whispered = [one for one in house.exchange.heard if "Norėdami atsiliepti" in one]
    to_the_caller = [one for one in house.exchange.heard if one not in whispered]
    assert whispered
    assert to_the_caller
    assert not any("Žukauskaitė" in one or "Vandenis" in one for one in to_the_caller)


@pytest.mark.parametrize("keys", [["9" * 40, "#*#*", "٣"], ["", "", "", "", ""], ["0"] * 30])
def test_floods_of_keys_and_silence_end_with_a_colleague_and_not_in_a_circle(
    house: PhoneHouse, keys: list[str]
) -> None:
    """B61."""
    house.exchange.call(STRANGER, OURS, Caller(keys=keys))
    house.exchange.deliver()
    house.work()
    assert house.exchange.rung
    with house.looking() as session:
        (call,) = house.calls(session)
        assert call.state == CallState.ANSWERED
