"""The learners, each as one matrix over the features, and folds that share no near-duplicates."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from classifier.calibration import Ints
from classifier.features import Sparse
from classifier.model import Floats

FOLDS = 5
SEED = 7


def fit_linear(
    matrix: Sparse,
    truth: Ints,
    labels: int,
    *,
    cost: float = 1.0,
    weights: Floats | None = None,
    latent: Floats | None = None,
) -> Floats:
    """One linear separator a label, as (features + 1) x labels; the last row is the bias.

    A support vector machine, each label against the rest, rare ones weighted up; `weights` weigh single rows.
    Places along `latent` (`latent.directions`) are features too; what is learnt of them is told by the words.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.svm import LinearSVC

    if latent is not None:
        own = matrix.shape[1]
        wide = hstack((matrix, csr_matrix(matrix @ latent))).tocsr()
        both = fit_linear(wide, truth, labels, cost=cost, weights=weights)
        return np.vstack((both[:own] + latent @ both[own:-1], both[-1:]))
    present = np.unique(truth)
    solved = np.zeros((matrix.shape[1] + 1, labels))
    solved[-1, :] = -1.0
    if len(present) == 1 or matrix.shape[1] == 0:
        solved[-1] += 2.0 * np.bincount(truth, minlength=labels) / len(truth)
        return solved
    settings: Any = {"dual": True, "class_weight": "balanced", "tol": 1e-3}
    machine: Any = LinearSVC(C=cost, random_state=SEED, max_iter=4000, **settings)
    machine.fit(matrix, truth, sample_weight=weights)
    if len(present) == 2:
        solved[:-1, present[1]], solved[-1, present[1]] = machine.coef_[0], machine.intercept_[0]
        solved[:-1, present[0]], solved[-1, present[0]] = -machine.coef_[0], -machine.intercept_[0]
    else:
        solved[:-1, present], solved[-1, present] = machine.coef_.T, machine.intercept_
    return solved


def fit_bayes(
    matrix: Sparse, truth: Ints, labels: int, *, smoothing: float = 0.3, weights: Floats | None = None
) -> Floats:
    """Complement naive Bayes as (features + 1) x labels: a feature speaks for a label as far as others
    lack it.

    Rennie and others, "Tackling the poor assumptions of naive Bayes text classifiers" (2003), without weight
    normalisation; absent labels get the mean of the others.
    """
    from sklearn.naive_bayes import ComplementNB

    if matrix.shape[1] == 0:
        return np.zeros((1, labels))
    learner: Any = ComplementNB(alpha=smoothing).fit(matrix, truth, sample_weight=weights)
    solved = np.zeros((matrix.shape[1] + 1, labels))
    solved[:-1, learner.classes_] = learner.feature_log_prob_.T
    solved[:-1] -= learner.feature_log_prob_.mean(axis=0)[:, None]
    absent = np.setdiff1d(np.arange(labels), learner.classes_)
    solved[:-1, absent] = 0.0
    solved[-1, absent] = -1.0
    return solved


def groups_of(matrix: Sparse, likeness: float = 0.6) -> Ints:
    """A group number for each row; rows whose cosine is at least `likeness` are in one group."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    norms[norms == 0] = 1.0
    unit: Any = csr_matrix(matrix.multiply(1.0 / norms[:, None]))
    linked_rows: list[np.ndarray] = []
    linked_columns: list[np.ndarray] = []
    for start in range(0, unit.shape[0], 500):
        close = (unit[start : start + 500] @ unit.T).tocoo()
        near = close.data >= likeness
        linked_rows.append(close.row[near] + start)
        linked_columns.append(close.col[near])
    rows, columns = np.concatenate(linked_rows), np.concatenate(linked_columns)
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(unit.shape[0],) * 2)
    return connected_components(graph, directed=False)[1].astype(np.int64)


def fold_numbers(truth: Ints, groups: Ints, folds: int = FOLDS, seed: int = SEED) -> Ints:
    """A fold for each row: groups stay whole, labels are spread evenly, the same seed gives the same."""
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(truth), dtype=np.int64)
    filled = np.zeros((folds, int(truth.max(initial=0)) + 1))
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    order = sorted(members)
    random.shuffle(order)
    order.sort(key=lambda group: -len(members[group]))
    for group in order:
        rows = members[group]
        counts = Counter(truth[rows].tolist())
        need = sum(filled[:, label] * count for label, count in counts.items()) + filled.sum(axis=1) * 1e-3
        fold = int(np.argmin(need))
        chosen[rows] = fold
        for label, count in counts.items():
            filled[fold, label] += count
    return chosen
