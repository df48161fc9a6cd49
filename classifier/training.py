"""The shipped model: `python -m classifier.training` trains it on the examples and writes the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifier import store
from classifier.calibration import Ints
from classifier.classify import SHIPPED
from classifier.features import Blocks
from classifier.model import Model
from classifier.modelling import fit_model
from classifier.recipes import Recipe
from classifier.starter import Example, examples, fingerprint, phrases
from classifier.text import features_of, plain

RECIPE = Recipe(Blocks(stems=True, weights=(0.5, 1.0, 1.0, 0.0, 0.0), min_count=2), bayes=0.5)
"""How models of business letters are made: of the recipes tried, the best on held-out letters in every
language."""


def train_examples(rows: Sequence[Example], recipe: Recipe = RECIPE) -> Model:
    """A model of example letters; versions of one letter in several languages stay in one fold."""
    return fit_model(
        [features_of(plain(row.text)) for row in rows],
        [row.intent for row in rows],
        recipe=recipe,
        groups=letters(rows),
        always=spoken(),
    )


def spoken() -> list[tuple[str, str]]:
    """The shipped phrases as they are trained on."""
    return [(features_of(phrase), intent) for phrase, intent in phrases()]


def letters(rows: Sequence[Example]) -> Ints:
    """A number for each letter: the n-th of an intent is one letter in all languages, whoever wrote it
    after whom."""
    numbers: dict[tuple[str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    found: list[int] = []
    for row in rows:
        place = seen.get((row.language, row.intent), 0)
        seen[row.language, row.intent] = place + 1
        found.append(numbers.setdefault((row.intent, place), len(numbers)))
    return np.array(found, dtype=np.int64)


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
