"""How a model is made: which features weigh how much, which learners speak, and the choice among such recipes.

Every learner here is linear in the features, so that any mixture of them is one matrix (`model.Model`) and costs
nothing more when a message is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from classifier.calibration import Ints, fit_temperature
from classifier.features import Blocks, Features, Sparse
from classifier.fitting import fit_bayes, fit_linear, fold_numbers
from classifier.model import Floats, softmax

SMALL = 4_000
"""Rows up to which all recipes are compared on all rows; beyond, on a sample of so many."""

PLAIN = Blocks()
STEMMED = Blocks(stems=True, weights=(0.5, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Features, and how much complement naive Bayes says beside the support vector machine (0 to 1)."""

    blocks: Blocks = PLAIN
    bayes: float = 0.0
    cost: float = 1.0


RECIPES: tuple[Recipe, ...] = (
    Recipe(PLAIN, 0.0),
    Recipe(PLAIN, 0.5),
    Recipe(STEMMED, 0.0),
    Recipe(STEMMED, 0.5),
    Recipe(STEMMED, 1.0),
)
"""In the order in which they are preferred when they are equally good."""


@dataclass(slots=True)
class Solved:
    """A fitted recipe: `weights` is (features + 1) x labels, the last row the bias."""

    features: Features
    weights: Floats

    def scores(self, texts: Sequence[str]) -> Floats:
        """Scores (texts x labels)."""
        return np.asarray(self.features.transform(texts) @ self.weights[:-1]) + self.weights[-1]


@dataclass(frozen=True, slots=True)
class Choice:
    """The recipe chosen, its temperature, the scores of rows by models that had not seen them, and all tries."""

    recipe: Recipe
    temperature: float
    held: Floats
    rows: Ints
    tried: tuple[tuple[Recipe, float], ...] = field(default=())


def solve(matrix: Sparse, truth: Ints, labels: int, recipe: Recipe, weights: Floats | None = None) -> Floats:
    """The mixture of learners on rows that have features already; each learner's scores have deviation 1."""
    machine = fit_linear(matrix, truth, labels, cost=recipe.cost, weights=weights)
    if recipe.bayes == 0.0:
        return machine
    bayes = fit_bayes(matrix, truth, labels, weights=weights)
    return _unit(machine, matrix) + recipe.bayes * _unit(bayes, matrix)


def fit(
    texts: Sequence[str],
    truth: Ints,
    labels: int,
    recipe: Recipe,
    *,
    weights: Floats | None = None,
    beside: Sequence[str] = (),
) -> Solved:
    """Fit the recipe on texts; `beside` are texts without labels that only widen the feature space."""
    space, matrix = Features.fit([*texts, *beside], recipe.blocks)
    return Solved(space, solve(matrix[: len(texts)], truth, labels, recipe, weights))


def held_scores(
    texts: Sequence[str],
    truth: Ints,
    labels: int,
    recipe: Recipe,
    folds: Ints,
    always: Sequence[int] = (),
    weights: Floats | None = None,
) -> Floats:
    """Scores of every row by a model that had not seen it; rows in `always` are trained on in every fold."""
    scores = np.zeros((len(texts), labels))
    fixed = np.zeros(len(texts), dtype=bool)
    fixed[list(always)] = True
    for fold in np.unique(folds):
        outside = np.flatnonzero(folds == fold)
        inside = np.flatnonzero((folds != fold) | fixed)
        weigh = None if weights is None else weights[inside]
        solved = fit([texts[i] for i in inside], truth[inside], labels, recipe, weights=weigh)
        scores[outside] = solved.scores([texts[i] for i in outside])
    return scores


def choose(
    texts: Sequence[str],
    truth: Ints,
    labels: int,
    *,
    recipes: Sequence[Recipe] = RECIPES,
    always: Sequence[int] = (),
    groups: Ints | None = None,
    seed: int = 7,
) -> Choice:
    """The recipe whose held-out answers are right most often, the surer one where two are equal.

    `always` are rows (label names, descriptions) that help in every fold and are never judged on.
    """
    judged = np.setdiff1d(np.arange(len(texts)), np.asarray(list(always), dtype=np.int64))
    count = 10 if len(judged) < 400 else 5
    groups = np.arange(len(texts)) if groups is None else groups
    folds = fold_numbers(truth, groups, count, seed)
    if len(texts) > SMALL and len(recipes) > 1:
        picked = np.sort(np.random.default_rng(seed).permutation(len(texts))[:SMALL])
        first = choose(
            [texts[i] for i in picked], truth[picked], labels, recipes=recipes, groups=groups[picked]
        )
        best = choose(texts, truth, labels, recipes=(first.recipe,), always=always, groups=groups)
        return replace(best, tried=first.tried)
    tried: list[tuple[Recipe, float]] = []
    best: Choice | None = None
    best_merit = -np.inf
    for recipe in recipes:
        scores = held_scores(texts, truth, labels, recipe, folds, always)[judged]
        temperature = fit_temperature(scores, truth[judged])
        right = softmax(scores / temperature)[np.arange(len(judged)), truth[judged]]
        accuracy = float((scores.argmax(axis=1) == truth[judged]).mean())
        merit = accuracy + 0.1 * float(np.log(np.maximum(right, 1e-6)).mean())
        tried.append((recipe, accuracy))
        if merit > best_merit + 1e-9:
            best_merit = merit
            best = Choice(recipe, temperature, scores, judged)
    assert best is not None, "there is at least one recipe"  # noqa: S101 - tells the reader and the type checker
    return replace(best, tried=tuple(tried))


def _unit(solved: Floats, matrix: Sparse) -> Floats:
    scores = np.asarray(matrix @ solved[:-1]) + solved[-1]
    middle = solved.mean(axis=1, keepdims=True)
    deviation = float((scores - scores.mean(axis=1, keepdims=True)).std()) or 1.0
    return (solved - middle) / deviation
