"""Doubts that a person settles on a conversation's page: suggestions, letters set beside, who wrote first."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.conversations import Conversation, Message
from core.db import transaction
from core.suggestions import Suggestion, SuggestionKind, SuggestionState
from tests.desk.conftest import SignedIn
from tests.factories import World


@pytest.fixture
def position(engine: sa.Engine, world: World) -> int:
    """A suggestion for the client of the agent's own conversation."""
    with transaction(engine) as session:
        talk = session.get_one(Conversation, world.talks["own"].id)
        assert talk.contact_id is not None
        one = Suggestion(contact_id=talk.contact_id, kind=SuggestionKind.POSITION, value="Pirkimų direktorė")
        session.add(one)
        session.flush()
        return one.id


def state_of(engine: sa.Engine, number: int) -> tuple[SuggestionState, str]:
    with transaction(engine) as session:
        one = session.get_one(Suggestion, number)
        return one.state, one.contact.position


def test_a_suggestion_stands_on_the_card_until_it_is_accepted(
    signed_in: SignedIn, engine: sa.Engine, world: World, position: int
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    before = state_of(engine, position)[1]
    assert "Pirkimų direktorė" in browser.get(f"/conversations/{number}").text
    path, here = f"/suggestions/{position}", {"conversation_id": str(number)}
    browser.post(path, data={**here, "deed": "accept"})
    assert state_of(engine, position) == (SuggestionState.ACCEPTED, "Pirkimų direktorė")
    browser.post(path, data={**here, "deed": "reopen"})
    assert state_of(engine, position) == (SuggestionState.OPEN, before)
    browser.post(path, data={**here, "deed": "refuse"})
    assert state_of(engine, position) == (SuggestionState.REFUSED, before)


def test_a_suggestion_is_not_decided_from_a_conversation_of_somebody_else(
    signed_in: SignedIn, engine: sa.Engine, world: World, position: int
) -> None:
    for who, talk in (("agent", "other"), ("other", "own")):
        data = {"conversation_id": str(world.talks[talk].id), "deed": "accept"}
        answer = signed_in(who).post(f"/suggestions/{position}", data=data, follow_redirects=False)
        assert answer.status_code == 404
    assert state_of(engine, position)[0] == SuggestionState.OPEN


@pytest.fixture
def beside(engine: sa.Engine, world: World) -> tuple[int, int]:
    """A conversation of the agent's that was set beside another of theirs: its number, and the other's."""
    with transaction(engine) as session:
        mine = session.scalars(
            sa.select(Conversation)
            .where(Conversation.assignee_id == world.staff["agent"].id)
            .where(sa.exists().where(Message.conversation_id == Conversation.id))
            .order_by(Conversation.id)
            .limit(2)
        ).all()
        mine[1].beside_id = mine[0].id
        return mine[1].id, mine[0].id


def home_of(engine: sa.Engine, number: int) -> int:
    with transaction(engine) as session:
        query = sa.select(sa.func.count()).select_from(Message).where(Message.conversation_id == number)
        return session.scalar(query) or 0


def test_what_was_set_beside_is_joined_and_put_back(
    signed_in: SignedIn, engine: sa.Engine, beside: tuple[int, int]
) -> None:
    browser, (source, into) = signed_in("agent"), beside
    held = home_of(engine, source), home_of(engine, into)
    page = browser.get(f"/conversations/{source}").text
    assert f'action="/conversations/{source}/join"' in page
    browser.post(f"/conversations/{source}/join", data={"into": str(into)})
    assert (home_of(engine, source), home_of(engine, into)) == (0, sum(held))
    emptied = browser.get(f"/conversations/{source}").text
    back = emptied.split('action="/moves/')[1].split('"')[0]
    browser.post(f"/moves/{back}", data={"conversation_id": str(source)})
    assert (home_of(engine, source), home_of(engine, into)) == held


def test_what_is_kept_apart_asks_no_more_until_that_is_taken_back(
    signed_in: SignedIn, engine: sa.Engine, beside: tuple[int, int]
) -> None:
    browser, (source, into) = signed_in("agent"), beside
    browser.post(f"/conversations/{source}/apart")
    assert "/join" not in browser.get(f"/conversations/{source}").text
    browser.post(f"/conversations/{source}/apart", data={"beside": str(into)})
    assert "/join" in browser.get(f"/conversations/{source}").text


def test_nothing_is_joined_to_what_one_may_not_see(
    signed_in: SignedIn, engine: sa.Engine, world: World, beside: tuple[int, int]
) -> None:
    source = beside[0]
    data = {"into": str(world.talks["other"].id)}
    answer = signed_in("agent").post(f"/conversations/{source}/join", data=data, follow_redirects=False)
    assert answer.status_code == 404


def test_a_forwarded_letter_is_taken_from_the_client_and_given_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    with transaction(engine) as session:
        talk = session.get_one(Conversation, number)
        message = session.scalars(
            sa.select(Message).where(Message.conversation_id == number, Message.direction == "in")
        ).first()
        assert message is not None
        assert talk.contact is not None
        message.warnings = ["forwarded_by_staff"]
        message.forwarded = {"name": "Ona", "address": talk.contact.email, "subject": "x", "date": ""}
        client, letter = talk.contact_id, message.id
    assert "/writer" in browser.get(f"/conversations/{number}").text
    browser.post(f"/messages/{letter}/writer", data={"deed": "nobody"})
    assert contact_of(engine, number) is None
    browser.post(f"/messages/{letter}/writer", data={"deed": "client"})
    assert contact_of(engine, number) == client


def contact_of(engine: sa.Engine, number: int) -> int | None:
    with transaction(engine) as session:
        return session.get_one(Conversation, number).contact_id
