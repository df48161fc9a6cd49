"""How a message was understood, what staff corrected, and which version of the classifier is in force."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.conversations import Message
from core.db import Base, Id
from core.errors import IllegalTransition, InputRefused, NotFound
from core.intents import INTENT_NAMES, SIGNAL_NAMES, URGENCY_NAMES, Intent, Signal, Urgency, intent_name

__all__ = [
    "INTENT_NAMES",
    "SIGNAL_NAMES",
    "URGENCY_NAMES",
    "Classification",
    "ClassifierVersion",
    "Correction",
    "Field",
    "Intent",
    "IntentLabel",
    "LabelExample",
    "Signal",
    "Urgency",
    "VersionState",
    "activate",
    "active_version",
    "correct",
    "corrections_in_force",
    "held_out",
    "intent_name",
    "keep_said",
    "newest_corrections",
    "resolve_labels",
    "undo",
]

HELD_OUT_SHARE = 5
"""Every so many corrected messages one is kept for judging and never trained on."""


class Field(StrEnum):
    """What of a classification was corrected."""

    INTENT = "intent"
    URGENCY = "urgency"
    SIGNAL = "signal"
    LANGUAGE = "language"
    INTEREST_ADDED = "interest_added"
    INTEREST_REMOVED = "interest_removed"


OF_PRODUCTS = frozenset({Field.INTEREST_ADDED, Field.INTEREST_REMOVED})

BY_STAFF = "staff"
"""The reason of a product that a person added to a message."""


class VersionState(StrEnum):
    """Where a version of the classifier stands."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"
    REFUSED = "refused"


VERSION_TRANSITIONS: dict[VersionState, frozenset[VersionState]] = {
    VersionState.CANDIDATE: frozenset({VersionState.ACTIVE, VersionState.REFUSED}),
    VersionState.ACTIVE: frozenset({VersionState.RETIRED}),
    VersionState.RETIRED: frozenset({VersionState.ACTIVE}),
    VersionState.REFUSED: frozenset({VersionState.ACTIVE}),
}
"""A refused version may still be put in force, but only by a person's decision."""


class Classification(Base):
    """How the classifier understood one message; what a person says of it is in `Correction`."""

    __tablename__ = "classification"
    __table_args__ = (Index("ix_classification_review", "abstained", "reviewed_at", "confidence"),)

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    language: Mapped[str | None] = mapped_column(Text)
    intent: Mapped[str | None] = mapped_column(Text)
    """None while the classifier is not sure."""
    confidence: Mapped[float] = mapped_column(default=0.0)
    alternatives: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    """``[[intent, probability], …]``, best first."""
    urgency: Mapped[Urgency] = mapped_column(default=Urgency.NORMAL)
    signal: Mapped[Signal] = mapped_column(default=Signal.NONE)
    interests: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    """``[[product key, confidence, reason], …]``"""
    reasons: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    """``[{"kind": …, "text": …, "weight": …}, …]``"""
    abstained: Mapped[bool] = mapped_column(default=False)
    model_version: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    reviewed_at: Mapped[datetime | None]
    """When a person confirmed or corrected the intent."""


class Correction(Base):
    """What a person said a message means; a training row with who and when."""

    __tablename__ = "correction"
    __table_args__ = (Index("ix_correction_training", "field", "made_at"),)

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    field: Mapped[Field]
    previous: Mapped[str | None] = mapped_column(Text)
    """What stood there before; for a product ``[key, confidence, reason]`` as JSON, or None."""
    value: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text, default="", index=True)
    """Address or number that the message came from: no single sender may teach too much."""
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]
    allowed_at: Mapped[datetime | None]
    """When a leader said of an odd batch that it may teach all the same."""


class IntentLabel(Base):
    """An intent that the company added, renamed or merged into another."""

    __tablename__ = "intent_label"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    description: Mapped[str] = mapped_column(Text, default="")
    """What belongs under it, in a sentence; used as an example while there are few."""
    merged_into: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)


class LabelExample(Base):
    """A text that the company gave as an example: from a file, an old mailbox folder or by hand."""

    __tablename__ = "label_example"

    id: Mapped[Id]
    intent: Mapped[str] = mapped_column(Text, index=True)
    subject: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(Text, default="")
    """File, folder or staff member it came from."""
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ClassifierVersion(Base):
    """One trained model, kept with how it was judged."""

    __tablename__ = "classifier_version"
    __table_args__ = (
        Index(
            "uq_classifier_version_active", "state", unique=True, postgresql_where=text("state = 'active'")
        ),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[VersionState] = mapped_column(default=VersionState.CANDIDATE)
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was put in force or refused."""
    model: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """As `classifier.store.dump` gives it; never unpickled."""
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    corrections: Mapped[int] = mapped_column(default=0)
    """How many corrections it was taught by."""
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    activated_at: Mapped[datetime | None]


def held_out(message_id: int) -> bool:
    """True for messages kept for judging: the same one in five for ever, whatever the version."""
    return zlib.crc32(str(message_id).encode()) % HELD_OUT_SHARE == 0


def correct(
    session: Session, message_id: int, field: Field, value: str | None, *, staff_id: int
) -> Correction:
    """Write down that this person says the message's field is `value`, and put that in force.

    Confirming what the classifier said is a correction to the same value: it teaches too.

    Raises:
        NotFound: no such message.
        InputRefused: the value is not one that the field can have.
    """
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound(f"There is no message {message_id}.")
    _check(field, value)
    known = session.scalar(select(Classification).where(Classification.message_id == message_id))
    if known is None:
        known = Classification(message_id=message_id, abstained=True, model_version="", interests=[])
        session.add(known)
    previous = _held(known, field, value)
    _put(known, field, value)
    if field is Field.INTENT:
        known.abstained = False
        known.confidence = 1.0
        known.reviewed_at = now()
    made = Correction(
        message_id=message_id,
        staff_id=staff_id,
        field=field,
        previous=previous,
        value=value,
        sender=message.sender,
    )
    session.add(made)
    session.flush()
    return made


def undo(session: Session, correction_id: int) -> None:
    """Take a correction back: it teaches no more, and the field returns to what it was before.

    Where something newer was said of the same, that stays in force.
    """
    made = session.get(Correction, correction_id)
    if made is None:
        raise NotFound(f"There is no correction {correction_id}.")
    if made.undone_at is not None:
        return
    made.undone_at = now()
    session.flush()
    known = session.scalar(select(Classification).where(Classification.message_id == made.message_id))
    if known is None:
        return
    said = _said(session, made)
    later = [one for one in said if one.id > made.id]
    if later:
        # What undoing the next one brings back is not the word that was just taken back.
        later[0].previous = made.previous
        session.flush()
        return
    if made.field in OF_PRODUCTS:
        without = [one for one in known.interests if one[0] != made.value]
        known.interests = [*without, *([json.loads(made.previous)] if made.previous else [])]
    else:
        setattr(known, made.field.value, _typed(made.field, made.previous))
    if made.field is Field.INTENT:
        known.abstained = made.previous is None and not said
        known.confidence = 1.0 if said else 0.0
        known.reviewed_at = said[-1].made_at if said else None
    session.flush()


def keep_said(session: Session, known: Classification) -> None:
    """Put in force again what people said of a message that was just understood anew; not its intent."""
    said = select(Correction).where(
        Correction.message_id == known.message_id,
        Correction.undone_at.is_(None),
        Correction.field != Field.INTENT,
    )
    for one in session.scalars(said.order_by(Correction.id)):
        _put(known, one.field, one.value)


def _said(session: Session, made: Correction) -> list[Correction]:
    """What in force was said of the same thing as this correction."""
    same = select(Correction).where(Correction.message_id == made.message_id, Correction.undone_at.is_(None))
    if made.field in OF_PRODUCTS:
        same = same.where(Correction.field.in_(OF_PRODUCTS), Correction.value == made.value)
    else:
        same = same.where(Correction.field == made.field)
    return list(session.scalars(same.order_by(Correction.id)))


def _held(known: Classification, field: Field, value: str | None) -> str | None:
    if field in OF_PRODUCTS:
        held = next((list(one) for one in known.interests if one[0] == value), None)
        return None if held is None else json.dumps(held, ensure_ascii=False)
    held = getattr(known, field.value)
    return None if held is None else str(held)


def _put(known: Classification, field: Field, value: str | None) -> None:
    if field not in OF_PRODUCTS:
        setattr(known, field.value, _typed(field, value))
        return
    without = [one for one in known.interests if one[0] != value]
    known.interests = [*without, *([[value, 1.0, BY_STAFF]] if field is Field.INTEREST_ADDED else [])]


def corrections_in_force(
    session: Session, field: Field = Field.INTENT
) -> Iterable[tuple[Correction, Message]]:
    """The latest correction of that field for each message, oldest message first, with the message."""
    newest = (
        select(func.max(Correction.id))
        .where(Correction.field == field, Correction.undone_at.is_(None))
        .group_by(Correction.message_id)
    )
    rows = session.execute(
        select(Correction, Message)
        .join(Message, Message.id == Correction.message_id)
        .where(Correction.id.in_(newest))
        .order_by(Correction.message_id)
    )
    return [(correction, message) for correction, message in rows]


def newest_corrections(
    session: Session, most: int, field: Field = Field.INTENT
) -> list[tuple[Correction, Message]]:
    """The same for the `most` messages of which something was said last, the newest correction last."""
    newest = (
        select(func.max(Correction.id).label("id"))
        .where(Correction.field == field, Correction.undone_at.is_(None))
        .group_by(Correction.message_id)
        .order_by(func.max(Correction.id).desc())
        .limit(most)
        .subquery()
    )
    rows = session.execute(
        select(Correction, Message)
        .join(newest, newest.c.id == Correction.id)
        .join(Message, Message.id == Correction.message_id)
        .order_by(Correction.id)
    )
    return [(correction, message) for correction, message in rows]


def resolve_labels(session: Session) -> dict[str, str | None]:
    """For each label that was merged or put away: the label that stands for it now, or None."""
    known = {label.key: label for label in session.scalars(select(IntentLabel))}
    resolved: dict[str, str | None] = {}
    for key, label in known.items():
        seen = {key}
        target: str | None = label.merged_into
        while target in known and known[target].merged_into and target not in seen:
            seen.add(target)
            target = known[target].merged_into
        if target is not None:
            resolved[key] = None if target in known and not known[target].active else target
        elif not label.active:
            resolved[key] = None
    return resolved


def active_version(session: Session) -> ClassifierVersion | None:
    """The version in force; None means the shipped model."""
    return session.scalar(select(ClassifierVersion).where(ClassifierVersion.state == VersionState.ACTIVE))


def activate(session: Session, version: ClassifierVersion, reason: str) -> None:
    """Put the version in force; the one before is kept as retired.

    Raises:
        IllegalTransition: it is in force already.
    """
    if VersionState.ACTIVE not in VERSION_TRANSITIONS[version.state]:
        raise IllegalTransition(f"Version {version.name} is already in force.")
    in_force = ClassifierVersion.state == VersionState.ACTIVE
    session.execute(update(ClassifierVersion).where(in_force).values(state=VersionState.RETIRED))
    version.state, version.reason, version.activated_at = VersionState.ACTIVE, reason, now()
    session.flush()


def _check(field: Field, value: str | None) -> None:
    kinds = {Field.URGENCY: Urgency, Field.SIGNAL: Signal}
    if field in kinds and value not in kinds[field].__members__.values():
        raise InputRefused(f"{value!r} is not a {field.value}.")
    if field is Field.LANGUAGE and value not in {"en", "ru", "lt", None}:
        raise InputRefused(f"{value!r} is not one of the languages en, ru, lt.")
    if field in {Field.INTENT, Field.INTEREST_ADDED, Field.INTEREST_REMOVED} and not value:
        raise InputRefused(f"A correction of {field.value} needs a value.")


def _typed(field: Field, value: str | None) -> str | None:
    if field is Field.URGENCY:
        return Urgency(value or Urgency.NORMAL)
    if field is Field.SIGNAL:
        return Signal(value or Signal.NONE)
    return value
