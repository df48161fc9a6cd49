"""An answer that leaves later: chosen, told, changed, taken back, read anew when the client writes first."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.approvalasks import Approval
from core.approvals import words_of
from core.conversations import Direction, Message
from core.db import transaction
from core.outbox import EXPIRY, Delivery, DeliveryState
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
WORDS = "Laba diena, kainą patikslinsime rytoj."
MONDAY = (datetime.now(UTC) + timedelta(days=9)).replace(hour=7, minute=0, second=0, microsecond=0)


@pytest.fixture
def talk(world: World) -> int:
    return world.talks["own"].id


def _send(browser: Browser, talk: int, later: str = MONDAY.isoformat(), **more: str) -> dict[str, Any]:
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1", "later": later} | more
    answer = browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.headers["hx-trigger"])


def _letter(engine: sa.Engine) -> Delivery:
    with transaction(engine) as session:
        letter = session.scalars(sa.select(Delivery).where(Delivery.body == WORDS)).one()
        session.expunge(letter)
        return letter


def test_it_waits_until_the_chosen_moment_and_the_conversation_says_so(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    told = _send(browser, talk)
    letter = _letter(engine)
    assert (letter.state, letter.due_at) == (DeliveryState.QUEUED, MONDAY)
    assert letter.expires_at == MONDAY + EXPIRY
    shown = browser.get(f"/conversations/{talk}").text
    assert f"/deliveries/{letter.id}/time" in shown
    when = re.search(r"Išeis ([^<]+)<", shown)
    assert when is not None
    assert when[1] in told["toast"]["text"]


def test_its_time_can_be_changed_and_it_can_go_at_once(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    _send(browser, talk)
    at, other = f"/deliveries/{_letter(engine).id}/time", MONDAY + timedelta(days=1)
    assert 'name="later_at"' in browser.get(at, headers=HTMX).text
    browser.post(at, data={"later": other.isoformat()}, headers=HTMX)
    assert _letter(engine).due_at == other
    told = json.loads(browser.post(at, headers=HTMX).headers["hx-trigger"])
    assert _letter(engine).due_at < datetime.now(UTC) + timedelta(minutes=1)
    browser.post(told["toast"]["undo"], data=told["toast"]["values"], headers=HTMX)
    letter = _letter(engine)
    assert (letter.due_at, letter.expires_at) == (other, other + EXPIRY)


def test_taken_back_its_words_stand_in_their_field_again(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    told = _send(browser, talk)
    browser.post(told["toast"]["undo"], headers=HTMX)
    assert _letter(engine).state == DeliveryState.CANCELLED
    assert browser.post(f"/deliveries/{_letter(engine).id}/time", headers=HTMX).status_code == 409
    form = browser.get(f"/conversations/{talk}").text.split('id="answer"')[1]
    assert WORDS in form


def test_when_the_client_writes_first_the_waiting_answer_points_it_out(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser, words = signed_in("agent"), "Klientas nuo to laiko vėl parašė"
    _send(browser, talk)
    assert words not in browser.get(f"/conversations/{talk}").text
    with transaction(engine) as session:
        session.add(
            Message(
                conversation_id=talk,
                direction=Direction.IN,
                subject="Kaina",
                sender="jonas@client.example",
                recipients={},
                text="Jau nebereikia.",
                reply="Jau nebereikia.",
                trail=[],
                happened_at=datetime.now(UTC) + timedelta(seconds=1),
            )
        )
    assert words in browser.get(f"/conversations/{talk}").text


def test_approved_it_still_waits_for_its_time(
    signed_in: SignedIn, engine: sa.Engine, world: World, talk: int
) -> None:
    _send(signed_in("agent"), talk, approver=f"person:{world.staff['head'].email}")
    letter = _letter(engine)
    assert (letter.state, letter.due_at) == (DeliveryState.HELD, MONDAY)
    with transaction(engine) as session:
        asked = session.scalars(sa.select(Approval.id)).one()
    seen = {"seen": words_of(letter)}
    signed_in("head").post(f"/approvals/{asked}/approve", data=seen, headers=HTMX)
    letter = _letter(engine)
    assert (letter.state, letter.due_at) == (DeliveryState.QUEUED, MONDAY)


@pytest.mark.parametrize("later", ["own", "soon", "2020-01-01T09:00:00+00:00"])
def test_what_is_no_moment_to_come_sends_nothing(
    signed_in: SignedIn, engine: sa.Engine, talk: int, later: str
) -> None:
    given = {"body": WORDS, "language": "lt", "key": "k1", "later": later}
    answer = signed_in("agent").post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == 422
    with transaction(engine) as session:
        assert session.scalars(sa.select(Delivery).where(Delivery.body == WORDS)).all() == []


def test_a_first_letter_may_leave_later_too(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, own = signed_in("agent"), world.talks["own"]
    at = f"/clients/{own.account_id}/letter"
    assert 'form="answer"' in browser.get(f"{at}/send-later", headers=HTMX).text
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1"}
    browser.post(at, data=given | {"contact_id": str(own.contact_id), "later": MONDAY.isoformat()})
    assert _letter(engine).due_at == MONDAY


def test_a_client_in_another_zone_gets_it_in_their_morning_which_is_told(
    signed_in: SignedIn, engine: sa.Engine, world: World, talk: int
) -> None:
    browser = signed_in("agent")
    assert "Niujork" not in browser.get(f"/conversations/{talk}/send-later", headers=HTMX).text
    with transaction(engine) as session:
        session.execute(
            sa.text("update account set zone = 'America/New_York' where id = :id"),
            {"id": world.talks["own"].account_id},
        )
    assert "Niujork" in browser.get(f"/conversations/{talk}/send-later", headers=HTMX).text
