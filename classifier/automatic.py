"""From labelled texts to a classifier without choosing anything: one label or many, strangers,
descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifier.answers import Answers
from classifier.calibration import Ints, fit_temperature
from classifier.dataset import Row
from classifier.features import Blocks, Features
from classifier.fitting import groups_of
from classifier.manylabels import ManyModel, fit_many
from classifier.model import Floats, softmax
from classifier.recipes import LARGE, Choice, Solved, choose, fit
from classifier.selftraining import teach_by_pool
from classifier.text import BODY_LIMIT, TEXT_LIMIT, prepared
from core.errors import InputRefused

STRANGER = "\x00outside"
"""The label of rows known to belong to no label; it is never said."""

NAME_ROWS_UP_TO = 40
"""Label names and descriptions are added as examples while labels have fewer examples than this on
average."""

MOST_LABELS = 2_000
"""More different labels mean that another column was read as the label."""

ALWAYS_ONE = 30
"""Rows, each with exactly one label, from which it is believed that a text bears one label, although the
file could say several."""

KEPT = 0.05
"""The share of our own texts whose `inside` lies below 0."""


@dataclass(slots=True)
class OneModel:
    """A classifier of texts that bear exactly one label; `labels` may end with `STRANGER`.

    `border` is the score of being ours below which one in twenty of our held-out texts lay; of a text the
    first `reads` characters are read.
    """

    labels: tuple[str, ...]
    solved: tuple[Solved, ...]
    choice: Choice
    border: float = 0.0
    reads: int = TEXT_LIMIT

    def answer(self, texts: Sequence[str]) -> Answers:
        """The answers for raw texts."""
        ready = [prepared(text, self.reads) for text in texts]
        scores = sum((one.scores(ready) for one in self.solved), np.zeros((len(texts), len(self.labels))))
        return answers_of(scores, self.labels, self.choice.temperature, self.border)


def answers_of(scores: Floats, labels: tuple[str, ...], temperature: float, border: float = 0.0) -> Answers:
    """Scores to answers; what speaks for the stranger speaks against being inside."""
    known = len(labels) - (STRANGER in labels)
    inside = scores[:, :known]
    chances = softmax(inside / temperature)
    best = chances.argmax(axis=1) if len(scores) else np.zeros(0, dtype=int)
    return Answers(
        labels=labels[:known],
        said=[(labels[index],) for index in best],
        confidence=chances.max(axis=1, initial=0.0),
        probabilities=chances,
        inside=_likeness(scores, known) - border,
    )


def _likeness(scores: Floats, known: int) -> Floats:
    """How much a text looks like one of the first `known` labels, rather than like a stranger."""
    stranger = scores[:, known] if known < scores.shape[1] else 0.0
    return scores[:, :known].max(axis=1, initial=-1e9) - stranger


def train(
    rows: Sequence[Row], *, pool: Sequence[str] = (), descriptions: Mapping[str, str] | None = None
) -> OneModel | ManyModel:
    """Train on rows; `pool` are texts without labels, `descriptions` say what a label means. Rows whose label
    nobody knows teach nothing.

    Raises:
        InputRefused: no labelled rows, fewer than two labels where a text bears one, or far too many.
    """
    used = [row for row in rows if row.known]
    known = sorted({label for row in used for label in row.labels})
    if not known:
        raise InputRefused("There is nothing to train on.", cure="Give the columns text and label.")
    if len(known) > MOST_LABELS:
        raise InputRefused(
            f"There are {len(known)} different labels in {len(used)} rows.",
            cure=f"At most {MOST_LABELS}; see whether the column of the labels is the right one.",
        )
    if may_bear_many(used):
        return fit_many(
            [prepared(row.text) for row in used], [row.labels for row in used], _said(descriptions)
        )
    if len(known) < 2:
        raise InputRefused(
            "Training needs at least two different labels.", cure="Give the columns text and label."
        )
    reads = TEXT_LIMIT if len(used) <= LARGE else BODY_LIMIT
    labels = (*known, STRANGER) if any(row.outside for row in used) else tuple(known)
    place = {label: index for index, label in enumerate(labels)}
    texts = [prepared(row.text, reads) for row in used]
    truth = np.array([place[STRANGER if row.outside else row.label] for row in used], dtype=np.int64)
    groups = _same_texts(texts)
    choice = choose(texts, truth, len(labels), groups=groups)
    names = _name_rows(known, len(texts) / len(known), _said(descriptions))
    if names:
        wide = [*texts, *(text for text, _ in names)]
        answers = np.concatenate((truth, [place[label] for _, label in names]))
        families = np.concatenate((groups, groups.max() + 1 + np.arange(len(names))))
        always = range(len(texts), len(wide))
        named = choose(wide, answers, len(labels), recipes=choice.recipes, always=always, groups=families)
        if _right(named, answers) > _right(choice, truth):
            texts, truth, choice = wide, answers, named
    unlabelled = [prepared(text, reads) for text in pool]
    if unlabelled:
        solved, choice = teach_by_pool(texts, truth, len(labels), choice, unlabelled)
    else:
        solved = tuple(fit(texts, truth, len(labels), recipe) for recipe in choice.recipes)
    warmth, border = _of_ours(choice, truth, len(known))
    return OneModel(labels, solved, replace(choice, temperature=warmth), border, reads)


def may_bear_many(rows: Sequence[Row]) -> bool:
    """Whether a text may bear any number of labels: a row could say several, and not every row says one."""
    ours = [row for row in rows if row.known and not row.outside]
    one_each = len(ours) >= ALWAYS_ONE and all(len(row.labels) == 1 for row in ours)
    return any(row.many for row in rows) and not one_each


def _right(choice: Choice, truth: Ints) -> float:
    return float((choice.held.argmax(axis=1) == truth[choice.rows]).mean())


def _of_ours(choice: Choice, truth: Ints, known: int) -> tuple[float, float]:
    """The temperature and the border, both by held-out texts that bear one of our labels."""
    ours = truth[choice.rows] < known
    held = choice.held[ours]
    warmth = fit_temperature(held[:, :known], truth[choice.rows][ours])
    return warmth, float(np.quantile(_likeness(held, known), KEPT))


def _said(descriptions: Mapping[str, str] | None) -> dict[str, str]:
    return {label: prepared(text) for label, text in (descriptions or {}).items() if text.strip()}


def _name_rows(
    labels: Sequence[str], examples: float, descriptions: Mapping[str, str]
) -> list[tuple[str, str]]:
    if examples >= NAME_ROWS_UP_TO:
        return []
    rows: list[tuple[str, str]] = []
    for label in labels:
        name = spoken_name(label)
        if name:
            rows.append((f"{name} {descriptions.get(label, '')}".strip(), label))
    return rows


def spoken_name(label: str) -> str:
    """The label's key as words: `card_payment_fee` gives "card payment fee"; empty when it says nothing."""
    spaced = "".join(f" {char}" if char.isupper() else char for char in label)
    words = "".join(char if char.isalpha() else " " for char in spaced).lower().split()
    return " ".join(words) if any(len(word) > 2 for word in words) else ""


def _same_texts(texts: Sequence[str]) -> Ints:
    if len(texts) > 20_000:
        return np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)
    return groups_of(Features.fit(texts, Blocks(chars=None))[1], likeness=0.95)
