"""What is being written: kept while one writes, forgotten when it leaves, back when it is taken back."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from core.conversations import Conversation, ConversationState, Message
from core.db import transaction
from core.outbox import Delivery, DeliveryState
from core.unsent import Unsent
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
WORDS = "Laba diena, kainą patikslinsime rytoj."


def _write(browser: Browser, talk: int, body: str = WORDS, key: str = "k1") -> None:
    given = {"body": body, "subject": "Kaina", "template": "answer", "language": "lt", "key": key}
    answer = browser.post(f"/conversations/{talk}/preview", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text


def _send(browser: Browser, talk: int, **more: str) -> dict[str, Any]:
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1"} | more
    answer = browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.headers["hx-trigger"])


def _kept(engine: sa.Engine) -> list[tuple[int, str]]:
    with transaction(engine) as session:
        return [(row[0], row[1]) for row in session.execute(sa.select(Unsent.staff_id, Unsent.body))]


def test_what_is_written_stands_in_its_field_again_and_is_marked_in_the_list(
    signed_in: SignedIn, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    assert "Juodraštis" not in browser.get("/inbox").text
    _write(browser, talk)
    shown = browser.get(f"/conversations/{talk}").text
    assert WORDS in shown
    assert 'value="Kaina"' in shown
    assert "Juodraštis" in browser.get("/inbox").text


def test_a_draft_is_its_writers_own_and_goes_when_it_is_wiped_out(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    _write(browser, talk)
    assert WORDS not in signed_in("head").get(f"/conversations/{talk}").text
    _write(browser, talk, body="  ")
    assert _kept(engine) == []


def test_what_has_been_sent_is_not_kept_again_by_a_slow_page(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    _write(browser, talk)
    _send(browser, talk)
    assert _kept(engine) == []
    _write(browser, talk)
    assert _kept(engine) == []
    _write(browser, talk, body="Dar vienas dalykas", key="k2")
    assert _kept(engine) == [(world.staff["agent"].id, "Dar vienas dalykas")]


def test_sending_can_finish_a_conversation_and_all_of_it_is_undone_at_once(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    told = _send(browser, talk, settle="1")
    assert "onwards" in told
    with transaction(engine) as session:
        row = session.get_one(Conversation, talk)
        assert (row.state, row.waiting) == (ConversationState.DONE, False)
    again = browser.post(told["toast"]["undo"], data=told["toast"]["values"], headers=HTMX)
    assert json.loads(again.headers["hx-trigger"])["rewrite"]["at"] == f"/conversations/{talk}"
    with transaction(engine) as session:
        row = session.get_one(Conversation, talk)
        assert (row.state, row.waiting) == (ConversationState.OPEN, True)
        sent = session.scalars(sa.select(Delivery).where(Delivery.body == WORDS)).one()
        assert sent.state == DeliveryState.CANCELLED
    assert WORDS in browser.get(f"/conversations/{talk}").text
    row = browser.get("/inbox").text.split(f'id="c{talk}"')[1].split("</li>")[0]
    assert WORDS not in row


def test_words_taken_back_do_not_replace_what_was_begun_meanwhile(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    told = _send(browser, talk)
    _write(browser, talk, body="Jau rašau kitaip", key="k2")
    again = browser.post(told["toast"]["undo"], headers=HTMX)
    assert "rewrite" not in json.loads(again.headers["hx-trigger"])
    assert _kept(engine) == [(world.staff["agent"].id, "Jau rašau kitaip")]


def test_what_we_noted_of_a_call_is_not_quoted_to_the_client(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    talk = world.talks["own"].id
    with transaction(engine) as session:
        note = Message(conversation_id=talk, direction="in", channel="voice", sender="+37061100001")
        note.text = note.reply = "Missed call."
        session.add(note)
    _send(signed_in("agent"), talk)
    with transaction(engine) as session:
        sent = session.scalars(sa.select(Delivery).where(Delivery.body == WORDS)).one()
        assert "Missed call." not in sent.values["conversation"]["quoted"]
