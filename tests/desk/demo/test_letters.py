"""The sample letters: complete, in three languages, of every topic, and kept byte for byte."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from core.intents import Intent
from desk.demo import correspondence, people, replies
from desk.demo.correspondence import TREATMENTS, Letter
from inbound.automail import Kind
from inbound.understanding import understand

LETTERS = correspondence.letters()
READABLE = [letter for letter in LETTERS if letter.treatment != "quarantined"]
PEOPLES = [letter for letter in READABLE if letter.treatment != "machine"]


def test_every_letter_in_the_folder_is_expected_once() -> None:
    found = sorted(
        path.relative_to(correspondence.FOLDER).as_posix() for path in correspondence.FOLDER.rglob("*.eml")
    )
    assert found == sorted(letter.file for letter in LETTERS)


def test_there_are_letters_of_every_topic_in_each_language() -> None:
    topics = Counter((letter.language, letter.intent) for letter in READABLE)
    for language in ("en", "ru", "lt"):
        assert {topic for spoken, topic in topics if spoken == language} == {one.value for one in Intent}


def test_at_least_ten_letters_are_nasty_and_45_are_there() -> None:
    assert sum(bool(letter.nasty) for letter in LETTERS) >= 10
    assert len(LETTERS) >= 45


def test_every_expectation_names_a_treatment_and_a_mailbox_of_ours() -> None:
    assert {letter.treatment for letter in LETTERS} <= TREATMENTS
    assert {box for letter in LETTERS for box in letter.mailboxes} == set(people.mailboxes())


@pytest.mark.parametrize("letter", PEOPLES, ids=lambda letter: letter.file)
def test_a_persons_letter_is_read_as_a_persons_in_its_language(letter: Letter) -> None:
    understood = understand(letter.path.read_bytes(), frozenset(people.mailboxes().values()))
    assert understood.machine.kind is Kind.NONE
    assert understood.bounce is None
    assert understood.language == letter.language


@pytest.mark.parametrize(
    "letter", [one for one in READABLE if one.treatment == "machine"], ids=lambda letter: letter.file
)
def test_a_machines_letter_is_read_as_a_machines(letter: Letter) -> None:
    assert understand(letter.path.read_bytes()).machine.is_machine


def test_letters_come_within_the_last_day_in_their_order_and_zones() -> None:
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    fresh = correspondence.bytes_of(LETTERS, now)
    old = {letter.file: letter.path.read_bytes() for letter in LETTERS}
    dates = {file: _date(data) for file, data in fresh.items() if b"\nDate: " in data}
    assert max(dates.values()) == now - timedelta(minutes=10)
    assert min(dates.values()) > now - timedelta(days=1)
    assert sorted(dates, key=lambda file: dates[file]) == sorted(dates, key=lambda file: _date(old[file]))
    assert all(dates[file].utcoffset() == _date(old[file]).utcoffset() for file in dates)


def test_moving_a_letter_in_time_changes_nothing_but_its_dates() -> None:
    fresh = correspondence.bytes_of(PEOPLES)
    for letter in PEOPLES:
        if not letter.grow:
            assert _undated(fresh[letter.file]) == _undated(letter.path.read_bytes())


def test_the_large_attachment_is_as_large_as_it_says() -> None:
    large = next(letter for letter in LETTERS if letter.grow)
    mail = understand(correspondence.bytes_of([large])[large.file]).mail
    assert [one.size for one in mail.attachments] == [pytest.approx(large.grow, rel=0.001)]


OURS = (
    b"Message-ID: <fd-00112233445566778899aabbccddeeff@siaures-siurbliai.example>\r\n"
    b"From: sales@siaures-siurbliai.example\r\nTo: ona@imone.example\r\nSubject: Offer\r\n\r\nHere it is.\r\n"
)


def test_a_reply_to_our_letter_refers_to_it_and_its_new_words_are_told_from_the_quoted() -> None:
    letter = replies.reply_to(
        OURS,
        sender="ona@imone.example",
        name="Ona",
        mailbox="sales@siaures-siurbliai.example",
        words="Yes, please.",
    )
    understood = understand(letter)
    assert understood.mail.in_reply_to == ("fd-00112233445566778899aabbccddeeff@siaures-siurbliai.example",)
    assert understood.split.reply.strip() == "Yes, please."


def test_a_bounce_of_our_letter_is_read_as_a_hard_one_that_names_it() -> None:
    report = replies.bounce_of(
        OURS, returns_to="sales@siaures-siurbliai.example", recipient="ona@imone.example"
    )
    bounce = understand(report).bounce
    assert bounce is not None
    assert bounce.hard
    assert bounce.recipient == "ona@imone.example"
    assert bounce.original_message_id == "fd-00112233445566778899aabbccddeeff@siaures-siurbliai.example"


def test_an_automatic_reply_is_read_as_a_machines() -> None:
    letter = replies.automatic_reply_to(
        OURS, sender="ona@imone.example", mailbox="sales@siaures-siurbliai.example"
    )
    assert understand(letter).machine.kind is Kind.OUT_OF_OFFICE


def _date(data: bytes) -> datetime:
    line = next(line for line in data.split(b"\r\n") if line.startswith(b"Date: "))
    return parsedate_to_datetime(line[6:].decode())


def _undated(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\r\n") if not line.startswith((b"Date: ", b"Received: "))]
