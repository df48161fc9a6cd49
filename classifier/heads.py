"""Other questions answered in a model's feature space: the deal's signal, products learnt from staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classifier.calibration import Ints, fit_temperature, label_numbers, thresholds
from classifier.features import Features, Sparse
from classifier.fitting import SEED, fold_numbers
from classifier.model import Floats, Head
from classifier.recipes import Recipe, solve

FOLDS = 5

FEWEST = 5
"""Texts, from at least `SENDERS` senders, that a product must have before anything is learnt of it."""

SENDERS = 2

IMAGINED = 4.0
"""How many answers the calibrated chance is worth where few held-out answers of a label are known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text with what it says to a question: one label, or any number; `sender` bounds who may teach."""

    text: str
    labels: tuple[str, ...]
    sender: str = ""
    group: int = 0
    """Rows of one group stay in one fold."""


@dataclass(slots=True)
class Question:
    """What a head is taught by; `always` are (text, label) pairs trained on in every fold and never judged
    by."""

    name: str
    rows: list[Row] = field(default_factory=list)
    always: list[tuple[str, str]] = field(default_factory=list)
    many: bool = False
    target: float = 0.9
    """The precision that a label said by this head must have on held-out rows."""

    def texts(self) -> list[str]:
        """All its texts."""
        return [*(row.text for row in self.rows), *(text for text, _ in self.always)]


def fit_head(space: Features, question: Question, recipe: Recipe) -> Head | None:
    """The head for a question; None where there is too little to learn from."""
    return _fit_many(space, question) if question.many else _fit_one(space, question, recipe)


def _fit_one(space: Features, question: Question, recipe: Recipe) -> Head | None:
    rows = [row for row in question.rows if len(row.labels) == 1]
    known = sorted({row.labels[0] for row in rows} | {label for _, label in question.always})
    if len(known) < 2 or len(rows) < FOLDS:
        return None
    own = len(rows)
    said = [*(row.labels[0] for row in rows), *(label for _, label in question.always)]
    truth = label_numbers(said, known)
    matrix = space.transform([row.text for row in rows] + [text for text, _ in question.always])
    folds = fold_numbers(truth[:own], np.array([row.group for row in rows], dtype=np.int64), FOLDS)
    held = np.zeros((own, len(known)))
    for fold in np.unique(folds):
        outside = np.flatnonzero(folds == fold)
        inside = np.concatenate((np.flatnonzero(folds != fold), np.arange(own, len(truth))))
        solved = solve(matrix[inside], truth[inside], len(known), recipe)
        held[outside] = np.asarray(matrix[outside] @ solved[:-1]) + solved[-1]
    temperature = fit_temperature(held, truth[:own])
    scaled = held / temperature
    chances = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    limits = thresholds(chances, truth[:own], question.target, prior=IMAGINED)
    solved = solve(matrix, truth, len(known), recipe) / temperature
    return Head(tuple(known), solved[:-1].astype(np.float32), solved[-1], limits, many=False)


def _fit_many(space: Features, question: Question) -> Head | None:
    known = _taught(question.rows)
    if not known:
        return None
    own = len(question.rows)
    named = [(text, label) for text, label in question.always if label in known]
    truth = np.array([[label in row.labels for label in known] for row in question.rows], dtype=bool)
    names = np.array([[label == one for one in known] for _, label in named], dtype=bool).reshape(
        -1, len(known)
    )
    matrix = space.transform([row.text for row in question.rows] + [text for text, _ in named])
    groups = np.array([row.group for row in question.rows], dtype=np.int64)
    first = truth.argmax(axis=1) + truth.any(axis=1)
    folds = fold_numbers(first.astype(np.int64), groups, FOLDS)
    held = np.zeros(truth.shape)
    for fold in np.unique(folds):
        outside = np.flatnonzero(folds == fold)
        inside = np.concatenate((np.flatnonzero(folds != fold), np.arange(own, own + len(named))))
        solved = _separators(matrix[inside], np.vstack((truth[folds != fold], names)))
        held[outside] = np.asarray(matrix[outside] @ solved[:-1]) + solved[-1]
    slope, offset = _sigmoid(held.ravel(), truth.ravel())
    chances = 1.0 / (1.0 + np.exp(-np.clip(slope * held + offset, -30, 30)))
    limits = np.array([_limit(chances[:, i], truth[:, i], question.target) for i in range(len(known))])
    solved = _separators(matrix, np.vstack((truth, names)))
    solved[:-1] *= slope
    solved[-1] = slope * solved[-1] + offset
    return Head(tuple(known), solved[:-1].astype(np.float32), solved[-1], limits, many=True)


def _taught(rows: Sequence[Row]) -> list[str]:
    texts: dict[str, int] = {}
    senders: dict[str, set[str]] = {}
    for row in rows:
        for label in row.labels:
            texts[label] = texts.get(label, 0) + 1
            senders.setdefault(label, set()).add(row.sender)
    return sorted(label for label in texts if texts[label] >= FEWEST and len(senders[label]) >= SENDERS)


def _separators(matrix: Sparse, truth: np.ndarray) -> Floats:
    from sklearn.svm import LinearSVC

    solved = np.zeros((matrix.shape[1] + 1, truth.shape[1]))
    settings: Any = {"dual": True, "class_weight": "balanced", "tol": 1e-3}
    for column in range(truth.shape[1]):
        if truth[:, column].all() or not truth[:, column].any():
            solved[-1, column] = 1.0 if truth[:, column].any() else -1.0
            continue
        machine: Any = LinearSVC(C=1.0, random_state=SEED, max_iter=3000, **settings)
        machine.fit(matrix, truth[:, column])
        solved[:-1, column], solved[-1, column] = machine.coef_[0], machine.intercept_[0]
    return solved


def _sigmoid(scores: Floats, truth: np.ndarray) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted: Any = LogisticRegression(C=1e3, max_iter=500).fit(scores[:, None], truth)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _limit(chances: Floats, truth: np.ndarray, target: float) -> float:
    """The lowest chance from which held-out rows bore the label in `target` of cases."""
    both = np.column_stack((chances, np.full(len(chances), -1.0)))
    numbers: Ints = np.where(truth, 0, 1).astype(np.int64)
    return float(thresholds(both, numbers, target, prior=IMAGINED)[0])
