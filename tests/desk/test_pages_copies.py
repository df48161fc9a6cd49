"""Copies of an answer: offered from the letter answered, checked, kept, taken back, told with their fate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core import consent
from core.accounts import Channel
from core.config import Settings, load_settings
from core.consent import Scope, SuppressionReason
from core.conversations import Message
from core.db import transaction
from core.outbox import Delivery, DeliveryState
from core.unsent import Unsent
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
WORDS = "Laba diena, kainą patikslinsime rytoj."
JONAS = "jonas.jonaitis@imone.example"
ALL = f"Jonas Jonaitis <{JONAS}>, petras@kita.example"


@pytest.fixture
def desk_settings(tmp_path: Path) -> Settings:
    """A company with an address of its own."""
    company = {"name": "Šiaurės siurbliai", "public_url": "https://desk.example", "email": "sales@example.lt"}
    return load_settings(data_dir=tmp_path, company=company)


@pytest.fixture
def talk(engine: sa.Engine, world: World) -> int:
    """A conversation whose last letter was copied to two people, a colleague of ours among its readers."""
    talk_id = world.talks["own"].id
    with transaction(engine) as session:
        incoming = session.scalars(
            sa.select(Message)
            .where(Message.conversation_id == talk_id, Message.direction == "in")
            .order_by(Message.happened_at.desc())
        ).first()
        assert incoming is not None
        incoming.recipients = {
            "to": [["", world.staff["head"].email], ["Jonas Jonaitis", JONAS]],
            "cc": [["", "petras@kita.example"]],
        }
    return talk_id


def _preview(browser: Browser, talk: int, **more: str) -> str:
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1", "copies": ALL} | more
    answer = browser.post(f"/conversations/{talk}/preview", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return answer.text


def _send(browser: Browser, talk: int, **more: str) -> dict[str, Any]:
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1", "copies": ALL} | more
    answer = browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.headers["hx-trigger"])


def _states(engine: sa.Engine) -> dict[str, str]:
    with transaction(engine) as session:
        query = sa.select(Delivery.address, Delivery.state).where(Delivery.subject == "Kaina")
        return {address: str(state) for address, state in session.execute(query)}


def test_who_else_was_on_the_letter_is_offered_and_ourselves_are_not(
    signed_in: SignedIn, world: World, talk: int
) -> None:
    shown = signed_in("agent").get(f"/conversations/{talk}").text
    assert 'data-key="a"' in shown
    assert JONAS in shown
    assert f'data-copy="{world.staff["head"].email}' not in shown
    filled = signed_in("agent").get(f"/conversations/{talk}?all=1").text
    assert f'name="copies" value="Jonas Jonaitis &lt;{JONAS}&gt;, petras@kita.example"' in filled


def test_an_answer_with_copies_is_one_letter_of_the_history_and_a_delivery_for_each(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    _send(browser, talk)
    assert len(_states(engine)) == 3
    with transaction(engine) as session:
        one = session.scalars(sa.select(Message).where(Message.reply == WORDS)).one()
        assert [address for _, address in one.recipients["cc"]] == [JONAS, "petras@kita.example"]
    shown = browser.get(f"/conversations/{talk}").text
    assert shown.count(WORDS) == 1
    assert shown.count('<ul class="letter-copies">') == 1


def test_taking_it_back_stops_the_copies_and_names_them_in_the_form_again(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    undo = _send(browser, talk)["toast"]["undo"]
    browser.post(undo, headers=HTMX)
    assert set(_states(engine).values()) == {"cancelled"}
    with transaction(engine) as session:
        assert session.scalars(sa.select(Unsent.copies)).all() == [ALL]


def test_a_copy_that_has_left_is_named_when_the_letter_is_taken_back(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("agent")
    undo = _send(browser, talk)["toast"]["undo"]
    with transaction(engine) as session:
        session.execute(sa.update(Delivery).where(Delivery.address == JONAS).values(state=DeliveryState.SENT))
    told = json.loads(browser.post(undo, headers=HTMX).headers["hx-trigger"])
    assert "Jonas Jonaitis" in told["toast"]["text"]


def test_copies_are_kept_with_what_is_being_written(signed_in: SignedIn, talk: int) -> None:
    browser = signed_in("agent")
    _preview(browser, talk, copies="Jonas <jonas@")
    assert 'name="copies" value="Jonas &lt;jonas@"' in browser.get(f"/conversations/{talk}").text


def test_whom_nothing_may_be_sent_to_is_told_before_sending(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    with transaction(engine) as session:
        consent.suppress(
            session,
            Channel.EMAIL,
            JONAS,
            scope=Scope.EVERYTHING,
            reason=SuppressionReason.BOUNCED,
            source="x",
        )
    shown = _preview(signed_in("agent"), talk)
    assert "warning bad" in shown
    assert "Jonas Jonaitis" in shown


@pytest.mark.parametrize(
    "line", ["jonas", "sales@example.lt", ", ".join(f"a{n}@b.example" for n in range(21))]
)
def test_what_cannot_be_copied_to_is_refused_and_nothing_is_sent(
    signed_in: SignedIn, engine: sa.Engine, talk: int, line: str
) -> None:
    browser = signed_in("agent")
    assert "warning" in _preview(browser, talk, copies=line)
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k1", "copies": line}
    assert browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX).status_code == 422
    assert _states(engine) == {}


def test_a_first_letter_has_copies_too(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    account = world.talks["own"].account_id
    given = {"body": WORDS, "subject": "Kaina", "language": "lt", "key": "k9", "copies": ALL}
    contact = world.talks["own"].contact_id
    answer = signed_in("agent").post(f"/clients/{account}/letter", data=given | {"contact_id": str(contact)})
    assert answer.status_code in {200, 303}
    assert len(_states(engine)) == 3
