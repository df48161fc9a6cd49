"""How a model is made: which features weigh how much, which learners speak, and the choice among them.

Every learner here is linear in the features, so that any mixture of them is one matrix (`model.Model`) and
costs nothing more when a message is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from classifier.calibration import Ints, fit_temperature
from classifier.features import Blocks, Features, Sparse
from classifier.fitting import fit_bayes, fit_linear, fold_numbers
from classifier.model import Floats, softmax

BLENDED = 4
"""How many recipes may speak together."""

GAIN = 0.0005
"""What another recipe must add to the merit to be let in: each costs time when a text is read."""

FEWEST_SAMPLED = 5
SMALL = 3_000
"""Rows up to which all recipes are compared on all rows; beyond, on a sample of so many."""

JUDGED_OF_MANY = 2
"""So many of five folds are judged where rows are more than `SMALL`: their answers say enough."""

LARGE = 30_000
"""Beyond so many rows letter groups are left out: words, pairs and stems have been seen often enough, and
memory stays small; one recipe speaks, judged by one fold."""

FEWEST_OF_LARGE = 5
"""Texts in which a feature must stand where there are so many rows."""

PLAIN = Blocks()
STEMMED = Blocks(stems=True, weights=(0.5, 1.0, 1.0))
LONGER = Blocks(chars=(2, 5), stems=True, weights=(0.5, 1.0, 1.0))
MATED = Blocks(stems=True, mates=True, weights=(0.5, 1.0, 1.0, 0.7))
SIGNED = Blocks(chars=None, signs=True, cues=True, crossed=True)
CLAUSED = Blocks(chars=None, signs=True, cues=True, clauses=True)
FRAMED = Blocks(chars=None, signs=True, cues=True, frames=True, crossed=True)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Features, and how much complement naive Bayes says beside the support vector machine (0 to 1)."""

    blocks: Blocks = PLAIN
    bayes: float = 0.0
    cost: float = 1.0
    smoothing: float = 0.3


RECIPES: tuple[Recipe, ...] = (
    Recipe(PLAIN, 0.0),
    Recipe(PLAIN, 0.5),
    Recipe(STEMMED, 0.0),
    Recipe(STEMMED, 0.5),
    Recipe(LONGER, 1.0, 0.3, 0.1),
    Recipe(MATED, 1.0, 0.3, 0.1),
    Recipe(SIGNED, 0.0, 0.3),
    Recipe(CLAUSED, 0.0, 0.3),
    Recipe(FRAMED, 0.0, 0.3),
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
    """The recipes chosen (several speak together, their scores added), the temperature, the scores of rows by
    models that had not seen them, and all tries."""

    recipes: tuple[Recipe, ...]
    temperature: float
    held: Floats
    rows: Ints
    tried: tuple[tuple[tuple[Recipe, ...], float], ...] = field(default=())


def lean(recipe: Recipe) -> Recipe:
    """The recipe as it can be had for more than `LARGE` rows."""
    slim = replace(
        recipe.blocks,
        chars=None,
        stems=True,
        mates=False,
        clauses=False,
        frames=False,
        cues=False,
        crossed=False,
    )
    return replace(recipe, blocks=replace(slim, min_count=FEWEST_OF_LARGE))


def solve(
    matrix: Sparse,
    truth: Ints,
    labels: int,
    recipe: Recipe,
    weights: Floats | None = None,
    latent: Floats | None = None,
) -> Floats:
    """The mixture of learners on rows that have features already; each learner's scores have deviation 1."""
    return _mixed(matrix, truth, labels, recipe, weights, {}, latent)


def _mixed(
    matrix: Sparse,
    truth: Ints,
    labels: int,
    recipe: Recipe,
    weights: Floats | None,
    known: dict[tuple[str, float], Floats],
    latent: Floats | None = None,
) -> Floats:
    """The same; what stands in `known` is not fitted again."""
    machine = known.get(("machine", recipe.cost))
    if machine is None:
        machine = fit_linear(matrix, truth, labels, cost=recipe.cost, weights=weights, latent=latent)
        machine = _unit(machine, matrix)
        known["machine", recipe.cost] = machine
    if recipe.bayes == 0.0:
        return machine
    bayes = known.get(("bayes", recipe.smoothing))
    if bayes is None:
        bayes = fit_bayes(matrix, truth, labels, smoothing=recipe.smoothing, weights=weights)
        bayes = known["bayes", recipe.smoothing] = _unit(bayes, matrix)
    return _unit(machine + recipe.bayes * bayes, matrix)


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
    only: int | None = None,
) -> Floats:
    """Scores of every row by a model that had not seen it; rows in `always` are trained on in every fold.

    With `only`, just that fold's rows are scored; the others stay zero.
    """
    scores = np.zeros((len(texts), labels))
    fixed = np.zeros(len(texts), dtype=bool)
    fixed[list(always)] = True
    for fold in np.unique(folds) if only is None else (only,):
        outside = np.flatnonzero(folds == fold)
        inside = np.flatnonzero((folds != fold) | fixed)
        weigh = None if weights is None else weights[inside]
        solved = fit([texts[int(i)] for i in inside], truth[inside], labels, recipe, weights=weigh)
        scores[outside] = solved.scores([texts[int(i)] for i in outside])
    return scores


def held_of_each(
    texts: Sequence[str],
    truth: Ints,
    labels: int,
    recipes: Sequence[Recipe],
    folds: Ints,
    always: Sequence[int] = (),
    only: Sequence[int] | None = None,
) -> dict[Recipe, Floats]:
    """`held_scores` of several recipes; features and learners that they share are made once. With `only`,
    just the rows of those folds are scored."""
    found = {recipe: np.zeros((len(texts), labels)) for recipe in recipes}
    fixed = np.zeros(len(texts), dtype=bool)
    fixed[list(always)] = True
    for blocks in dict.fromkeys(recipe.blocks for recipe in recipes):
        for fold in np.unique(folds) if only is None else only:
            outside = np.flatnonzero(folds == fold)
            inside = np.flatnonzero((folds != fold) | fixed)
            space, matrix = Features.fit([texts[int(i)] for i in inside], blocks)
            held = space.transform([texts[int(i)] for i in outside])
            known: dict[tuple[str, float], Floats] = {}
            for recipe in recipes:
                if recipe.blocks == blocks:
                    solved = _mixed(matrix, truth[inside], labels, recipe, None, known)
                    found[recipe][outside] = np.asarray(held @ solved[:-1]) + solved[-1]
    return found


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
    """The recipe, or the few together, whose held-out answers are best: right most often, and sure of it.

    `always` are rows (label names, descriptions) that help in every fold and are never judged on.
    """
    judged = np.setdiff1d(np.arange(len(texts)), np.asarray(list(always), dtype=np.int64))
    groups = np.arange(len(texts)) if groups is None else groups
    if len(texts) > SMALL and len(recipes) == len(RECIPES):
        picked = _sample(truth, seed)
        first = choose(
            [texts[int(i)] for i in picked], truth[picked], labels, recipes=recipes, groups=groups[picked]
        )
        few = first.recipes if len(texts) <= LARGE else (lean(first.recipes[0]),)
        best = choose(texts, truth, labels, recipes=few, always=always, groups=groups)
        return replace(best, tried=(*first.tried, *best.tried))
    folds = fold_numbers(truth, groups, 10 if len(judged) < 400 else 5, seed)
    only = None if len(judged) <= SMALL else range(JUDGED_OF_MANY if len(judged) <= LARGE else 1)
    if only is not None:
        judged = judged[np.isin(folds[judged], only)]
    single = held_of_each(texts, truth, labels, recipes, folds, always, only)
    held: dict[tuple[Recipe, ...], Floats] = {(made,): scores[judged] for made, scores in single.items()}
    merits = {made: _merit(scores, truth[judged]) for made, scores in held.items()}
    best = max(merits, key=lambda made: merits[made])
    while len(best) < min(BLENDED, len(recipes)):
        wider = {(*best, recipe): held[best] + held[recipe,] for recipe in recipes if recipe not in best}
        worth = {made: _merit(scores, truth[judged]) for made, scores in wider.items()}
        made = max(worth, key=lambda made: worth[made])
        if worth[made] < merits[best] + GAIN:
            break
        held[made], merits[made], best = wider[made], worth[made], made
    tried = tuple((made, float((held[made].argmax(axis=1) == truth[judged]).mean())) for made in merits)
    return Choice(best, fit_temperature(held[best], truth[judged]), held[best], judged, tried)


def _sample(truth: Ints, seed: int) -> Ints:
    """About `SMALL` rows: all rows of some labels, so that a label has as many examples as it really has;
    where the labels are few and large, some rows of all."""
    random = np.random.default_rng(seed)
    kept: list[int] = []
    for label in random.permutation(np.unique(truth)):
        mine = np.flatnonzero(truth == label)
        if len(kept) + len(mine) <= SMALL:
            kept.extend(mine.tolist())
    if len(np.unique(truth[kept])) < FEWEST_SAMPLED:
        kept = random.permutation(len(truth))[:SMALL].tolist()
    return np.array(sorted(kept), dtype=np.int64)


def _merit(scores: Floats, truth: Ints) -> float:
    chances = softmax(scores / fit_temperature(scores, truth))[np.arange(len(truth)), truth]
    accuracy = float((scores.argmax(axis=1) == truth).mean())
    return accuracy + 0.1 * float(np.log(np.maximum(chances, 1e-6)).mean())


def _unit(solved: Floats, matrix: Sparse) -> Floats:
    scores = np.asarray(matrix @ solved[:-1]) + solved[-1]
    middle = solved.mean(axis=1, keepdims=True)
    deviation = float((scores - scores.mean(axis=1, keepdims=True)).std()) or 1.0
    return (solved - middle) / deviation
