"""A dispatcher of SMS in a process of its own, to be killed: database, address of Twilio, folder."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from core import db
from core.accounts import Channel
from core.context import Context
from outbound.channels.sms import SmsChannel
from outbound.channels.twiliowire import TwilioWire
from outbound.dispatch import Dispatcher
from outbound.pace import PageSize
from outbound.phonecompose import PhoneComposer
from outbound.phonegate import PhoneGate
from tests.twilio_local.outgoing import settings_with

LEASE = timedelta(seconds=8)


def main(database_url: str, api_base: str, folder: str) -> None:
    """Send until told to stop."""
    settings = settings_with(Path(folder), {"sms_to_block_a_day": 1000}, api_base=api_base)
    assert settings.twilio is not None
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Dispatcher(
        Context(settings, db.make_engine(database_url)),
        SmsChannel(TwilioWire(settings.twilio, 5.0)),
        composer=PhoneComposer(settings, Channel.SMS),
        page=PageSize(most=1),
        way=Channel.SMS,
        gate=PhoneGate(settings, Channel.SMS),
        lease=LEASE,
        first_wait=0.1,
    ).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
