"""Whose text counts: mine before my team's, the team's before the company's, the company's before the
shipped one, each language by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.templatelibrary import InForce, TemplateScope
from templates.catalogue import shipped
from templates.examining import examine
from templates.library import Shelf, digest, laid_over
from templates.unit import Source

SCOPES = [(TemplateScope.COMPANY, None, None), (TemplateScope.TEAM, 3, None), (TemplateScope.MINE, None, 7)]


def row(scope: int, *languages: str, key: str = "follow_up", deleted: bool = False) -> InForce:
    """A letter in one scope, whose subject says which."""
    of, team_id, staff_id = SCOPES[scope]
    texts = {one: {"subject.txt": f"{of.value} {one}", "body.txt": "Words."} for one in languages}
    return InForce(scope + 1, scope + 1, 1, "email", key, of, team_id, staff_id, deleted, {}, texts)


def subject(shelf: Shelf, language: str, key: str = "follow_up") -> str:
    """The subject that counts."""
    return shelf.source("email", key, language).parts["subject.txt"].strip()


@given(st.sets(st.sampled_from([0, 1, 2])), st.randoms())
def test_the_highest_layer_counts_in_whatever_order_rows_are_read(present: set[int], chance):
    rows = [row(scope, "lt") for scope in present]
    chance.shuffle(rows)
    shelf = laid_over(rows, 7, 3)
    if present:
        assert subject(shelf, "lt") == f"{SCOPES[max(present)][0].value} lt"
    else:
        assert shelf.source("email", "follow_up", "lt") == shipped().source("email", "follow_up", "lt")


def test_a_text_in_one_language_hides_no_other():
    shelf = laid_over([row(0, "lt", "ru"), row(2, "ru")], 7, 3)
    assert subject(shelf, "ru") == "mine ru"
    assert subject(shelf, "lt") == "company lt"
    assert not shelf.source("email", "follow_up", "en").own


@pytest.mark.parametrize(("staff_id", "team_id"), [(8, 4), (None, None), (8, None)])
def test_what_is_a_teams_or_a_colleagues_counts_for_nobody_else(staff_id: int | None, team_id: int | None):
    shelf = laid_over([row(1, "lt"), row(2, "lt")], staff_id, team_id)
    assert not shelf.rows


def test_a_deleted_template_still_serves_what_was_queued_and_hides_nothing():
    shelf = laid_over([row(0, "lt", deleted=True), row(0, "lt", key="price_list", deleted=True)], 7, 3)
    assert not shelf.source("email", "follow_up", "lt").own
    assert subject(shelf, "lt", "price_list") == "company lt"


def test_languages_that_lack_are_named():
    shelf = laid_over([row(0, "lt", key="price_list")], None, None)
    assert {one.language for one in shelf.missing() if one.key == "price_list"} == {"ru", "en"}


def test_a_digest_tells_texts_apart_and_not_their_order():
    one = Source("email", "x", "en", {"subject.txt": "a", "body.txt": "b"})
    same = Source("email", "x", "en", {"body.txt": "b", "subject.txt": "a"})
    other = Source("email", "x", "en", {"subject.txt": "ab", "body.txt": ""})
    assert digest(one) == digest(same) != digest(other)


def test_every_part_tells_its_fault_with_line_and_cure():
    found = examine(
        Source(
            "email", "x", "en", {"subject.txt": "{{ client.nmae }}", "body.txt": "a\n{% if %}\n"}, own=True
        )
    )
    assert [(one.part, one.line, one.unknown) for one in found] == [
        ("subject.txt", 1, True),
        ("body.txt", 2, False),
    ]
    assert all(one.cure for one in found)


def test_a_sound_template_has_no_faults():
    assert examine(Source("sms", "x", "lt", {"text.txt": "Labas, {{ client.name }}!"}, own=True)) == []
