"""What retraining costs: CPU time and memory for so many letters of about 540 characters.

    python -m bench.classifier_training 10000 100000

Letters are put together from sentences of the shipped ones; each count runs in a process of its own.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
LENGTH = 540


def letters(count: int) -> tuple[list[str], list[str]]:
    """Letters and their labels; most sentences of a letter are of its label, some of any, some words new."""
    from classifier.starter import examples
    from classifier.text import features_of, plain

    random = np.random.default_rng(5)
    by_label: dict[str, list[str]] = {}
    for example in examples():
        parts = re.split(r"(?<=[.!?])\s+|\n", plain(example.text))
        by_label.setdefault(example.intent, []).extend(part for part in parts if part.strip())
    labels = sorted(by_label)
    anything = [part for parts in by_label.values() for part in parts]
    texts, said = [], []
    for number in range(count):
        label = labels[number % len(labels)]
        words: list[str] = []
        size = 0
        while size < LENGTH:
            source = by_label[label] if random.random() < 0.7 else anything
            part = source[random.integers(len(source))]
            words += [part, f"zq{random.integers(40_000):x}"]
            size += len(part) + 8
        texts.append(features_of(" ".join(words)))
        said.append(label)
    return texts, said


def measure(count: int) -> None:
    """Train once and print the row."""
    from classifier.modelling import fit_model
    from classifier.training import RECIPE

    texts, said = letters(count)
    started, wall = time.process_time(), time.perf_counter()
    model = fit_model(texts, said, recipe=RECIPE)
    used, passed = time.process_time() - started, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{count:8} {used:10.1f} {passed:10.1f} {memory:8.2f} {len(model.features):10} "
        f"{model.notes['held_accuracy']:8}",
        flush=True,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        measure(int(sys.argv[2]))
    else:
        print(
            f"{'letters':>8} {'CPU s':>10} {'wall s':>10} {'GB':>8} {'features':>10} {'held':>8}", flush=True
        )
        for count in sys.argv[1:] or ("10000", "100000"):
            subprocess.run(
                [sys.executable, "-m", "bench.classifier_training", "--one", count], cwd=ROOT, check=True
            )
