"""What unlabelled texts tell of words: words that stand in the same texts lie in the same directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from classifier.features import Sparse
from classifier.fitting import SEED
from classifier.model import Floats

DIRECTIONS = 100

FEWEST = 500
"""Texts below which they tell too little of words."""


def directions(matrix: Sparse, count: int = DIRECTIONS) -> Floats | None:
    """The strongest directions of a matrix (texts x features) as features x directions; None for few texts.

    Latent semantic analysis (Deerwester and others, 1990), scaled so that a text's place along all of them is
    as long, on average, as the text itself. `matrix @ directions` are further features; a machine over both
    is still one matrix over the first (`fitting.fit_linear`).
    """
    from sklearn.utils.extmath import randomized_svd

    if matrix.shape[0] < FEWEST or matrix.shape[1] <= count:
        return None
    settings: Any = {"n_iter": 3, "random_state": SEED}
    _, _, found = randomized_svd(matrix.astype(np.float32), count, **settings)
    places = np.asarray(matrix @ found.T)
    length = float((places**2).sum())
    return found.T * np.sqrt(float(matrix.multiply(matrix).sum()) / length) if length else None
