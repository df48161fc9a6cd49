"""Addresses that refuse again and again: given up by count and time, where no single report is sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bouncecauses import of_refusal
from core.bouncewords import BounceClass
from core.consent import Scope
from core.conversations import Direction, Message
from core.outbox import Delivery, DeliveryEvent, DeliveryState


class Patience(NamedTuple):
    """So many reports of one class, the first and the last so far apart, stop so much."""

    reports: int
    apart: timedelta
    scope: Scope


PATIENCE: Final = {
    BounceClass.INVALID: Patience(2, timedelta(days=1), Scope.EVERYTHING),
    BounceClass.FULL: Patience(3, timedelta(days=14), Scope.MARKETING),
    BounceClass.OTHER: Patience(4, timedelta(days=14), Scope.MARKETING),
}
"""The other classes speak of us, of the letter or of the day, and never of the address."""

COUNTED: Final = timedelta(days=180)
"""Older reports are forgotten."""

CAUSES: Final[Mapping[DeliveryState, Callable[[str], str | None]]] = {
    DeliveryState.BOUNCED: lambda detail: detail.split(" ", 1)[0],
    DeliveryState.REFUSED: of_refusal,
}
"""How the class is read from what the history of a delivery notes."""


def given_up(class_: BounceClass, reports: Sequence[datetime], heard: datetime | None = None) -> Scope | None:
    """What is to be stopped after these reports, or None; those before `heard` of it count no more."""
    patience = PATIENCE.get(class_)
    counted = [one for one in reports if heard is None or one > heard]
    if patience is None or len(counted) < patience.reports:
        return None
    return patience.scope if max(counted) - min(counted) >= patience.apart else None


def judge(session: Session, delivery: Delivery, class_: BounceClass) -> Scope | None:
    """The same for the address of a delivery that has just come back, or was refused in the dialogue."""
    if class_ not in PATIENCE:
        return None
    of_address = (
        select(DeliveryEvent.happened_at, DeliveryEvent.state, DeliveryEvent.detail)
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(Delivery.address_key == delivery.address_key, Delivery.channel == delivery.channel)
        .where(DeliveryEvent.happened_at > func.now() - COUNTED)
        .where(DeliveryEvent.state.in_((*CAUSES, DeliveryState.DELIVERED)))
    )
    reports: list[datetime] = []
    arrived: list[datetime] = []
    for happened_at, state, detail in session.execute(of_address):
        if state == DeliveryState.DELIVERED:
            arrived.append(happened_at)
        elif CAUSES[state](detail) == class_:
            reports.append(happened_at)
    return given_up(class_, reports, _heard(session, delivery, arrived))


def _heard(session: Session, delivery: Delivery, arrived: Sequence[datetime]) -> datetime | None:
    """When something last arrived there, or its owner last wrote."""
    wrote = None
    if delivery.contact_id is not None:
        wrote = session.scalar(
            select(func.max(Message.happened_at)).where(
                Message.contact_id == delivery.contact_id,
                Message.direction == Direction.IN,
                Message.sender == delivery.address,
            )
        )
    moments = [*arrived, *([wrote] if wrote is not None else [])]
    return max(moments, default=None)
