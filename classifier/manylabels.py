"""Texts that may bear any number of labels: each label decides alone, helped by its name and description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.answers import Answers
from classifier.features import Blocks, Features, Sparse
from classifier.fitting import SEED
from classifier.model import Floats
from classifier.stems import stem
from classifier.text import prepared

Flags = NDArray[np.bool_]

COMMON_SHARE = 0.25
"""A word in more than this share of the descriptions says nothing about any of them."""

BLOCKS: tuple[Blocks, ...] = (Blocks(), Blocks(stems=True, weights=(0.5, 1.0, 1.0)))
LEXICAL: tuple[float, ...] = (0.0, 0.4, 0.8, 1.2, 1.6)
SHIFTS: Floats = np.round(np.arange(-0.9, 0.95, 0.05), 2)
FOLDS = 5
STEEP = 3.0
"""How fast chances rise with the score where held-out answers cannot tell."""

NEAR = 0.4
"""Only scores above the threshold less this much shape the probabilities: the mass far below says nothing
there."""


@dataclass(slots=True)
class Meanings:
    """The words of each label's name and description as stems, with how much each word tells."""

    stems: tuple[dict[str, float], ...]

    @classmethod
    def of(cls, labels: Sequence[str], descriptions: Mapping[str, str]) -> Meanings:
        """Words of the name count whole, words of the description half; common ones not at all."""
        named = [_words(label.replace("_", " ").replace("-", " ")) for label in labels]
        told = [_words(descriptions.get(label, "")) for label in labels]
        spread: dict[str, int] = {}
        for words in told:
            for word in set(words):
                spread[word] = spread.get(word, 0) + 1
        limit = max(1.0, COMMON_SHARE * len(labels))
        made = []
        for name, text in zip(named, told, strict=True):
            weights = {word: 0.5 for word in text if spread[word] <= limit}
            weights.update(dict.fromkeys(name, 1.0))
            made.append(weights)
        return cls(tuple(made))

    def rows(self) -> list[str]:
        """One example text a label: its words."""
        return [" ".join(words) for words in self.stems]

    def match(self, texts: Sequence[str]) -> Floats:
        """How far each text speaks each label's words (texts x labels), 0 to 1."""
        scores = np.zeros((len(texts), len(self.stems)))
        owners: dict[str, list[tuple[int, float]]] = {}
        for column, words in enumerate(self.stems):
            for word, weight in words.items():
                owners.setdefault(word, []).append((column, weight))
        for row, text in enumerate(texts):
            for word in set(_words(text)):
                for column, weight in owners.get(word, ()):
                    scores[row, column] = max(scores[row, column], weight / len(owners[word]))
        return scores


@dataclass(slots=True)
class ManyModel:
    """Scores above `threshold` are said; `slope` and `threshold` make them probabilities."""

    labels: tuple[str, ...]
    features: Features
    weights: Floats
    meanings: Meanings
    lexical: float
    threshold: float
    slope: float
    offset: float
    border: float = 0.0
    """The best score below which one in twenty of the held-out texts with labels lay."""

    def scores(self, texts: Sequence[str]) -> Floats:
        """Scores (texts x labels)."""
        machine = np.asarray(self.features.transform(texts) @ self.weights[:-1]) + self.weights[-1]
        return machine + self.lexical * self.meanings.match(texts)

    def answer(self, texts: Sequence[str]) -> Answers:
        """The answers for raw texts."""
        scores = self.scores([prepared(text) for text in texts])
        chances = 1.0 / (1.0 + np.exp(-np.clip(self.slope * scores + self.offset, -30, 30)))
        told = scores > self.threshold
        said = [tuple(self.labels[i] for i in np.flatnonzero(row)) for row in told]
        sure = np.where(told, chances, 1.0 - chances)
        confidence = sure.min(axis=1) if len(texts) else np.zeros(0)
        inside = scores.max(axis=1) - self.border if len(texts) else np.zeros(0)
        return Answers(self.labels, said, confidence, chances, inside)


def fit_many(
    texts: Sequence[str], labels: Sequence[Sequence[str]], descriptions: Mapping[str, str]
) -> ManyModel:
    """Train on prepared texts; features, the weight of words and the threshold are chosen by inner folds."""
    known = sorted({label for row in labels for label in row} | set(descriptions))
    truth = np.array([[label in row for label in known] for row in labels], dtype=bool)
    meanings = Meanings.of(known, descriptions)
    folds = np.random.default_rng(SEED).permutation(len(texts)) % FOLDS
    match = meanings.match(texts)
    best = (-1.0, BLOCKS[0], 0.0, 0.0, np.zeros((0, 0)))
    for blocks in BLOCKS:
        held = _held(texts, truth, meanings, blocks, folds)
        for lexical, shift in product(LEXICAL, SHIFTS.tolist()):
            scores = held + lexical * match
            merit = _micro_f1(scores > shift, truth)
            if merit > best[0] + 1e-9:
                best = (merit, blocks, lexical, shift, scores)
    _, blocks, lexical, shift, scores = best
    near = scores > shift - NEAR
    slope, offset = _sigmoid(scores[near] - shift, truth[near])
    offset -= slope * shift
    bearing = scores[truth.any(axis=1)].max(axis=1)
    space, matrix = Features.fit([*texts, *meanings.rows()], blocks)
    solved = _solve(matrix, np.vstack((truth, np.eye(len(known), dtype=bool))))
    return ManyModel(
        tuple(known),
        space,
        solved,
        meanings,
        lexical,
        shift,
        slope,
        offset,
        float(np.quantile(bearing, 0.05)) if len(bearing) else shift,
    )


def _held(texts: Sequence[str], truth: Flags, meanings: Meanings, blocks: Blocks, folds: NDArray) -> Floats:
    named = np.eye(truth.shape[1], dtype=bool)
    scores = np.zeros(truth.shape)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        space, matrix = Features.fit([*(texts[int(i)] for i in inside), *meanings.rows()], blocks)
        solved = _solve(matrix, np.vstack((truth[inside], named)))
        scores[outside] = space.transform([texts[int(i)] for i in outside]) @ solved[:-1] + solved[-1]
    return scores


def _solve(matrix: Sparse, truth: Flags) -> Floats:
    from sklearn.svm import LinearSVC

    settings: Any = {"dual": True, "class_weight": "balanced", "tol": 1e-3}
    solved = np.zeros((matrix.shape[1] + 1, truth.shape[1]))
    for column in range(truth.shape[1]):
        if matrix.shape[1] == 0 or truth[:, column].all() or not truth[:, column].any():
            solved[-1, column] = 1.0 if truth[:, column].any() else -1.0
            continue
        machine: Any = LinearSVC(C=1.0, random_state=SEED, max_iter=3000, **settings)
        machine.fit(matrix, truth[:, column])
        solved[:-1, column], solved[-1, column] = machine.coef_[0], machine.intercept_[0]
    return solved


def _sigmoid(scores: Floats, truth: Flags) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    if truth.all() or not truth.any():
        return STEEP, 0.0
    fitted = LogisticRegression(C=1e3, max_iter=500).fit(scores[:, None], truth)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _micro_f1(said: Flags, truth: Flags) -> float:
    both = int(said.sum() + truth.sum())
    return 2.0 * int((said & truth).sum()) / both if both else 0.0


def _words(text: str) -> list[str]:
    bare = (word.strip(".,;:!?()\"'«»„“”") for word in text.lower().split())
    return [stem(word) for word in bare if len(word) > 2]
