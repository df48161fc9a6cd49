"""How soon a webhook of Twilio is answered under load, beside a bare endpoint that does one INSERT.

    python bench/webhooks.py [--rate 100] [--seconds 60]

A whole run takes two and a half minutes, never more than four: a server that falls behind is given up,
and its row says so. "CPU ms" is what the server's process spent on one webhook, which a busy machine changes
little; the times say what a caller waits, and only hold on a quiet one.

Each runs in a process of its own under granian, over a PostgreSQL of their own with fsync on, one after the
other in the same run. Requests are sent at a fixed rate whether or not earlier ones were answered, so that a
slow answer delays no other and is not left out; a time is counted from when its request was due. Half of the
webhooks are calls that arrive (caller looked up, plan made, document rendered), half the state of a leg.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import secrets
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

CLIENTS = 2000
TARGET = 300
"""Milliseconds within which 99 of 100 webhooks have to be answered."""
GRACE = 15.0
"""Seconds after which Twilio itself gives a webhook up."""
LONGEST = 60
"""Seconds of one server's turn at most."""
WARM_UP = 20
FORM = "application/x-www-form-urlencoded"


def number_of(client: int) -> str:
    """The telephone of a client."""
    return f"+370612{client:05}"


def prepare(url: str) -> None:
    """The schema, colleagues to ring and clients to look up."""
    from core import db
    from core.accounts import Account, Contact, ContactPoint, PointKind
    from core.db import transaction
    from core.deals import open_deal
    from tests.twilio_local.house import people

    engine = db.make_engine(url)
    db.migrate(engine)
    people(engine)
    with transaction(engine) as session:
        for client in range(CLIENTS):
            contact = Contact(
                name=f"Client {client}",
                account=Account(name=f"Company {client}"),
                language="lt",
                points=[ContactPoint(kind=PointKind.PHONE, value=number_of(client))],
            )
            session.add(contact)
            if client % 2:
                open_deal(session, contact=contact, owner_id=1)
        session.flush()
    engine.dispose()


def serve_desk(url: str, port: int, folder: str) -> None:
    """The whole desk."""
    from core import db
    from desk import serving
    from desk.app import create_app
    from tests.twilio_local.house import phone_settings

    engine = db.make_engine(url, pool_size=10)
    serving.serve(create_app(phone_settings(Path(folder)), engine), "127.0.0.1", port, lambda stop: None)


def serve_bare(url: str, port: int, folder: str) -> None:
    """An ASGI application that reads the form's bytes and does one INSERT."""
    from psycopg_pool import AsyncConnectionPool

    from desk import serving

    pool: list[AsyncConnectionPool[Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if not pool:
            pool.append(AsyncConnectionPool(url, min_size=10, max_size=10, open=False))
            await pool[0].open()
        body = (await receive())["body"]
        async with pool[0].connection() as connection:
            await connection.execute("insert into bare (body) values (%s)", [bytes(body)])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    serving.serve(application, "127.0.0.1", port, lambda stop: None)


def webhook(number: int) -> tuple[str, bytes, dict[str, str]]:
    """One signed webhook: path, body and headers."""
    from twilio.request_validator import RequestValidator

    from tests.twilio_local.exchange import ACCOUNT, TOKEN
    from tests.twilio_local.house import OURS, PUBLIC

    arrives = number % 2 == 0
    fields = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": f"CA{secrets.token_hex(16)}",
        "CallStatus": "ringing" if arrives else "completed", "Direction": "inbound",
        "From": number_of(number % CLIENTS), "To": OURS, "FromCity": "", "FromCountry": "LT", "ToCity": "",
    }  # fmt: skip
    path = "/phone/twilio/voice" if arrives else "/phone/twilio/status"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, fields)
    return path, urlencode(fields).encode(), {"content-type": FORM, "x-twilio-signature": signature}


async def load(port: int, rate: int, seconds: int) -> tuple[list[float], int]:
    """Send at a fixed rate; milliseconds from when each was due, and how many were not answered well.

    What is not answered `GRACE` seconds after the last was sent counts as not answered.
    """
    taken: list[float] = []
    bad = 0
    requests = [webhook(number) for number in range(rate * seconds)]
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=GRACE, limits=limits) as client:
        for path, body, headers in [webhook(number) for number in range(WARM_UP)]:
            await client.post(path, content=body, headers=headers)
        began = time.perf_counter()

        async def one(due: float, path: str, body: bytes, headers: dict[str, str]) -> None:
            nonlocal bad
            try:
                status = (await client.post(path, content=body, headers=headers)).status_code
            except httpx.HTTPError:
                status = 0
            taken.append((time.perf_counter() - due) * 1000)
            bad += status not in {200, 204}

        under_way: list[asyncio.Task[None]] = []
        for place, request in enumerate(requests):
            due = began + place / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            under_way.append(asyncio.create_task(one(due, *request)))
        _, late = await asyncio.wait(under_way, timeout=GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return taken + [GRACE * 1000] * len(late), bad + len(late)


def spent(pid: int) -> float:
    """Seconds of CPU that a process and its children have used so far, by /proc."""
    used = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            own, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if pid in (own, int(fields[1])):
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def measured(serve: Any, url: str, folder: str, rate: int, seconds: int) -> tuple[list[float], int, float]:
    """The figures of one server, in a process of its own; the last is its CPU time in seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(url, port, folder))
    process.start()
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        before = spent(process.pid or 0)
        taken, bad = asyncio.run(load(port, rate, seconds))
        return taken, bad, spent(process.pid or 0) - before
    finally:
        process.terminate()
        process.join(10)


def main() -> None:
    """Measure both and print a table."""
    import psycopg

    from core.localdb import LocalDatabase

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rate", type=int, default=100)
    asked.add_argument("--seconds", type=int, default=60)
    given = asked.parse_args()
    given.seconds = min(given.seconds, LONGEST)
    title = f"{given.rate} webhooks a second for {given.seconds} s; load of the machine before: "
    table = Table(
        *("server", "sent", "not answered", "p50 ms", "p95 ms", "p99 ms", "most ms", "CPU ms each"),
        title=title + f"{os.getloadavg()[0]:.1f}",
    )
    passed = False
    with tempfile.TemporaryDirectory(prefix="fdw") as folder:
        database = LocalDatabase(Path(folder) / "db")
        url = database.ensure()
        try:
            prepare(url)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("create table bare (id bigint generated always as identity, body bytea)")
            for name, serve in (("bare ASGI, one INSERT", serve_bare), ("frontdesk", serve_desk)):
                taken, bad, cpu = measured(serve, url, folder, given.rate, given.seconds)
                cuts = statistics.quantiles(taken, n=100)
                table.add_row(
                    name, str(len(taken)), str(bad), *(f"{cuts[place]:.1f}" for place in (49, 94, 98)),
                    f"{max(taken):.1f}", f"{cpu / (len(taken) + WARM_UP) * 1000:.1f}",
                )  # fmt: skip
                passed = name == "frontdesk" and not bad and cuts[98] < TARGET
        finally:
            database.stop()
    Console(width=120).print(table)
    verdict = "reached" if passed else "missed"
    Console().print(f"Every webhook answered, and p99 under {TARGET} ms: {verdict}.")


if __name__ == "__main__":
    main()
