"""A proxy that spoils a TCP connection on purpose: cuts it after so many bytes, drips, stalls, swallows."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class FaultyProxy:
    """Passes connections on to a port of this machine; what it does to the server's answers may be changed.

    `cut_after`: bytes from the server after which both ends are closed; None for never. `drip`: seconds
    between single bytes, once `drip_after` have passed. `stalled`: accepts and passes nothing more, in either
    direction. `strip`: words that are taken out of what the server says. `answer`: an IMAP command that never
    reaches the server and what is said to it instead, `{tag}` standing for its tag; after `* BYE` the line is
    closed.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.cut_after: int | None = None
        self.drip = 0.0
        self.drip_after = 0
        self.stalled = threading.Event()
        self.strip = b""
        self.answer: tuple[bytes, bytes] | None = None
        self.answered = 0
        """How often `answer` was given."""
        self.connections = 0
        self.seen = bytearray()
        """What clients said."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._closing = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def heal(self) -> None:
        """Pass everything on from now, and end the connections that were spoilt."""
        self.cut_after, self.drip, self.strip, self.answer = None, 0.0, b"", None
        self.stalled.clear()
        self.hang_up()

    def hang_up(self) -> None:
        """End all connections."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.stalled.clear()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)
        for sock in self._open:
            sock.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=60)
            except OSError:
                # The server is away for a moment; whoever asked tries again.
                client.close()
                continue
            self.connections += 1
            for one in (client, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(one)
            for source, target, answers in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pass, args=(source, target, answers), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answered(self, said: bytes, client: socket.socket) -> bool:
        """Answer in the server's place where that was asked for."""
        tag, _, rest = said.partition(b" ")
        if self.answer is None or not rest.upper().removeprefix(b"UID ").startswith(self.answer[0]):
            return False
        self.answered += 1
        client.sendall(self.answer[1].replace(b"{tag}", tag))
        return True

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(16_384):
                while self.stalled.is_set() and not self._closing:
                    time.sleep(0.02)
                if not answers:
                    self.seen += data
                    if self._answered(data, source):
                        if self.answer is not None and self.answer[1].startswith(b"* BYE"):
                            break
                        continue
                elif self.strip:
                    data = data.replace(self.strip, b"X" * len(self.strip))
                if answers and self.cut_after is not None and passed + len(data) > self.cut_after:
                    target.sendall(data[: max(0, self.cut_after - passed)])
                    break
                if answers and self.drip and passed + len(data) > self.drip_after:
                    for number in range(len(data)):
                        target.sendall(data[number : number + 1])
                        time.sleep(self.drip)
                        if not self.drip:
                            target.sendall(data[number + 1 :])
                            break
                else:
                    target.sendall(data)
                passed += len(data)
        for sock in (source, target):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
