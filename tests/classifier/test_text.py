"""What of a message is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifier.text import BODY_LIMIT, Text, features_of, plain, visible


def test_invisible_characters_do_not_split_words() -> None:
    assert visible("in\u200bvo\u00adice") == "invoice"


def test_latin_look_alikes_in_a_russian_word_become_cyrillic() -> None:
    assert visible("cчёт нa oплaту") == "счёт на оплату"


def test_cyrillic_look_alikes_in_an_english_word_become_latin() -> None:
    assert visible("invоicе") == "invoice"


def test_a_word_that_truly_mixes_alphabets_stays() -> None:
    assert visible("GSMмодуль") == "GSMмодуль"


def test_only_the_beginning_of_a_long_body_is_read() -> None:
    assert len(plain(Text("Re: цена", "я" * 5_000_000))) <= BODY_LIMIT + 305


def test_reply_marks_are_not_part_of_the_subject() -> None:
    assert plain(Text("Re: Fwd: Ats: kaina", "")) == "kaina"


def test_addresses_links_and_digits_say_only_that_they_are_there() -> None:
    assert features_of("See https://x.lt/a?b=1 or ona@x.lt, 25 pcs") == "see xlink or xaddress, 00 pcs"


@given(st.text())
def test_any_text_can_be_prepared(text: str) -> None:
    assert isinstance(features_of(plain(Text(text, text))), str)
