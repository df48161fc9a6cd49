"""Features are counted as scikit-learn counts them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.features import CROSSED_FROM, Blocks, Features, char_groups

TEXTS = [
    "how much is the pump ns-40/2?",
    "сколько стоит насос, и есть ли скидка?",
    "kiek kainuoja siurblys? ar yra nuolaida",
    "please send the price of the pump and of the valve",
    "ok",
    "",
    "a b c",
    "насос насос насос pump",
]

MANY = CROSSED_FROM // len(TEXTS) * TEXTS + TEXTS


def both(texts: list[str], unseen: list[str], least: int) -> tuple[np.ndarray, np.ndarray]:
    """Our matrix of the unseen texts and scikit-learn's, with the columns in one order."""
    space, _ = Features.fit(texts, Blocks(min_count=least))
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=least).fit(texts)
    groups = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=least).fit(
        texts
    )
    names = [f"w:{name}" for name in words.get_feature_names_out()]
    names += [f"c:{name}" for name in groups.get_feature_names_out()]
    assert sorted(names) == sorted(space.names)
    ours = space.transform(unseen).toarray()[:, [space.ids[name] for name in names]]
    theirs = np.hstack([words.transform(unseen).toarray(), groups.transform(unseen).toarray()])
    return ours, theirs


@pytest.mark.parametrize("least", [1, 2])
def test_weights_equal_those_of_scikit_learn(least: int) -> None:
    ours, theirs = both(TEXTS, [*TEXTS, "another pump, never seen before", "новый клапан"], least)
    assert np.allclose(ours, theirs, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="aбė ,.-1_\n", max_size=30), min_size=1, max_size=5))
def test_any_text_weighs_as_in_scikit_learn(unseen: list[str]) -> None:
    ours, theirs = both(["ab aa бб ėė", "a-b 11 ab", "aa, бб. ėė_1"], unseen, 1)
    assert np.allclose(ours, theirs, atol=1e-12)


def test_fitting_gives_the_same_matrix_as_transforming() -> None:
    for blocks in (Blocks(), Blocks(stems=True, mates=True, signs=True), Blocks(crossed=True)):
        space, matrix = Features.fit(MANY, blocks)
        assert abs(matrix - space.transform(MANY)).max() < 1e-12


def test_a_cue_is_counted_with_the_words_and_cues_beside_it() -> None:
    space, _ = Features.fit(MANY, Blocks(cues=True, crossed=True))
    (row,) = space.transform(["please send the pump, will you?"]).toarray()
    seen = {space.names[index] for index in row.nonzero()[0]}
    assert {"a:please", "x:please & please do", "x:please|send"} <= seen
    assert "x:question|pump" in seen
    assert "x:please|you" not in space.ids, "a pair never seen in training"


def test_few_texts_tell_nothing_of_what_stands_together() -> None:
    space, _ = Features.fit(MANY[: CROSSED_FROM - 1], Blocks(cues=True, crossed=True))
    assert not any(name.startswith("x:") for name in space.names)


def test_a_batch_weighs_as_its_texts_one_by_one() -> None:
    space, _ = Features.fit(TEXTS, Blocks(stems=True))
    batch = space.transform(TEXTS).toarray()
    single = np.vstack([space.transform([text]).toarray() for text in TEXTS])
    assert np.array_equal(batch, single)


def test_a_short_word_is_counted_once() -> None:
    assert char_groups("a", 2, 4) == [" a", "a ", " a "]


def test_forms_of_a_word_share_a_stem() -> None:
    space, _ = Features.fit(["насосами", "siurbliams", "prices"], Blocks(stems=True))
    for form, kin in (("насосов", "насосами"), ("siurblių", "siurbliams"), ("price", "prices")):
        near = (space.transform([form]) @ space.transform([kin]).T).toarray()[0, 0]
        assert near > 0.5, (form, kin)
