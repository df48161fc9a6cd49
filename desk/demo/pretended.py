"""A pretended call to a running desk: its documents run step by step, as a telephone company would.

What `frontdesk demo call` does. It takes some seconds, as a real call would, so that the desk of whoever is
rung shows who is calling while it rings.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx

from core.errors import FrontdeskError
from desk.demo.letterbox import NoDemonstration
from desk.demo.switchboard import ACCOUNT, TOKEN

MOST_DOCUMENTS: Final = 30
ROAD: Final = "/phone/twilio"
PATIENCE: Final = 60.0
"""Seconds that the desk gets for an answer: a demonstration runs on machines that have much else to do."""


class HungUp(FrontdeskError):
    """The desk answered with something that is no document."""


@dataclass
class Pretended:
    """Somebody who rings the company, and how its colleagues react."""

    desk: str
    """Address of the desk, which is also its public one."""
    number: str
    to: str
    says: str = ""
    keys: str = ""
    """Pressed one after another when asked."""
    answered: bool = True
    """Whether the first colleague who is rung takes it."""
    rings: float = 4.0
    """Seconds that a telephone rings."""
    told: Callable[[str], None] = print
    sid: str = field(default_factory=lambda: "CA" + secrets.token_hex(16))
    spoken: int = 0

    def place(self) -> None:
        """Place the call, and return when it is over. Raises NoDemonstration when no desk answers."""
        following: tuple[str, dict[str, str]] | None = (f"{self.desk}{ROAD}/voice", {})
        status = "ringing"
        begun = time.monotonic()
        for _ in range(MOST_DOCUMENTS):
            if following is None:
                break
            root = self._document(following[0], self._fields(self.sid, status, **following[1]))
            status = "in-progress"
            following = self._run(root)
        length = max(round(time.monotonic() - begun), 1)
        self._tell("status", self._fields(self.sid, "completed", CallDuration=str(length)))

    def _run(self, root: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        for verb in root:
            match verb.tag:
                case "Reject" | "Hangup":
                    self.told("The call is ended.")
                    return None
                case "Say":
                    self._hears(verb)
                case "Gather":
                    for one in verb.iter("Say"):
                        self._hears(one)
                    key, self.keys = self.keys[:1], self.keys[1:]
                    self.told(f"The caller presses {key}." if key else "The caller presses nothing.")
                    return verb.attrib["action"], {"Digits": key}
                case "Dial":
                    return self._dial(verb)
                case "Record":
                    return self._leave(verb)
                case _:
                    continue
        return None

    def _hears(self, said: ElementTree.Element) -> None:
        self.told(f"The caller hears: {said.text or ''}")
        time.sleep(min(len(said.text or "") / 60, 1.5))

    def _dial(self, verb: ElementTree.Element) -> tuple[str, dict[str, str]]:
        last, length = "no-answer", 0
        leg = ""
        for place, number in enumerate(verb.findall("Number")):
            leg = "CA" + secrets.token_hex(16)
            called = (number.text or "").strip()
            self._leg(leg, called, "ringing", number)
            self.told(f"{called} rings …")
            time.sleep(self.rings)
            if not (self.answered and place == 0):
                self._leg(leg, called, "no-answer", number)
                continue
            self._leg(leg, called, "in-progress", number)
            self._whisper(leg, called, number)
            self.told("A colleague takes the call.")
            self._speak("inbound_track")
            length = max(4, len(self.says) // 12)
            time.sleep(2.0)
            self._leg(leg, called, "completed", number, CallDuration=str(length))
            last = "completed"
            if verb.get("record"):
                self._recording(verb, "DialVerb", length)
            break
        return verb.attrib["action"], {
            "DialCallStatus": last,
            "DialCallSid": leg,
            "DialCallDuration": str(length),
        }

    def _whisper(self, leg: str, called: str, number: ElementTree.Element) -> None:
        url, fields = number.attrib["url"], {}
        for _ in range(3):
            root = self._document(url, self._fields(leg, "in-progress", called=called, **fields))
            gather = root.find("Gather")
            if gather is None:
                return
            self.told(f"The colleague hears: {' '.join(one.text or '' for one in gather.iter('Say'))}")
            url, fields = gather.attrib["action"], {"Digits": "1"}

    def _leave(self, verb: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        if not self.says:
            self.told("The caller says nothing.")
            return None
        length = max(3, len(self.says) // 12)
        self.told(f"After the tone the caller says: {self.says}")
        self._speak("inbound_track")
        self._recording(verb, "RecordVerb", length)
        return verb.attrib["action"], {"RecordingDuration": str(length), "Digits": "hangup"}

    def _speak(self, track: str) -> None:
        if not self.says:
            return
        self.spoken += 1
        self._tell(
            "transcript",
            {
                "AccountSid": ACCOUNT,
                "CallSid": self.sid,
                "TranscriptionSid": "GT" + self.sid[2:],
                "TranscriptionEvent": "transcription-content",
                "SequenceId": str(self.spoken),
                "Track": track,
                "Final": "true",
                "LanguageCode": "",
                "TranscriptionData": json.dumps({"transcript": self.says, "confidence": 0.93}),
            },
        )

    def _recording(self, verb: ElementTree.Element, source: str, length: int) -> None:
        fields = {
            "AccountSid": ACCOUNT,
            "CallSid": self.sid,
            "RecordingSid": "RE" + secrets.token_hex(16),
            "RecordingStatus": "completed",
            "RecordingDuration": str(length),
            "RecordingSource": source,
        }
        if verb.get("recordingStatusCallback"):
            self._tell("recording", fields)

    def _leg(self, leg: str, called: str, status: str, number: ElementTree.Element, **more: str) -> None:
        fields = self._fields(leg, status, called=called, ParentCallSid=self.sid, **more)
        if number.get("statusCallback"):
            self._tell("status", fields | {"Timestamp": formatdate()})

    def _fields(self, leg: str, status: str, called: str = "", **more: str) -> dict[str, str]:
        ours = bool(called)
        return {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "CallSid": leg,
            "CallStatus": status,
            "Direction": "outbound-dial" if ours else "inbound",
            "From": self.to if ours else self.number,
            "To": called or self.to,
            **more,
        }

    def _document(self, url: str, fields: Mapping[str, str]) -> ElementTree.Element:
        answer = self._post(url, fields)
        if answer.status_code != 200:
            raise HungUp(f"The desk answers {answer.status_code}.")
        return ElementTree.fromstring(answer.text)  # noqa: S314 - our own desk's document

    def _tell(self, name: str, fields: Mapping[str, str]) -> None:
        self._post(f"{self.desk}{ROAD}/{name}", fields)

    def _post(self, url: str, fields: Mapping[str, str]) -> httpx.Response:
        signed = url + "".join(name + fields[name] for name in sorted(fields))
        mac = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": base64.b64encode(mac.digest()).decode(),
        }
        try:
            return httpx.post(url, content=urlencode(fields), headers=headers, timeout=PATIENCE)
        except httpx.HTTPError as error:
            raise NoDemonstration(f"No demonstration answers at {self.desk}.") from error
