"""What a company's classifier is trained on, and how little any one sender or odd batch may change it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier.heads import Question
from classifier.sidelessons import (
    interest_question,
    signal_question,
    signals_taught,
    text_of,
    urgency_question,
)
from classifier.starter import Example, examples, letter_numbers
from classifier.text import Text, features_of, plain
from core.labels import (
    Correction,
    Field,
    IntentLabel,
    LabelExample,
    corrections_in_force,
    held_out,
    resolve_labels,
)

SENDER_SHARE = 0.01
"""No sender's messages make up more of the training rows than this."""

SENDER_LEAST = 3
"""So many rows of one sender are always allowed."""

ODD_SIZE = 15
"""A batch of corrections this large, by one person within `ODD_SPAN` and all to one label, is shown as
odd."""

ODD_SPAN = timedelta(hours=1)
ODD_SHARE = 0.9

CORRECTION_WEIGHT = 2.0
"""What a colleague's correction weighs beside a shipped letter."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training row: prepared text, label, how much it weighs, and where it comes from."""

    text: str
    label: str
    weight: float = 1.0
    sender: str = ""
    staff_id: int | None = None
    message_id: int | None = None
    made_at: datetime | None = None
    allowed: bool = False
    """A leader said that it may teach although its batch looks odd."""


@dataclass(frozen=True, slots=True)
class OddBatch:
    """Corrections that came too many, too alike and too fast; they teach nothing until a person allows
    them."""

    staff_id: int
    label: str
    since: datetime
    messages: tuple[int, ...]


@dataclass(slots=True)
class Material:
    """What to train on, what to judge by, and what was left out with the reason."""

    lessons: list[Lesson] = field(default_factory=list)
    judges: list[Lesson] = field(default_factory=list)
    odd: list[OddBatch] = field(default_factory=list)
    capped: dict[str, int] = field(default_factory=dict)
    """For each sender above the cap: how many rows were left out."""
    corrections: int = 0
    questions: list[Question] = field(default_factory=list)
    """What teaches the signal and the products."""


def gather(
    session: Session, *, allow_odd: bool = False, starter: Sequence[Example] | None = None
) -> Material:
    """Shipped letters, the company's examples, descriptions of its own labels and staff corrections,
    bounded."""
    resolved = resolve_labels(session)
    shipped = examples() if starter is None else starter
    rows = [Lesson(features_of(plain(example.text)), example.intent) for example in shipped]
    rows += [
        Lesson(features_of(plain(Text(one.subject, one.text))), one.intent, sender=one.sender)
        for one in session.scalars(select(LabelExample).order_by(LabelExample.id))
    ]
    rows += [
        Lesson(features_of(f"{' '.join(label.names.values())}. {label.description}"), label.key)
        for label in session.scalars(select(IntentLabel).order_by(IntentLabel.key))
        if label.description and label.active and label.merged_into is None
    ]
    corrected = corrections(session)
    made = Material(corrections=len(corrected))
    if not allow_odd:
        made.odd = odd_batches(corrected)
        refused = {message for batch in made.odd for message in batch.messages}
        corrected = [row for row in corrected if row.message_id not in refused]
    renamed = [row for row in (_renamed(one, resolved) for one in (*rows, *corrected)) if row is not None]
    made.judges = [row for row in renamed if row.message_id is not None and held_out(row.message_id)]
    taught = [row for row in renamed if row.message_id is None or not held_out(row.message_id)]
    made.lessons, made.capped = capped(taught)
    made.questions = [
        signal_question(shipped, letter_numbers(shipped), signals_taught(session)),
        interest_question(session, shipped),
        urgency_question(session, shipped),
    ]
    return made


def corrections(session: Session) -> list[Lesson]:
    """What staff said of messages' intents, one row a message."""
    return [
        Lesson(
            text_of(message),
            correction.value or "",
            CORRECTION_WEIGHT,
            message.sender.lower(),
            correction.staff_id,
            message.id,
            correction.made_at,
            correction.allowed_at is not None,
        )
        for correction, message in corrections_in_force(session)
    ]


def odd_now(session: Session) -> list[OddBatch]:
    """The batches of corrections that teach nothing until somebody allows them."""
    found = session.execute(
        select(Correction.message_id, Correction.value, Correction.staff_id, Correction.made_at).where(
            Correction.field == Field.INTENT, Correction.undone_at.is_(None), Correction.allowed_at.is_(None)
        )
    )
    return odd_batches(
        Lesson("", row.value or "", staff_id=row.staff_id, message_id=row.message_id, made_at=row.made_at)
        for row in found
    )


def capped(rows: Sequence[Lesson]) -> tuple[list[Lesson], dict[str, int]]:
    """The rows with each sender's newest only, up to the cap; and how many each sender lost."""
    limit = max(SENDER_LEAST, int(len(rows) * SENDER_SHARE))
    by_sender: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row.sender:
            by_sender[row.sender].append(number)
    dropped: set[int] = set()
    lost: dict[str, int] = {}
    for sender, numbers in by_sender.items():
        if len(numbers) > limit:
            lost[sender] = len(numbers) - limit
            dropped.update(numbers[: len(numbers) - limit])
    return [row for number, row in enumerate(rows) if number not in dropped], lost


def odd_batches(corrected: Iterable[Lesson]) -> list[OddBatch]:
    """Batches by one person within an hour that nearly all say the same label; allowed ones are not odd."""
    by_staff: dict[int, list[_Dated]] = defaultdict(list)
    for row in corrected:
        if row.allowed or row.staff_id is None or row.made_at is None or row.message_id is None:
            continue
        by_staff[row.staff_id].append(_Dated(row.made_at, row.message_id, row.label))
    found: list[OddBatch] = []
    for staff_id, rows in sorted(by_staff.items()):
        rows.sort(key=lambda row: (row.made_at, row.message_id))
        start = 0
        while start < len(rows):
            end = start
            while end < len(rows) and rows[end].made_at - rows[start].made_at <= ODD_SPAN:
                end += 1
            window = rows[start:end]
            label, count = Counter(row.label for row in window).most_common(1)[0]
            if count >= ODD_SIZE and count >= ODD_SHARE * len(window):
                alike = tuple(row.message_id for row in window if row.label == label)
                found.append(OddBatch(staff_id, label, window[0].made_at, alike))
                start = end
            else:
                start += 1
    return found


@dataclass(frozen=True, slots=True)
class _Dated:
    made_at: datetime
    message_id: int
    label: str


def _renamed(row: Lesson, resolved: dict[str, str | None]) -> Lesson | None:
    label = resolved.get(row.label, row.label)
    return replace(row, label=label) if label else None
