"""What a telephone exchange told us, each thing once: from a webhook or from a list we asked for.

An event is committed under its key before the webhook is answered. Webhooks come late, twice, out of order or
not at all, so a key names the fact and not the request: a list that is read later gives the same key, and the
fact stays one row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.bulk import storable
from core.db import Base, Id
from core.errors import Conflict


class EventKind(StrEnum):
    """What an event speaks of."""

    CALL = "call"
    """A leg came into a state."""
    STEP = "step"
    """A caller, or a colleague who was rung, came to a step of our plan."""
    RECORDING = "recording"
    SMS_IN = "sms_in"
    SMS_OUT = "sms_out"
    """An SMS of ours came into a state."""
    TRANSCRIPT = "transcript"
    """Words that were said in a call, as the exchange heard them."""


class EventState(StrEnum):
    """Where an event stands."""

    STORED = "stored"
    APPLIED = "applied"
    IGNORED = "ignored"
    """It changes nothing here; ``reason`` says why."""
    QUARANTINED = "quarantined"
    """It failed three times; a person decides."""


TRANSITIONS: dict[EventState, frozenset[EventState]] = {
    EventState.STORED: frozenset({EventState.APPLIED, EventState.IGNORED, EventState.QUARANTINED}),
    EventState.QUARANTINED: frozenset({EventState.STORED, EventState.IGNORED}),
    EventState.APPLIED: frozenset(),
    EventState.IGNORED: frozenset({EventState.STORED}),
}
"""Which state may follow which; "run again" leads back to stored."""

MAX_ATTEMPTS = 3
APPLY = "inbound.phone"
"""The job that applies what is stored."""


class PhoneEvent(Base):
    """One fact an exchange told us of a call, a recording or an SMS."""

    __tablename__ = "phone_event"
    __table_args__ = (
        Index("ix_phone_event_stored", "id", postgresql_where=text("state = 'stored'")),
        Index("ix_phone_event_quarantined", "id", postgresql_where=text("state = 'quarantined'")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    """Names the fact: ``twilio:call:CA…:completed``."""
    provider: Mapped[str] = mapped_column(Text)
    kind: Mapped[EventKind]
    subject: Mapped[str] = mapped_column(Text, index=True)
    """The provider's id of the leg, recording or message it speaks of."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What it says, in our own words; see `Told`."""
    raw: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What came, as it came."""
    source: Mapped[str] = mapped_column(Text)
    """``webhook`` or ``list``: how it first reached us."""
    state: Mapped[EventState] = mapped_column(default=EventState.STORED)
    reason: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as an adapter reads it.

    Names in ``facts``, all optional: ``call`` (id of the caller's leg), ``parent``, ``status``, ``direction``
    (``in``, ``out``), ``caller``, ``called``, ``at`` (ISO 8601), ``seconds``, ``cause``, ``step``, ``input``,
    ``text``, ``parts``, ``error``, ``staff_id``, ``language``, ``topic``, ``rings`` (ids of colleagues),
    ``transcript``, ``position``, ``speaker``, ``confidence``.
    """

    key: str
    provider: str
    kind: EventKind
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    source: str = "webhook"


def keep(session: Session, events: Sequence[Told]) -> list[int]:
    """Store events in the caller's transaction; returns the ids of those whose keys were new."""
    if not events:
        return []
    # In the order of the keys, so that two webhooks at once never wait for each other.
    rows = {
        one.key: {
            "key": one.key,
            "provider": one.provider,
            "kind": one.kind.value,
            "subject": one.subject,
            "facts": _clean(one.facts),
            "raw": _clean(one.raw),
            "source": one.source,
        }
        for one in sorted(events, key=lambda told: told.key)
    }
    return list(session.scalars(_KEEP, {"rows": json.dumps(list(rows.values()))}))


_KEEP: Final = text("""
insert into phone_event (key, provider, kind, subject, facts, raw, source, state, attempts)
select key, provider, kind, subject, facts, raw, source, 'stored', 0
from jsonb_to_recordset(cast(:rows as jsonb))
  as told(key text, provider text, kind text, subject text, facts jsonb, raw jsonb, source text)
on conflict (key) do nothing
returning id
""")
"""One statement for one event and for a page of them: a webhook waits for little else."""


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """What PostgreSQL can hold: no zero characters, no halves of surrogate pairs."""
    return {
        storable(name): storable(value) if isinstance(value, str) else value for name, value in values.items()
    }


def waiting(session: Session, limit: int = 200) -> list[PhoneEvent]:
    """Take stored events, oldest first; other workers pass them by until this transaction ends."""
    query = (
        select(PhoneEvent)
        .where(PhoneEvent.state == EventState.STORED)
        .order_by(PhoneEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def settle(event: PhoneEvent, state: EventState, reason: str | None = None) -> None:
    """Bring a stored event into its last state."""
    if state not in TRANSITIONS[EventState(event.state)]:
        raise Conflict(f"An event that is {event.state} cannot become {state}.")
    event.state = state
    event.reason = reason
    event.error = None
    event.settled_at = func.now()


def count_failure(session: Session, event_id: int, error: str) -> bool:
    """Count one failed attempt; True when it was the last and the event is now quarantined."""
    state = session.execute(
        update(PhoneEvent)
        .where(PhoneEvent.id == event_id, PhoneEvent.state == EventState.STORED)
        .values(
            attempts=PhoneEvent.attempts + 1,
            error=error[:500],
            state=text(f"case when attempts + 1 >= {MAX_ATTEMPTS} then 'quarantined' else state end"),
        )
        .returning(PhoneEvent.state)
    ).scalar_one_or_none()
    return state == EventState.QUARANTINED


def run_again(session: Session, event_id: int) -> None:
    """Give a quarantined or ignored event another three attempts. Raises Conflict when it is neither."""
    done = session.execute(
        update(PhoneEvent)
        .where(
            PhoneEvent.id == event_id,
            PhoneEvent.state.in_(
                [state for state, after in TRANSITIONS.items() if EventState.STORED in after]
            ),
        )
        .values(state=EventState.STORED, attempts=0, error=None, reason=None, settled_at=None)
        .returning(PhoneEvent.id)
    ).first()
    if done is None:
        raise Conflict("That event is neither quarantined nor ignored.")


def counts(session: Session) -> dict[str, int]:
    """How many events are in each state; every state is named, also at nought."""
    found = dict(session.execute(select(PhoneEvent.state, func.count()).group_by(PhoneEvent.state)).all())
    return {state.value: found.get(state, 0) for state in EventState}
