"""How good the shipped classifier is on its own letters, each judged by a model that never saw it.

A letter and its versions in other languages are always in one fold; the phrases are trained on in every fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.answers import Answers
from classifier.calibration import fit_temperature, label_numbers
from classifier.dataset import Row
from classifier.evaluation import Evaluation, judged
from classifier.fitting import fold_numbers
from classifier.model import softmax
from classifier.modelling import PHRASE_WEIGHT
from classifier.recipes import Recipe, held_scores
from classifier.starter import Example, examples, letter_numbers
from classifier.text import features_of, plain
from classifier.training import RECIPE, spoken

FOLDS = 5


def on_starter(
    rows: Sequence[Example] | None = None, recipe: Recipe = RECIPE, language: str | None = None
) -> Evaluation:
    """Held-out answers on the shipped letters; with a language, judged on that language's letters only."""
    rows = examples() if rows is None else rows
    texts = [features_of(plain(row.text)) for row in rows]
    order = sorted({row.intent for row in rows})
    always = spoken()
    truth = label_numbers([*(row.intent for row in rows), *(intent for _, intent in always)], order)
    groups = np.concatenate((letter_numbers(rows), len(rows) + np.arange(len(always)))).astype(np.int64)
    folds = fold_numbers(truth, groups, FOLDS)
    fixed = range(len(rows), len(rows) + len(always))
    weights = np.concatenate((np.ones(len(rows)), np.full(len(always), PHRASE_WEIGHT)))
    everything = [*texts, *(text for text, _ in always)]
    scores = held_scores(everything, truth, len(order), recipe, folds, fixed, weights)[: len(rows)]
    chances = softmax(scores / fit_temperature(scores, truth[: len(rows)]))
    kept = np.array([language is None or row.language == language for row in rows])
    answers = Answers(
        labels=tuple(order),
        said=[(order[best],) for best in chances[kept].argmax(axis=1)],
        confidence=chances[kept].max(axis=1),
        probabilities=chances[kept],
        inside=scores[kept].max(axis=1),
    )
    judges = [Row(row.text.body, (row.intent,)) for row, keep in zip(rows, kept, strict=True) if keep]
    return judged(judges, answers)
