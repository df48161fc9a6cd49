"""SMS through Twilio: each request made once, its fate said exactly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from core.errors import FrontdeskError
from outbound.channels.base import Letter, Outcome, Result
from outbound.channels.twiliowire import TextOrder, TwilioWire

LOST = Outcome(Result.UNTRIED, "the right to send it was lost")


class TwilioLine:
    """A line that needs no connection of its own, and asks once whether Twilio is there after it was not."""

    def __init__(self, wire: TwilioWire, ask: Callable[[TwilioWire, dict[str, Any]], Outcome]) -> None:
        self._wire = wire
        self._ask = ask
        self._doubtful = False
        self.ready = False

    async def open(self) -> None:
        """Nothing to do, unless the last request failed before it was taken. Raises as the wire's probe."""
        if self._doubtful:
            await asyncio.to_thread(self._wire.probe)
            self._doubtful = False
        self.ready = True

    async def send(self, letter: Letter, may_finish: Callable[[], bool]) -> Sequence[Outcome]:
        """Make one request, immediately after it was asked whether it may be made.

        Raises Unreachable or LoginRefused where it was certainly not taken.
        """
        order = json.loads(letter.data)
        if not may_finish():
            return [LOST]
        try:
            return [await asyncio.to_thread(self._ask, self._wire, order)]
        except FrontdeskError:
            self._doubtful, self.ready = True, False
            raise

    async def close(self) -> None:
        """There is nothing to close."""
        self.ready = False


def _text(wire: TwilioWire, order: dict[str, Any]) -> Outcome:
    return wire.text(TextOrder(**order))


class SmsChannel:
    """The way out for SMS."""

    lines = 2

    def __init__(self, wire: TwilioWire) -> None:
        self._wire = wire

    def line(self) -> TwilioLine:
        """Another line."""
        return TwilioLine(self._wire, _text)
