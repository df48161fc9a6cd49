"""The desk killed in the middle of webhooks: what was answered is kept, and what comes again does no harm."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from core import db
from core.calls import Call
from core.context import Context
from core.db import transaction
from core.phoneevents import PhoneEvent
from desk import serving
from desk.app import create_app
from inbound import calls
from tests.ports import free_port
from tests.twilio_local.exchange import ACCOUNT, TOKEN
from tests.twilio_local.house import OURS, PUBLIC, people, phone_settings

pytestmark = pytest.mark.long

WEBHOOKS = 120
KILLED_AFTER = (15, 40, 70)
"""So many answers until the process that gives them is killed, and another one begins."""
FORM = "application/x-www-form-urlencoded"


def serve(url: str, port: int, folder: str) -> None:
    engine = db.make_engine(url)
    serving.serve(create_app(phone_settings(Path(folder)), engine), "127.0.0.1", port, lambda stop: None)


def webhook(number: int) -> tuple[str, bytes, dict[str, str]]:
    fields = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": f"CA{number:032x}",
        "CallStatus": "ringing", "Direction": "inbound", "From": f"+3706120{number:04}", "To": OURS,
    }  # fmt: skip
    path = "/phone/twilio/voice"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, fields)
    return path, urlencode(fields).encode(), {"content-type": FORM, "x-twilio-signature": signature}


class Desk:
    """One process after another on the same port."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self._given = (url, self.port, str(folder))
        self.process = self._begun()

    def _begun(self) -> multiprocessing.process.BaseProcess:
        process = multiprocessing.get_context("spawn").Process(target=serve, args=self._given)
        process.start()
        for _ in range(1_800):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)
        return process

    def kill(self) -> None:
        """Kill it without a word, and begin another."""
        self.end()
        self.process = self._begun()

    def end(self) -> None:
        """Kill it without a word."""
        os.kill(self.process.pid or 0, signal.SIGKILL)
        self.process.join()


@pytest.mark.faults
def test_killed_desk_keeps_what_it_answered_and_takes_what_comes_again_once(
    database_url: str, tmp_path: Path
) -> None:
    """F05."""
    engine = db.make_engine(database_url)
    people(engine)
    desk = Desk(database_url, tmp_path)
    answered: list[int] = []
    lost: list[int] = []
    lock = threading.Lock()

    def post(numbers: range) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{desk.port}", timeout=120) as client:
            for number in numbers:
                path, body, headers = webhook(number)
                try:
                    good = client.post(path, content=body, headers=headers).status_code == 200
                except httpx.TransportError:
                    good = False
                    time.sleep(0.2)
                with lock:
                    (answered if good else lost).append(number)

    try:
        posting = [threading.Thread(target=post, args=(range(one, WEBHOOKS, 4),)) for one in range(4)]
        for thread in posting:
            thread.start()
        for many in KILLED_AFTER:
            while len(answered) < many and any(thread.is_alive() for thread in posting):
                time.sleep(0.01)
            desk.kill()
        for thread in posting:
            thread.join()
        with transaction(engine) as session:
            kept = set(session.scalars(select(PhoneEvent.subject)))
        assert {f"CA{number:032x}" for number in answered} <= kept
        again = range(WEBHOOKS)
        answered.clear()
        post(again)
        assert len(answered) == WEBHOOKS
    finally:
        desk.end()
    calls.drain(Context(phone_settings(tmp_path), engine))
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(PhoneEvent)) == WEBHOOKS
        assert session.scalar(select(func.count(sa.distinct(Call.sid)))) == WEBHOOKS
    engine.dispose()
