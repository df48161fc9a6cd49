"""A mail server on a bad day: it drops lines, refuses for now and for good, and counts what it takes."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections import Counter
from types import TracebackType

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)

DROP_AFTER_TAKING = 0.01
DROP_BEFORE_TAKING = 0.01
FOR_NOW = 0.02
FOR_GOOD = 0.005


class BadDayRelay:
    """An SMTP server in a thread of its own; ``taken`` counts each Message-ID it accepted."""

    def __init__(self, seed: int) -> None:
        self.taken: Counter[str] = Counter()
        self.refused: set[str] = set()
        """Message-IDs it said a final no to."""
        self.dropped_after: set[str] = set()
        """Message-IDs it took and then hung up without saying so."""
        self.port = 0
        self._chance = random.Random(seed)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self) -> BadDayRelay:
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: SMTP(self, hostname="relay.test"), "127.0.0.1", 0)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take the letter, or not, as chance has it."""
        found = MESSAGE_ID.search(bytes(envelope.content or b""))
        message_id = found[1].decode() if found else ""
        draw = self._chance.random()
        if draw < DROP_BEFORE_TAKING:
            return self._hang_up(server)
        if draw < DROP_BEFORE_TAKING + FOR_NOW:
            return "451 4.3.2 Busy, try again"
        if draw < DROP_BEFORE_TAKING + FOR_NOW + FOR_GOOD:
            self.refused.add(message_id)
            return "550 5.7.1 Not wanted"
        self.taken[message_id] += 1
        if draw > 1 - DROP_AFTER_TAKING:
            self.dropped_after.add(message_id)
            return self._hang_up(server)
        return "250 2.0.0 Taken"

    def _hang_up(self, server: SMTP) -> str:
        if server.transport is not None:
            server.transport.abort()
        return "421 4.3.0 Gone"
