"""The bare exchange of commands and replies on an open SMTP connection, several commands at a time."""

from __future__ import annotations

import asyncio
from collections import deque

from outbound.channels.base import Reply

LONGEST_LINE = 8192
LONGEST_REPLY = 65536
"""A server that talks more than this without being asked is not one we can follow."""


class Lost(Exception):
    """The connection is gone, or the server says what no SMTP server says."""


class Talk(asyncio.Protocol):
    """Replies arrive in the order of the commands (RFC 2920 section 3.1), however the network cuts them
    up.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost: str | None = None
        self.expected = 0
        """Replies that are still owed to us."""
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._flushed: asyncio.Future[None] | None = None
        self._full = False

    def adopt(self, transport: asyncio.Transport) -> None:
        """Take an open connection over."""
        self.transport = transport
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=262_144)

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into replies."""
        if self.expected <= 0:
            # Nobody asked: the server announces that it is closing (RFC 5321 section 3.8).
            self.drop("the server spoke unasked")
            return
        self._buffer += data
        if len(self._buffer) > LONGEST_REPLY or len(self._replies) > 1000:
            self.drop("the server's reply has no end")
            return
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if not self._take(line):
                self.drop("the server's reply is not SMTP")
                return
        if self._replies:
            self._wake()

    def _take(self, line: bytes) -> bool:
        code = line[:3]
        if len(line) > LONGEST_LINE or not code.isdigit() or line[3:4] not in (b" ", b"-", b""):
            return False
        self._lines.append(line[4:].decode("utf-8", "replace").strip())
        if sum(map(len, self._lines)) > LONGEST_REPLY:
            return False
        if line[3:4] != b"-":
            self._replies.append(Reply(int(code), "\n".join(self._lines)))
            self._lines = []
        return True

    def eof_received(self) -> bool:
        """The server closes."""
        self.drop("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.drop(f"the connection broke ({exc})" if exc else "the server closed the connection")

    def pause_writing(self) -> None:
        """The network is slower than we are."""
        self._full = True

    def resume_writing(self) -> None:
        """The network has caught up."""
        self._full = False
        if self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)

    def drop(self, why: str) -> None:
        """End the connection at once; replies that came whole stay readable."""
        if self.lost is None:
            self.lost = why
        if self.transport is not None:
            self.transport.abort()
        self._wake()
        self.resume_writing()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def write(self, data: bytes, replies: int) -> None:
        """Send bytes that will be answered by so many replies. Raises Lost."""
        if self.lost is not None or self.transport is None:
            raise Lost(self.lost or "there is no connection")
        if self.expected <= 0 and self._replies:
            self.drop("the server spoke unasked")
            raise Lost("the server spoke unasked")
        self.expected += replies
        self.transport.write(data)

    async def flushed(self) -> None:
        """Wait until the network took nearly all that was written. Raises Lost."""
        while self._full and self.lost is None:
            self._flushed = asyncio.get_running_loop().create_future()
            await self._flushed
        if self.lost is not None:
            raise Lost(self.lost)

    async def reply(self) -> Reply:
        """The next reply. Raises Lost when none will come."""
        while not self._replies:
            if self.lost is not None:
                raise Lost(self.lost)
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        self.expected -= 1
        return self._replies.popleft()
