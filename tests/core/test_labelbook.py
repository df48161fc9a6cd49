"""A company's own labels: added, renamed, merged, put away, with letters that show them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import labelbook
from core.errors import Conflict, InputRefused, NotFound
from core.labels import resolve_labels


def _entry(session: Session, key: str) -> labelbook.LabelEntry:
    return next(one for one in labelbook.labels(session) if one.key == key)


def test_an_added_label_stands_behind_ours_with_its_names(session: Session) -> None:
    labelbook.add_label(session, {"en": "Warranty case", "ru": "Гарантийный случай"}, "Broke within warranty")
    entry = labelbook.labels(session)[-1]
    assert (entry.key, entry.own, entry.name("ru"), entry.name("lt")) == (
        "warranty_case",
        True,
        "Гарантийный случай",
        "Warranty case",
    )


def test_a_name_in_cyrillic_gives_a_key_in_latin_letters(session: Session) -> None:
    assert labelbook.add_label(session, {"ru": "Гарантийный случай"}).key == "garantijnyj_sluchaj"


@given(st.text(max_size=80))
def test_every_name_gives_a_key_that_is_allowed_or_numbers_first(name: str) -> None:
    key = labelbook.key_of(name)
    assert key
    assert len(key) <= labelbook.KEY_LENGTH
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_a_key_is_taken_once(session: Session) -> None:
    labelbook.add_label(session, {"en": "Warranty"})
    for key in ("warranty", "order"):
        with pytest.raises(Conflict):
            labelbook.add_label(session, {"en": "Other name"}, key=key)


@pytest.mark.parametrize("names", [{}, {"en": " "}, {"de": "Garantie"}, {"en": "x" * 61}])
def test_names_that_cannot_be_are_refused(session: Session, names: dict[str, str]) -> None:
    with pytest.raises(InputRefused):
        labelbook.add_label(session, names)


def test_one_of_ours_is_renamed_and_has_its_name_back(session: Session) -> None:
    labelbook.rename_label(session, "meeting", {"en": "Visit"})
    assert _entry(session, "meeting").name("en") == "Visit"
    labelbook.rename_label(session, "meeting", {"en": ""})
    assert _entry(session, "meeting").name("en") == "Meeting or call"


def test_a_merged_label_is_resolved_through_a_chain(session: Session) -> None:
    labelbook.add_label(session, {"en": "Return"})
    labelbook.merge_label(session, "return", "complaint")
    labelbook.merge_label(session, "complaint", "support_problem")
    assert resolve_labels(session)["return"] == "support_problem"
    labelbook.separate_label(session, "complaint")
    assert resolve_labels(session)["return"] == "complaint"


def test_a_circle_of_merges_is_refused(session: Session) -> None:
    labelbook.merge_label(session, "complaint", "support_problem")
    for key, into in (("support_problem", "complaint"), ("order", "order")):
        with pytest.raises(InputRefused):
            labelbook.merge_label(session, key, into)


def test_nothing_is_merged_into_what_was_put_away(session: Session) -> None:
    labelbook.put_away(session, "meeting")
    with pytest.raises(InputRefused):
        labelbook.merge_label(session, "order", "meeting")


def test_what_was_merged_into_a_label_put_away_later_stands_for_nothing(session: Session) -> None:
    labelbook.merge_label(session, "demo_request", "meeting")
    labelbook.put_away(session, "meeting")
    assert resolve_labels(session) == {"demo_request": None, "meeting": None}


def test_the_label_for_everything_else_stays(session: Session) -> None:
    with pytest.raises(InputRefused):
        labelbook.put_away(session, "other")


def test_an_example_is_stored_once_and_can_be_taken_away(session: Session) -> None:
    assert labelbook.add_examples(session, "order", ["We order two", " We order two ", ""], "staff 1") == 1
    assert labelbook.add_examples(session, "order", ["We order two"], "staff 1") == 0
    (example,) = labelbook.examples_of(session, "order")
    labelbook.remove_example(session, example.id)
    assert _entry(session, "order").examples == 0


def test_an_unknown_label_has_no_examples(session: Session) -> None:
    with pytest.raises(NotFound):
        labelbook.add_examples(session, "nothing", ["x"], "staff 1")
