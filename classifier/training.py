"""The shipped model: `python -m classifier.training` trains it on the examples and writes the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from classifier import store
from classifier.classify import SHIPPED
from classifier.features import Blocks
from classifier.fitting import fit_model
from classifier.model import Model
from classifier.starter import Example, examples, fingerprint
from classifier.text import features_of, plain

BLOCKS = Blocks(min_count=2)


def train_examples(rows: Sequence[Example], blocks: Blocks = BLOCKS) -> Model:
    """A model of example letters."""
    return fit_model(
        [features_of(plain(row.text)) for row in rows], [row.intent for row in rows], blocks=blocks
    )


def build(path: Path = SHIPPED) -> Model:
    """Train on the shipped examples and write the model to the file."""
    mark = fingerprint()
    model = train_examples(examples()).named(f"shipped-{mark[:10]}")
    model.notes = {"examples": mark, "letters": len(examples())}
    path.write_bytes(store.dump(model))
    return model


if __name__ == "__main__":
    made = build()
    print(f"{SHIPPED.name}: {made.version}, {len(made.labels)} labels, {SHIPPED.stat().st_size} bytes")
