"""How well texts are classified on public sets, beside plain TF-IDF with logistic regression in the same run.

    python -m bench.classifier                 every set
    python -m bench.classifier sib200 xsid     the sets whose name begins so

The data lies beside the project (`../shared/data/classify`). Only training parts are used; how a model is
made is chosen on the training rows of each split, by the code that `frontdesk classifier evaluate` runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.answers import Answers
from classifier.automatic import train
from classifier.dataset import Row, read_descriptions, read_rows
from classifier.evaluation import judged

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "classify"
SEED = 7
FIGURES = (
    "accuracy",
    "macro_f1",
    "micro_f1",
    "accuracy_at_90",
    "ece",
    "ece_by_chance",
    "oos_recall_keep_95",
    "accuracy_keep_95",
)


@dataclass(frozen=True, slots=True)
class Split:
    """One training and one test part."""

    train: Sequence[Row]
    test: Sequence[Row]
    pool: Sequence[str] = ()
    descriptions: Mapping[str, str] | None = None


def rows(*parts: str) -> list[Row]:
    """The rows of files under the data folder."""
    return [row for part in parts for row in read_rows(DATA / part)]


def folded(all_rows: Sequence[Row], count: int) -> Iterable[Split]:
    """Stratified folds; `count` 0 leaves one out at a time."""
    random = np.random.default_rng(SEED)
    if count == 0:
        fold = np.arange(len(all_rows))
        count = len(all_rows)
    else:
        fold = np.zeros(len(all_rows), dtype=int)
        for label in sorted({row.label for row in all_rows}):
            mine = random.permutation([i for i, row in enumerate(all_rows) if row.label == label])
            fold[mine] = (np.arange(len(mine)) + random.integers(count)) % count
    for number in range(count):
        yield Split(
            [row for row, place in zip(all_rows, fold, strict=True) if place != number],
            [row for row, place in zip(all_rows, fold, strict=True) if place == number],
        )


def banking() -> Iterable[Split]:
    """Five folds of the training part."""
    return folded(rows("banking77/train.jsonl"), 5)


def banking_few() -> Iterable[Split]:
    """Ten examples a label and the other texts as pool; a fifth is kept for the test."""
    for split in list(folded(rows("banking77/train.jsonl"), 5))[:1]:
        random = np.random.default_rng(SEED)
        seen: dict[str, int] = {}
        shots: list[Row] = []
        pool: list[str] = []
        for place in random.permutation(len(split.train)):
            row = split.train[place]
            seen[row.label] = seen.get(row.label, 0) + 1
            if seen[row.label] <= 10:
                shots.append(row)
            else:
                pool.append(row.text)
        yield Split(shots, split.test, pool)


def clinc() -> Iterable[Split]:
    """Train and out-of-scope train against the validation parts."""
    folder = "clinc150_data_full"
    yield Split(
        rows(f"{folder}/train.jsonl", f"{folder}/oos_train.jsonl"),
        rows(f"{folder}/val.jsonl", f"{folder}/oos_val.jsonl"),
    )


def many(name: str) -> Callable[[], Iterable[Split]]:
    """One fold trains, the others test, with descriptions where they are given; three of the ten folds
    train."""

    def splits() -> Iterable[Split]:
        folder = DATA / f"nlupp_{name}"
        folds = [
            [
                Row(one["text"], tuple(one.get("intents", ())), many=True)
                for one in json.loads(path.read_text())
            ]
            for path in sorted(folder.glob("fold*.json"))
        ]
        told = folder / "ontology.json"
        used = {label for fold in folds for row in fold for label in row.labels}
        descriptions = read_descriptions(told) if told.exists() else {}
        for number in range(3):
            others = [row for place, fold in enumerate(folds) for row in fold if place != number]
            meant = {label: descriptions.get(label, label.replace("_", " ")) for label in sorted(used)}
            yield Split(folds[number], others, descriptions=meant)

    return splits


def dev(name: str) -> Callable[[], Iterable[Split]]:
    """The training part against the development part."""
    return lambda: [Split(rows(f"{name}/train.jsonl"), rows(f"{name}/dev.jsonl"))]


def left_out(name: str) -> Callable[[], Iterable[Split]]:
    """One left out at a time."""
    return lambda: folded(rows(f"{name}/train.jsonl"), 0)


SETS: dict[str, Callable[[], Iterable[Split]]] = {
    "sib200 lt": dev("sib200_lit_Latn"),
    "sib200 ru": dev("sib200_rus_Cyrl"),
    "sib200 en": dev("sib200_eng_Latn"),
    "xsid lt, 5 folds": lambda: folded(rows("xsid_lt/valid.jsonl"), 5),
    "parakweet, 5 folds": lambda: folded(rows("enron_intent_parakweet/train.jsonl"), 5),
    **{
        f"tilde {topic} {language}": left_out(f"tilde_{topic}_{language}")
        for topic in ("webapps", "askubuntu", "chatbot")
        for language in ("lt", "ru", "en")
    },
    "nlupp banking": many("banking"),
    "nlupp hotels": many("hotels"),
    "banking77, 10 a label + pool": banking_few,
    "clinc150, validation": clinc,
    "banking77, 5 folds": banking,
    "banking77, first of 5 folds": lambda: list(banking())[:1],
}


def measure(
    splits: Iterable[Split], answer: Callable[[Split], tuple[Answers, float, float]]
) -> dict[str, float]:
    """All splits' answers taken together; labels of every split share one set of columns."""
    everything: list[Row] = []
    parts: list[Answers] = []
    seconds: list[float] = []
    each: list[float] = []
    for split in splits:
        answers, trained, per_text = answer(split)
        everything.extend(split.test)
        parts.append(answers)
        seconds.append(trained)
        each.append(per_text)
    labels = tuple(sorted({label for part in parts for label in part.labels}))
    wide = [np.zeros((len(part.said), len(labels))) for part in parts]
    for part, matrix in zip(parts, wide, strict=True):
        matrix[:, [labels.index(label) for label in part.labels]] = part.probabilities
    joined = Answers(
        labels,
        [said for part in parts for said in part.said],
        np.concatenate([part.confidence for part in parts]),
        np.vstack(wide),
        np.concatenate([part.inside for part in parts]),
    )
    figures = judged(everything, joined).figures
    positive = judged(everything, joined).labels
    found = {name: value for name, value in figures.items() if value is not None}
    yes = next((score.f1 for score in positive if score.label == "Yes"), None)
    return (
        found
        | ({"f1_yes": yes} if yes is not None else {})
        | {
            "train_seconds": float(np.mean(seconds)),
            "ms_per_message": float(np.mean(each)),
        }
    )


def ours(split: Split) -> tuple[Answers, float, float]:
    """Our answers, the seconds of training, and milliseconds a text."""
    started = time.process_time()
    model = train(split.train, pool=split.pool, descriptions=split.descriptions)
    trained = time.process_time() - started
    started = time.process_time()
    answers = model.answer([row.text for row in split.test])
    return answers, trained, 1000 * (time.process_time() - started) / max(1, len(split.test))


def plain(split: Split) -> tuple[Answers, float, float]:
    """Word TF-IDF and logistic regression as scikit-learn gives them; many labels one against the rest."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import MultiLabelBinarizer

    used = [row for row in split.train if row.outside or row.many or row.labels]
    started = time.process_time()
    vectors = TfidfVectorizer()
    matrix = vectors.fit_transform([row.text for row in used])
    tests = vectors.transform([row.text for row in split.test])
    if any(row.many for row in used):
        binary = MultiLabelBinarizer()
        learner = OneVsRestClassifier(LogisticRegression()).fit(
            matrix, binary.fit_transform([r.labels for r in used])
        )
        chances = learner.predict_proba(tests)
        labels = tuple(binary.classes_)
        said = [tuple(labels[i] for i in np.flatnonzero(row >= 0.5)) for row in chances]
        sure = np.where(chances >= 0.5, chances, 1 - chances).min(axis=1)
        trained = time.process_time() - started
        return Answers(labels, said, sure, chances, chances.max(axis=1)), trained, 0.0
    learner = LogisticRegression(max_iter=150).fit(matrix, [row.label for row in used])
    trained = time.process_time() - started
    started = time.process_time()
    chances = learner.predict_proba(tests)
    each = 1000 * (time.process_time() - started) / max(1, len(split.test))
    labels = tuple(str(label) for label in learner.classes_)
    kept = [index for index, label in enumerate(labels) if label]
    chances = chances[:, kept] / chances[:, kept].sum(axis=1, keepdims=True)
    labels = tuple(labels[index] for index in kept)
    said = [(labels[best],) for best in chances.argmax(axis=1)]
    return Answers(labels, said, chances.max(axis=1), chances, chances.max(axis=1)), trained, each


def main(wanted: Sequence[str]) -> None:
    """Print the table."""
    if not DATA.exists():
        print(f"The data is not there: {DATA}")
        return
    head = ("acc", "macroF1", "microF1", "acc@90", "ECE", "by chance", "OOS@95", "acc keep95", "F1 yes")
    head = (*head, "train s", "ms")
    print(f"{'set':32} {'':6} " + " ".join(f"{name:>10}" for name in head), flush=True)
    for name, splits in SETS.items():
        if wanted and not any(name.startswith(start) for start in wanted):
            continue
        for who, answer in (("ours", ours), ("plain", plain)):
            figures = measure(splits(), answer)
            columns = (*FIGURES, "f1_yes", "train_seconds", "ms_per_message")
            shown = " ".join(f"{figures[key]:10.3f}" if key in figures else f"{'-':>10}" for key in columns)
            print(f"{name:32} {who:6} {shown}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
