"""A whole model from texts and labels: fitted, calibrated and given a threshold for each label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.calibration import Ints, fit_temperature, label_numbers, thresholds
from classifier.features import Features
from classifier.fitting import fold_numbers, groups_of
from classifier.heads import Question, fit_head
from classifier.model import Floats, Model, softmax
from classifier.recipes import LARGE, Recipe, held_scores, lean, solve

FOLDS = 5
LIKENESS = 0.6
"""Rows with at least this cosine are one letter written twice, and stay in one fold."""

PHRASE_WEIGHT = 0.7
"""What a phrase weighs beside a letter."""

GROUPED_UP_TO = 3_000
"""Beyond so many rows only equal texts are kept in one fold, and one fold is judged instead of all."""


def fit_model(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    recipe: Recipe,
    target: float = 0.95,
    weights: Floats | None = None,
    groups: Ints | None = None,
    always: Sequence[tuple[str, str]] = (),
    questions: Sequence[Question] = (),
) -> Model:
    """A calibrated model of texts (by `text.features_of`) and their labels; the same input gives the same.

    `always` are (text, label) pairs trained on in every fold and never judged by: phrases, descriptions.
    `questions` are answered by heads in the same feature space.
    `groups` says which rows must stay in one fold; without it, near-duplicates do. `notes` of the model
    hold the accuracy on held-out folds and the share of rows that reach their label's threshold there.
    """
    order = sorted({*labels, *(label for _, label in always)})
    own = len(texts)
    if own > LARGE:
        recipe = lean(recipe)
    truth = label_numbers([*labels, *(label for _, label in always)], order)
    everything = [*texts, *(text for text, _ in always)]
    weighed = np.concatenate(
        (np.ones(own) if weights is None else weights, np.full(len(always), PHRASE_WEIGHT))
    )
    beside = [text for question in questions for text in question.texts()]
    held_already = set(everything)
    fresh = list(dict.fromkeys(text for text in beside if text not in held_already))
    space, matrix = Features.fit([*everything, *fresh], recipe.blocks)
    matrix = matrix[: len(everything)]
    if groups is None:
        groups = groups_of(matrix[:own], LIKENESS) if own <= GROUPED_UP_TO else _equal(texts)
    families = np.concatenate((groups, groups.max(initial=0) + 1 + np.arange(len(always))))
    folds = fold_numbers(truth, families, FOLDS)
    fixed = range(own, len(everything))
    only = None if own <= GROUPED_UP_TO else 0
    held = held_scores(everything, truth, len(order), recipe, folds, fixed, weighed, only)[:own]
    judged = np.arange(own) if only is None else np.flatnonzero(folds[:own] == only)
    held, known = held[judged], truth[judged]
    temperature = fit_temperature(held, known)
    solved = solve(matrix, truth, len(order), recipe, weighed)
    chances = softmax(held / temperature)
    limits = thresholds(chances, known, target)
    best = chances.argmax(axis=1)
    heads = {question.name: fit_head(space, question, recipe) for question in questions}
    return Model(
        features=space,
        labels=tuple(order),
        weights=solved[:-1].astype(np.float32),
        bias=solved[-1],
        temperature=temperature,
        thresholds=limits,
        heads={name: head for name, head in heads.items() if head is not None},
        notes={
            "held_accuracy": round(float((best == known).mean()), 4),
            "held_coverage": round(float((chances.max(axis=1) >= limits[best]).mean()), 4),
        },
    )


def _equal(texts: Sequence[str]) -> Ints:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
