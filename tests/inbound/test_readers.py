"""Letters are read in processes that may die of one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from core.errors import FrontdeskError
from inbound.readers import LetterDefeatsReader, ReaderProcesses
from inbound.reading import Reading, read
from tests.inbound.posting import letter


@pytest.fixture
def readers() -> Iterator[ReaderProcesses]:
    readers = ReaderProcesses(cpu_seconds=5)
    yield readers
    readers.close()


def test_readings_come_in_order_and_are_the_same_as_here(readers: ReaderProcesses) -> None:
    letters = [letter(subject=f"Nr. {number}") for number in range(5)]

    assert readers.read_many(letters, frozenset()) == [read(one, frozenset()) for one in letters]


def test_unreadable_letter_says_why_and_costs_no_other(readers: ReaderProcesses) -> None:
    first, second, third = readers.read_many([letter(), b"", letter()], frozenset())

    assert isinstance(first, Reading)
    assert isinstance(second, FrontdeskError)
    assert second.message == "There is nothing in this letter that can be read."
    assert isinstance(third, Reading)


def test_process_that_is_killed_is_replaced(readers: ReaderProcesses) -> None:
    readers.read_many([letter()], frozenset())
    (pid,) = readers.pids()
    os.kill(pid, signal.SIGKILL)

    first, second = readers.read_many([letter(), letter()], frozenset())

    assert isinstance(first, LetterDefeatsReader)
    assert isinstance(second, Reading)
    assert readers.pids() != [pid]


def test_letter_that_takes_too_long_ends_its_reader_and_is_named() -> None:
    readers = ReaderProcesses(cpu_seconds=0.01)
    try:
        heavy = letter(text="<p>" * 10) + b"x " * 8_000_000
        outcomes = readers.read_many([heavy], frozenset())
    finally:
        readers.close()

    assert isinstance(outcomes[0], LetterDefeatsReader)
    assert "processor time" in outcomes[0].message


def test_reading_crosses_unharmed() -> None:
    reading = read(letter(text="Ąžuolas \ud800".encode("utf-8", "replace").decode()), frozenset())

    assert Reading.loaded(reading.dumped()) == reading
