"""The three languages of the screens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import negotiate, texts
from core.values import LANGUAGES

NOON = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 day"),
        ("en", 5, "5 days"),
        ("ru", 1, "1 день"),
        ("ru", 3, "3 дня"),
        ("ru", 5, "5 дней"),
        ("ru", 21, "21 день"),
        ("ru", 12, "12 дней"),
        ("lt", 1, "1 diena"),
        ("lt", 3, "3 dienos"),
        ("lt", 10, "10 dienų"),
        ("lt", 21, "21 diena"),
        ("lt", 12, "12 dienų"),
    ],
)
def test_a_number_of_things_takes_its_plural_form(language: str, count: int, said: str) -> None:
    assert texts(language).ngettext("%(num)d day", "%(num)d days", count) == said


@pytest.mark.parametrize(
    ("language", "moment", "day"),
    [
        ("en", "20 Nov 2026, 12:05", "20 November 2026"),
        ("ru", "20 нояб. 2026 г., 12:05", "20 ноября 2026 г."),
        ("lt", "2026-11-20, 12:05", "2026 m. lapkričio 20 d."),
    ],
)
def test_moments_are_written_as_people_there_write_them(language: str, moment: str, day: str) -> None:
    said = texts(language)
    assert said.moment(NOON).replace("\u202f", " ").replace("\xa0", " ") == moment
    assert said.day(NOON).replace("\u202f", " ").replace("\xa0", " ") == day


def test_a_list_shows_the_time_today_the_day_this_year_and_else_the_date() -> None:
    said = texts("lt")
    assert said.short(NOON, NOON + timedelta(hours=3)) == "12:05"
    assert said.short(NOON, NOON + timedelta(days=3)) == "11-20"
    assert said.short(NOON, NOON + timedelta(days=300)) == "2026-11-20"


def test_today_is_today_where_the_company_is() -> None:
    late = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    assert texts("en").short(late, datetime(2026, 11, 21, 6, 0, tzinfo=UTC)) == "00:30"


def test_money_and_shares_have_the_separators_of_the_language() -> None:
    said = {
        language: texts(language).money(Decimal("1234.50")).replace("\xa0", " ") for language in LANGUAGES
    }
    assert said == {"en": "€1,234.50", "ru": "1 234,50 €", "lt": "1 234,50 €"}
    assert texts("ru").percent(0.876) == "88%"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("lt", "lt"),
        ("de,fr;q=0.5", "en"),
        ("", "en"),
        ("en;q=0.2, lt;q=0.9", "lt"),
        ("ru;q=x", "ru"),
        ("*", "en"),
    ],
)
def test_the_browser_s_best_language_among_ours_is_taken(header: str, language: str) -> None:
    assert negotiate(header) == language


@given(st.text(max_size=200))
def test_any_header_gives_one_of_our_languages(header: str) -> None:
    assert negotiate(header) in LANGUAGES


def test_an_unknown_language_falls_back_to_english() -> None:
    assert texts("de").gettext("Inbox") == "Inbox"


def test_russian_and_lithuanian_are_in_their_own_letters() -> None:
    assert re.fullmatch(r"[А-яЁё]+", texts("ru").gettext("Inbox"))
    assert texts("lt").gettext("Uncertain sends") == "Neaiškūs siuntimai"
