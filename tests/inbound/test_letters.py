"""Whole letters as programs and servers write them, each with what should be understood of it."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from typing import Any

import pytest

from inbound import absence
from inbound.describe import as_json
from inbound.understanding import understand
from tests.mail.cases import HERE, Case, read_letters

OWN = frozenset({"sales@siaure.example", "sales@sever-tech.example"})
TOPICS = ("replies", "forwards", "machines", "bounces", "charsets")
LETTERS = [
    pytest.param(case, id=f"{topic}: {case.title}")
    for topic in TOPICS
    for case in read_letters(HERE / "letters" / f"{topic}.txt")
]
ABSENCES = [
    (text.strip(), None if day == "-" else date.fromisoformat(day))
    for day, _, text in (
        line.partition(" ") for line in (HERE / "letters" / "absences.txt").read_text("utf-8").splitlines()
    )
]


@cache
def said(text: str, charset: str, line_end: str) -> dict[str, Any]:
    raw = text.replace("\n", line_end).encode(charset)
    return as_json("letter", understand(raw, OWN))


def compare(place: str, expected: object, found: object) -> None:
    """Every expected value is the one found; `none` stands for nothing at all."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            if isinstance(found, list):
                compare(f"{place}.{key}", value, found[int(key)])
            else:
                assert isinstance(found, dict), f"{place}: {found!r}"
                compare(f"{place}.{key}".lstrip("."), value, found[key])
    elif expected == "none" and place in {"bounce", "forward", "invitation"}:
        assert found is None, place
    else:
        assert found == expected, place


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("case", LETTERS)
def test_a_letter_is_understood_as_its_reader_would(case: Case, line_end: str) -> None:
    charset = case.expected.get("written_in", "utf-8")
    compare("", tomllib.loads(case.expected["expect"]), said(case.text, charset, line_end))


@pytest.mark.parametrize(("text", "back"), ABSENCES)
def test_the_day_of_return_is_read_in_odd_forms(text: str, back: date | None) -> None:
    assert absence.is_away(text)
    assert absence.return_date(text, date(2025, 12, 24) if "31 декабря" in text else date(2025, 7, 1)) == back
