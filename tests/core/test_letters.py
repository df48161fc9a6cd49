"""What is queued to be written to clients."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import letters, outbox
from core.errors import InputRefused
from core.outbox import Purpose
from tests.core.people import client, colleague, letter


def test_an_answer_refers_to_every_letter_of_its_thread(session: Session) -> None:
    contact = client(session)
    message = letter(session, contact)
    draft = letters.answer(session, message.conversation, colleague(session), key="k", body="Laba diena")
    assert (draft.in_reply_to, list(draft.reference_ids)) == ("1@vandenis.lt", ["1@vandenis.lt"])
    assert (draft.address, draft.language, draft.automatic) == ("ona@vandenis.lt", "lt", False)


def test_an_empty_answer_is_refused(session: Session) -> None:
    message = letter(session, client(session))
    with pytest.raises(InputRefused):
        letters.answer(session, message.conversation, colleague(session), key="k", body="  \n")


def test_a_form_sent_twice_answers_once(session: Session) -> None:
    message = letter(session, client(session))
    draft = letters.answer(
        session, message.conversation, colleague(session), key="one-time", body="Laba diena"
    )
    assert [outbox.queue(session, draft) is not None, outbox.queue(session, draft) is not None] == [
        True,
        False,
    ]


def test_a_follow_up_is_marketing_and_so_can_be_opted_out_of(session: Session) -> None:
    message = letter(session, client(session))
    draft = letters.answer(
        session, message.conversation, colleague(session), key="k", body="", template="follow_up"
    )
    assert draft.purpose == Purpose.MARKETING


def test_an_acknowledgement_says_it_is_automatic_and_is_keyed_by_its_letter(session: Session) -> None:
    message = letter(session, client(session))
    draft = letters.acknowledgement(
        message_id=message.id, conversation_id=message.conversation_id, contact_id=message.contact_id,
        address=message.sender, name="Ona", company="Vandenis", language="lt", subject=message.subject,
        rfc_id=message.rfc_id, received=message.happened_at,
    )  # fmt: skip
    assert (draft.automatic, draft.key) == (True, f"acknowledgement:{message.id}")


def test_an_answer_waits_ten_seconds_so_that_it_can_be_taken_back(session: Session) -> None:
    message = letter(session, client(session))
    draft = letters.answer(session, message.conversation, colleague(session), key="k", body="Laba diena")
    assert draft.due_at == session.execute(select(func.now())).scalar_one() + letters.UNDO
