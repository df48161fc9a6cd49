"""The first letter to a client: it begins a conversation, once, and only where one may see the client."""

from __future__ import annotations

import sqlalchemy as sa

from core.conversations import Conversation
from core.db import transaction
from core.outbox import Delivery
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


def _form(world: World, **more: str) -> dict[str, str]:
    contact = world.talks["own"].contact
    assert contact is not None
    return {
        "contact_id": str(contact.id), "template": "answer", "language": "lt", "subject": "Nauja serija",
        "body": "Pasirodė nauja serija.", "key": "k1",
    } | more  # fmt: skip


def _place(world: World) -> str:
    return f"/clients/{world.talks['own'].account_id}/letter"


def test_a_letter_begins_a_conversation_of_its_writer_once(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    assert "Naujas laiškas" in browser.get(_place(world)).text
    first = browser.post(_place(world), data=_form(world), follow_redirects=False)
    again = browser.post(_place(world), data=_form(world), follow_redirects=False)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    with transaction(engine) as session:
        letter = session.scalars(sa.select(Delivery).where(Delivery.subject == "Nauja serija")).one()
        talk = session.get_one(Conversation, letter.conversation_id)
        assert (talk.assignee_id, talk.account_id) == (
            world.staff["agent"].id, world.talks["own"].account_id,
        )  # fmt: skip
        assert (letter.automatic, letter.in_reply_to, talk.waiting) == (False, None, False)
    assert "Pasirodė nauja serija." in browser.get(first.headers["location"]).text


def test_looking_at_a_first_letter_begins_nothing(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    shown = signed_in("agent").post(f"{_place(world)}/preview", data=_form(world), headers=HTMX)
    assert "Pasirodė nauja serija." in shown.text
    with transaction(engine) as session:
        query = sa.select(sa.func.count()).where(Conversation.subject == "Nauja serija")
        assert session.scalar(query) == 0


def test_a_first_letter_needs_a_subject_and_keeps_what_was_written(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    answer = signed_in("agent").post(_place(world), data=_form(world, subject=" "))
    assert answer.status_code == 422
    assert "Pasirodė nauja serija." in answer.text
    with transaction(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).where(Delivery.body.like("Pasirodė%"))) == 0


def test_nobody_writes_to_a_contact_of_another_client(signed_in: SignedIn, world: World) -> None:
    other = world.talks["other"].contact
    assert other is not None
    answer = signed_in("head").post(
        _place(world), data=_form(world, contact_id=str(other.id)), follow_redirects=False
    )
    assert answer.status_code in {404, 422}


def test_a_first_letter_is_kept_while_it_is_written_until_it_leaves(
    signed_in: SignedIn, world: World
) -> None:
    browser, words = signed_in("agent"), "Pasirodė nauja serija."
    assert words not in browser.get(_place(world)).text
    browser.post(f"{_place(world)}/preview", data=_form(world), headers=HTMX)
    shown = browser.get(_place(world)).text
    assert (words in shown, 'value="Nauja serija"' in shown) == (True, True)
    assert words not in signed_in("head").get(_place(world)).text
    browser = signed_in("agent")
    browser.post(_place(world), data=_form(world))
    assert words not in browser.get(_place(world)).text
    # A slow page that tells of them late does not bring them back.
    browser.post(f"{_place(world)}/preview", data=_form(world), headers=HTMX)
    assert words not in browser.get(_place(world)).text
