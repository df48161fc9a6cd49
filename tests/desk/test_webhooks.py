"""The doors that Twilio knocks at: only Twilio gets in, nothing twice, and never an error page."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import func, select

from core import db, notices
from core.phoneevents import EventState, PhoneEvent
from desk.webhooks import MOST_REFUSED, REFUSED_IN_A_ROW
from tests.twilio_local.exchange import ACCOUNT, Leg
from tests.twilio_local.house import CLIENT, OURS, PUBLIC, PhoneHouse, phone_house, phone_settings

PATHS = ["voice", "language", "topic", "rung", "left", "whisper", "accept", "status", "recording", "sms"]
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A database of this test's own, without the company that the pages' tests use."""
    engine = db.make_engine(database_url, application="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company with a telephone."""
    settings = phone_settings(tmp_path, previous_auth_token="the token before this one")
    with phone_house(engine, settings) as house:
        yield house


def stored(house: PhoneHouse) -> int:
    with house.looking() as session:
        return session.scalar(select(func.count()).select_from(PhoneEvent)) or 0


def ringing(house: PhoneHouse) -> dict[str, str]:
    leg = Leg(house.exchange.sid("CA"), CLIENT, OURS, "inbound", status="ringing")
    return house.exchange.fields(leg)


@pytest.mark.parametrize("name", PATHS)
def test_unsigned_request_is_403_and_leaves_no_trace(house: PhoneHouse, name: str) -> None:
    """F51."""
    body = urlencode(ringing(house)).encode()
    for headers in (FORM, {**FORM, "x-twilio-signature": "AAAA"}, {"content-type": "application/json"}, {}):
        status, _, _ = house.post(f"{PUBLIC}/phone/twilio/{name}", body, headers)
        assert status == 403
    assert stored(house) == 0


def test_body_of_ten_megabytes_is_refused(house: PhoneHouse) -> None:
    """F51."""
    status, _, _ = house.post(f"{PUBLIC}/phone/twilio/voice", b"a=" + b"x" * 10_000_000, FORM)
    assert status in {403, 413}
    assert stored(house) == 0


def test_old_token_is_believed_while_it_is_changed(house: PhoneHouse) -> None:
    """F57."""
    house.exchange.token = "the token before this one"
    assert house.exchange.request(f"{PUBLIC}/phone/twilio/voice", ringing(house))[0] == 200


def test_same_request_again_also_a_day_later_and_five_times_at_once_is_one_event(house: PhoneHouse) -> None:
    """F48 and F51."""
    fields = ringing(house)
    with ThreadPoolExecutor(5) as several:
        answers = list(
            several.map(lambda _: house.exchange.request(f"{PUBLIC}/phone/twilio/voice", fields), range(5))
        )
    assert {status for status, _, _ in answers} == {200}
    assert len({text for _, _, text in answers}) == 1
    house.work()
    house.exchange.request(f"{PUBLIC}/phone/twilio/voice", fields)
    house.work()
    assert stored(house) == 1
    with house.looking() as session:
        assert len(house.calls(session)) == 1


def test_event_is_committed_before_the_answer_leaves(house: PhoneHouse) -> None:
    house.exchange.request(f"{PUBLIC}/phone/twilio/voice", ringing(house))
    with house.looking() as session:
        event = session.scalars(select(PhoneEvent)).one()
        assert (event.state, event.source) == (EventState.STORED, "webhook")
        assert event.raw["CallSid"] == event.subject


def test_what_twilio_signed_but_makes_no_sense_is_no_server_error(house: PhoneHouse) -> None:
    for name in PATHS:
        status, _, _ = house.exchange.request(f"{PUBLIC}/phone/twilio/{name}", {"AccountSid": ACCOUNT})
        assert status == 422, name
    assert house.exchange.request(f"{PUBLIC}/phone/twilio/nonsense", ringing(house))[0] == 404
    assert stored(house) == 0


def test_caller_may_leave_a_message_even_when_no_plan_can_be_made(
    house: PhoneHouse, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("alter table absence rename to absence_away"))
    status, _, text = house.exchange.request(f"{PUBLIC}/phone/twilio/voice", ringing(house))
    assert status == 200
    assert "<Record" in text
    assert stored(house) == 1


def test_alarm_is_raised_when_no_webhook_is_believed_any_more_and_cleared_by_the_next_that_is(
    house: PhoneHouse,
) -> None:
    """F57."""
    right, house.exchange.token = house.exchange.token, "a token nobody knows"
    for _ in range(REFUSED_IN_A_ROW):
        house.exchange.request(f"{PUBLIC}/phone/twilio/voice", ringing(house))
    with house.looking() as session:
        assert [one.kind for one in notices.open_alarms(session)] == ["webhooks_refused"]
    house.exchange.token = right
    house.exchange.request(f"{PUBLIC}/phone/twilio/voice", ringing(house))
    with house.looking() as session:
        assert notices.open_alarms(session) == []


def test_alarm_is_raised_when_half_of_the_webhooks_are_refused_and_cleared_when_few_are(
    house: PhoneHouse,
) -> None:
    """F57: while a token is changed, some are still signed with one that we know."""
    right, url = house.exchange.token, f"{PUBLIC}/phone/twilio/voice"
    for number in range(2 * MOST_REFUSED):
        house.exchange.token = right if number % 2 else "a token nobody knows"
        house.exchange.request(url, ringing(house))
    with house.looking() as session:
        assert [one.kind for one in notices.open_alarms(session)] == ["webhooks_refused"]
    house.exchange.token = right
    for _ in range(2):
        house.exchange.request(url, ringing(house))
    with house.looking() as session:
        assert notices.open_alarms(session) == []


def test_desk_without_a_telephone_has_no_such_door(visitor: TestClient[Litestar]) -> None:
    answer = visitor.post("/phone/twilio/voice", content=b"", headers=FORM)
    assert answer.status_code == 404
