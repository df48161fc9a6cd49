"""A store of recordings over a real socket, in Twilio's places, and an engine that transcribes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.twilio_local.exchange import ACCOUNT, TOKEN

RIGHT = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
PLACE = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/"


@dataclass
class Store:
    """What lies there, and how the server misbehaves."""

    base: str = ""
    sounds: dict[str, bytes] = field(default_factory=dict)
    mono: set[str] = field(default_factory=set)
    """Recordings of one channel, refused as two."""
    faults: list[int] = field(default_factory=list)
    """Statuses of the next answers; 0 breaks off in the middle."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    """Forms that the engine was given."""
    says: dict[str, object] = field(default_factory=dict)
    """What the engine answers."""


@contextmanager
def media_server() -> Iterator[Store]:
    """The server while the block lasts."""
    store = Store()

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            sid = parts.path.removeprefix(PLACE).removesuffix(".mp3")
            store.asked.append(("GET", self.path))
            if store.faults:
                status = store.faults.pop(0)
                if status:
                    self.reply(status, b"")
                else:
                    self.reply(200, store.sounds[sid], promise=len(store.sounds[sid]) + 9)
                    self.close_connection = True
            elif self.headers.get("authorization") != RIGHT:
                self.reply(401, b"")
            elif sid not in store.sounds:
                self.reply(404, b"")
            elif sid in store.mono and dict(parse_qsl(parts.query)).get("RequestedChannels") == "2":
                self.reply(400, b"")
            else:
                self.reply(200, store.sounds[sid])

        def do_DELETE(self) -> None:
            store.asked.append(("DELETE", self.path))
            store.sounds.pop(self.path.removeprefix(PLACE).removesuffix(".json"), None)
            self.reply(204, b"")

        def do_POST(self) -> None:
            store.heard.append(self.rfile.read(int(self.headers["content-length"])))
            if store.faults:
                self.reply(store.faults.pop(0), b"")
            else:
                self.reply(200, json.dumps(store.says).encode())

        def reply(self, status: int, data: bytes, promise: int | None = None) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(data) if promise is None else promise))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
