"""When automatic calls may ring: by the callee's own clock, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.callhours import Allowed, country_of, next_allowed, zones_of

OFFICE = Allowed(time(9), time(18), (1, 2, 3, 4, 5))
VILNIUS = ("Europe/Vilnius",)


def at(*given: int, zone: str = "Europe/Vilnius") -> datetime:
    return datetime(*given, tzinfo=ZoneInfo(zone))


def test_an_hour_that_suits_is_now() -> None:
    assert next_allowed(at(2026, 11, 20, 17, 59), VILNIUS, OFFICE) == at(2026, 11, 20, 17, 59)


def test_the_evening_waits_for_the_morning_and_friday_for_monday() -> None:
    assert next_allowed(at(2026, 11, 19, 18, 0), VILNIUS, OFFICE) == at(2026, 11, 20, 9)
    assert next_allowed(at(2026, 11, 20, 18, 0), VILNIUS, OFFICE) == at(2026, 11, 23, 9)


def test_nine_stays_nine_over_the_changes_of_the_clock() -> None:
    assert next_allowed(at(2026, 3, 28, 12), VILNIUS, OFFICE) == at(2026, 3, 30, 9)
    assert next_allowed(at(2026, 10, 24, 12), VILNIUS, OFFICE) == at(2026, 10, 26, 9)
    early = Allowed(time(3, 30), time(5), (7,))
    opened = next_allowed(at(2026, 3, 29, 1), VILNIUS, early)
    assert opened is not None
    assert opened.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_number_says_where_its_owner_may_be_and_the_card_says_it_better() -> None:
    noon = at(2026, 7, 1, 12)
    (zone,) = zones_of("+37061234567", None, "UTC")
    assert noon.astimezone(ZoneInfo(zone)).hour == 12
    assert zones_of("+37061234567", "Europe/Lisbon", "UTC") == ("Europe/Lisbon",)
    assert zones_of("+37061234567", "No/Where", "UTC") == (zone,)
    assert zones_of("nonsense", None, "Europe/Riga") == ("Europe/Riga",)
    assert len(zones_of("+79161234567", None, "UTC")) >= 1


def test_all_zones_a_callee_may_be_in_have_to_suit() -> None:
    both = ("Europe/Kaliningrad", "Asia/Yekaterinburg")
    found = next_allowed(datetime(2026, 11, 19, 20, tzinfo=UTC), both, OFFICE)
    assert found == at(2026, 11, 20, 9, zone="Europe/Kaliningrad")


def test_hours_that_never_suit_are_none() -> None:
    short = Allowed(time(9), time(9, 30), (1,))
    assert next_allowed(at(2026, 11, 20, 12), ("Europe/Vilnius", "Asia/Tokyo"), short) is None


@given(
    st.integers(0, 365 * 24 * 60).map(
        lambda minutes: at(2026, 1, 1, zone="UTC") + timedelta(minutes=minutes)
    ),
    st.lists(st.sampled_from(["Europe/Vilnius", "Europe/Moscow", "Europe/Lisbon"]), min_size=1, max_size=3),
)
def test_whatever_the_moment_the_next_one_suits_every_zone(now: datetime, zones: list[str]) -> None:
    found = next_allowed(now, zones, OFFICE)
    assert found is not None
    assert now <= found <= now + timedelta(days=4)
    assert all(OFFICE.holds(found.astimezone(ZoneInfo(zone))) for zone in zones)


def test_no_call_by_machine_on_a_public_holiday_of_the_numbers_country() -> None:
    hours = Allowed(time(9), time(18), frozenset(range(1, 8)))
    christmas = datetime(2026, 12, 25, 9, 0, tzinfo=UTC)
    zones = ("Europe/Vilnius",)
    assert next_allowed(christmas, zones, hours) == christmas
    assert country_of("+37061234567") == "LT"
    assert next_allowed(christmas, zones, hours, "LT") == datetime(2026, 12, 27, 7, 0, tzinfo=UTC)
