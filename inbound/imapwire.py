"""An IMAP connection that never waits longer than it was told: the bytes under IMAPClient, with deadlines."""

from __future__ import annotations

import imaplib
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from imapclient import IMAPClient

from core.errors import FrontdeskError, Unreachable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LONGEST_LINE: Final = 1_000_000
"""Bytes of one response line; imaplib's own bound."""

LONGEST_LITERAL: Final = 128_000_000
"""Bytes of one literal (RFC 3501 section 4.3) that we make room for."""

SLICE: Final = 1.0
"""Seconds after which a waiting read looks at its deadline and at the order to stop."""


class Disconnected(Unreachable):
    """The mail server closed the connection or broke its protocol."""


class TooSlow(Unreachable):
    """The mail server took longer over one operation than it is given."""


class InsecureServer(FrontdeskError):
    """The mail server does not offer the protection that was asked for, so nothing was sent to it."""

    cure = "Check host, port, security and ca_file of the mailbox; the password was not sent."
    retryable = True


class Stopped(FrontdeskError):
    """The work was told to stop."""


class Wire(imaplib.IMAP4):
    """imaplib over a connected socket, reading through its own buffer.

    A socket's timeout counts each `recv`, so a server that drips one byte a second is never caught by it;
    `within` bounds a whole operation, however many reads it takes.
    """

    def __init__(self, host: str, port: int, connected: socket.socket, stop: threading.Event) -> None:
        self._connected = connected
        self._buffer = bytearray()
        self._stop = stop
        self._until = float("inf")
        connected.settimeout(SLICE)
        with self.within(60.0):
            super().__init__(host, port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the socket that is connected already."""
        self.host, self.port, self.sock = host, port, self._connected

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the operations inside so many seconds together. They raise TooSlow or Stopped."""
        before, self._until = self._until, min(self._until, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._until = before

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        if size > LONGEST_LITERAL:
            raise Disconnected(f"The mail server announced {size} bytes at once.")
        if len(self._buffer) >= size:
            return self._take(size)
        whole = bytearray(size)
        have = len(self._buffer)
        whole[:have] = self._buffer
        self._buffer.clear()
        view = memoryview(whole)
        while have < size:
            have += self._receive_into(view[have:])
        return bytes(whole)

    def readline(self) -> bytes:
        """One line with its end."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST_LINE:
                raise Disconnected("The mail server sent an endless line.")
            piece = bytearray(65_536)
            count = self._receive_into(memoryview(piece))
            self._buffer += memoryview(piece)[:count]
        return self._take(end + 1)

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def _receive_into(self, view: memoryview) -> int:
        while True:
            if time.monotonic() > self._until:
                raise TooSlow
            if self._stop.is_set():
                raise Stopped
            try:
                count = self.sock.recv_into(view)
            except TimeoutError:
                continue
            except OSError as error:
                raise Disconnected(f"The line to the mail server broke: {error}.") from error
            if not count:
                raise Disconnected
            return count

    def send(self, data: ReadableBuffer) -> None:
        """Send all of it."""
        self.sock.settimeout(max(0.1, min(self._until - time.monotonic(), 60.0)))
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Disconnected(f"The line to the mail server broke: {error}.") from error
        finally:
            self.sock.settimeout(SLICE)

    def shutdown(self) -> None:
        """Close the connection without a word."""
        self.sock.close()

    def wait_for_news(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Wait until the server says something; False when it kept silent so long or we are to stop."""
        until = time.monotonic() + seconds
        while not self._buffer and not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            left = until - time.monotonic()
            if left <= 0 or self._stop.is_set() or (wake is not None and wake.is_set()):
                return False
            if select.select([self.sock], [], [], min(left, 0.5))[0]:
                return True
        return True

    def start_tls(self, context: ssl.SSLContext) -> None:
        """STARTTLS (RFC 3501 section 6.2.1); InsecureServer when it is not offered or was tampered with."""
        if "STARTTLS" not in self.capabilities:
            raise InsecureServer("The mail server does not offer STARTTLS.")
        answer, text = self._simple_command("STARTTLS")
        if answer != "OK":
            raise InsecureServer(f"The mail server refused STARTTLS: {text!r}.")
        if self._buffer:
            raise InsecureServer("Somebody put words before the encryption began.")
        self.sock = encrypted(self.sock, context, self.host)
        self._tls_established = True
        self._get_capabilities()


class Client(IMAPClient):
    """IMAPClient on a wire of ours, without its debug log, which costs more than the rest together."""

    def __init__(self, wire: Wire, *, encrypted: bool) -> None:
        self._wire = wire
        super().__init__(wire.host, wire.port, ssl=encrypted)
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> Any:
        return self._wire

    def _set_read_timeout(self) -> None:
        """The wire keeps its own time."""


def connect(
    host: str,
    port: int,
    *,
    context: ssl.SSLContext | None,
    start_tls: bool,
    stop: threading.Event,
    seconds: float = 30.0,
) -> Wire:
    """Connect, encrypted where a context is given: at once, or by STARTTLS before anything is said.

    Raises Unreachable, InsecureServer, Disconnected or TooSlow.
    """
    try:
        plain = socket.create_connection((host, port), timeout=seconds)
    except OSError as error:
        raise Unreachable(f"{host} does not answer on port {port}: {error}.") from error
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        sock = encrypted(plain, context, host) if context is not None and not start_tls else plain
        wire = Wire(host, port, sock, stop)
        if context is not None and start_tls:
            with wire.within(seconds):
                wire.start_tls(context)
    except imaplib.IMAP4.error as error:
        plain.close()
        raise Disconnected(f"{host} did not greet us: {error}.") from error
    except BaseException:
        plain.close()
        raise
    return wire


def encrypted(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The socket under TLS, its certificate checked against the host's name."""
    sock.settimeout(30.0)
    try:
        wrapped = context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise InsecureServer(f"{host}'s certificate is not to be trusted: {error.verify_message}.") from error
    except ssl.SSLError as error:
        raise InsecureServer(f"{host} does not speak TLS here: {error.reason or error}.") from error
    except OSError as error:
        raise Unreachable(f"{host} broke off while encryption began: {error}.") from error
    wrapped.settimeout(SLICE)
    return wrapped
