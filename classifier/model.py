"""A trained model: one matrix of weights over the features, a temperature, and a threshold for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from classifier.features import Features, Sparse, char_groups
from classifier.stems import stem

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Head:
    """Another question in the same feature space; the scores are calibrated already.

    With `many` every label has a chance of its own, else the chances of a row sum to 1. `weights` is
    (features x labels); a label is said from its threshold on.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: Floats
    thresholds: Floats
    many: bool = False

    def chances(self, matrix: Sparse) -> Floats:
        """The chances (texts x labels) of rows in the model's feature space."""
        scores = np.asarray(matrix.astype(np.float32) @ self.weights, dtype=np.float64) + self.bias
        return 1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30))) if self.many else softmax(scores)


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
    heads: dict[str, Head] = field(default_factory=dict)

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
        column = self.labels.index(label)
        lead = self.weights[:, column].astype(np.float64) - self.weights.astype(np.float64).mean(axis=1)
        return self._words(text, lead, limit)

    def words_of_head(self, text: str, head: Head, label: str, limit: int = 3) -> list[tuple[str, float]]:
        """The same for a label of another question."""
        lead = head.weights[:, head.labels.index(label)].astype(np.float64)
        return self._words(text, lead if head.many else lead - head.weights.mean(axis=1), limit)

    def _words(self, text: str, lead: Floats, limit: int) -> list[tuple[str, float]]:
        matrix = self.features.transform([text])
        parts = matrix.data * lead[matrix.indices]
        spoken: dict[str, float] = {}
        groups: dict[str, float] = {}
        stems: dict[str, float] = {}
        kinds = {"w": spoken, "s": stems}
        for index, part in zip(matrix.indices, parts, strict=True):
            name = self.features.names[index]
            kinds.get(name[0], groups)[name[2:]] = float(part)
        chars = self.features.blocks.chars
        for word in set(text.split()):
            bare = word.strip(".,;:!?()\"'«»„“”")
            if bare:
                gain = stems.get(stem(bare), 0.0)
                if chars is not None:
                    gain += sum(groups.get(group, 0.0) for group in set(char_groups(word, *chars)))
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
