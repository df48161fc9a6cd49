"""How much one contact gets: one limit over all senders and channels, for follow-ups and mailings alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.outbox import DeliveryState, Purpose

UNSENT = (DeliveryState.CANCELLED, DeliveryState.SUPPRESSED, DeliveryState.EXPIRED, DeliveryState.REFUSED)
"""What never reached anybody takes no place in the budget."""
COUNTED = (Purpose.SERVICE, Purpose.MARKETING)
"""What a person writes by hand is never counted against what goes out by itself."""
_TOUCHES = text("""
select contact_id, due_at as at, purpose = any(:counted) from delivery
where contact_id = any(:contacts) and due_at > :since and state <> all(:unsent)
union all
select contact_id, max(started_at), false from call
where contact_id = any(:contacts) and direction = 'out' and started_at > :since and started_at <= :now
group by contact_id
order by at
""").bindparams(counted=[one.value for one in COUNTED], unsent=[one.value for one in UNSENT])
"""An array of ids costs the same however many they are; a list of parameters does not."""
_LOCK = text("select pg_advisory_xact_lock(7271, 60001)")


@dataclass(frozen=True, slots=True)
class Budget:
    """So many letters, messages and calls by machine to one contact in so many days."""

    touches: int = 3
    days: int = 7

    def frees_at(self, touches: Sequence[datetime], now: datetime) -> datetime | None:
        """When the next may go to somebody who got these, oldest first; None when it may go now."""
        window = timedelta(days=self.days)
        within = [at for at in touches if at + window > now]
        if len(within) < self.touches:
            return None
        return within[len(within) - self.touches] + window


@dataclass(slots=True)
class Touches:
    """What went to some contacts lately."""

    counted: dict[int, list[datetime]] = field(default_factory=dict)
    """By contact, oldest first, within the budget's window: what the budget counts."""
    last: dict[int, datetime] = field(default_factory=dict)
    """By contact: the last of anything, a colleague's own letters and calls included."""

    def add(self, contact_id: int, at: datetime) -> None:
        """Something was queued just now."""
        self.counted.setdefault(contact_id, []).append(at)
        self.last[contact_id] = at


def touches(session: Session, contact_ids: Collection[int], now: datetime, budget: Budget) -> Touches:
    """What went, or is queued to go, to some contacts within the budget's window.

    Takes a lock until the transaction ends, so that two pages that are decided at once (a mailing and the
    follow-ups) see each other's letters; take it after any lock on rows.
    """
    session.execute(_LOCK)
    found = Touches()
    if not contact_ids:
        return found
    since = now - timedelta(days=budget.days)
    given = {"contacts": list(contact_ids), "since": since, "now": now}
    for contact_id, at, counts in session.execute(_TOUCHES, given):
        found.last[contact_id] = at
        if counts:
            found.counted.setdefault(contact_id, []).append(at)
    return found
