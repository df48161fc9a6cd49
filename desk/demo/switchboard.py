"""The demonstration's telephone company: where the desk fetches sounds, and what it would list or place.

It holds what the desk asks of it for as long as the demonstration lasts. Nobody outside is ever called.
"""

from __future__ import annotations

import io
import json
import math
import secrets
import struct
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from desk.demo.servers import HOST

ACCOUNT: Final = "AC" + "de" * 16
TOKEN: Final = "the demonstration has no secrets"  # noqa: S105 - signs nothing outside this machine
"""Signs the demonstration's webhooks; whoever reaches this machine's loopback may know it."""
RATE: Final = 8000
SECONDS: Final = 4


def tone() -> bytes:
    """A soft chord of a few seconds as a WAV file: what a pretended call sounds like."""
    samples = (
        int(
            5000
            * math.exp(-place / RATE)
            * sum(math.sin(2 * math.pi * pitch * place / RATE) for pitch in (440, 554.4, 659.3))
            / 3
        )
        for place in range(RATE * SECONDS)
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


Placed = Callable[[dict[str, Any], Mapping[str, str]], None]
"""What happens with a call that was asked for: its row, and what was asked."""


@contextmanager
def switchboard(placed: Placed | None = None) -> Iterator[str]:
    """The server while the block lasts; gives its address."""
    sound = tone()
    kept: dict[str, list[dict[str, Any]]] = {"Calls": [], "Messages": [], "Recordings": []}

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.endswith(".mp3"):
                self.reply(200, sound, "audio/wav")
                return
            name = path.rpartition("/")[2].removesuffix(".json")
            rows = kept.get(name)
            if rows is None:
                self.reply(404, b'{"code": 20404, "message": "not found", "status": 404}')
                return
            body = {name.lower(): rows, "page": 0, "page_size": 50, "uri": path, "next_page_uri": None}
            self.reply(200, json.dumps(body).encode())

        def do_POST(self) -> None:
            given = dict(parse_qsl(self.rfile.read(int(self.headers.get("content-length") or 0)).decode()))
            name = urlsplit(self.path).path.rpartition("/")[2].removesuffix(".json")
            if name not in kept:
                self.reply(404, b'{"code": 20404, "message": "not found", "status": 404}')
                return
            row = _placed(name, given)
            kept[name].insert(0, row)
            self.reply(201, json.dumps(row).encode())
            if name == "Calls" and placed is not None:
                placed(row, given)

        def do_DELETE(self) -> None:
            self.reply(204, b"")

        def reply(self, status: int, data: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *given: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _placed(name: str, given: dict[str, str]) -> dict[str, Any]:
    """A message or call of ours, as the telephone company has it on record."""
    moment = formatdate(usegmt=False)
    text = name == "Messages"
    return {
        "sid": ("SM" if text else "CA") + secrets.token_hex(16),
        "account_sid": ACCOUNT,
        "from": given.get("From", ""),
        "to": given.get("To", ""),
        "body": given.get("Body", ""),
        "direction": "outbound-api",
        "status": "delivered" if text else "queued",
        "num_segments": "1",
        "num_media": "0",
        "date_created": moment,
        "date_sent": moment,
        "start_time": moment,
        "end_time": moment,
        "duration": "0",
        "parent_call_sid": None,
        "error_code": None,
        "price": None,
    }
