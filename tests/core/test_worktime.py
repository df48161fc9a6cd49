"""Working time on the local clock, across nights, weekends, holidays and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRefused
from core.worktime import Calendar, Hours, NoWorkingTime

VILNIUS = ZoneInfo("Europe/Vilnius")
OFFICE = Calendar()
NIGHT = Calendar(week={day: (Hours(time(2), time(5)),) for day in range(7)}, country="")
MOSCOW = Calendar(zone="Europe/Moscow", country="RU")


def at(text: str, zone: ZoneInfo = VILNIUS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-18 10:15", "2026-11-18 10:15"),  # a Wednesday morning
        ("2026-11-18 18:00", "2026-11-19 09:00"),  # the end is not working time any more
        ("2026-11-20 19:00", "2026-11-23 09:00"),  # Friday evening to Monday
        ("2026-12-24 08:00", "2026-12-28 09:00"),  # Kūčios, Kalėdos and a weekend
        ("2026-02-16 12:00", "2026-02-17 09:00"),  # Restoration of the State
    ],
)
def test_the_office_opens_when_it_should(moment: str, opens: str) -> None:
    assert OFFICE.next_open(at(moment)) == at(opens)


@pytest.mark.parametrize(
    ("moment", "hours", "then"),
    [
        ("2026-11-18 10:00", 2, "2026-11-18 12:00"),
        ("2026-11-18 17:00", 2, "2026-11-19 10:00"),
        ("2026-11-20 17:00", 10, "2026-11-23 18:00"),  # 1 h on Friday + 9 h on Monday
        ("2026-11-21 12:00", 1, "2026-11-23 10:00"),  # from a Saturday
    ],
)
def test_working_hours_pass_only_while_the_office_is_open(moment: str, hours: int, then: str) -> None:
    assert OFFICE.add(at(moment), timedelta(hours=hours)) == at(then)


@pytest.mark.parametrize(
    ("moment", "days", "then"),
    [
        ("2026-11-20 10:00", 1, "2026-11-23 10:00"),
        ("2026-03-27 09:30", 1, "2026-03-30 09:30"),  # the clocks went forward on the Sunday between
        ("2026-10-23 09:30", 1, "2026-10-26 09:30"),  # and back
        ("2026-12-23 10:00", 1, "2026-12-28 10:00"),
        ("2026-11-20 20:00", 1, "2026-11-24 09:00"),  # Monday 20:00 is past the day's end
    ],
)
def test_a_working_day_later_is_the_same_time_of_day(moment: str, days: int, then: str) -> None:
    assert OFFICE.add_days(at(moment), days) == at(then)


def test_an_hour_that_does_not_exist_moves_on_by_the_gap() -> None:
    opens = Calendar(week={6: (Hours(time(3, 30), time(6)),)}, country="").next_open(at("2026-03-29 00:00"))
    assert opens.astimezone(VILNIUS).time() == time(4, 30)


def test_an_hour_that_comes_twice_is_used_at_its_first_coming() -> None:
    opens = Calendar(week={6: (Hours(time(3, 30), time(6)),)}, country="").next_open(at("2026-10-25 00:00"))
    assert opens == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_night_shift_over_the_change_is_an_hour_shorter_or_longer() -> None:
    spring = NIGHT.between(at("2026-03-29 00:00"), at("2026-03-29 12:00"))
    autumn = NIGHT.between(at("2026-10-25 00:00"), at("2026-10-25 12:00"))
    assert (spring, autumn) == (timedelta(hours=2), timedelta(hours=4))


def test_moscow_keeps_its_own_holidays_and_clock() -> None:
    moscow = ZoneInfo("Europe/Moscow")
    assert MOSCOW.next_open(at("2026-05-01 10:00", moscow)) == at("2026-05-04 09:00", moscow)


def test_a_calendar_without_working_days_says_so() -> None:
    with pytest.raises(NoWorkingTime):
        Calendar(week={}).next_open(at("2026-11-18 10:00"))


def test_hours_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(InputRefused):
        Hours(time(18), time(9))


moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
calendars = st.sampled_from([OFFICE, NIGHT, MOSCOW])


@given(calendars, moments, st.integers(0, 600_000))
def test_what_was_added_lies_between(calendar: Calendar, moment: datetime, seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert calendar.between(moment, calendar.add(moment, duration)) == duration


@given(calendars, moments, st.integers(0, 60))
def test_days_later_is_working_time_and_not_before(calendar: Calendar, moment: datetime, days: int) -> None:
    later = calendar.add_days(moment, days)
    assert calendar.is_open(later)
    assert later >= moment


@given(calendars, moments, moments)
def test_working_time_never_runs_backwards(calendar: Calendar, first: datetime, last: datetime) -> None:
    assert calendar.between(first, last) >= timedelta()
