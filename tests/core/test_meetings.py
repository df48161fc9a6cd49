"""Words of a meeting's letters, its calendar part, and which answers count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from core.meetings import Answer, Attendee, Deed, Meeting, MeetingState, link_of
from core.meetings_answers import Given, rule
from core.meetings_ical import Method, written
from core.meetings_mail import length, offset_name

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
ONA = "ona@vandenis.lt"


def _meeting(title: str = "Demonstracija", **more: object) -> Meeting:
    values: dict[str, Any] = {
        "uid": "abc@firma.example", "sequence": 1, "title": title, "agenda": "", "place": "", "id": 1,
        "starts_at": START, "ends_at": START + timedelta(minutes=45), "state": MeetingState.PLANNED,
        "attendees": [Attendee(address=ONA, name="Ona", answer=Answer.NONE, invited=True)],
    }  # fmt: skip
    return Meeting(**values | more)


def _given(**more: object) -> Given:
    values: dict[str, Any] = {
        "uid": "abc@firma.example", "attendee": ONA, "name": "Ona", "answer": Answer.ACCEPTED,
        "sender": ONA, "sequence": 1, "starts_at": START,
    }  # fmt: skip
    return Given(**values | more)


@pytest.mark.parametrize(
    ("answer", "deed"),
    [
        (_given(), Deed.ANSWERED),
        (_given(sender="assistant@vandenis.lt"), Deed.ANSWERED),
        (_given(sequence=None), Deed.ANSWERED),
        (_given(sequence=0), Deed.ANSWERED),
        (_given(sequence=0, starts_at=START - timedelta(days=1)), Deed.OUTDATED),
        (_given(sequence=None, starts_at=START - timedelta(days=1)), Deed.OUTDATED),
        (_given(attendee="petras@vandenis.lt", sender="petras@vandenis.lt"), Deed.FORWARDED),
        (_given(forged=True), Deed.REFUSED),
        (_given(sender="somebody@kitur.example"), Deed.UNSURE),
        (_given(sender="somebody@kitur.example", sequence=0, starts_at=None), Deed.UNSURE),
        (_given(sender="assistant@vandenis.lt", answer=Answer.PROPOSED), Deed.UNSURE),
        (_given(sender="noreply@email.apple.com", service=True), Deed.ANSWERED),
    ],
)
def test_an_answer_counts_by_attendee_sequence_and_time(answer: Given, deed: Deed) -> None:
    assert rule(_meeting(), answer).deed is deed


def test_another_address_of_the_same_person_answers_for_them() -> None:
    ruling = rule(_meeting(), _given(attendee="ona@gmail.example"), frozenset({ONA}))
    assert ruling.deed is Deed.ANSWERED


def test_an_answer_to_a_cancelled_meeting_does_not_count() -> None:
    assert rule(_meeting(state=MeetingState.CANCELLED), _given()).deed is Deed.OUTDATED


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_any_words_make_a_calendar_that_says_just_them(title: str, agenda: str, name: str) -> None:
    meeting = _meeting(f"T {title}", agenda=agenda)
    meeting.attendees[0].name = name
    text = written(meeting, Method.REQUEST, organizer=(name, "sales@firma.example"), stamp=START)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    event: Any = next(iter(Calendar.from_ical(text).walk("VEVENT")))
    assert (str(event["UID"]), event.decoded("DTSTART")) == (meeting.uid, START)
    assert str(event["ATTENDEE"]) == f"mailto:{ONA}"
    assert text.count("BEGIN:VEVENT") == 1


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (45, ("45 minutes", "45 минут", "45 minutės")),
        (90, ("1 hour 30 minutes", "1 час 30 минут", "1 valanda 30 minučių")),
    ],
)
def test_how_long_it_lasts_is_said_in_hours_and_minutes(minutes: int, words: tuple[str, str, str]) -> None:
    assert tuple(length(timedelta(minutes=minutes), one) for one in ("en", "ru", "lt")) == words


def test_the_zone_of_a_time_is_its_distance_from_utc() -> None:
    assert offset_name(START) == "UTC"
    assert offset_name(datetime.fromisoformat("2026-11-26T10:00+05:30")) == "UTC+5:30"


@pytest.mark.parametrize(
    ("place", "is_link"),
    [
        ("https://meet.example/x", True),
        ("https://meet.example/x code 12", False),
        ("javascript:x", False),
        ("Vilnius", False),
    ],
)
def test_only_a_whole_web_address_is_a_link(place: str, is_link: bool) -> None:
    assert bool(link_of(place)) is is_link
