"""Which messages a person should look at first: those whose answer teaches the classifier most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from core.conversations import Conversation, Message
from core.labels import Classification, Correction, Field

PER_SENDER = 3
"""So many messages of one sender stand among those asked; the rest come after."""

LOOKED_AT = 2_000
RARE = 20
"""A label with fewer corrections than this is asked about sooner."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message waiting for a person: how sure the two best labels were, and who sent it."""

    message_id: int
    best: str
    first: float
    second: float
    sender: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A message to ask about, how much its answer should teach (0 to 2), and why it stands here."""

    message_id: int
    worth: float
    reason: str


def ordered(doubts: Sequence[Doubt], known: Counter[str]) -> list[Question]:
    """The doubts, most instructive first: close calls before clear ones, rare labels before common, at most
    `PER_SENDER` of a sender before everybody else was asked."""
    weighed: list[tuple[int, float, Doubt, str]] = []
    for doubt in doubts:
        margin = max(0.0, doubt.first - doubt.second)
        rare = max(0.0, 1.0 - known[doubt.best] / RARE)
        worth = (1.0 - margin) + 0.5 * rare + 0.5 * doubt.urgent
        reason = f"margin {margin:.2f}" + (f", few examples of {doubt.best}" if rare > 0.5 else "")
        weighed.append((0, worth, doubt, reason + (", urgent" if doubt.urgent else "")))
    weighed.sort(key=lambda item: (-item[1], item[2].message_id))
    asked: Counter[str] = Counter()
    placed: list[tuple[int, float, Doubt, str]] = []
    for _, worth, doubt, reason in weighed:
        turn = asked[doubt.sender] // PER_SENDER if doubt.sender else 0
        asked[doubt.sender] += 1
        placed.append((turn, worth, doubt, reason))
    placed.sort(key=lambda item: (item[0], -item[1], item[2].message_id))
    return [Question(doubt.message_id, round(worth, 3), reason) for _, worth, doubt, reason in placed]


def queue(session: Session, limit: int = 50, only: ColumnElement[bool] | None = None) -> list[Question]:
    """The messages to ask about now, most instructive first, of the newest `LOOKED_AT` that wait.

    `only` is a condition on Conversation: what the person who is asked may see.
    """
    rows = session.execute(
        select(Classification, Message.sender)
        .join(Message, Message.id == Classification.message_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Classification.abstained,
            Classification.reviewed_at.is_(None),
            true() if only is None else only,
        )
        .order_by(Classification.id.desc())
        .limit(LOOKED_AT)
    )
    doubts = [_doubt(item, sender) for item, sender in rows]
    known = Counter(
        value
        for value in session.scalars(
            select(Correction.value).where(Correction.field == Field.INTENT, Correction.undone_at.is_(None))
        )
        if value
    )
    return ordered(doubts, known)[:limit]


def _doubt(item: Classification, sender: str) -> Doubt:
    likely = [(str(label), float(chance)) for label, chance in item.alternatives[:2]]
    first = likely[0] if likely else ("", 0.0)
    second = likely[1][1] if len(likely) > 1 else 0.0
    return Doubt(item.message_id, first[0], first[1], second, sender, item.urgency.value == "high")
