"""Batches off a server that does not always give what it lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from inbound.bodystructure import Described
from inbound.fetching import GONE, LEAST_BYTES, Fetcher
from inbound.imap import Disconnected, Head, MailServer, Refused
from inbound.lanes import Lanes

CAME = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Box:
    """A mailbox in memory that can be told to misbehave."""

    def __init__(self, letters: dict[int, bytes]) -> None:
        self.letters = letters
        self.nothing: set[int] = set()
        """Listed, with a size, and answered with nothing."""
        self.refused: set[int] = set()
        """Answered with NO, together with whatever was asked for beside."""
        self.breaks = False
        self.asked: list[list[int]] = []

    def heads(self, uids: Sequence[int]) -> dict[int, Head]:
        return {uid: Head(len(self.letters[uid]), CAME) for uid in uids if uid in self.letters}

    def files(self, uid: int) -> list[Described]:
        if uid in self.refused:
            raise Refused
        return [Described("plan.pdf", "application/pdf", 8_000_000, "2")]

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        self.asked.append(list(uids))
        if self.breaks:
            raise Disconnected
        if self.refused & set(uids):
            raise Refused
        return {uid: self.letters[uid] for uid in uids if uid in self.letters and uid not in self.nothing}

    def piece(self, uid: int, offset: int, length: int) -> bytes | None:
        body = self.letters.get(uid)
        return None if body is None else body[offset : offset + length]


def box(letters: dict[int, bytes]) -> tuple[Box, MailServer, Lanes]:
    made = Box(letters)
    lanes = Lanes(0)
    lanes.list(letters)
    return made, cast("MailServer", made), lanes


def test_letters_come_together_in_order() -> None:
    made, server, lanes = box({3: b"c", 1: b"a", 2: b"b"})

    batch = Fetcher().next(server, lanes)

    assert [(one.uid, one.data) for one in batch.letters] == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert {one.internal_date for one in batch.letters} == {CAME}
    assert made.asked == [[1, 2, 3]]


def test_batch_is_bounded_in_bytes_and_the_rest_comes_next() -> None:
    _, server, lanes = box(dict.fromkeys(range(1, 11), b"x" * 300))
    fetcher = Fetcher(max_bytes=1_000)

    counts = [len(fetcher.next(server, lanes).letters) for _ in range(4)]

    assert counts == [3, 3, 3, 1]
    assert lanes.cursor() == 10


def test_message_that_went_away_is_recorded_as_gone() -> None:
    made, server, lanes = box({1: b"a", 2: b"b"})
    del made.letters[2]

    batch = Fetcher().next(server, lanes)

    assert ([one.uid for one in batch.letters], batch.absent) == ([1], {2: GONE})
    assert lanes.cursor() == 2


def test_refused_batch_is_asked_for_one_by_one() -> None:
    made, server, lanes = box({1: b"a", 2: b"b", 3: b"c"})
    made.refused = {2}

    batch = Fetcher().next(server, lanes)

    assert [one.uid for one in batch.letters] == [1, 3]
    assert lanes.cursor() == 1


@pytest.mark.parametrize("kind", ["nothing", "refused"])
def test_message_that_is_never_given_is_recorded_after_three_rounds(kind: str) -> None:
    made, server, lanes = box({1: b"a", 2: b"b"})
    setattr(made, kind, {1})
    fetcher = Fetcher()

    assert [one.uid for one in fetcher.next(server, lanes).letters] == [2]
    assert lanes.cursor() == 0
    assert not fetcher.again(server, lanes)
    batch = fetcher.again(server, lanes)
    assert list(batch.absent) == [1]
    assert lanes.cursor() == 2


def test_message_that_is_given_later_after_all_is_stored() -> None:
    made, server, lanes = box({1: b"a"})
    made.nothing = {1}
    fetcher = Fetcher()
    fetcher.next(server, lanes)
    made.nothing = set()

    assert [one.data for one in fetcher.again(server, lanes).letters] == [b"a"]


def test_large_letter_comes_in_pieces_and_one_over_the_limit_in_part() -> None:
    large, over = bytes(range(256)) * 20_000, b"y" * 9_000_000
    _, server, lanes = box({1: large, 2: over})

    batch = Fetcher(largest=6_000_000).next(server, lanes)

    first, second = batch.letters
    assert first.data == large
    assert not first.truncated
    assert (len(second.data), second.size, second.truncated) == (1_000_000, 9_000_000, True)
    assert first.files is None
    assert second.files == [("plan.pdf", "application/pdf", 8_000_000, "2")]
    assert {first.internal_date, second.internal_date} == {CAME}


def test_letter_over_the_limit_that_cannot_be_described_is_kept_all_the_same() -> None:
    made, server, lanes = box({1: b"y" * 9_000_000})
    made.refused = {1}
    (letter,) = Fetcher(largest=6_000_000).next(server, lanes).letters
    assert (letter.truncated, letter.files) == (True, None)


def test_less_is_asked_for_after_a_broken_line_and_more_again_when_it_holds() -> None:
    made, server, lanes = box({1: b"a"})
    fetcher = Fetcher()
    made.breaks = True
    for _ in range(6):
        lanes.give_back([1] if not len(lanes) else [])
        with pytest.raises(Disconnected):
            fetcher.next(server, lanes)
    assert fetcher.budget == LEAST_BYTES
    made.breaks = False
    lanes.give_back([1])
    fetcher.next(server, lanes)
    assert fetcher.budget == 2 * LEAST_BYTES
