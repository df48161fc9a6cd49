"""A new version from what staff corrected; it replaces the old one only when it is at least as good."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier import store
from classifier.classify import SHIPPED
from classifier.heads import Question
from classifier.material import Lesson, Material, gather
from classifier.model import Model
from classifier.modelling import fit_model
from classifier.training import RECIPE, spoken
from core.clock import now
from core.errors import FrontdeskError
from core.labels import (
    ClassifierVersion,
    Correction,
    LabelExample,
    VersionState,
    activate,
    active_version,
)

TOLERANCE = 0.01
"""A new version may be worse on the judging set by at most this share, which is chance."""

FEWEST_JUDGES = 20
"""With fewer judging rows than this the cross-validated accuracy decides beside them."""

NEWEST_PER_LABEL = 20_000
"""At most so many rows of one label are trained on, the newest."""

TARGET = 0.95
"""How often what a version says must be right, unless the company says otherwise."""

EVERY = timedelta(hours=24)
AFTER = 50


class NothingToLearn(FrontdeskError):
    """There is no correction or example that the version in force does not know already."""

    cure = "Correct some messages in the review queue, or give examples with `frontdesk classifier train`."


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate replaces the version in force, and why, with what both reached."""

    accepted: bool
    reason: str
    candidate: float
    present: float
    judges: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What retraining made."""

    version: ClassifierVersion
    verdict: Verdict
    material: Material


def fresh_corrections(session: Session) -> int:
    """How many corrections were made or undone since the last training."""
    last = session.scalar(select(func.max(ClassifierVersion.made_at)))
    fresh = select(func.count()).select_from(Correction)
    if last is not None:
        changed = func.greatest(
            Correction.made_at,
            func.coalesce(Correction.undone_at, Correction.made_at),
            func.coalesce(Correction.allowed_at, Correction.made_at),
        )
        fresh = fresh.where(changed > last)
    return session.scalar(fresh) or 0


def taught_since(session: Session) -> bool:
    """Whether anything was corrected, or a letter given as an example, since the last training."""
    last = session.scalar(select(func.max(ClassifierVersion.made_at)))
    given = select(LabelExample.id).limit(1)
    if last is not None:
        given = given.where(LabelExample.added_at > last)
    return fresh_corrections(session) > 0 or session.scalar(given) is not None


def due(session: Session, at: datetime | None = None) -> str | None:
    """Why it is time to retrain: enough new corrections, or some and a day gone by; None when it is not."""
    last = session.scalar(select(func.max(ClassifierVersion.made_at)))
    count = fresh_corrections(session)
    if count >= AFTER:
        return f"{count} new corrections"
    if count and (last is None or (at or now()) - last >= EVERY):
        return f"{count} new corrections in a day"
    return None


def retrain(
    session: Session, *, allow_odd: bool = False, target: float = TARGET, material: Material | None = None
) -> Outcome:
    """Train on everything known, judge against the version in force, and put it in force if it may.

    The version is stored either way, with its figures and the reason.

    Raises:
        NothingToLearn: the same material was trained on already.
    """
    material = gather(session, allow_odd=allow_odd) if material is None else material
    name = version_name(material.lessons, material.questions, target)
    if session.scalar(select(ClassifierVersion.id).where(ClassifierVersion.name == name)) is not None:
        raise NothingToLearn
    present = in_force(session)
    candidate = train(material.lessons, target=target, questions=material.questions).named(name)
    verdict = judge(candidate, present, material.judges)
    candidate.notes |= {"judges": verdict.judges, "accuracy": verdict.candidate}
    version = ClassifierVersion(
        name=name,
        state=VersionState.CANDIDATE,
        reason=verdict.reason,
        model=store.dump(candidate),
        metrics=_metrics(candidate, verdict, material),
        corrections=material.corrections,
        made_at=now(),
    )
    session.add(version)
    session.flush()
    if verdict.accepted:
        activate(session, version, verdict.reason)
    else:
        version.state = VersionState.REFUSED
        session.flush()
    return Outcome(version, verdict, material)


def train(lessons: Sequence[Lesson], *, target: float = TARGET, questions: Sequence[Question] = ()) -> Model:
    """A model of the lessons, of each label the newest `NEWEST_PER_LABEL`, with heads for the questions."""
    kept = newest(lessons)
    known = {row.label for row in kept}
    weights = np.array([row.weight for row in kept])
    return fit_model(
        [row.text for row in kept],
        [row.label for row in kept],
        recipe=RECIPE,
        target=target,
        weights=weights,
        always=[pair for pair in spoken() if pair[1] in known],
        questions=[question for question in questions if question.rows],
    )


def newest(lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons with at most `NEWEST_PER_LABEL` of a label, in their order; later ones are newer."""
    counted: dict[str, int] = {}
    kept: list[Lesson] = []
    for row in reversed(lessons):
        counted[row.label] = counted.get(row.label, 0) + 1
        if counted[row.label] <= NEWEST_PER_LABEL:
            kept.append(row)
    return kept[::-1]


def judge(candidate: Model, present: Model, judges: Sequence[Lesson]) -> Verdict:
    """Compare two models on rows that neither was trained on."""
    new, old = _accuracy(candidate, judges), _accuracy(present, judges)
    if len(judges) < FEWEST_JUDGES:
        crossed, before = _crossed(candidate), _crossed(present)
        if crossed < before - TOLERANCE:
            return Verdict(
                False,
                f"cross-validated accuracy fell from {before:.3f} to {crossed:.3f}",
                new,
                old,
                len(judges),
            )
        if judges and new < old - 1.0 / len(judges):
            return Verdict(False, _told(new, old, len(judges)), new, old, len(judges))
        few = f"{len(judges)} judging messages; cross-validated accuracy {before:.3f} to {crossed:.3f}"
        return Verdict(True, few, new, old, len(judges))
    if new < old - TOLERANCE:
        return Verdict(False, _told(new, old, len(judges)), new, old, len(judges))
    return Verdict(True, _told(new, old, len(judges)), new, old, len(judges))


def version_name(
    lessons: Sequence[Lesson], questions: Sequence[Question] = (), target: float = TARGET
) -> str:
    """A name that the same lessons, learnt to the same precision, always get."""
    digest = hashlib.sha256()
    if target != TARGET:
        digest.update(repr(target).encode())
    for row in sorted((row.label, row.text, row.weight) for row in lessons):
        digest.update(repr(row).encode())
    for question in questions:
        for taught in sorted((row.text, row.labels) for row in question.rows):
            digest.update(repr((question.name, *taught)).encode())
    return f"own-{digest.hexdigest()[:12]}"


def in_force(session: Session) -> Model:
    """The model in force: the active version's, else the shipped one."""
    version = active_version(session)
    return store.read(SHIPPED) if version is None else store.load(version.model)


def _told(new: float, old: float, judges: int) -> str:
    return f"accuracy {old:.3f} to {new:.3f} on {judges} judging messages"


def _accuracy(model: Model, rows: Sequence[Lesson]) -> float:
    if not rows:
        return 0.0
    said = model.probabilities([row.text for row in rows]).argmax(axis=1)
    right = [model.labels[index] == row.label for index, row in zip(said, rows, strict=True)]
    return sum(right) / len(right)


def _crossed(model: Model) -> float:
    noted = model.notes.get("held_accuracy", 0.0)
    return float(noted) if isinstance(noted, int | float) else 0.0


def _metrics(model: Model, verdict: Verdict, material: Material) -> dict[str, object]:
    return {
        "rows": len(material.lessons),
        "judges": verdict.judges,
        "accuracy": round(verdict.candidate, 4),
        "accuracy_before": round(verdict.present, 4),
        "held_accuracy": round(_crossed(model), 4),
        "coverage": model.notes.get("held_coverage"),
        "capped_senders": material.capped,
        "odd_batches": [
            {"staff_id": batch.staff_id, "label": batch.label, "messages": list(batch.messages)}
            for batch in material.odd
        ],
    }
