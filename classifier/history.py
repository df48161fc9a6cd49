"""How often the classifier was right, from what staff said of real messages: by week and as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier.answers import Answers
from classifier.dataset import Row
from classifier.evaluation import Evaluation, judged
from core.clock import now
from core.conversations import Message
from core.labels import Classification, Correction, Field, resolve_labels

NEWEST = 5_000
"""So many of the newest judged messages are reported on."""

SPAN = timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of judged messages (ISO, as 2026-W07): said rightly, said wrongly, not said."""

    week: str
    right: int = 0
    wrong: int = 0
    silent: int = 0

    @property
    def messages(self) -> int:
        """All that staff judged."""
        return self.right + self.wrong + self.silent

    @property
    def accuracy(self) -> float | None:
        """The share right of what was said; None where nothing was."""
        said = self.right + self.wrong
        return self.right / said if said else None

    @property
    def answered(self) -> float:
        """The share on which the classifier said anything."""
        return (self.right + self.wrong) / self.messages


def by_week(session: Session, at: datetime | None = None) -> list[Week]:
    """The weeks of the last half year in which staff confirmed or corrected an intent, oldest first.

    What the classifier had said before anybody touched a message is judged by the last word on it. A label
    that was merged into another counts as that one.
    """
    resolved = resolve_labels(session)
    found = session.execute(
        select(Correction.message_id, Message.happened_at, Correction.previous, Correction.value)
        .join(Message, Message.id == Correction.message_id)
        .where(
            Correction.field == Field.INTENT,
            Correction.undone_at.is_(None),
            Message.happened_at >= (at or now()) - SPAN,
        )
        .order_by(Correction.id)
    )
    first: dict[int, tuple[datetime, str | None]] = {}
    last: dict[int, str | None] = {}
    for message_id, happened, previous, value in found:
        first.setdefault(message_id, (happened, previous))
        last[message_id] = value
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for message_id, (happened, previous) in first.items():
        year, week, _ = happened.isocalendar()
        place = 2 if previous is None else int(_now(previous, resolved) != _now(last[message_id], resolved))
        counts[f"{year}-W{week:02}"][place] += 1
    return [Week(week, *cell) for week, cell in sorted(counts.items())]


def from_corrections(session: Session) -> Evaluation:
    """The classifier's best guesses on the newest messages that staff judged, as they stood before; a message
    without any guess counts as wrong."""
    newest = (
        select(func.max(Correction.id).label("id"))
        .where(Correction.field == Field.INTENT, Correction.undone_at.is_(None))
        .group_by(Correction.message_id)
        .order_by(func.max(Correction.id).desc())
        .limit(NEWEST)
        .subquery()
    )
    found = session.execute(
        select(Correction.value, Classification.alternatives)
        .join(newest, newest.c.id == Correction.id)
        .outerjoin(Classification, Classification.message_id == Correction.message_id)
        .order_by(Correction.id)
    )
    resolved = resolve_labels(session)
    rows: list[Row] = []
    said: list[tuple[str, ...]] = []
    confidence: list[float] = []
    for value, alternatives in found:
        first = alternatives[0] if alternatives else None
        rows.append(Row("", (_now(value, resolved),)))
        said.append((_now(str(first[0]), resolved),) if first else ())
        confidence.append(float(first[1]) if first else 0.0)
    sure = np.array(confidence)
    return judged(rows, Answers((), said, sure, np.zeros((len(rows), 0)), sure))


def _now(label: str | None, resolved: Mapping[str, str | None]) -> str:
    """The label that stands for this one now; one that was put away stays what it was."""
    return resolved.get(label or "") or label or ""
