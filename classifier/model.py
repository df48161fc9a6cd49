"""A trained model: one matrix of weights over the features, a temperature, and a threshold for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from classifier.features import Features, Sparse

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Model:
    """Scores of a text are `features @ weights + bias`; probabilities are softmax(scores / temperature).

    `weights` is (features x labels). `thresholds` holds for each label the probability from which it may be
    said at the target precision; above 1 means never. `version` names the content.
    """

    features: Features
    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: Floats
    temperature: float = 1.0
    thresholds: Floats = field(default_factory=lambda: np.zeros(0))
    version: str = ""
    notes: dict[str, object] = field(default_factory=dict)

    def scores(self, texts: Sequence[str]) -> Floats:
        """Raw scores (texts x labels) of texts already prepared by `text.features_of`."""
        return self.scores_of(self.features.transform(texts))

    def scores_of(self, matrix: Sparse) -> Floats:
        """Raw scores of rows already in this model's feature space."""
        if matrix.shape[0] == 0:
            return np.zeros((0, len(self.labels)))
        return np.asarray(matrix.astype(np.float32) @ self.weights, dtype=np.float64) + self.bias

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Calibrated probabilities (texts x labels); each row sums to 1."""
        return softmax(self.scores(texts) / self.temperature)

    def words_for(self, text: str, label: str, limit: int = 6) -> list[tuple[str, float]]:
        """The words that spoke most for the label, with their part of the score above the mean label's."""
        matrix = self.features.transform([text])
        column = self.labels.index(label)
        lead = self.weights[:, column].astype(np.float64) - self.weights.astype(np.float64).mean(axis=1)
        parts = matrix.data * lead[matrix.indices]
        spoken: dict[str, float] = {}
        groups: dict[str, float] = {}
        for index, part in zip(matrix.indices, parts, strict=True):
            name = self.features.names[index]
            (spoken if name[0] == "w" else groups)[name[2:]] = float(part)
        for word in set(text.split()):
            bare = word.strip(".,;:!?()\"'«»„“”")
            if not bare or self.features.blocks.chars is None:
                continue
            from classifier.features import char_groups

            gain = sum(
                groups.get(group, 0.0) for group in set(char_groups(word, *self.features.blocks.chars))
            )
            spoken[bare] = spoken.get(bare, 0.0) + gain
        best = sorted(spoken.items(), key=lambda item: (-item[1], item[0]))
        return [(word, part) for word, part in best[:limit] if part > 0]

    def named(self, version: str) -> Model:
        """The same model under that version's name."""
        return replace(self, version=version)


def softmax(scores: Floats) -> Floats:
    """Rows of scores to rows of probabilities."""
    if scores.size == 0:
        return scores
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
