"""The dispatcher of faxes, where a gateway is set; where none is, faxes of follow-ups are called off."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Channel
from core.context import Context
from core.jobkinds import Service
from core.outbox import WAITING, Delivery, DeliveryState
from outbound.channels.base import Channel as WayOut
from outbound.channels.smtp import SmtpChannel
from outbound.dispatch import Dispatcher
from outbound.faxcompose import FaxComposer
from outbound.mailingtexts import catalogue_of
from outbound.phonegate import PhoneGate

AT_ONCE: Final = 500
NO_GATEWAY: Final = "no gateway for faxes is set"


def dispatcher(context: Context, way_out: WayOut, *, per_minute: int = 0) -> Dispatcher:
    """The dispatcher of faxes. Raises ConfigurationError where the settings name no relay or no gateway."""
    return Dispatcher(
        context,
        way_out,
        composer=FaxComposer(context.settings, catalogue_of(context)),
        rate_per_minute=per_minute,
        subject="fax gateway",
        way=Channel.FAX,
        gate=PhoneGate(context.settings, Channel.FAX),
    )


def services(context: Context, queue: str) -> Iterable[Service]:
    """The dispatcher, where the settings name a relay and a gateway."""
    relay = context.settings.relay
    if relay is None or not context.settings.phone.fax_gateway:
        return []

    def dispatch(stop: threading.Event) -> None:
        way_out = SmtpChannel(relay, context.settings.limits)
        dispatcher(context, way_out, per_minute=relay.rate_per_minute).run(stop)

    return [Service("dispatcher-fax", queue, dispatch)]


def call_off(session: Session) -> int:
    """Call off the faxes that wait for a gateway that nobody has set; returns how many."""
    query = select(Delivery.id).where(Delivery.channel == Channel.FAX, Delivery.state.in_(WAITING))
    waiting = session.scalars(query.order_by(Delivery.id).limit(AT_ONCE)).all()
    for number in waiting:
        outbox.settle(session, number, DeliveryState.CANCELLED, detail=NO_GATEWAY)
    return len(waiting)
