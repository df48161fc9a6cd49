"""Two versions of the classifier beside each other, on messages that neither was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier import store
from classifier.classify import SHIPPED
from classifier.material import Lesson, gather
from classifier.metrics import LabelScore, label_scores, macro_f1
from classifier.model import Model
from classifier.versions import SHIPPED_NAME
from core.errors import NotFound
from core.labels import ClassifierVersion

CHANGED = 50
"""Most messages shown whose answer differs."""


@dataclass(frozen=True, slots=True)
class Side:
    """One version's figures on the judging messages: shares from 0 to 1."""

    name: str
    accuracy: float
    macro_f1: float
    answered: float
    """Share of messages on which it is sure enough to say anything."""
    precision: float
    """Share right of those."""
    labels: list[LabelScore]


@dataclass(frozen=True, slots=True)
class Change:
    """A message that the two understand differently."""

    message_id: int
    true: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same messages; `changes` holds where they differ, what got worse first."""

    before: Side
    after: Side
    messages: int
    better: int
    worse: int
    changes: list[Change]


def compare(session: Session, before: str, after: str) -> Comparison:
    """Judge two versions (by name; `shipped` is the model that came with frontdesk).

    Raises:
        NotFound: no version of that name.
    """
    judges = gather(session).judges
    return compare_on(judges, model_of(session, before).named(before), model_of(session, after).named(after))


def compare_on(judges: Sequence[Lesson], before: Model, after: Model) -> Comparison:
    """The same on given messages."""
    first, first_said = _side(before, judges)
    second, second_said = _side(after, judges)
    differ = [
        Change(row.message_id or 0, row.label, one, two)
        for row, one, two in zip(judges, first_said, second_said, strict=True)
        if one != two
    ]
    counted = Counter((change.after == change.true) - (change.before == change.true) for change in differ)
    differ.sort(key=lambda change: (change.after == change.true, change.before != change.true))
    return Comparison(first, second, len(judges), counted[1], counted[-1], differ[:CHANGED])


def model_of(session: Session, name: str) -> Model:
    """The model of a version. Raises NotFound."""
    if name == SHIPPED_NAME:
        return store.read(SHIPPED)
    content = session.scalar(select(ClassifierVersion.model).where(ClassifierVersion.name == name))
    if content is None:
        raise NotFound(f"There is no version {name!r}.", cure="See `frontdesk classifier versions`.")
    return store.load(content)


def _side(model: Model, judges: Sequence[Lesson]) -> tuple[Side, list[str]]:
    if not judges:
        return Side(model.version, 0.0, 0.0, 0.0, 0.0, []), []
    chances = model.probabilities([row.text for row in judges])
    best = chances.argmax(axis=1)
    said = [model.labels[index] for index in best]
    right = np.array([one == row.label for one, row in zip(said, judges, strict=True)])
    sure = chances.max(axis=1) >= model.thresholds[best]
    scores = label_scores([(row.label,) for row in judges], [(one,) for one in said])
    return Side(
        name=model.version,
        accuracy=float(right.mean()),
        macro_f1=macro_f1(scores),
        answered=float(sure.mean()),
        precision=float(right[sure].mean()) if sure.any() else 0.0,
        labels=scores,
    ), said
