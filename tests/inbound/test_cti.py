"""An exchange of our own: its three events in any order and any number of times are one call on record."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core import callerbrief
from core.calls import Call, CallState
from core.conversations import Conversation, Direction
from core.outbox import Delivery, Purpose
from core.phoneevents import PhoneEvent
from core.sessions import open_session
from core.staff import StaffMember
from core.tasks import Task, TaskState
from inbound.callers import look_up, open_conversation, open_deal, place_of, recognise
from tests.twilio_local.house import (
    CLIENT,
    OURS,
    OWNER,
    STRANGER,
    SWITCHBOARD,
    PhoneHouse,
    phone_house,
    phone_settings,
)

TOKEN = "a token of twenty characters and more"
NEW, ANSWER, HANGUP = "newCall", "answer", "hangup"


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company with an exchange of its own."""
    phone = {"exchanges": [{"name": "office", "token": TOKEN}], "blocked": [STRANGER]}
    with phone_house(engine, phone_settings(tmp_path, phone)) as house:
        yield house


def tell(
    house: PhoneHouse, event: str, *, token: str = TOKEN, form: bool = False, **fields: str
) -> tuple[int, str]:
    told = {"event": event, "callId": "c-1", "direction": "in", "from": CLIENT, "to": OURS, **fields}
    body, kind = (
        (urlencode(told), "application/x-www-form-urlencoded")
        if form
        else (json.dumps(told), "application/json")
    )
    answer = house.client.post(f"/phone/cti/{token}", content=body, headers={"content-type": kind})
    return answer.status_code, answer.text


def only_call(house: PhoneHouse) -> Call:
    house.work()
    with house.looking() as session:
        (call,) = house.calls(session)
        return call


@pytest.mark.parametrize("order", list(itertools.permutations([NEW, ANSWER, HANGUP])))
def test_call_is_the_same_in_every_order_and_told_twice(house: PhoneHouse, order: tuple[str, ...]) -> None:
    for event in order:
        for form in (True, False):
            assert tell(house, event, form=form, answeringNumber=OWNER)[0] == 200
        house.work()
    call = only_call(house)
    with house.looking() as session:
        owner = session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()
        assert (call.state, call.staff_id, call.provider) == (CallState.ANSWERED, owner.id, "cti:office")
        assert session.scalar(select(func.count()).where(Task.state == TaskState.OPEN)) == 0
        assert session.get_one(Conversation, call.conversation_id).deal_id is not None
        assert session.scalar(select(func.count()).select_from(PhoneEvent)) <= 5


def test_call_that_nobody_took_is_rung_back(house: PhoneHouse) -> None:
    tell(house, NEW)
    tell(house, HANGUP, cause="noAnswer")
    call = only_call(house)
    with house.looking() as session:
        assert (call.state, session.scalars(select(Task)).one().kind) == (CallState.MISSED, "call_back")


def test_call_that_we_made_is_on_record_and_asks_for_no_call_back(house: PhoneHouse) -> None:
    tell(house, NEW, direction="out", **{"from": OURS, "to": CLIENT}, user="ruta@s.example")
    tell(house, HANGUP, direction="out", **{"from": OURS, "to": CLIENT}, cause="busy")
    call = only_call(house)
    with house.looking() as session:
        assert (call.direction, call.state) == (Direction.OUT, CallState.MISSED)
        assert call.contact_id is not None
        assert session.scalar(select(func.count()).select_from(Task)) == 0


def test_owner_of_the_client_sees_who_calls_and_who_is_away_gets_a_letter_once(house: PhoneHouse) -> None:
    for _ in range(2):
        tell(house, NEW)
        house.work()
    with house.looking() as session:
        owner = session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()
        (ringing,) = callerbrief.ringing_for(session, owner.id)
        brief = callerbrief.read(session, ringing)
        assert (brief.name, brief.deal.title if brief.deal else "") == ("Ona Žukauskaitė", "Siurbliai")
        letter = session.scalars(select(Delivery).where(Delivery.purpose == Purpose.STAFF)).one()
        assert (letter.address, letter.subject) == (owner.email, "Skambina Ona Žukauskaitė, UAB „Vandenis“")
        assert "Siurbliai" in letter.body


def test_whoever_sits_at_the_desk_gets_no_letter(house: PhoneHouse) -> None:
    with house.looking() as session:
        owner = session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()
        open_session(session, owner)
    tell(house, NEW)
    house.work()
    with house.looking() as session:
        assert session.scalar(select(func.count()).where(Delivery.purpose == Purpose.STAFF)) == 0


def test_blocked_caller_is_answered_with_a_wish_to_reject(house: PhoneHouse) -> None:
    assert json.loads(tell(house, NEW, **{"from": STRANGER})[1]) == {"action": "reject", "reason": "busy"}
    assert json.loads(tell(house, NEW)[1]) == {}


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", "%00", "ž"])
def test_wrong_token_is_refused_and_leaves_no_trace(house: PhoneHouse, token: str) -> None:
    assert tell(house, NEW, token=token)[0] in {403, 404, 405}
    with house.looking() as session:
        assert session.scalar(select(func.count()).select_from(PhoneEvent)) == 0


def test_token_may_stand_in_a_header(house: PhoneHouse) -> None:
    answer = house.client.post(
        "/phone/cti", json={"event": NEW, "callId": "1"}, headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[]"),
        ("application/json", b"{"),
        ("application/json", b"[" * 9000),
        ("application/json", b'{"event": "newCall"}'),
        ("application/json", b'{"event": ["hangup"], "callId": {"a": 1}}'),
        ("application/json", b'{"event": "dance", "callId": "1"}'),
        ("application/x-www-form-urlencoded", b"event=newCall&callId=%ff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 5000),
        ("text/plain", b"event=newCall&callId=1"),
        ("application/json", b'{"event": "newCall", "callId": "' + b"x" * 20_000 + b'"}'),
    ],
)
def test_what_is_no_news_is_refused_with_a_sentence(house: PhoneHouse, kind: str, body: bytes) -> None:
    answer = house.client.post(f"/phone/cti/{TOKEN}", content=body, headers={"content-type": kind})
    assert answer.status_code in {422, 413}


@pytest.mark.parametrize("number", [CLIENT, SWITCHBOARD, STRANGER])
def test_quick_look_at_whose_client_somebody_is_says_what_the_whole_one_says(
    house: PhoneHouse, number: str
) -> None:
    house.exchange.call(number, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        caller = recognise(session, number)
        deal, talk = open_deal(session, caller), open_conversation(session, caller)
        quick = look_up(session, number)
        assert (quick.number, quick.client) == (caller.number, caller.known)
        assert quick.contact_id == (caller.contact.id if caller.contact else None)
        assert quick.account_id == (caller.account.id if caller.account else None)
        assert (quick.country, quick.region, quick.language) == (*place_of(caller), caller.language)
        assert quick.owner_id == (deal.owner_id if deal else None)
        assert (quick.assignee_id, quick.intent) == (
            (talk.assignee_id, talk.intent) if talk else (None, None)
        )
