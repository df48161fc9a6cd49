"""Numbers as people write them."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRefused
from core.values import LANGUAGES
from desk.figures import read_number, write_number


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1250", "lt", "1250"),
        ("1250,5", "lt", "1250.5"),
        ("1 250,50", "ru", "1250.50"),
        ("1\u00a0250,50", "lt", "1250.50"),
        ("1.250,50", "lt", "1250.50"),
        ("1,250.50", "en", "1250.50"),
        ("1,250", "en", "1250"),
        ("1,250", "lt", "1.250"),
        ("1.250", "en", "1.250"),
        (".5", "en", "0.5"),
    ],
)
def test_a_number_is_read_as_it_is_meant(text: str, language: str, value: str) -> None:
    assert read_number(text, language) == Decimal(value)


@pytest.mark.parametrize("text", ["", " ", "-1", "1e5", "NaN", "Infinity", "1,2,3", "1.2.3", "١٢", "12 eur"])
def test_what_is_no_number_is_refused(text: str) -> None:
    for language in LANGUAGES:
        with pytest.raises(InputRefused):
            read_number(text, language)


@given(
    st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False, allow_infinity=False),
    st.sampled_from(LANGUAGES),
)
def test_what_is_written_into_a_field_is_read_back(value: Decimal, language: str) -> None:
    assert read_number(write_number(value, language, 2), language) == value
    assert read_number(write_number(value, language), language) == value


@given(st.text(max_size=30), st.sampled_from(LANGUAGES))
def test_no_text_does_anything_but_be_read_or_refused(text: str, language: str) -> None:
    with contextlib.suppress(InputRefused):
        assert read_number(text, language) >= 0
