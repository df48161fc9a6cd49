"""How good a classifier is on a test set: every figure, each row's answer, and the same as plain data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classifier import metrics
from classifier.answers import Answers
from classifier.automatic import may_bear_many, train
from classifier.calibration import error_by_chance
from classifier.confusion import as_lines
from classifier.dataset import Row
from classifier.metrics import LabelScore
from classifier.model import Floats
from core.errors import InputRefused

BATCH = 200
"""Texts answered at a time while speed is measured."""

CONFUSIONS = 15
UNSEEN = 5
"""Labels never trained on that are named."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured; `figures` holds the named numbers, the rest is for reports."""

    figures: dict[str, float | None]
    labels: list[LabelScore]
    confusions: list[tuple[str, str, int]]
    coverage: list[tuple[float, float]]
    reliability: list[tuple[float, float, int]]
    answers: Answers
    rows: int
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often each (true label, said label) came; only texts with one of each."""

    def as_data(self) -> dict[str, Any]:
        """Everything but the single answers, ready for JSON."""
        return {
            **self.figures,
            "rows": self.rows,
            "labels": {
                score.label: {
                    "precision": round(score.precision, 4),
                    "recall": round(score.recall, 4),
                    "f1": round(score.f1, 4),
                    "support": score.support,
                }
                for score in self.labels
            },
            "confusions": [{"true": true, "said": said, "count": n} for true, said, n in self.confusions],
        }


def evaluate(
    train_rows: Sequence[Row],
    test_rows: Sequence[Row],
    *,
    pool: Sequence[str] = (),
    descriptions: Mapping[str, str] | None = None,
) -> Evaluation:
    """Train on some rows, answer the others, and measure; only the training part, the pool and the
    descriptions have any say in how the model is made.

    Raises:
        InputRefused: too little to train on, or no test row that could be judged.
    """
    if not any(row.known for row in test_rows):
        raise InputRefused("No test row has a label.", cure="Give the columns text and label.")
    started = time.perf_counter()
    model = train(train_rows, pool=pool, descriptions=descriptions)
    trained = time.perf_counter() - started
    texts = [row.text for row in test_rows]
    started = time.perf_counter()
    parts = [model.answer(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    each = 1000.0 * (time.perf_counter() - started) / max(1, len(texts))
    return judged(test_rows, _joined(parts), train_seconds=trained, ms_per_message=each)


def remarks(train_rows: Sequence[Row], test_rows: Sequence[Row], pool: Sequence[str] = ()) -> list[str]:
    """What one should know of the rows before believing the figures, a sentence each."""
    told: list[str] = []
    if left := sum(not row.known for row in train_rows):
        told.append(f"Training rows without a label, which teach nothing: {left}.")
    if left := sum(not row.known for row in test_rows):
        told.append(f"Test rows without a label, answered but not judged: {left}.")
    taught = {label for row in train_rows for label in row.labels}
    unseen = sorted({label for row in test_rows for label in row.labels} - taught)
    if unseen:
        named = ", ".join(unseen[:UNSEEN]) + (", …" if len(unseen) > UNSEEN else "")
        told.append(f"Labels of the test that were never trained on, which cannot be said: {named}.")
    if pool and may_bear_many(train_rows):
        told.append("The pool is not used: texts may bear several labels.")
    return told


def judged(
    rows: Sequence[Row], answers: Answers, *, train_seconds: float = 0.0, ms_per_message: float = 0.0
) -> Evaluation:
    """Measure answers against the rows' labels; rows from outside count only where strangers are told
    apart, rows whose label nobody knows not at all."""
    many = any(row.many for row in rows)
    ours = [index for index, row in enumerate(rows) if row.known and not row.outside]
    truth = [rows[index].labels for index in ours]
    said = [answers.said[index] for index in ours]
    right = np.array([set(t) == set(s) for t, s in zip(truth, said, strict=True)], dtype=bool)
    confidence = answers.confidence[ours]
    scores = metrics.label_scores(truth, said)
    pairs = _pairs(truth, said)
    strangers = [index for index, row in enumerate(rows) if row.outside]
    inside, outside = answers.inside[ours], answers.inside[strangers]
    sure, sound = _label_confidence(answers, rows, ours) if many else (confidence, right)
    figures: dict[str, float | None] = {
        "accuracy": _mean(right),
        "macro_f1": metrics.macro_f1(scores),
        "micro_f1": metrics.micro_f1(scores),
        "ece": metrics.expected_calibration_error(sure, sound),
        "ece_by_chance": error_by_chance(sure),
        "accuracy_at_80": metrics.accuracy_at(confidence, right, 0.8),
        "accuracy_at_90": metrics.accuracy_at(confidence, right, 0.9),
        "coverage_at_95": metrics.coverage_at_precision(confidence, right, 0.95),
        "oos_recall_keep_95": metrics.recall_keeping(inside, outside),
        "accuracy_keep_95": _accuracy_keeping(inside, right) if strangers and ours else None,
        "auroc": metrics.auroc(inside, outside),
        "train_seconds": train_seconds,
        "ms_per_message": ms_per_message,
    }
    return Evaluation(
        figures={name: None if value is None else round(value, 4) for name, value in figures.items()},
        labels=scores,
        confusions=_confusions(pairs),
        coverage=metrics.curve(confidence, right),
        reliability=metrics.reliability(sure, sound),
        answers=answers,
        rows=len(rows),
        pairs=pairs,
    )


def prediction_rows(rows: Sequence[Row], answers: Answers) -> list[dict[str, Any]]:
    """Each test row in order with what was said of it.

    `labels` are the labels said (also under their earlier name, `said`), `confidence` how sure that is,
    `alternatives` the likeliest labels with their chances, `inside` how far the text is from looking like
    none of the labels: below 0 lies one in twenty of ours. `true` and `oos` repeat what the file says.
    """
    return [
        {
            "text": row.text,
            "labels": list(answers.said[index]),
            "said": list(answers.said[index]),
            "confidence": round(float(answers.confidence[index]), 4),
            "alternatives": [
                [answers.labels[column], round(float(answers.probabilities[index, column]), 4)]
                for column in np.argsort(-answers.probabilities[index], kind="stable")[:3]
            ],
            "inside": round(float(answers.inside[index]), 4),
            "true": list(row.labels),
            "oos": row.outside,
        }
        for index, row in enumerate(rows)
    ]


def as_text(evaluation: Evaluation) -> str:
    """The figures, labels, what is taken for what, and both curves as plain tables."""
    lines = [f"{name:20} {_shown(name, value)}" for name, value in evaluation.figures.items()]
    lines += ["", f"{'label':32} {'rows':>5} {'precision':>9} {'recall':>7} {'F1':>6}"]
    lines += [
        f"{score.label[:32]:32} {score.support:5} {score.precision:9.3f} {score.recall:7.3f} {score.f1:6.3f}"
        for score in evaluation.labels
    ]
    if evaluation.confusions:
        lines += ["", "most mistaken (true -> said):"]
        lines += [f"  {count:4}  {true} -> {said}" for true, said, count in evaluation.confusions]
    if evaluation.pairs:
        lines += ["", "true (rows) and said (columns):", *as_lines(evaluation.pairs)]
    lines += ["", "answered  right (the surest first)"]
    lines += [f"{share:8.0%} {right:6.1%}" for share, right in evaluation.coverage[1::2]]
    lines += ["", "said to be sure  was right   rows"]
    lines += [f"{sure:15.0%} {right:10.0%} {count:6}" for sure, right, count in evaluation.reliability]
    return "\n".join(lines)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if name not in {"train_seconds", "ms_per_message"} else f"{value:.3f}"


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _accuracy_keeping(inside: Floats, right: np.ndarray, keep: float = 0.95) -> float:
    """Accuracy on our rows when the least inside of them are turned away, each counted as wrong."""
    threshold = np.sort(inside)[int(np.floor((1 - keep) * len(inside)))]
    return float((right & (inside >= threshold)).mean())


def _label_confidence(
    answers: Answers, rows: Sequence[Row], ours: Sequence[int]
) -> tuple[Floats, np.ndarray]:
    kept = set(ours)
    sure, pairs = answers.likelihood_of_said()
    chosen = [number for number, (row, _) in enumerate(pairs) if row in kept]
    right = np.array([pairs[number][1] in rows[pairs[number][0]].labels for number in chosen], dtype=bool)
    return sure[chosen], right


def _pairs(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for true, heard in zip(truth, said, strict=True):
        if len(true) == 1 and len(heard) == 1:
            counts[true[0], heard[0]] = counts.get((true[0], heard[0]), 0) + 1
    return counts


def _confusions(pairs: Mapping[tuple[str, str], int]) -> list[tuple[str, str, int]]:
    wrong = [(pair, count) for pair, count in pairs.items() if pair[0] != pair[1]]
    ranked = sorted(wrong, key=lambda item: (-item[1], item[0]))
    return [(true, heard, count) for (true, heard), count in ranked[:CONFUSIONS]]


def _joined(parts: Sequence[Answers]) -> Answers:
    if not parts:
        return Answers((), [], np.zeros(0), np.zeros((0, 0)), np.zeros(0))
    return Answers(
        labels=parts[0].labels,
        said=[said for part in parts for said in part.said],
        confidence=np.concatenate([part.confidence for part in parts]),
        probabilities=np.vstack([part.probabilities for part in parts]),
        inside=np.concatenate([part.inside for part in parts]),
    )
