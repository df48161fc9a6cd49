"""Calls through Twilio: each placed once; what is said comes from our webhooks when it is answered."""

from __future__ import annotations

from typing import Any

from outbound.channels.base import Outcome
from outbound.channels.sms import TwilioLine
from outbound.channels.twiliowire import CallOrder, TwilioWire


def _call(wire: TwilioWire, order: dict[str, Any]) -> Outcome:
    return wire.call(CallOrder(**order))


class VoiceChannel:
    """The way out for calls."""

    lines = 2

    def __init__(self, wire: TwilioWire) -> None:
        self._wire = wire

    def line(self) -> TwilioLine:
        """Another line."""
        return TwilioLine(self._wire, _call)
