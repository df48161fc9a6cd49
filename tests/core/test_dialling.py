"""Numbers that may be called or written to, and those that would cost money or reach nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import dialling
from core.optout import Wish, wish_of

COUNTRIES = ("LT", "LV", "EE")
EXPENSIVE = [
    "+19001234567", "+37090012345", "+78091234567", "+449098790000", "+37190123456", "+97912345678",
    "+881612345678", "+882161234567", "+252612345678", "+5354123456", "+6797012345", "+79161234567",
]  # fmt: skip
NO_NUMBERS = [
    "112",
    "+112",
    "1830",
    "",
    "abc",
    "+370abc",
    "+3706１２34567",
    "+37061234567,,9",
    "sip:a@b",
    "+",
]


@pytest.mark.parametrize("number", [*EXPENSIVE, *NO_NUMBERS])
def test_premium_satellite_foreign_and_broken_numbers_are_never_called(number: str) -> None:
    """B57 and B62."""
    assert not dialling.may_call(number, COUNTRIES).yes
    assert not dialling.may_text(number, COUNTRIES).yes


def test_plain_numbers_of_listed_countries_are_called_and_only_mobiles_get_sms() -> None:
    assert dialling.may_call("+37061234567", COUNTRIES).yes
    assert dialling.may_call("+37052123456", COUNTRIES).yes
    assert dialling.may_text("+37061234567", COUNTRIES).yes
    assert not dialling.may_text("+37052123456", COUNTRIES).yes


def test_premium_numbers_of_a_listed_country_are_refused_all_the_same() -> None:
    assert dialling.may_call("+37090012345", COUNTRIES).reason


@given(st.text(max_size=30))
def test_no_text_at_all_breaks_the_reading_of_a_number(text: str) -> None:
    assert not dialling.may_call(text, ()).yes
    read = dialling.readable(text)
    assert read is None or (read.startswith("+") and read[1:].isascii() and read[1:].isdecimal())


@pytest.mark.parametrize("text", ["anonymous", "", "+266696687", "Restricted", "sip:x"])
def test_withheld_callers_have_no_number_or_only_a_harmless_one(text: str) -> None:
    assert not dialling.may_call(dialling.readable(text) or "", COUNTRIES).yes


@pytest.mark.parametrize("text", ["8 612 34567", "+370 (612) 34-567", "0037061234567"])
def test_local_ways_of_writing_a_number_are_read(text: str) -> None:
    """B62."""
    assert dialling.readable(text) == "+37061234567"


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop.", " Стоп! ", "ОТПИСАТЬСЯ", "Atsisakau", "ATSISAKYTI", "stop please", "Nebesiųskite!"],
)
def test_stop_is_understood_in_three_languages(text: str) -> None:
    assert wish_of(text) is Wish.STOP


@pytest.mark.parametrize(
    "text",
    [
        "Please do not cancel the order",
        "стоп-кран сломан, приезжайте",
        "",
        "Atsisakau siurblio, bet noriu filtro",
    ],
)
def test_a_message_that_only_holds_the_word_is_no_opt_out(text: str) -> None:
    assert wish_of(text) is None


def test_start_takes_it_back() -> None:
    assert wish_of("Start") is Wish.START
