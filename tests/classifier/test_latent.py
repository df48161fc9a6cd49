"""What unlabelled texts tell of words."""

from __future__ import annotations

import numpy as np

from classifier.features import Blocks, Features
from classifier.fitting import fit_linear
from classifier.latent import FEWEST, directions

TOPICS = ("pump motor valve", "invoice bank payment")
POOL = [
    " ".join(np.random.default_rng(number).permutation([*TOPICS[number % 2].split(), f"w{number % 40}"])[:3])
    for number in range(FEWEST)
]


def test_a_word_seen_only_without_labels_is_known_by_its_company() -> None:
    space, matrix = Features.fit(["pump", "invoice", *POOL], Blocks(chars=None, pairs=False))
    latent = directions(matrix, 5)
    solved = fit_linear(matrix[:2], np.array([0, 1]), 2, latent=latent)
    asked = space.transform(["motor valve", "bank payment"])
    assert ((asked @ solved[:-1]) + solved[-1]).argmax(axis=1).tolist() == [0, 1]
    alone = fit_linear(matrix[:2], np.array([0, 1]), 2)
    assert not (asked @ alone[:-1]).any()


def test_few_texts_tell_nothing() -> None:
    assert directions(Features.fit(POOL[: FEWEST - 1], Blocks())[1]) is None


def test_a_text_is_as_long_along_the_directions_as_in_words() -> None:
    _, matrix = Features.fit(POOL, Blocks(chars=None, pairs=False))
    latent = directions(matrix, 5)
    assert latent is not None
    assert np.isclose(((matrix @ latent) ** 2).sum(), matrix.multiply(matrix).sum(), rtol=1e-4)
