"""The shipped model: `python -m classifier.training` trains it on the examples and writes the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifier import store
from classifier.classify import SHIPPED
from classifier.features import Blocks
from classifier.model import Model
from classifier.modelling import fit_model
from classifier.recipes import Recipe
from classifier.sidelessons import signal_question
from classifier.starter import Example, examples, fingerprint, letter_numbers, phrases
from classifier.text import features_of, plain

RECIPE = Recipe(Blocks(stems=True, weights=(0.5, 1.0, 1.0), min_count=2), bayes=0.5)
"""How models of business letters are made: of the recipes tried, the best on held-out letters in every
language."""


def train_examples(rows: Sequence[Example], recipe: Recipe = RECIPE) -> Model:
    """A model of example letters; versions of one letter in several languages stay in one fold."""
    return fit_model(
        [features_of(plain(row.text)) for row in rows],
        [row.intent for row in rows],
        recipe=recipe,
        groups=np.array(letter_numbers(rows), dtype=np.int64),
        always=spoken(),
        questions=[signal_question(rows, letter_numbers(rows))],
    )


def spoken() -> list[tuple[str, str]]:
    """The shipped phrases as they are trained on."""
    return [(features_of(phrase), intent) for phrase, intent in phrases()]


def build(path: Path = SHIPPED) -> Model:
    """Train on the shipped examples and write the model to the file."""
    mark = fingerprint()
    rows = examples()
    model = train_examples(rows).named(f"shipped-{mark[:10]}")
    model.notes |= {"examples": mark, "letters": len(rows)}
    path.write_bytes(store.dump(model))
    return model


if __name__ == "__main__":
    made = build()
    size = SHIPPED.stat().st_size
    print(f"{SHIPPED.name}: {made.version}, {len(made.labels)} labels, {size} bytes, {made.notes}")
