"""What a trained classifier says of texts, in one form for one label or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifier.model import Floats


@dataclass(slots=True)
class Answers:
    """Answers for texts, row by row.

    `labels` are all labels in column order; `said` the labels said of each text; `confidence` how sure the
    answer is (0 to 1); `probabilities` is texts x labels (each label's own chance where a text may bear
    many); `inside` is larger the more a text looks like something that any label covers.
    """

    labels: tuple[str, ...]
    said: list[tuple[str, ...]]
    confidence: Floats
    probabilities: Floats
    inside: Floats

    def likelihood_of_said(self) -> tuple[Floats, list[tuple[int, str]]]:
        """The probability of every label said, with (row, label)."""
        place = {label: index for index, label in enumerate(self.labels)}
        pairs = [(row, label) for row, said in enumerate(self.said) for label in said]
        return np.array([self.probabilities[row, place[label]] for row, label in pairs]), pairs
