"""A whole model from texts and labels: fitted, calibrated and given a threshold for each label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.calibration import Ints, fit_temperature, label_numbers, thresholds
from classifier.features import Features
from classifier.fitting import fold_numbers, groups_of
from classifier.model import Floats, Model, softmax
from classifier.recipes import Recipe, held_scores, solve

FOLDS = 5
LIKENESS = 0.6
"""Rows with at least this cosine are one letter written twice, and stay in one fold."""

GROUPED_UP_TO = 20_000
"""Beyond so many rows likeness is not looked for; there a duplicate changes little."""


def fit_model(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    recipe: Recipe,
    target: float = 0.95,
    weights: Floats | None = None,
    groups: Ints | None = None,
) -> Model:
    """A calibrated model of texts (by `text.features_of`) and their labels; the same input gives the same.

    `groups` says which rows must stay in one fold; without it, near-duplicates do. `notes` of the model hold the
    accuracy on held-out folds and the share of rows that reach their label's threshold there.
    """
    order = sorted(set(labels))
    truth = label_numbers(labels, order)
    space, matrix = Features.fit(texts, recipe.blocks)
    if groups is None:
        alike = len(texts) <= GROUPED_UP_TO
        groups = groups_of(matrix, LIKENESS) if alike else np.arange(len(texts))
    folds = fold_numbers(truth, groups, FOLDS)
    held = held_scores(texts, truth, len(order), recipe, folds, weights=weights)
    temperature = fit_temperature(held, truth)
    solved = solve(matrix, truth, len(order), recipe, weights)
    chances = softmax(held / temperature)
    limits = thresholds(chances, truth, target)
    best = chances.argmax(axis=1)
    return Model(
        features=space,
        labels=tuple(order),
        weights=solved[:-1].astype(np.float32),
        bias=solved[-1],
        temperature=temperature,
        thresholds=limits,
        notes={
            "held_accuracy": round(float((best == truth).mean()), 4),
            "held_coverage": round(float((chances.max(axis=1) >= limits[best]).mean()), 4),
        },
    )
