"""What the local Twilio is asked to create: SMS and calls, carried out when told, or going wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from tests.twilio_local.exchange import ACCOUNT, OVER, Exchange, HungUp, Leg, Run, Text
from tests.twilio_local.people import Answer, Callee, Caller

SPEC = Path(__file__).parents[3] / "shared" / "data" / "twilio" / "twilio_api_v2010.frontdesk-subset.json"
HEARD = {
    Answer.HUMAN: "human",
    Answer.MACHINE: "machine_end_beep",
    Answer.FAX: "fax",
}
EVENTS = ("initiated", "ringing", "answered", "completed")


@lru_cache(maxsize=1)
def _forms() -> Mapping[str, frozenset[str]]:
    """The fields that each request to create may have; nothing where the public files are not there."""
    if not SPEC.exists():
        return {}
    paths = json.loads(SPEC.read_text())["paths"]
    forms: dict[str, frozenset[str]] = {}
    for table in ("Messages", "Calls"):
        content = paths[f"/2010-04-01/Accounts/{{AccountSid}}/{table}.json"]["post"]["requestBody"]["content"]
        schema = next(iter(content.values()))["schema"]
        forms[table] = frozenset(schema["properties"])
    return forms


@dataclass(frozen=True)
class Fault:
    """How one request to create goes wrong."""

    status: int
    """0 closes the connection without an answer."""
    creates: bool = False
    """It is carried out all the same."""
    stalls: float = 0.0
    """Seconds until the answer."""


@dataclass
class Creator:
    """Takes requests to create."""

    exchange: Exchange
    faults: list[Fault] = field(default_factory=list)
    """For the next requests, one each."""
    refuses: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Status and code for a number."""
    requests: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    """Every request to create: the table and its form."""
    orders: list[tuple[Leg, dict[str, list[str]]]] = field(default_factory=list)
    callbacks: dict[str, str] = field(default_factory=dict)
    """Where the states of an SMS are told, by its id."""
    watching: list[Callable[[str, dict[str, list[str]]], None]] = field(default_factory=list)
    """Called with each request before it is carried out."""
    moment: Callable[[str], None] = lambda at: None
    """Told where a request stands: asked, created, answered."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, table: str, form: dict[str, list[str]]) -> tuple[Fault | None, Leg | Text | None, int]:
        """The fault to show, what was created, and the code with which it is refused (0 for none)."""
        for watch in self.watching:
            watch(table, form)
        self.moment("asked")
        with self._lock:
            self.requests.append((table, form))
            if (known := _forms().get(table)) and (unknown := set(form) - known):
                self.exchange.errors.append(f"{table} has no {unknown}")
            fault = self.faults.pop(0) if self.faults else None
            if fault is not None and not fault.creates:
                return fault, None, 0
            if (refusal := self.refuses.get(form["To"][0])) is not None:
                return Fault(refusal[0]), None, refusal[1]
            return fault, self._text(form) if table == "Messages" else self._leg(form), 0

    def _text(self, form: dict[str, list[str]]) -> Text:
        text = Text(
            self.exchange.sid("SM"), form["From"][0], form["To"][0], form["Body"][0], self.exchange.clock,
            direction="outbound-api", status="queued",
        )  # fmt: skip
        self.exchange.texts.append(text)
        self.callbacks[text.sid] = form["StatusCallback"][0]
        return text

    def _leg(self, form: dict[str, list[str]]) -> Leg:
        leg = Leg(self.exchange.sid("CA"), form["From"][0], form["To"][0], "outbound-api")
        leg.created = self.exchange.clock
        self.exchange.legs.append(leg)
        self.orders.append((leg, form))
        return leg

    def carry(self, text: Text, *statuses: str, code: int | None = None) -> None:
        """An SMS comes into states; each is kept to be told."""
        for status in statuses:
            text.status, text.code = status, code
            fields = {
                "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "MessageSid": text.sid, "SmsSid": text.sid,
                "MessageStatus": status, "SmsStatus": status, "From": text.from_, "To": text.to,
            }  # fmt: skip
            if code is not None:
                fields["ErrorCode"] = str(code)
            self.exchange.callbacks.append((self.callbacks[text.sid], fields))

    def carry_all(self, statuses: Sequence[str] = ("sent", "delivered")) -> None:
        """Every SMS of ours that is not over yet arrives."""
        for text in list(self.exchange.texts):
            if text.direction == "outbound-api" and text.status == "queued":
                self.carry(text, *statuses)

    def place(self) -> None:
        """Every call that was asked for is placed, one after another; returns when the last is over."""
        orders, self.orders = self.orders, []
        for leg, form in orders:
            self._place(leg, form)

    def _place(self, leg: Leg, form: dict[str, list[str]]) -> None:
        exchange = self.exchange
        callee = exchange.book.get(leg.to, Callee(Answer.SILENCE))
        leg.started = exchange.clock
        exchange.rung.append(leg.to)
        self._tell(leg, form, "initiated")
        if callee.answer is Answer.BUSY:
            self._over(leg, form, "busy")
            return
        self._tell(leg, form, "ringing")
        patience = int(form.get("Timeout", ["60"])[0])
        if callee.answer is Answer.SILENCE or callee.ring_seconds > patience:
            exchange.clock += timedelta(seconds=patience)
            self._over(leg, form, "no-answer")
            return
        exchange.clock += timedelta(seconds=callee.ring_seconds)
        leg.started = exchange.clock
        self._tell(leg, form, "in-progress")
        more = {"AnsweredBy": HEARD[callee.answer]} if "MachineDetection" in form else {}
        keys = list(callee.keys) if callee.answer is Answer.HUMAN else []
        run = Run(exchange, leg, Caller(keys=keys, hangs_up_at=callee.hangs_up_at))
        with suppress(HungUp):
            run.document(form["Url"][0], more)
        self._over(leg, form, "completed")

    def _tell(self, leg: Leg, form: dict[str, list[str]], status: str) -> None:
        leg.status = status
        event = "answered" if status == "in-progress" else "completed" if status in OVER else status
        if event in form.get("StatusCallbackEvent", []):
            more = {"CallDuration": str(leg.seconds)} if status in OVER else {}
            self.exchange.tell(leg, form["StatusCallback"][0], **more)

    def _over(self, leg: Leg, form: dict[str, list[str]], status: str) -> None:
        leg.ended = self.exchange.clock
        if status != "completed":
            leg.started = None
        self._tell(leg, form, status)
