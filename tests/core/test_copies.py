"""Whom a letter is copied to, read from what people write and from the letter answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.copies import Reader, of_letter, read, written
from core.errors import InputRefused
from core.limits import LETTER_COPIES
from core.values import BadAddress

ONA, JONAS = "ona@imone.lt", "jonas@imone.lt"


@pytest.mark.parametrize(
    "line",
    [
        f"{ONA}, {JONAS}",
        f"{ONA};{JONAS};",
        f"{ONA} {JONAS}",
        f"<{ONA}>\n{JONAS.upper()}",
        f"{ONA}, {JONAS}, {ONA}",
    ],
)
def test_addresses_are_read_however_they_are_parted(line: str) -> None:
    assert read(line) == [Reader("", ONA), Reader("", JONAS)]


def test_names_stand_before_their_addresses_and_may_hold_commas_in_quotes() -> None:
    line = f'Ona Onaitė <{ONA}>, "Jonaitis, Jonas \\"JJ\\"" <{JONAS}>'
    assert read(line) == [Reader("Ona Onaitė", ONA), Reader("Jonaitis, Jonas JJ", JONAS)]


@pytest.mark.parametrize("line", ["Ona", f"{ONA} Ona", "ona@", f'"Ona <{ONA}>', f"{ONA}, x", "öna@imone.lt"])
def test_what_is_no_address_is_refused(line: str) -> None:
    with pytest.raises(BadAddress):
        read(line)


def test_more_than_the_limit_is_refused() -> None:
    line = ", ".join(f"a{one}@imone.lt" for one in range(LETTER_COPIES + 1))
    with pytest.raises(InputRefused):
        read(line)
    assert len(read(line.rpartition(",")[0])) == LETTER_COPIES


@given(
    st.lists(st.tuples(st.text(max_size=40), st.integers(0, 10**6)), max_size=5, unique_by=lambda one: one[1])
)
def test_what_is_written_is_read_back(people: list[tuple[str, int]]) -> None:
    first = read(written(Reader(name, f"a{number}@imone.lt") for name, number in people))
    assert [one.address for one in first] == [f"a{number}@imone.lt" for _, number in people]
    assert read(written(first)) == first


@given(st.text(max_size=200))
def test_whatever_is_written_is_read_or_refused_plainly(line: str) -> None:
    try:
        found = read(line)
    except InputRefused:
        return
    assert read(written(found)) == found


def test_everybody_on_a_letter_but_ourselves_and_its_writer_gets_the_answer() -> None:
    recipients = {
        "to": [["Pardavimai", "sales@mes.lt"], ["Jonas", "Jonas@Imone.LT"], ["", "nonsense"]],
        "cc": [["Ona", ONA], ["J.", JONAS], ["Writer", "writer@imone.lt"]],
    }
    found = of_letter(recipients, without={"sales@mes.lt", "writer@imone.lt"})
    assert found == [Reader("Jonas", JONAS), Reader("Ona", ONA)]
