"""Finding messages and clients: by words in any form, by who may see them, by parts of names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import false, true
from sqlalchemy.orm import Session

from classifier.searchwords import asked, folded, lexemes
from core import clientsearch, search
from core.conversations import Conversation, Direction, Message
from core.outbox import Draft, queue
from core.search import Searched, Wanted
from tests.core.people import client, colleague, letter

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def write(session: Session) -> int:
    """Write the words that are due, as the background work does."""
    taken = search.take_waiting(session, 1_000)
    found = search.texts_of(session, taken)
    search.write_words(session, [(number, at, lexemes(texts)) for number, (at, texts) in found.items()])
    return len(taken)


def said(
    session: Session, text: str, *, subject: str = "", age: int = 0, talk: Conversation | None = None
) -> Message:
    """A letter that says something, so many hours old."""
    talk = talk or Conversation(subject=subject)
    message = Message(
        conversation=talk,
        direction=Direction.IN,
        subject=subject,
        sender="ona@vandenis.lt",
        text=text,
        happened_at=NOW - timedelta(hours=age),
    )
    session.add(message)
    session.flush()
    return message


def find(session: Session, question: str, **bounds: object) -> Searched:
    """Ask as the desk does."""
    taken_apart = asked(question)
    match = search.matching((term.lexeme, term.beginning) for term in taken_apart.terms)
    wanted = Wanted(match, search.any_of(taken_apart.without), taken_apart.phrases, **bounds)  # type: ignore[arg-type]
    return search.find(session, wanted, true())


def subjects(searched: Searched) -> list[str]:
    """What was found, by subject."""
    return [one.subject for one in searched.found]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Prašome atsiųsti sąskaitą už siurblius", "saskaitos siurblys"),
        ("Prašome atsiųsti sąskaitą už siurblius", "SĄSKAITA"),
        ("Нужен счёт за насосы для котельной", "счет насосов"),
        ("Ждём коммерческое предложение", "предложения "),
        ("We still wait for the two invoices", "invoice"),
        ("Order no. PO-2041/7 has not arrived", "PO-2041/7"),
        ("Order no. PO-2041/7 has not arrived", "2041"),
        ("Call me at +370 612 34567", "34567"),
    ],
)
def test_a_letter_is_found_by_other_forms_of_its_words(session: Session, text: str, question: str) -> None:
    message = said(session, text, subject="this one")
    said(session, "Nothing of the kind, nieko panašaus, ничего такого", subject="another")
    write(session)
    assert [one.message_id for one in find(session, question).found] == [message.id]


def test_a_word_that_is_still_being_typed_finds_what_begins_with_it(session: Session) -> None:
    said(session, "Klausimas dėl cirkuliacinio siurblio", subject="pump")
    write(session)
    assert subjects(find(session, "cirkul")) == ["pump"]
    assert subjects(find(session, "cirkul ")) == []


def test_every_word_must_be_there_and_what_is_excluded_must_not(session: Session) -> None:
    said(session, "pump and valve", subject="both")
    said(session, "pump alone", subject="one")
    write(session)
    assert subjects(find(session, "valve pump")) == ["both"]
    assert subjects(find(session, "pump -valve")) == ["one"]


def test_words_in_quotes_stand_in_a_row(session: Session) -> None:
    said(session, "Prašome atsiųsti\nkomercinį pasiūlymą", subject="in a row")
    said(session, "pasiūlymą atsiųsti komercinį", subject="apart")
    write(session)
    found = find(session, '"komercini pasiulyma"')
    assert subjects(found) == ["in a row"]


def test_a_conversation_is_found_once_by_its_newest_message(session: Session) -> None:
    first = said(session, "pump", subject="first", age=5)
    newest = said(session, "pump again", subject="newest", age=1, talk=first.conversation)
    write(session)
    assert [one.message_id for one in find(session, "pump").found] == [newest.id]


def test_what_one_may_not_see_is_not_found(session: Session) -> None:
    said(session, "pump")
    write(session)
    wanted = Wanted(search.matching([("pump", "")]))
    assert search.find(session, wanted, false()).found == []


def test_a_full_page_says_where_to_go_on(session: Session) -> None:
    for age in range(5):
        said(session, "pump", subject=str(age), age=age)
    write(session)
    wanted = Wanted(search.matching([("pump", "")]))
    first = search.find(session, wanted, true(), page=3)
    assert subjects(first) == ["0", "1", "2"]
    rest = search.find(session, Wanted(wanted.match, before=first.on), true(), page=3)
    assert subjects(rest) == ["3", "4"]
    assert rest.on is None


def test_a_common_word_is_searched_to_a_bound_and_then_on(session: Session) -> None:
    for age in range(6):
        said(session, "pump", subject=str(age), age=age)
    write(session)
    match = search.matching([("pump", "")])
    oldest = Conversation.subject == "5"
    stopped = search.find(session, Wanted(match), oldest, rounds=(2, 2))
    assert (stopped.found, stopped.stopped) == ([], True)
    assert subjects(search.find(session, Wanted(match, before=stopped.on), oldest)) == ["5"]


def test_one_clients_messages_are_searched_whole(session: Session) -> None:
    contact = client(session)
    mine = said(session, "pump", subject="mine", age=50)
    mine.conversation.account_id = contact.account_id
    for age in range(3):
        said(session, "pump", subject="theirs", age=age)
    session.flush()
    write(session)
    assert subjects(find(session, "pump", account_id=contact.account_id)) == ["mine"]
    assert subjects(search.find(session, Wanted(account_id=contact.account_id), true())) == ["mine"]


def test_channel_direction_time_and_files_narrow_the_search(session: Session) -> None:
    said(session, "pump", subject="old", age=1_000)
    sent = said(session, "pump", subject="sent")
    sent.direction = Direction.OUT
    session.flush()
    write(session)
    assert subjects(find(session, "pump", since=NOW - timedelta(days=1))) == ["sent"]
    assert subjects(find(session, "pump", direction="in")) == ["old"]
    assert subjects(find(session, "pump", channel="sms")) == []
    assert subjects(find(session, "pump", with_files=True)) == []


def test_words_are_due_once_for_every_message_however_it_was_written(session: Session) -> None:
    letter(session, client(session))
    assert search.is_waiting(session)
    assert write(session) == 1
    assert not search.is_waiting(session)
    assert write(session) == 0


def test_an_acknowledgement_is_not_found_in_place_of_the_letter(session: Session) -> None:
    delivery = queue(session, Draft(key="a", address="ona@vandenis.lt", template="acknowledgement"))
    said(session, "We have received your letter about the pump").delivery_id = delivery
    session.flush()
    assert write(session) == 1
    assert find(session, "pump").found == []


@pytest.mark.parametrize(
    "part", ["vandenis", "ona", "petraite", "vandenis.lt", "ona@vandenis.lt", "ONA PETRAITĖ"]
)
def test_a_client_is_found_by_a_part_of_a_name_or_an_address(session: Session, part: str) -> None:
    contact = client(session)
    session.add(Conversation(contact_id=contact.id, account_id=contact.account_id))
    session.flush()
    found = clientsearch.clients(session, folded(part), true())
    assert contact.account_id in {one.account_id for one in found}


def test_signs_of_a_pattern_are_letters_like_any_other(session: Session) -> None:
    client(session)
    assert clientsearch.clients(session, "%%", true()) == []
    assert clientsearch.clients(session, "a_a", true()) == []


def test_a_client_of_somebody_else_is_not_found_and_ones_own_is(session: Session) -> None:
    contact = client(session)
    rasa = colleague(session)
    assert clientsearch.clients(session, "vandenis", false()) == []
    session.execute(sa.text("update account set curator_id = :id"), {"id": rasa.id})
    found = clientsearch.clients(session, "vandenis", false(), curated_by=rasa.id)
    assert found[0].account_id == contact.account_id


@given(question=st.text(max_size=200))
def test_any_question_makes_a_query_that_postgresql_reads(
    _shared_engine: sa.Engine,  # noqa: PT019 - its value is used
    question: str,
) -> None:
    taken_apart = asked(question.replace("\0", ""))
    match = search.matching((term.lexeme, term.beginning) for term in taken_apart.terms)
    wanted = Wanted(match, search.any_of(taken_apart.without), taken_apart.phrases)
    with Session(_shared_engine) as session:
        assert search.find(session, wanted, true()).found == []


@pytest.mark.parametrize("part", ["pump ", "*", "a:*&!b|<->", "((", "x", "ё"])
def test_b46_a_question_of_a_megabyte_asks_for_a_few_words(session: Session, part: str) -> None:
    taken_apart = asked(part * (1_000_000 // len(part.encode())))
    match = search.matching((term.lexeme, term.beginning) for term in taken_apart.terms)
    assert len(match) < 5_000
    wanted = Wanted(match, search.any_of(taken_apart.without), taken_apart.phrases)
    assert search.find(session, wanted, true()).found == []
    assert clientsearch.clients(session, part * 100_000, true()) == []
