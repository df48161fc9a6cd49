"""How often the classifier was right, from what staff said of real messages: by week and as a whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier.answers import Answers
from classifier.dataset import Row
from classifier.evaluation import Evaluation, judged
from core.conversations import Message
from core.labels import Classification, Correction, Field, corrections_in_force


def by_week(session: Session) -> list[tuple[str, float, int]]:
    """(ISO week, share right, messages) of messages whose intent a person confirmed or corrected, oldest
    first.

    A message counts by its first judgement: what the classifier had said before anybody touched it.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for happened, previous, value in _first_judgements(session):
        year, week, _ = happened.isocalendar()
        cell = counts[f"{year}-W{week:02}"]
        cell[0] += previous == value
        cell[1] += 1
    return [(week, right / total, total) for week, (right, total) in sorted(counts.items())]


def from_corrections(session: Session) -> Evaluation:
    """The classifier's answers on messages that staff judged, as they stood before; silence counts as
    wrong."""
    rows: list[Row] = []
    said: list[tuple[str, ...]] = []
    confidence: list[float] = []
    known = {
        item.message_id: item
        for item in session.scalars(select(Classification).where(Classification.reviewed_at.is_not(None)))
    }
    for correction, message in corrections_in_force(session):
        item = known.get(message.id)
        first = item.alternatives[0] if item is not None and item.alternatives else None
        rows.append(Row(message.reply or message.text, (correction.value or "",)))
        said.append((str(first[0]),) if first else ())
        confidence.append(float(first[1]) if first else 0.0)
    sure = np.array(confidence)
    answers = Answers((), said, sure, np.zeros((len(rows), 0)), sure)
    return judged(rows, answers)


def _first_judgements(session: Session) -> list[tuple[datetime, str | None, str | None]]:
    found = session.execute(
        select(Correction.message_id, Message.happened_at, Correction.previous, Correction.value)
        .join(Message, Message.id == Correction.message_id)
        .where(Correction.field == Field.INTENT, Correction.undone_at.is_(None))
        .order_by(Correction.id)
    )
    first: dict[int, tuple[datetime, str | None, str | None]] = {}
    for message_id, happened, previous, value in found:
        first.setdefault(message_id, (happened, previous, value))
    return list(first.values())
