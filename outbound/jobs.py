"""Background work of this room: dispatcher, follow-ups, mailings, the sweep over dead workers' letters."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial

import structlog

from core import notices, outbox_pages, phoneorders
from core.context import Context
from core.jobkinds import Registry, Service
from outbound import campaigns, faxjobs, phonejobs, sequences
from outbound.channels.smtp import SmtpChannel
from outbound.dispatch import Dispatcher

QUEUE = "outbound"
registry = Registry()


def services(context: Context) -> Iterable[Service]:
    """In every worker that serves the queue: the looks at follow-ups and mailings, one dispatcher for mail
    where the settings name a relay, one for faxes where they name a gateway as well, and those of the
    telephone where they name one.
    """
    steps = [
        Service("follow-ups", QUEUE, partial(sequences.run, context)),
        Service("mailings", QUEUE, partial(campaigns.run, context)),
    ]
    relay = context.settings.relay
    if relay is None:
        structlog.get_logger(__name__).info("nothing is sent: the settings name no relay")
        return [*steps, *phonejobs.services(context, QUEUE)]

    def dispatch(stop: threading.Event) -> None:
        Dispatcher(
            context,
            SmtpChannel(relay, context.settings.limits),
            rate_per_minute=relay.rate_per_minute,
            subject=f"{relay.host}:{relay.port}",
        ).run(stop)

    mail = Service("dispatcher", QUEUE, dispatch)
    return [*steps, mail, *faxjobs.services(context, QUEUE), *phonejobs.services(context, QUEUE)]


@registry.job("outbound.sweep", queue=QUEUE, periodic="* * * * *")
def sweep(context: Context) -> None:
    """Settle what dead workers held and what ran out of time; keep the alarm about uncertain sends true.

    Dispatchers sweep as well; this one works where none runs.
    """
    with context.transaction() as session:
        outbox_pages.sweep(session)
        outbox_pages.expire(session)
        phoneorders.settle_known(session)
        if not context.settings.phone.fax_gateway:
            faxjobs.call_off(session)
        open_ones = outbox_pages.uncertain(session, limit=1000)
        if open_ones:
            notices.raise_alarm(session, "sends_uncertain", "outbox", str(len(open_ones)))
        else:
            notices.clear_alarm(session, "sends_uncertain", "outbox")
