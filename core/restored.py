"""What a restored backup must not do: send again what was sent after the backup was made."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

REASON = "restored from a backup: it may have been sent after the backup was made"

_HOLD = sa.text("""
with held as (
    update delivery set state = 'uncertain', error = :reason, settled_at = now(), lease_until = null
    where state in ('held', 'queued', 'claimed', 'transmitting', 'deferred')
    returning id
), logged as (
    insert into delivery_event (delivery_id, state, detail) select id, 'uncertain', :reason from held
)
select count(*) from held
""")


def hold_deliveries(session: Session) -> int:
    """Make every delivery that was on its way out uncertain, for a person to decide; returns how many.

    This crosses the table of states (`core.outbox.TRANSITIONS`) on purpose: what lies between the backup and
    now is not on record.
    """
    if session.scalar(sa.text("select to_regclass('delivery')")) is None:
        return 0
    return int(session.scalar(_HOLD, {"reason": REASON}) or 0)
