"""The exchange: places calls to our webhooks, runs what they answer verb by verb, and tells what happened.

Time is its own and only moves with what people do. Documents are fetched at once, as Twilio does; callbacks
are kept back until `deliver` posts them, as they are or lost, doubled and shuffled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from twilio.request_validator import RequestValidator

from tests.twilio_local.people import Answer, Callee, Caller
from tests.twilio_local.twimlcheck import parse

ACCOUNT = "AC" + "0" * 31 + "1"
PATIENCE = 15.0
"""Seconds for which Twilio waits for a document."""
TOKEN = "a local token of 32 characters !"
OVER = {"completed", "busy", "failed", "no-answer", "canceled"}

Post = Callable[[str, bytes, Mapping[str, str]], tuple[int, str, str]]
"""Posts to an address; returns status, content type and text."""


class HungUp(Exception):
    """The caller hung up."""


@dataclass
class Leg:
    """One telephone of a call, as the exchange has it on record."""

    sid: str
    from_: str
    to: str
    direction: str
    parent: str | None = None
    status: str = "queued"
    started: datetime | None = None
    ended: datetime | None = None
    sequence: int = 0
    created: datetime | None = None

    @property
    def seconds(self) -> int:
        """How long it was connected."""
        return int((self.ended - self.started).total_seconds()) if self.started and self.ended else 0


@dataclass
class Sound:
    """A recording, as the exchange has it on record."""

    sid: str
    call: str
    seconds: int
    status: str = "completed"


@dataclass
class Text:
    """An SMS, as the exchange has it on record."""

    sid: str
    from_: str
    to: str
    body: str
    at: datetime
    direction: str = "inbound"
    status: str = "received"
    code: int | None = None


@dataclass
class Exchange:
    """One account at the local Twilio."""

    post: Post
    public_url: str
    book: dict[str, Callee] = field(default_factory=dict)
    token: str = TOKEN
    clock: datetime = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    legs: list[Leg] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    callbacks: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """What was said, in order, to whoever listened."""
    rung: list[str] = field(default_factory=list)
    """Numbers that were rung, in order."""
    errors: list[str] = field(default_factory=list)
    fragment: str = ""
    """What follows # in the number's voice address: how often Twilio asks again, as ``rc=2&rp=ct,rt,5xx``."""
    fallback: str = ""
    """The document at Twilio itself that answers when our own cannot be had; it runs once a call at most."""
    slow: float = 0.0
    """Seconds after which our documents come; from `PATIENCE` on Twilio does not wait for them."""
    asked: int = 0
    """How often a document was asked for."""
    _numbers: random.Random = field(default_factory=lambda: random.Random(1))
    _fell_back: set[str] = field(default_factory=set)

    def sid(self, prefix: str) -> str:
        """A new id of the usual form."""
        return f"{prefix}{self._numbers.getrandbits(128):032x}"

    def sign(self, url: str, params: Mapping[str, str]) -> str:
        """The signature of a request."""
        return RequestValidator(self.token).compute_signature(url, dict(params))

    def request(self, url: str, params: Mapping[str, str]) -> tuple[int, str, str]:
        """Post a form, signed; the fragment of the address is for us only."""
        bare = url.partition("#")[0]
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "x-twilio-signature": self.sign(bare, params),
            "user-agent": "TwilioProxy/1.1",
        }
        return self.post(bare, urlencode(params).encode(), headers)

    def fetch(self, url: str, params: Mapping[str, str], *, called_leg: bool = False) -> ElementTree.Element:
        """The document at an address; whatever Twilio would refuse fails the test."""
        retries = int(dict(parse_qsl(url.partition("#")[2])).get("rc", "0"))
        status, content_type = 0, ""
        for _ in range(1 + retries):
            status, content_type, text = self.request(url, params)
            self.asked += 1
            self.clock += timedelta(seconds=min(self.slow, PATIENCE))
            if status == 200 and "xml" in content_type and self.slow < PATIENCE:
                return parse(text, called_leg=called_leg)
        told = f"11200: {status} {content_type} {url}"
        if self.fallback and params["CallSid"] not in self._fell_back:
            self._fell_back.add(params["CallSid"])
            return parse(self.fallback)
        if not self.fallback:
            self.errors.append(told)
        return parse("<Response><Hangup/></Response>")

    def fields(self, leg: Leg, **more: str) -> dict[str, str]:
        """The fields that every webhook of a leg has; places are usually empty, and signed all the same."""
        base = {
            "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": leg.sid, "CallStatus": leg.status,
            "Direction": leg.direction, "From": leg.from_, "To": leg.to, "Caller": leg.from_,
            "Called": leg.to, "FromCity": "", "FromCountry": leg.from_[1:3], "ToCity": "", "ToZip": "",
        }  # fmt: skip
        if leg.parent:
            base["ParentCallSid"] = leg.parent
        return base | more

    def call(self, from_: str, to: str, caller: Caller | None = None) -> Leg:
        """Somebody rings one of our numbers; returns when the call is over."""
        leg = Leg(self.sid("CA"), from_, to, "inbound", status="ringing", started=self.clock)
        self.legs.append(leg)
        run = Run(self, leg, caller or Caller())
        with suppress(HungUp):
            run.document(f"{self.public_url}/phone/twilio/voice#{self.fragment}", {})
        if leg.status not in OVER:
            leg.status = "completed"
        leg.ended = self.clock
        self.tell(leg, f"{self.public_url}/phone/twilio/status", CallDuration=str(leg.seconds))
        return leg

    def tell(self, leg: Leg, url: str, **more: str) -> None:
        """Keep a status callback of a leg to be delivered."""
        fields = self.fields(
            leg,
            Timestamp=format_datetime(self.clock),
            CallbackSource="call-progress-events",
            SequenceNumber=str(leg.sequence),
            **more,
        )
        leg.sequence += 1
        self.callbacks.append((url, fields))

    def sms(self, from_: str, to: str, body: str, **more: str) -> Text:
        """Somebody writes to one of our numbers; posted at once."""
        text = Text(self.sid("SM"), from_, to, body, self.clock)
        self.texts.append(text)
        status, _, _ = self.request(f"{self.public_url}/phone/twilio/sms", self.sms_fields(text) | more)
        if status != 200:
            self.errors.append(f"11200: {status} sms")
        return text

    @staticmethod
    def sms_fields(text: Text) -> dict[str, str]:
        """The fields of the webhook of an SMS."""
        return {
            "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "MessageSid": text.sid, "SmsSid": text.sid,
            "SmsMessageSid": text.sid, "From": text.from_, "To": text.to, "Body": text.body, "NumMedia": "0",
            "NumSegments": "1", "SmsStatus": "received", "FromCity": "", "ToCity": "",
        }  # fmt: skip

    def deliver(
        self, *, lost: float = 0.0, doubled: float = 0.0, shuffled: bool = False, seed: int = 0
    ) -> dict[str, int]:
        """Post the callbacks that wait, some not at all and some twice; returns how many of each."""
        chance = random.Random(seed)
        pending, self.callbacks = self.callbacks, []
        counted = {"lost": 0, "doubled": 0, "posted": 0}
        sent: list[tuple[str, dict[str, str]]] = []
        for one in pending:
            lot = chance.random()
            times = 0 if lot < lost else 2 if lot < lost + doubled else 1
            counted["lost"] += times == 0
            counted["doubled"] += times == 2
            sent += [one] * times
        if shuffled:
            chance.shuffle(sent)
        for url, fields in sent:
            status, _, text = self.request(url, fields)
            counted["posted"] += 1
            if status not in {200, 204}:
                self.errors.append(f"11200: {status} {url} {text[:200]}")
        return counted


class Run:
    """One caller's way through our documents."""

    def __init__(self, exchange: Exchange, leg: Leg, caller: Caller) -> None:
        self.exchange, self.leg, self.caller = exchange, leg, caller
        self.keys = list(caller.keys)
        self.verbs = 0

    def document(self, url: str, more: Mapping[str, str]) -> None:
        """Fetch a document and run it, and those that follow from it."""
        exchange, leg = self.exchange, self.leg
        following: tuple[str, dict[str, str]] | None = (url, dict(more))
        for _ in range(30):
            if following is None:
                return
            root = exchange.fetch(following[0], exchange.fields(leg, **following[1]))
            following = self.verbs_of(root)
        raise AssertionError("the documents lead in a circle")

    def verbs_of(self, root: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        """Run the verbs of one document; the next address with its fields, None at the end of the call."""
        for place, verb in enumerate(root):
            hangs_up = self.verbs == self.caller.hangs_up_at
            self.verbs += 1
            match verb.tag:
                case "Reject":
                    if place:
                        raise AssertionError("Reject must be the first verb")
                    self.leg.status, self.leg.started = "busy", None
                    return None
                case "Hangup":
                    return None
                case "Dial":
                    return self.dial(verb, hangs_up)
                case "Record":
                    following = self.record(verb, hangs_up)
                    if following is not None:
                        return following
                case _:
                    if hangs_up:
                        raise HungUp
                    self.answered()
                    following = self.listen(verb)
                    if following is not None:
                        return following
        return None

    def answered(self) -> None:
        """The call costs money from now on."""
        self.leg.status = "in-progress"

    def listen(self, verb: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        """Say, Pause and Gather."""
        exchange = self.exchange
        for said in [verb] if verb.tag == "Say" else verb:
            exchange.heard.append(said.text or "")
            exchange.clock += timedelta(seconds=len(said.text or "") // 15 + 1)
        if verb.tag != "Gather":
            return None
        key = self.keys.pop(0) if self.keys else ""
        if not key:
            exchange.clock += timedelta(seconds=int(verb.get("timeout", "5")))
        if not key and verb.get("actionOnEmptyResult") != "true":
            return None
        return verb.attrib["action"], {"Digits": key}

    def record(self, verb: ElementTree.Element, hangs_up: bool) -> tuple[str, dict[str, str]] | None:
        """The tone, and what is said after it."""
        exchange, seconds = self.exchange, self.caller.message_seconds
        self.answered()
        if not seconds:
            exchange.clock += timedelta(seconds=int(verb.get("timeout", "5")))
            if hangs_up:
                raise HungUp
            return None
        exchange.clock += timedelta(seconds=seconds)
        sound = Sound(exchange.sid("RE"), self.leg.sid, seconds)
        exchange.sounds.append(sound)
        self.tell_of(sound, verb, "RecordVerb")
        fields = {
            "RecordingUrl": f"https://api.twilio.com/{sound.sid}", "RecordingSid": sound.sid,
            "RecordingDuration": str(seconds), "Digits": "hangup" if hangs_up else "",
        }  # fmt: skip
        if hangs_up:
            self.leg.status = "completed"
            exchange.fetch(verb.attrib["action"], exchange.fields(self.leg, **fields))
            raise HungUp
        return verb.attrib["action"], fields

    def tell_of(self, sound: Sound, verb: ElementTree.Element, source: str) -> None:
        """Keep the callbacks of a recording to be delivered; a document need not ask for any."""
        if "recordingStatusCallback" not in verb.attrib:
            return
        for status in verb.get("recordingStatusCallbackEvent", "completed").split():
            if status == "absent":
                continue
            fields = {
                "AccountSid": ACCOUNT, "CallSid": sound.call, "RecordingSid": sound.sid,
                "RecordingUrl": f"https://api.twilio.com/{sound.sid}", "RecordingStatus": status,
                "RecordingChannels": "1", "RecordingSource": source,
            }  # fmt: skip
            if status == "completed":
                fields["RecordingDuration"] = str(sound.seconds)
            self.exchange.callbacks.append((verb.attrib["recordingStatusCallback"], fields))

    def dial(self, verb: ElementTree.Element, hangs_up: bool) -> tuple[str, dict[str, str]] | None:
        """Ring telephones, one after another or together, until one takes the call."""
        exchange = self.exchange
        numbers = verb.findall("Number")
        patience = int(verb.get("timeout", "30")) + 5
        ended: list[Leg] = []
        taken: Leg | None = None
        for number in numbers:
            leg = self.ring(number, patience, hangs_up)
            ended.append(leg)
            if hangs_up:
                raise HungUp
            if leg.status == "in-progress":
                taken = leg
                break
        if taken is not None:
            self.answered()
            exchange.clock += timedelta(seconds=exchange.book[taken.to].talk_seconds)
            self.end(taken, "completed", verb, numbers)
            if verb.get("record"):
                sound = Sound(exchange.sid("RE"), self.leg.sid, taken.seconds)
                exchange.sounds.append(sound)
                self.tell_of(sound, verb, "DialVerb")
        last = ended[-1]
        fields = {
            "DialCallSid": last.sid,
            "DialCallStatus": "completed" if taken else last.status,
            "DialCallDuration": str(last.seconds),
            "DialBridged": "true" if taken else "false",
        }
        return verb.attrib["action"], fields

    def ring(self, number: ElementTree.Element, patience: int, hangs_up: bool) -> Leg:
        """Ring one telephone; in-progress at the end means that its owner took the call."""
        exchange = self.exchange
        callee = exchange.book[(number.text or "").strip()]
        leg = Leg(
            exchange.sid("CA"), self.leg.to, (number.text or "").strip(), "outbound-dial", self.leg.sid,
            started=exchange.clock,
        )  # fmt: skip
        exchange.legs.append(leg)
        exchange.rung.append(leg.to)
        self.state(leg, number, "initiated")
        if callee.answer is Answer.BUSY:
            return self.over(leg, number, "busy")
        self.state(leg, number, "ringing")
        if hangs_up:
            return self.over(leg, number, "canceled")
        if callee.answer is Answer.SILENCE or callee.ring_seconds > patience:
            exchange.clock += timedelta(seconds=patience)
            return self.over(leg, number, "no-answer")
        exchange.clock += timedelta(seconds=callee.ring_seconds)
        self.state(leg, number, "in-progress")
        keys = callee.keys if callee.answer is Answer.HUMAN else ""
        if not self.whispered(leg, number, keys):
            return self.over(leg, number, "completed")
        return leg

    def whispered(self, leg: Leg, number: ElementTree.Element, keys: str) -> bool:
        """Run the document of the called telephone; True when it ends without hanging up."""
        exchange = self.exchange
        url, fields = number.get("url"), {}
        while url:
            root = exchange.fetch(url, exchange.fields(leg, **fields), called_leg=True)
            url = None
            for verb in root:
                if verb.tag == "Hangup":
                    return False
                exchange.heard += [said.text or "" for said in verb.iter("Say")]
                exchange.clock += timedelta(seconds=3)
                if verb.tag == "Gather":
                    if not keys and verb.get("actionOnEmptyResult") != "true":
                        continue
                    url, fields = verb.attrib["action"], {"Digits": keys}
                    break
        return True

    def state(self, leg: Leg, number: ElementTree.Element, status: str) -> None:
        """A leg comes into a state, and tells so if it was asked to."""
        leg.status = status
        asked = number.get("statusCallbackEvent", "").split()
        name = "answered" if status == "in-progress" else "completed" if status in OVER else status
        if name in asked:
            more = {"CallDuration": str(leg.seconds), "SipResponseCode": "200"} if status in OVER else {}
            self.exchange.tell(leg, number.attrib["statusCallback"], **more)

    def over(self, leg: Leg, number: ElementTree.Element, status: str) -> Leg:
        """A leg ends."""
        leg.ended = self.exchange.clock
        if status in {"busy", "no-answer", "canceled"}:
            leg.started = None
        self.state(leg, number, status)
        return leg

    def end(
        self, leg: Leg, status: str, verb: ElementTree.Element, numbers: Sequence[ElementTree.Element]
    ) -> None:
        """A talk ends."""
        number = next(one for one in numbers if (one.text or "").strip() == leg.to)
        self.over(leg, number, status)
