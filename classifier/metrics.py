"""How good answers were: accuracy, F1, coverage, calibration and the telling apart of what is outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import expected_calibration_error
from classifier.model import Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label: how many there are, how many were said, and the precision, recall and F1 of saying it."""

    label: str
    support: int
    said: int
    right: int

    @property
    def precision(self) -> float:
        """Share of what was said that is right."""
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        """Share of what there is that was said."""
        return self.right / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.support + self.said
        return 2 * self.right / both if both else 0.0


def label_scores(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> list[LabelScore]:
    """The score of each label that stands in the truth or was said, by name."""
    labels = sorted({label for row in (*truth, *said) for label in row})
    place = {label: index for index, label in enumerate(labels)}
    support, told, right = (np.zeros(len(labels), dtype=int) for _ in range(3))
    for true, heard in zip(truth, said, strict=True):
        for label in true:
            support[place[label]] += 1
        for label in heard:
            told[place[label]] += 1
            right[place[label]] += label in true
    return [
        LabelScore(label, int(s), int(t), int(r))
        for label, s, t, r in zip(labels, support, told, right, strict=True)
    ]


def macro_f1(scores: Sequence[LabelScore]) -> float:
    """The mean F1 of the labels that stand in the truth."""
    present = [score.f1 for score in scores if score.support]
    return float(np.mean(present)) if present else 0.0


def micro_f1(scores: Sequence[LabelScore]) -> float:
    """The F1 of all labels counted together."""
    both = sum(score.support + score.said for score in scores)
    return 2 * sum(score.right for score in scores) / both if both else 0.0


def accuracy_at(confidence: Floats, right: Bools, coverage: float) -> float:
    """Accuracy among the surest answers when only that share is given."""
    if not len(confidence):
        return 0.0
    kept = max(1, round(coverage * len(confidence)))
    return float(right[np.argsort(-confidence, kind="stable")[:kept]].mean())


def coverage_at_precision(confidence: Floats, right: Bools, precision: float) -> float:
    """The largest share of the surest answers that is right in that share of cases."""
    if not len(confidence):
        return 0.0
    ordered = right[np.argsort(-confidence, kind="stable")]
    reached = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    good = np.flatnonzero(reached >= precision)
    return float((good[-1] + 1) / len(ordered)) if len(good) else 0.0


def auroc(inside: Floats, outside: Floats) -> float | None:
    """The chance that a row of ours scores above one from outside; None when there are none of one kind."""
    if not len(inside) or not len(outside):
        return None
    values = np.concatenate((inside, outside))
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    rank_sum = mean_rank[: len(inside)].sum()
    return float((rank_sum - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside)))


def recall_keeping(inside: Floats, outside: Floats, keep: float = 0.95) -> float | None:
    """The share of outside rows below the score that keeps `keep` of ours; None when there are none of one
    kind."""
    if not len(inside) or not len(outside):
        return None
    threshold = np.sort(inside)[int(np.floor((1 - keep) * len(inside)))]
    return float((outside < threshold).mean())


def curve(confidence: Floats, right: Bools, steps: int = 20) -> list[tuple[float, float]]:
    """(share answered, accuracy of what is answered), from the surest on."""
    return [(step / steps, accuracy_at(confidence, right, step / steps)) for step in range(1, steps + 1)]


def reliability(confidence: Floats, right: Bools, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, rows) of each equally wide bin that holds rows."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[places == b].mean()), float(right[places == b].mean()), int((places == b).sum()))
        for b in range(bins)
        if (places == b).any()
    ]


__all__ = [
    "LabelScore",
    "accuracy_at",
    "auroc",
    "coverage_at_precision",
    "curve",
    "expected_calibration_error",
    "label_scores",
    "macro_f1",
    "micro_f1",
    "recall_keeping",
    "reliability",
]
