"""Learning from texts that nobody labelled: what the model is surest of teaches it further, in rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from classifier.calibration import Ints, fit_temperature
from classifier.features import Features, Sparse
from classifier.model import Floats, softmax
from classifier.recipes import Choice, Recipe, Solved, solve

ROUNDS = 4
"""In round r of R the surest r/R of what each label claims is believed."""

BELIEF = 0.5
"""What a row labelled by the model weighs beside one labelled by a person."""

POOL_LIMIT = 20_000
HELD_SHARE = 4
"""One in so many labelled rows judges whether the pool helped, and sets the temperature."""


def teach_by_pool(
    texts: Sequence[str], truth: Ints, labels: int, choice: Choice, pool: Sequence[str]
) -> tuple[tuple[Solved, ...], Choice]:
    """The models taught by rows and pool, and the choice with its temperature; without the pool where it
    harms."""
    pool = list(dict.fromkeys(pool))[:POOL_LIMIT]
    held = _judged(truth, choice.rows)
    rest = np.setdiff1d(np.arange(len(texts)), held)
    with_pool = np.zeros((len(held), labels))
    without = np.zeros((len(held), labels))
    spaces: list[tuple[Recipe, Features, Sparse, Sparse]] = []
    for recipe in choice.recipes:
        space, matrix = Features.fit([*texts, *pool], recipe.blocks)
        own, others = matrix[: len(texts)], matrix[len(texts) :]
        spaces.append((recipe, space, own, others))
        before = solve(own[rest], truth[rest], labels, recipe)
        after = taught(own[rest], truth[rest], labels, recipe, others)
        without += own[held] @ before[:-1] + before[-1]
        with_pool += own[held] @ after[:-1] + after[-1]
    helped = (with_pool.argmax(1) == truth[held]).mean() >= (without.argmax(1) == truth[held]).mean() - 0.01
    if not helped:
        return tuple(
            Solved(space, solve(own, truth, labels, recipe)) for recipe, space, own, _ in spaces
        ), choice
    solved = tuple(
        Solved(space, taught(own, truth, labels, recipe, others)) for recipe, space, own, others in spaces
    )
    warmth = fit_temperature(with_pool, truth[held])
    return solved, replace(choice, temperature=warmth, held=with_pool, rows=held)


def taught(own: Sparse, truth: Ints, labels: int, recipe: Recipe, others: Sparse) -> Floats:
    """The model after all rounds over the unlabelled rows."""
    from scipy.sparse import vstack

    solved = solve(own, truth, labels, recipe)
    if others.shape[0] == 0:
        return solved
    for turn in range(1, ROUNDS + 1):
        scores = np.asarray(others @ solved[:-1]) + solved[-1]
        believed, claimed = surest(scores, turn / ROUNDS)
        rows = vstack((own, others[believed])).tocsr()
        weights = np.concatenate((np.ones(own.shape[0]), np.full(len(believed), BELIEF)))
        solved = solve(rows, np.concatenate((truth, claimed)), labels, recipe, weights)
    return solved


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


def _judged(truth: Ints, rows: Ints) -> Ints:
    random = np.random.default_rng(11)
    held: list[int] = []
    for label in np.unique(truth[rows]):
        mine = rows[truth[rows] == label]
        held.extend(random.permutation(mine)[: len(mine) // HELD_SHARE].tolist())
    return np.array(sorted(held) or rows[:1].tolist(), dtype=np.int64)
