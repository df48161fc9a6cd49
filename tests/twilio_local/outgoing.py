"""A company whose telephone calls and writes: its desk, its dispatchers, a local Twilio over a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Channel, Contact, ContactPoint
from core.clock import now
from core.config import Settings
from core.context import Context
from core.outbox import Delivery, Draft
from core.phoneorders import PhoneOrder
from core.staff import StaffMember
from inbound import reconcile
from inbound.twilioapi import TwilioApi
from outbound import phonejobs
from outbound.channels.twiliowire import TwilioWire
from tests.twilio_local.api import Api, serving
from tests.twilio_local.creating import Creator
from tests.twilio_local.house import OWNER, PhoneHouse, phone_house, phone_settings

AT_ANY_HOUR = {
    "automatic_from": "00:00",
    "automatic_until": "23:59:59",
    "automatic_days": [1, 2, 3, 4, 5, 6, 7],
}


@dataclass
class Outgoing:
    """The company, and what it asks Twilio for."""

    house: PhoneHouse
    api: Api
    context: Context
    patience: float

    @property
    def creator(self) -> Creator:
        """What Twilio was asked to create."""
        return self.api.creator

    def send(self, channel: Channel, seconds: float = 120.0) -> None:
        """Send whatever is due on a channel, for so long at most."""
        settings = self.context.settings.twilio
        assert settings is not None
        way_out = phonejobs.CHANNELS[channel](TwilioWire(settings, self.patience))
        runner = phonejobs.dispatcher(self.context, channel, way_out, per_minute=0, first_wait=0.01)
        stop = threading.Event()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        asyncio.run(runner.main(stop, until_idle=True))
        timer.cancel()

    def send_all(self, channel: Channel, times: int = 30) -> None:
        """The same until nothing waits, whatever was put off meanwhile."""
        for _ in range(times):
            self.now(channel)
            self.send(channel)
            if not {"queued", "deferred"} & {
                str(one.state) for one in self.deliveries() if one.channel == channel
            }:
                return

    def now(self, channel: Channel) -> None:
        """Let what waits be due at once."""
        with self.context.transaction() as session:
            waiting = [outbox.DeliveryState.QUEUED, outbox.DeliveryState.DEFERRED]
            session.execute(
                update(Delivery)
                .where(Delivery.channel == channel, Delivery.state.in_(waiting))
                .values(due_at=text("now()"))
            )

    def told(self, **how: Any) -> None:
        """Post what waits to be told, and apply it."""
        self.house.exchange.deliver(**how)
        self.house.work()

    def reconcile(self) -> None:
        """Ask Twilio what it holds, and apply it."""
        settings = self.context.settings.twilio
        assert settings is not None
        reconcile.reconcile(self.context, TwilioApi(settings))
        self.house.work()

    def queue(self, *drafts: Draft) -> None:
        """Queue drafts."""
        with self.context.transaction() as session:
            outbox.queue_many(session, drafts)

    def deliveries(self) -> list[Delivery]:
        """Every delivery, in order."""
        with self.context.transaction() as session:
            found = list(session.scalars(select(Delivery).order_by(Delivery.id)))
            session.expunge_all()
            return found

    def states(self) -> list[str]:
        """The state of every delivery, in order."""
        return [str(one.state) for one in self.deliveries()]

    def orders(self) -> list[PhoneOrder]:
        """Every order, in order."""
        with self.context.transaction() as session:
            found = list(session.scalars(select(PhoneOrder).order_by(PhoneOrder.id)))
            session.expunge_all()
            return found


def contact_of(session: Session, number: str) -> Contact:
    """The first contact with a number."""
    query = select(Contact).join(ContactPoint).where(ContactPoint.value == number).order_by(Contact.id)
    return session.scalars(query).unique().first() or Contact()


def owner(session: Session) -> StaffMember:
    """Who owns the client's deal."""
    return session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()


def settings_with(
    folder: Path, dialling: Mapping[str, Any], phone: Mapping[str, Any] | None = None, **twilio: Any
) -> Settings:
    """Settings of the company with rules of its own for what goes out."""
    settings = phone_settings(folder, phone, **twilio)
    rules = type(settings.dialling).model_validate({**AT_ANY_HOUR, **dialling})
    return settings.model_copy(update={"dialling": rules})


@contextmanager
def outgoing(
    engine: sa.Engine,
    folder: Path,
    *,
    dialling: Mapping[str, Any] | None = None,
    phone: Mapping[str, Any] | None = None,
    patience: float = 5.0,
) -> Iterator[Outgoing]:
    """The company over a database of its own, while the block lasts."""
    settings = settings_with(folder, dialling or {}, phone)
    with phone_house(engine, settings) as house, serving(house.exchange) as api:
        house.exchange.clock = now().replace(microsecond=0)
        house.context = Context(settings_with(folder, dialling or {}, phone, api_base=api.base), engine)
        yield Outgoing(house, api, house.context, patience)
