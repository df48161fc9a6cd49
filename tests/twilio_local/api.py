"""The REST side of the local Twilio, over a socket: lists of what the exchange has on record, in pages."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.twilio_local.creating import Creator, Fault
from tests.twilio_local.exchange import ACCOUNT, Exchange, Leg, Sound, Text

VERSION = "/2010-04-01"


@dataclass
class Api:
    """What the server is asked, and how it misbehaves."""

    exchange: Exchange
    base: str = ""
    faults: list[int] = field(default_factory=list)
    """Statuses of the next answers; 0 closes the connection without one."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and parameters of each request."""
    answered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Path and body of each good answer."""
    creator: Creator = field(init=False)

    def __post_init__(self) -> None:
        self.creator = Creator(self.exchange)

    def create(self, path: str, form: dict[str, list[str]]) -> tuple[Fault | None, int, dict[str, Any]]:
        """How a POST goes wrong, if it does, and the status and body for it."""
        table = path.removeprefix(f"{VERSION}/Accounts/{ACCOUNT}/").removesuffix(".json")
        fault, made, code = self.creator.ask(table, form)
        if fault is not None:
            body = {"code": code or fault.status, "message": "told to", "status": fault.status}
            return fault, fault.status, body
        assert made is not None
        return None, 201, message_of(made) if isinstance(made, Text) else call_of(made)

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The status and body for a GET."""
        exchange = self.exchange
        tables: dict[str, list[dict[str, Any]]] = {
            "Calls": [call_of(leg) for leg in exchange.legs],
            "Recordings": [recording_of(sound, exchange.clock) for sound in exchange.sounds],
            "Messages": [message_of(text) for text in exchange.texts],
        }
        prefix = f"{VERSION}/Accounts/{ACCOUNT}/"
        if path == f"{VERSION}/Accounts/{ACCOUNT}.json":
            return 200, {"sid": ACCOUNT, "status": "active", "friendly_name": "local"}
        name = path.removeprefix(prefix).removesuffix(".json")
        if name in tables:
            rows = [
                row for row in reversed(tables[name]) if not params.get("To") or row["to"] == params["To"]
            ]
            return 200, page(name, rows, params, path)
        table, _, sid = name.partition("/")
        found = next((row for row in tables.get(table, []) if row["sid"] == sid), None)
        return (200, found) if found else (404, {"code": 20404, "message": "not found", "status": 404})


def page(name: str, rows: list[dict[str, Any]], params: dict[str, str], path: str) -> dict[str, Any]:
    """One page; the cursor names the last row that was given, so that new rows move nothing."""
    size = int(params.get("PageSize", "50"))
    start = 0
    if token := params.get("PageToken"):
        start = next(place for place, row in enumerate(rows) if row["sid"] == token) + 1
    shown = rows[start : start + size]
    more = start + size < len(rows)
    following = {**params, "PageSize": str(size), "Page": str(int(params.get("Page", "0")) + 1)}
    if more:
        following["PageToken"] = shown[-1]["sid"]
    return {
        name.lower(): shown,
        "page": int(params.get("Page", "0")),
        "page_size": size,
        "start": start,
        "end": start + len(shown),
        "uri": path,
        "first_page_uri": f"{path}?PageSize={size}&Page=0",
        "next_page_uri": f"{path}?{urlencode(following)}" if more else None,
        "previous_page_uri": None,
    }


def call_of(leg: Leg) -> dict[str, Any]:
    """A leg as the API shows it."""
    return {
        "sid": leg.sid, "account_sid": ACCOUNT, "parent_call_sid": leg.parent, "from": leg.from_,
        "to": leg.to, "status": leg.status, "direction": leg.direction, "price": None,
        "duration": str(leg.seconds) if leg.ended else None, "api_version": "2010-04-01",
        "start_time": shown(leg.started), "end_time": shown(leg.ended),
        "date_created": shown(leg.created or leg.started),
    }  # fmt: skip


def recording_of(sound: Sound, at: datetime) -> dict[str, Any]:
    """A recording as the API shows it."""
    return {
        "sid": sound.sid, "account_sid": ACCOUNT, "call_sid": sound.call, "status": sound.status,
        "duration": str(sound.seconds), "source": "RecordVerb", "channels": 1, "date_created": shown(at),
    }  # fmt: skip


def message_of(text: Text) -> dict[str, Any]:
    """An SMS as the API shows it."""
    return {
        "sid": text.sid, "account_sid": ACCOUNT, "from": text.from_, "to": text.to, "body": text.body,
        "direction": text.direction, "status": text.status, "num_media": "0", "num_segments": "1",
        "date_sent": shown(text.at), "date_created": shown(text.at), "error_code": text.code, "price": None,
    }  # fmt: skip


def shown(moment: datetime | None) -> str | None:
    """A time as the API writes it (RFC 2822)."""
    return format_datetime(moment) if moment else None


@contextmanager
def serving(exchange: Exchange) -> Iterator[Api]:
    """The server on a port of this machine while the block lasts."""
    api = Api(exchange)
    right = "Basic " + base64.b64encode(f"{ACCOUNT}:{exchange.token}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = dict(parse_qsl(parts.query))
            api.asked.append(("GET", parts.path, params))
            if api.faults:
                status = api.faults.pop(0)
                if not status:
                    self.close_connection = True
                    return
                self.reply(status, {"code": status, "message": "told to", "status": status})
            elif self.headers.get("authorization") != right:
                self.reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
            else:
                status, body = api.answer(parts.path, params)
                if status == 200:
                    api.answered.append((parts.path, body))
                self.reply(status, body)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.headers.get("authorization") != right:
                self.reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
                return
            fault, status, body = api.create(self.path, parse_qs(data.decode(), keep_blank_values=True))
            api.creator.moment("created")
            if fault is not None and fault.stalls:
                time.sleep(fault.stalls)
            if not status:
                self.close_connection = True
                return
            with suppress(OSError):
                self.reply(status, body)
                self.wfile.flush()
                api.creator.moment("answered")

        def reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
