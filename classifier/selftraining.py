"""Learning from texts that nobody labelled: what the model is surest of teaches it further, in rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from classifier.calibration import Ints, fit_temperature
from classifier.features import Features, Sparse
from classifier.latent import directions
from classifier.model import Floats, softmax
from classifier.recipes import Choice, Recipe, Solved, fit, solve

ROUNDS = 4
"""In round r of R the surest r/R of what each label claims is believed."""

BELIEF = 0.5
"""What a row labelled by the model weighs beside one labelled by a person."""

OWN_VOICE = 0.5
"""How loud the model of the labelled rows alone speaks beside the one that the pool taught last: what a pool
teaches wrongly in one round is believed in the next."""

POOL_LIMIT = 20_000
FOLDS = 4
"""Parts of the labelled rows, each judged by a model taught by the others, which says whether the pool helps
and how sure the answers are."""

TAUGHT = 2
"""So many of the chosen recipes, the best first, are taught by a pool: each costs a hundred fits."""

FEW = 1_000
FOLDS_OF_FEW = 8
"""With few rows a model of three quarters is clearly worse than one of all, and its doubts are too great."""


def teach_by_pool(
    texts: Sequence[str], truth: Ints, labels: int, choice: Choice, pool: Sequence[str]
) -> tuple[tuple[Solved, ...], Choice]:
    """The models taught by rows and pool, and the choice with its temperature; without the pool where it
    harms."""
    pool = list(dict.fromkeys(pool))[:POOL_LIMIT]
    parts = _parts(truth, choice.rows)
    judged = np.sort(np.concatenate(parts))
    with_pool = np.zeros((len(texts), labels))
    without = np.zeros((len(texts), labels))
    spaces: list[tuple[Recipe, Features, Sparse, Sparse, Floats | None]] = []
    for recipe in choice.recipes[:TAUGHT]:
        space, matrix = Features.fit([*texts, *pool], recipe.blocks)
        own, others = matrix[: len(texts)], matrix[len(texts) :]
        latent = directions(matrix)
        spaces.append((recipe, space, own, others, latent))
        for held in parts:
            rest = np.setdiff1d(np.arange(len(texts)), held)
            before = solve(own[rest], truth[rest], labels, recipe)
            after = taught(own[rest], truth[rest], labels, recipe, others, latent)
            without[held] += own[held] @ before[:-1] + before[-1]
            with_pool[held] += own[held] @ after[:-1] + after[-1]
    scores, plain = with_pool[judged], without[judged]
    helped = (scores.argmax(1) == truth[judged]).mean() >= (plain.argmax(1) == truth[judged]).mean() - 0.01
    if not helped:
        return tuple(fit(texts, truth, labels, recipe) for recipe in choice.recipes), choice
    solved = tuple(
        Solved(space, taught(own, truth, labels, recipe, others, latent))
        for recipe, space, own, others, latent in spaces
    )
    warmth = fit_temperature(scores, truth[judged])
    return solved, replace(
        choice, recipes=choice.recipes[:TAUGHT], temperature=warmth, held=scores, rows=judged
    )


def taught(
    own: Sparse, truth: Ints, labels: int, recipe: Recipe, others: Sparse, latent: Floats | None = None
) -> Floats:
    """The model after all rounds over the unlabelled rows, which also tell what words lie together
    (`latent`), and beside it the model before the first round."""
    from scipy.sparse import vstack

    before = solved = solve(own, truth, labels, recipe, latent=latent)
    if others.shape[0] == 0:
        return solved
    for turn in range(1, ROUNDS + 1):
        scores = np.asarray(others @ solved[:-1]) + solved[-1]
        believed, claimed = surest(scores, turn / ROUNDS)
        rows = vstack((own, others[believed])).tocsr()
        weights = np.concatenate((np.ones(own.shape[0]), np.full(len(believed), BELIEF)))
        solved = solve(rows, np.concatenate((truth, claimed)), labels, recipe, weights, latent)
    return solved + OWN_VOICE * before


def surest(scores: Floats, share: float) -> tuple[Ints, Ints]:
    """Rows that are believed and the labels claimed for them: of each label's claims the surest share."""
    ordered = np.sort(scores, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    claimed = softmax(scores).argmax(axis=1)
    chosen: list[int] = []
    for label in np.unique(claimed):
        mine = np.flatnonzero(claimed == label)
        kept = max(1, round(len(mine) * share))
        chosen.extend(mine[np.argsort(-margin[mine], kind="stable")[:kept]].tolist())
    rows = np.array(sorted(chosen), dtype=np.int64)
    return rows, claimed[rows].astype(np.int64)


def _parts(truth: Ints, rows: Ints) -> list[Ints]:
    """The rows in parts of equal size with the labels spread evenly."""
    count = FOLDS_OF_FEW if len(rows) <= FEW else FOLDS
    random = np.random.default_rng(11)
    fold = np.zeros(len(truth), dtype=np.int64)
    for label in np.unique(truth[rows]):
        mine = random.permutation(rows[truth[rows] == label])
        fold[mine] = (np.arange(len(mine)) + random.integers(count)) % count
    return [held for part in range(count) if len(held := rows[fold[rows] == part])]
