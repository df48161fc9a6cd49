"""Dispatchers of the telephone: one for SMS and one for calls, in every worker that sends."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Final

from core.accounts import Channel
from core.context import Context
from core.jobkinds import Service
from outbound.channels.base import Channel as WayOut
from outbound.channels.sms import SmsChannel
from outbound.channels.twiliowire import TwilioWire
from outbound.channels.voice import VoiceChannel
from outbound.dispatch import Dispatcher
from outbound.mailingtexts import catalogue_of
from outbound.pace import PageSize
from outbound.phonecompose import PhoneComposer
from outbound.phonegate import PhoneGate

PER_MINUTE: Final = 60
"""Orders a minute: a number sends one SMS a second, an account places one call a second."""
FIRST_WAIT: Final = 15.0
"""Seconds before what Twilio was too busy for is asked again."""
CHANNELS: Final = {Channel.SMS: SmsChannel, Channel.VOICE: VoiceChannel}


def dispatcher(
    context: Context,
    channel: Channel,
    way_out: WayOut,
    *,
    per_minute: int = PER_MINUTE,
    first_wait: float = FIRST_WAIT,
) -> Dispatcher:
    """The dispatcher of SMS or of calls; a page is one order, so that an opt-out finds nothing prepared.

    Raises ConfigurationError where the settings name no number of ours.
    """
    return Dispatcher(
        context,
        way_out,
        composer=PhoneComposer(context.settings, channel, catalogue_of(context)),
        page=PageSize(most=1),
        rate_per_minute=per_minute,
        subject="Twilio",
        way=channel,
        gate=PhoneGate(context.settings, channel),
        first_wait=first_wait,
    )


def services(context: Context, queue: str) -> Iterable[Service]:
    """Both dispatchers, where the settings name a telephone with a number of ours."""
    settings = context.settings.twilio
    if settings is None or not settings.numbers:
        return []
    wire = TwilioWire(settings)

    def dispatch(channel: Channel, stop: threading.Event) -> None:
        dispatcher(context, channel, CHANNELS[channel](wire)).run(stop)

    return [Service(f"dispatcher-{one.value}", queue, partial(dispatch, one)) for one in CHANNELS]
