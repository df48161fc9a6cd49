"""Letters joined and separated by a person, and put back."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import moves, staff
from core.accounts import find_or_add_contact
from core.conversations import Conversation, ConversationState, Direction, Message, ThreadId
from core.errors import IllegalTransition, InputRefused


@pytest.fixture
def jonas(session: Session) -> int:
    return staff.add(session, email="jonas@ours.example", name="Jonas", team=None).id


def talk(session: Session, subject: str, *letters: str, beside: int | None = None) -> Conversation:
    """A conversation of letters from these addresses."""
    contact = find_or_add_contact(session, address=letters[0])
    found = Conversation(subject=subject, contact_id=contact.id, beside_id=beside)
    session.add(found)
    session.flush()
    for number, sender in enumerate(letters):
        writer = find_or_add_contact(session, address=sender)
        rfc_id = f"{number}.{found.id}@x.example"
        session.add(
            Message(
                conversation_id=found.id, direction=Direction.IN, sender=sender, rfc_id=rfc_id,
                contact_id=writer.id, subject=subject,
            )
        )  # fmt: skip
        session.add(ThreadId(rfc_id=rfc_id, conversation_id=found.id))
    session.flush()
    return found


def letters_of(session: Session, conversation: Conversation) -> int:
    query = select(Message.id).where(Message.conversation_id == conversation.id)
    return len(session.scalars(query).all())


def ids_of(session: Session, conversation: Conversation) -> set[str]:
    return set(session.scalars(select(ThreadId.rfc_id).where(ThreadId.conversation_id == conversation.id)))


def test_what_was_set_beside_is_joined_and_its_ids_lead_there(session: Session, jonas: int) -> None:
    into = talk(session, "Siurbliai", "a@x.example")
    beside = talk(session, "Re: Siurbliai", "b@y.example", beside=into.id)
    moves.join(session, beside, into, staff_id=jonas)

    assert (letters_of(session, into), letters_of(session, beside)) == (2, 0)
    assert len(ids_of(session, into)) == 2
    assert (beside.state, beside.waiting, beside.beside_id) == (ConversationState.DONE, False, None)


def test_joining_taken_back_leaves_everything_as_it_was(session: Session, jonas: int) -> None:
    into = talk(session, "Siurbliai", "a@x.example")
    beside = talk(session, "Re: Siurbliai", "b@y.example", beside=into.id)
    before = ids_of(session, into), ids_of(session, beside)
    move = moves.join(session, beside, into, staff_id=jonas)
    moves.take_back(session, move.id)

    assert (ids_of(session, into), ids_of(session, beside)) == before
    assert (letters_of(session, into), letters_of(session, beside)) == (1, 1)
    assert (beside.state, beside.waiting, beside.beside_id) == (ConversationState.OPEN, True, into.id)
    with pytest.raises(IllegalTransition):
        moves.take_back(session, move.id)


def test_a_separated_letter_has_its_own_conversation_and_contact(session: Session, jonas: int) -> None:
    source = talk(session, "Siurbliai", "a@x.example", "b@y.example")
    stray = session.scalars(select(Message).where(Message.sender == "b@y.example")).one()
    move = moves.separate(session, stray, staff_id=jonas)

    fresh = session.get_one(Conversation, move.into_id)
    assert (letters_of(session, source), letters_of(session, fresh)) == (1, 1)
    assert fresh.contact_id == stray.contact_id != source.contact_id
    moves.take_back(session, move.id)
    assert letters_of(session, source) == 2
    assert session.get_one(Conversation, move.into_id).state == ConversationState.DONE


def test_a_letter_that_is_alone_is_not_separated_and_nothing_joins_itself(
    session: Session, jonas: int
) -> None:
    alone = talk(session, "Siurbliai", "a@x.example")
    only = session.scalars(select(Message)).one()
    with pytest.raises(InputRefused):
        moves.separate(session, only, staff_id=jonas)
    with pytest.raises(InputRefused):
        moves.join(session, alone, alone, staff_id=jonas)


def test_to_keep_apart_answers_the_question(session: Session) -> None:
    into = talk(session, "Siurbliai", "a@x.example")
    beside = talk(session, "Re: Siurbliai", "b@y.example", beside=into.id)

    assert moves.keep_apart(session, beside) == into.id
    assert beside.beside_id is None
