"""When a letter came, of all that is written about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from inbound.arrival import aware, came_at
from inbound.reading import read

STORED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
moments = st.none() | st.datetimes(timezones=st.just(UTC))


def test_server_is_believed_before_the_relay_and_the_relay_before_the_writer() -> None:
    server, relay, writer = STORED - HOUR, STORED - 2 * HOUR, STORED - 3 * HOUR
    assert came_at(STORED, server, relay, writer) == server
    assert came_at(STORED, None, relay, writer) == relay
    assert came_at(STORED, None, None, writer) == writer
    assert came_at(STORED) == STORED


def test_clock_that_is_ahead_is_passed_over() -> None:
    assert came_at(STORED, STORED + YEAR, STORED - HOUR) == STORED - HOUR
    assert came_at(STORED, STORED + YEAR, STORED + YEAR, STORED + YEAR) == STORED


def test_clock_of_a_server_a_year_behind_does_not_put_a_letter_before_its_writing() -> None:
    written = STORED - HOUR
    assert came_at(STORED, STORED - YEAR, None, written) == written
    assert came_at(STORED, written - 2 * HOUR, None, written) == written - 2 * HOUR


@given(st.datetimes(timezones=st.just(UTC)), moments, moments, moments)
def test_moment_is_never_after_the_storing(
    stored: datetime, server: datetime | None, relay: datetime | None, writer: datetime | None
) -> None:
    assert came_at(stored, server, relay, writer) <= stored


def test_moment_without_a_zone_is_taken_for_utc() -> None:
    assert aware(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - what is tested
    assert aware(None) is None


def test_topmost_received_field_tells_when_the_last_relay_took_it() -> None:
    raw = (
        b"Received: from a by mx.lt with ESMTP; Fri, 20 Nov 2026 10:00:05 +0200\r\n"
        b"Received: from b by a; Fri, 20 Nov 2026 09:00:00 +0200\r\n"
        b"From: a@b.lt\r\nDate: Fri, 20 Nov 2026 08:59:00 +0200\r\n\r\nlabas\r\n"
    )
    assert read(raw, frozenset()).received_at() == datetime(
        2026, 11, 20, 10, 0, 5, tzinfo=timezone(timedelta(hours=2))
    )
    assert read(b"Received: nonsense\r\nFrom: a@b.lt\r\n\r\nlabas\r\n", frozenset()).received_at() is None
