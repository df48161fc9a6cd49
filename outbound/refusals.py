"""Addresses that servers refuse while we speak to them: closed at once where that is sure, else by count."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from core import consent, repeatedbounces, sequences_stops
from core.accounts import Channel
from core.bouncecauses import of_refusal
from core.consent import Scope, SuppressionReason
from core.outbox import Delivery
from core.outbox_pages import Claimed
from core.sequences import StopReason
from outbound.channels.base import Outcome, Result


def close(session: Session, channel: Channel, refused: Iterable[tuple[Claimed, Outcome]]) -> None:
    """Put addresses on the suppression list, in the transaction that has just settled their deliveries."""
    for one, outcome in refused:
        scope = Scope.EVERYTHING if outcome.hard else _given_up(session, one, outcome)
        if scope is None:
            continue
        consent.suppress(
            session,
            channel,
            one.address,
            scope=scope,
            reason=SuppressionReason.UNSUBSCRIBED if outcome.opted_out else SuppressionReason.BOUNCED,
            source=f"delivery {one.id}: {outcome.reply}"[:300],
        )
        if channel is Channel.EMAIL and one.contact_id is not None:
            sequences_stops.stop_for_contacts(session, [one.contact_id], StopReason.BOUNCE)


def _given_up(session: Session, one: Claimed, outcome: Outcome) -> Scope | None:
    """What this refusal stops together with those before it."""
    class_ = of_refusal(outcome.reply) if outcome.result is Result.REFUSED else None
    if class_ is None:
        return None
    return repeatedbounces.judge(session, session.get_one(Delivery, one.id), class_)
