"""The demonstration's people pick up when we call: a colleague presses 1, the client talks for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import structlog

from core.errors import FrontdeskError
from desk.demo.pretended import MOST_DOCUMENTS, Pretended
from desk.demo.switchboard import ACCOUNT

log = structlog.get_logger(__name__)


@dataclass
class PickedUp(Pretended):
    """A call that we placed, from its first ring to its end."""

    url: str = ""
    """Asked what happens once it is answered."""
    callback: str = ""
    """Told its states."""
    detects: bool = False
    """Whether it is found out that a person answers."""

    def place(self) -> None:
        """Ring, pick up, and do as the documents say; returns when it is over."""
        self._state("ringing")
        time.sleep(self.rings)
        begun = time.monotonic()
        self._state("in-progress")
        answered = {"AnsweredBy": "human"} if self.detects else {}
        following: tuple[str, dict[str, str]] | None = (self.url, answered)
        for _ in range(MOST_DOCUMENTS):
            if following is None:
                break
            root = self._document(following[0], self._fields(self.sid, "in-progress", **following[1]))
            following = self._run(root)
        self._state("completed", CallDuration=str(max(round(time.monotonic() - begun), 1)))

    def _state(self, status: str, **more: str) -> None:
        self._post(self.callback, self._fields(self.sid, status, **more))

    def _whisper(self, leg: str, called: str, number: ElementTree.Element) -> None:
        if number.get("url"):
            self._document(number.attrib["url"], self._fields(leg, "in-progress", called=called))

    def _fields(self, leg: str, status: str, called: str = "", **more: str) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "CallSid": leg,
            "CallStatus": status,
            "Direction": "outbound-dial" if called else "outbound-api",
            "From": self.to,
            "To": called or self.number,
            **more,
        }


def pick_up(row: MutableMapping[str, Any], given: Mapping[str, str]) -> None:
    """Let a call that was just asked for take its way, and keep its row true; returns at once."""
    desk = urlsplit(given.get("Url", ""))
    call = PickedUp(
        desk=f"{desk.scheme}://{desk.netloc}",
        number=given.get("To", ""),
        to=given.get("From", ""),
        keys="" if "MachineDetection" in given else "1",
        rings=2.0,
        told=lambda _line: None,
        sid=row["sid"],
        url=given.get("Url", ""),
        callback=given.get("StatusCallback", ""),
        detects="MachineDetection" in given,
    )

    def run() -> None:
        # Whoever asked has to hear first that it is placed.
        time.sleep(1.0)
        try:
            call.place()
        except FrontdeskError as error:
            log.warning("demo.call_broken_off", error=error.message)
        row["status"] = "completed"

    threading.Thread(target=run, daemon=True).start()
