"""Numbers that cannot be reached again and again: given up by count and time, as addresses of mail are.

What Twilio is sure of in one report (`core.phonecodes`, no such number) closes a number at once and is not
counted here. Nobody at home, a busy line and a machine say nothing about a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bouncewords import BounceClass
from core.consent import Scope
from core.conversations import Direction, Message
from core.outbox import Delivery, DeliveryEvent, DeliveryState
from core.repeatedbounces import COUNTED, given_up

NO_SUCH: Final = "there is no such number"
UNREACHABLE: Final = "the number cannot be reached"

NO_SUCH_CAUSES: Final = frozenset({"404", "410", "484", "604"})
"""SIP answers that speak of the number: not found, gone, incomplete, exists nowhere (RFC 3261 section 21)."""

CLASSES: Final[Mapping[str, BounceClass]] = {
    NO_SUCH: BounceClass.INVALID,
    UNREACHABLE: BounceClass.OTHER,
    "30003": BounceClass.FULL,
    "30004": BounceClass.OTHER,
    "30008": BounceClass.OTHER,
}
"""How what a delivery's history notes begins, and which report of mail it is like: a telephone that is off
for weeks is like a mailbox that is full for weeks.
"""


def why_failed(cause: str | None) -> str:
    """What a call that failed says of its number, from the SIP answer where one was told."""
    return NO_SUCH if cause in NO_SUCH_CAUSES else UNREACHABLE


def class_of(detail: str) -> BounceClass | None:
    """The class of a report; None for one that says nothing of the number."""
    return next((class_ for begins, class_ in CLASSES.items() if detail.startswith(begins)), None)


def judge(session: Session, delivery: Delivery, detail: str) -> Scope | None:
    """What is to be stopped on the channel of a delivery that has just failed with that detail, or None.

    Reports before something last arrived there, or its owner last rang or wrote, count no more.
    """
    class_ = class_of(detail)
    if class_ is None:
        return None
    query = (
        select(DeliveryEvent.happened_at, DeliveryEvent.state, DeliveryEvent.detail)
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(Delivery.address_key == delivery.address_key, Delivery.channel == delivery.channel)
        .where(DeliveryEvent.happened_at > func.now() - COUNTED)
        .where(DeliveryEvent.state.in_([DeliveryState.BOUNCED, DeliveryState.DELIVERED]))
    )
    rows = session.execute(query).all()
    reports = [at for at, state, said in rows if state == DeliveryState.BOUNCED and class_of(said) == class_]
    heard = [at for at, state, _ in rows if state == DeliveryState.DELIVERED]
    if delivery.contact_id is not None:
        spoke = select(func.max(Message.happened_at)).where(
            Message.contact_id == delivery.contact_id,
            Message.direction == Direction.IN,
            Message.sender == delivery.address,
        )
        heard += [at for at in session.scalars(spoke) if at is not None]
    return given_up(class_, reports, max(heard, default=None))
