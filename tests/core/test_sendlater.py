"""The times at which a letter may leave later."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import InputRefused
from core.sendlater import When, chosen, moments
from core.worktime import Calendar

VILNIUS = ZoneInfo("Europe/Vilnius")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VILNIUS).astimezone(UTC)


def test_on_a_working_day_tomorrow_and_monday_are_offered() -> None:
    assert moments(_at("2026-11-24 11:00"), Calendar()) == {
        When.TOMORROW: _at("2026-11-25 09:00"),
        When.WEEK: _at("2026-11-30 09:00"),
    }


def test_before_hours_the_beginning_of_their_day_comes_first() -> None:
    found = moments(_at("2026-11-24 06:30"), Calendar())
    assert next(iter(found.items())) == (When.OPENING, _at("2026-11-24 09:00"))


def test_on_friday_evening_no_moment_is_offered_twice_and_no_saturday() -> None:
    assert moments(_at("2026-11-27 19:00"), Calendar()) == {When.WEEK: _at("2026-11-30 09:00")}


def test_on_sunday_tomorrow_is_monday() -> None:
    assert moments(_at("2026-11-29 12:00"), Calendar()) == {When.TOMORROW: _at("2026-11-30 09:00")}


def test_the_morning_is_the_readers_own() -> None:
    there = Calendar("Asia/Almaty", country="KZ")
    tomorrow = moments(_at("2026-11-24 09:00"), there)[When.TOMORROW]
    assert tomorrow.astimezone(ZoneInfo("Asia/Almaty")).isoformat() == "2026-11-25T09:00:00+05:00"


def test_a_time_of_ones_own_is_on_our_clock_and_an_offered_one_is_taken_as_it_is() -> None:
    now = _at("2026-11-24 11:00")
    assert chosen("", "2026-11-25T08:15", now, VILNIUS) is None
    assert chosen("own", "2026-11-25T08:15", now, VILNIUS) == _at("2026-11-25 08:15")
    assert chosen("2026-11-25T04:00:00+00:00", "", now, VILNIUS) == _at("2026-11-25 06:00")


@pytest.mark.parametrize(
    ("word", "own"),
    [
        ("own", ""),
        ("soon", ""),
        ("own", "2026-11-24T10:59"),
        ("own", "2028-01-01T09:00"),
        ("own", "9999-12-31T23:59"),
    ],
)
def test_what_is_no_moment_to_come_is_refused(word: str, own: str) -> None:
    with pytest.raises(InputRefused):
        chosen(word, own, _at("2026-11-24 11:00"), VILNIUS)
