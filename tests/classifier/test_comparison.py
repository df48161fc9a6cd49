"""Two versions of the classifier on the same messages."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from classifier.comparison import compare, compare_on, model_of
from classifier.material import Lesson
from classifier.modelling import fit_model
from classifier.recipes import PLAIN, Recipe
from core.errors import NotFound

TEXTS = ["what is the price", "the price please", "price list", "it is broken", "broken again", "broke down"]
GOOD = ["price"] * 3 + ["fault"] * 3
JUDGES = [Lesson("price of this", "price", message_id=5), Lesson("totally broken", "fault", message_id=10)]


def test_what_got_worse_is_shown_first_and_counted() -> None:
    good = fit_model(TEXTS, GOOD, recipe=Recipe(PLAIN)).named("good")
    bad = fit_model(TEXTS, GOOD[::-1], recipe=Recipe(PLAIN)).named("bad")
    found = compare_on(JUDGES, good, bad)
    assert (found.better, found.worse) == (0, 2)
    assert found.before.accuracy == 1.0
    assert found.after.accuracy == 0.0
    assert {change.message_id for change in found.changes} == {5, 10}


def test_a_version_compared_with_itself_differs_nowhere() -> None:
    good = fit_model(TEXTS, GOOD, recipe=Recipe(PLAIN))
    assert compare_on(JUDGES, good, good).changes == []


def test_without_judged_messages_there_is_nothing_to_say(session: Session) -> None:
    assert compare(session, "shipped", "shipped").messages == 0


def test_an_unknown_version_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        model_of(session, "own-nothing")
