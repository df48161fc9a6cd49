"""Parts of an SMS, and what plain letters save."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.plainletters import offer, plain_letters
from templates.segments import segments_of

GSM = "abc XYZ 09 @£$ äöñü"


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("a" * 160, 1, "gsm7"),
        ("a" * 161, 2, "gsm7"),
        ("a" * 306, 2, "gsm7"),
        ("a" * 307, 3, "gsm7"),
        ("€" * 80, 1, "gsm7"),
        ("a" * 159 + "€", 2, "gsm7"),
        ("a" * 152 + "€" + "a" * 152, 3, "gsm7"),
        ("ą" + "a" * 69, 1, "ucs2"),
        ("ж" + "a" * 70, 2, "ucs2"),
        ("😀" * 35, 1, "ucs2"),
        ("a" * 66 + "😀" * 2, 1, "ucs2"),
        ("a" * 66 + "😀" + "a" * 66, 3, "ucs2"),
        ("", 1, "gsm7"),
    ],
)
def test_parts_are_cut_where_the_network_cuts_them(text: str, count: int, encoding: str) -> None:
    found = segments_of(text)
    assert (found.count, found.encoding) == (count, encoding)


def test_one_letter_with_a_tail_halves_the_room() -> None:
    assert (segments_of("a" * 150).count, segments_of("ą" + "a" * 149).count) == (1, 3)


def test_plain_letters_keep_the_words() -> None:
    assert plain_letters("Ačiū! Kaina – „1 200“ €…") == 'Aciu! Kaina - "1 200" €...'


def test_saving_is_told_before_anybody_chooses() -> None:
    found = offer("Ačiū už užsakymą, siurblius pristatysime kitą antradienį apie dešimtą valandą ryto.")
    assert found is not None
    assert (found.before.count, found.after.count, found.saves) == (2, 1, 1)


@pytest.mark.parametrize("text", ["Спасибо за заказ! " * 8, "Thank you " * 20, "Ačiū"])
def test_nothing_is_offered_where_nothing_is_saved(text: str) -> None:
    assert offer(text) is None


@given(st.text(max_size=400))
def test_plain_letters_never_cost_more_parts_than_an_ellipsis_does(text: str) -> None:
    found = offer(text)
    if found is not None:
        assert segments_of(found.text).count < segments_of(text).count


@given(st.text(alphabet=GSM + "€[]ąж😀", max_size=500))
def test_every_text_fits_the_parts_counted_and_no_fewer(text: str) -> None:
    found = segments_of(text)
    single, several = (160, 153) if found.encoding == "gsm7" else (70, 67)
    if found.count == 1:
        assert found.units <= single
    else:
        assert found.units > single
        assert several * (found.count - 1) - (found.count - 1) < found.units <= several * found.count
