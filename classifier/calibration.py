"""Making confidence mean something: a temperature, and thresholds that reach a wanted precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.model import Floats

Ints = NDArray[np.int64]

PRIOR = 8.0
"""How many imagined answers the calibrated probability is worth where few held-out answers are known."""

PER_BIN = 40

DRAWS = 100

NEVER = 1.01
"""A threshold that no probability reaches: the label is only ever proposed."""


def fit_temperature(scores: Floats, truth: Ints) -> float:
    """The temperature under which the held-out truth is most probable (least mean log loss)."""
    rows = np.arange(len(truth))
    shifted = scores - scores.max(axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        scaled = shifted / np.exp(log_temperature)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, truth]))

    low, high = np.log(0.01), np.log(20.0)
    golden = (np.sqrt(5.0) - 1.0) / 2.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(60):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2.0))


def thresholds(probabilities: Floats, truth: Ints, target: float = 0.95, *, prior: float = PRIOR) -> Floats:
    """For each label the lowest probability from which its held-out answers were right in `target` of cases.

    With few answers the estimate leans on the calibrated probabilities themselves (`prior`).
    """
    best = probabilities.argmax(axis=1)
    top = probabilities.max(axis=1)
    chosen = np.full(probabilities.shape[1], NEVER)
    for label in range(probabilities.shape[1]):
        mine = np.flatnonzero(best == label)
        order = mine[np.argsort(-top[mine], kind="stable")]
        if not len(order):
            continue
        count = np.arange(1, len(order) + 1)
        hits = np.cumsum(truth[order] == label)
        believed = np.cumsum(top[order]) / count
        precision = (hits + prior * believed) / (count + prior)
        good = np.flatnonzero(precision >= target)
        if len(good):
            chosen[label] = top[order[good[-1]]]
    return chosen


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """The mean gap between confidence and the share of right answers, over equally wide bins.

    With few rows fewer bins are used, about `PER_BIN` rows in each: else chance alone makes a gap.
    """
    if not len(confidence):
        return 0.0
    bins = max(1, min(bins, len(confidence) // PER_BIN))
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = 0.0
    for place in range(bins):
        inside = places == place
        if inside.any():
            gap += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(gap)


def error_by_chance(confidence: Floats, bins: int = 15) -> float:
    """The calibration error that doubts without any fault would show on so many rows, by chance alone.

    Answers are drawn as right with just the confidence they have, `DRAWS` times; the mean is given.
    """
    random = np.random.default_rng(0)
    drawn = [
        expected_calibration_error(confidence, random.random(len(confidence)) < confidence, bins)
        for _ in range(DRAWS)
    ]
    return float(np.mean(drawn))


def label_numbers(labels: Sequence[str], order: Sequence[str]) -> Ints:
    """Each label as its place in `order`."""
    place = {label: index for index, label in enumerate(order)}
    return np.array([place[label] for label in labels], dtype=np.int64)
