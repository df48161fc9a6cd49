"""The order in which messages are fetched, and the cursor that never passes one that is not stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inbound.lanes import Lanes


def test_few_are_taken_in_order() -> None:
    lanes = Lanes(10)
    lanes.list([12, 11, 15])

    assert (lanes.take(2), lanes.cursor()) == ([11, 12], 14)
    assert (lanes.take(2), lanes.cursor()) == ([15], 15)


def test_newest_and_oldest_of_a_backlog_are_taken_in_turn() -> None:
    lanes = Lanes(0)
    lanes.list(range(1, 101))

    assert [lanes.take(10)[0] for _ in range(4)] == [1, 91, 11, 81]
    assert lanes.cursor() == 20


def test_new_mail_is_fetched_at_the_next_turn_of_the_newest() -> None:
    lanes = Lanes(0)
    lanes.list(range(1, 1_000))
    lanes.take(10)
    lanes.list([2_000])

    assert 2_000 in lanes.take(10)


def test_what_is_stored_above_the_cursor_is_not_fetched_again() -> None:
    lanes = Lanes(5, stored=[8, 9])
    lanes.list(range(6, 11))

    assert lanes.take(10) == [6, 7, 10]


def test_message_put_aside_holds_the_cursor_back() -> None:
    lanes = Lanes(0)
    lanes.list([1, 2, 3])
    lanes.take(3)
    lanes.put_aside(2)
    assert lanes.cursor() == 1
    lanes.settle_aside(2)
    assert lanes.cursor() == 3


@given(
    st.sets(st.integers(1, 3_000), max_size=300),
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=60),
)
def test_cursor_never_passes_what_is_not_taken_and_everything_is_taken_once(
    uids: set[int], turns: list[tuple[int, bool, bool]]
) -> None:
    lanes = Lanes(0)
    listed = sorted(uids)
    half = len(listed) // 2
    lanes.list(listed[:half])
    done: list[int] = []
    for count, give_back, more in turns:
        if more:
            lanes.list(listed)
        taken = lanes.take(count)
        if give_back and len(taken) > 1:
            lanes.give_back(taken[1:])
            taken = taken[:1]
        done += taken
        cursor = lanes.cursor()
        seen = [uid for uid in listed if uid <= lanes.highest_listed]
        assert all(uid in done for uid in seen if uid <= cursor)
    lanes.list(listed)
    while taken := lanes.take(50):
        done += taken
    assert sorted(done) == listed
    assert lanes.cursor() == (listed[-1] if listed else 0)
