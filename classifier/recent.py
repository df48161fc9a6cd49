"""What a correction changes at once: letters nearly like one just corrected get its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifier.features import Features, Sparse

LIKENESS = 0.8
"""Cosine from which a letter counts as written like a corrected one."""

CONFIDENCE = 0.9
MOST = 1_000
"""So many of the newest corrections are remembered."""


@dataclass(slots=True)
class Recent:
    """Corrected letters in a feature space, rows of length 1."""

    matrix: Sparse
    labels: tuple[str, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, features: Features, corrected: Sequence[tuple[str, str]]) -> Recent:
        """Remember (prepared text, label) pairs, the newest last; of two alike the newest counts."""
        kept = [pair for pair in reversed(corrected) if pair[0].strip()][:MOST]
        texts = tuple(text for text, _ in kept)
        return cls(unit(features.transform(texts)), tuple(label for _, label in kept), texts)

    def claims(self, matrix: Sparse) -> list[tuple[str, float, str] | None]:
        """For each row (text in the same space): the label of the letter it is most like, the likeness and
        that letter's text; None when it is like none."""
        if not self.labels or matrix.shape[0] == 0:
            return [None] * matrix.shape[0]
        close = (unit(matrix) @ self.matrix.T).toarray()
        best = close.argmax(axis=1)
        return [
            (self.labels[index], float(row[index]), self.texts[index]) if row[index] >= LIKENESS else None
            for index, row in zip(best, close, strict=True)
        ]


def unit(matrix: Sparse) -> Sparse:
    """Rows scaled to length 1."""
    from scipy.sparse import diags

    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    norms[norms == 0] = 1.0
    return diags(1.0 / norms) @ matrix
