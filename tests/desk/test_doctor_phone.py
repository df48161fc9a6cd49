"""The doctor looks at the telephone: an account over a real socket, its numbers, webhooks and countries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import LoginRefused
from desk import doctorphone
from desk.findings import Finding, Verdict
from tests.twilio_local.house import OURS, PUBLIC, phone_settings

VOICE = f"{PUBLIC}/phone/twilio/voice#rc=2&rp=ct,rt,5xx"
FALLBACK = "https://handler.twilio.com/twiml/EH1"


@dataclass
class Twilio:
    """The account as the server tells of it."""

    base: str = ""
    status: int = 200
    account: dict[str, Any] = field(default_factory=lambda: {"status": "active", "type": "Full"})
    number: dict[str, Any] = field(
        default_factory=lambda: {
            "phone_number": OURS, "voice_url": VOICE, "voice_method": "POST", "voice_fallback_url": FALLBACK,
            "status_callback": f"{PUBLIC}/phone/twilio/status", "sms_url": f"{PUBLIC}/phone/twilio/sms",
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        }
    )  # fmt: skip
    open_to: tuple[str, ...] = ("LT", "LV", "EE", "PL")
    special: tuple[str, ...] = ()

    def answer(self, path: str) -> dict[str, Any]:
        """The body of a good answer."""
        if path.startswith("/v1/DialingPermissions/Countries"):
            rows = [
                {
                    "iso_code": code, "name": code, "low_risk_numbers_enabled": code in self.open_to,
                    "high_risk_special_numbers_enabled": code in self.special,
                    "high_risk_tollfraud_numbers_enabled": False,
                }
                for code in ("LT", "LV", "EE", "PL", "SO")
            ]  # fmt: skip
            return {"content": rows, "meta": {"key": "content", "next_page_url": None}}
        if "IncomingPhoneNumbers" in path:
            return {"incoming_phone_numbers": [self.number], "next_page_uri": None, "page_size": 50}
        return self.account


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    """The server while the test lasts."""
    told = Twilio()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(told.answer(self.path) if told.status == 200 else {"code": 20003}).encode()
            self.send_response(told.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def look(twilio: Twilio, folder: Path) -> list[Finding]:
    return list(doctorphone.account_of(phone_settings(folder, api_base=twilio.base)))


def wrong(findings: list[Finding]) -> list[str]:
    return [str(one) for one in findings if one.verdict is Verdict.WRONG]


def test_account_in_order_is_found_so(twilio: Twilio, tmp_path: Path) -> None:
    assert {one.verdict for one in look(twilio, tmp_path)} == {Verdict.OK}


def test_wrong_token_is_named(twilio: Twilio, tmp_path: Path) -> None:
    twilio.status = 401
    with pytest.raises(LoginRefused):
        look(twilio, tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (
            "voice_url",
            "https://old.example/phone/twilio/voice",
            "“A call comes in” leads to https://old.example",
        ),
        ("voice_method", "GET", f"Set it to {PUBLIC}/phone/twilio/voice, with HTTP POST."),
        ("status_callback", "", "“Call status changes” leads to nowhere."),
        (
            "sms_url",
            "https://demo.twilio.com/welcome/sms/reply",
            "“A message comes in” leads to https://demo",
        ),
        ("phone_number", "+37052009999", "the account has no such number. It has: +37052009999."),
    ],
)
def test_number_that_does_not_lead_to_us_is_named_with_its_cure(
    twilio: Twilio, tmp_path: Path, setting: str, value: str, said: str
) -> None:
    twilio.number[setting] = value
    (found,) = wrong(look(twilio, tmp_path))
    assert said in found


def test_number_without_a_fallback_is_a_note(twilio: Twilio, tmp_path: Path) -> None:
    twilio.number["voice_fallback_url"] = ""
    notes = [one for one in look(twilio, tmp_path) if one.verdict is Verdict.NOTE]
    assert ["while our machine is down" in one.said for one in notes] == [True]


def test_countries_closed_to_us_and_open_to_fraud_are_named(twilio: Twilio, tmp_path: Path) -> None:
    twilio.open_to, twilio.special = ("LT", "SO"), ("SO",)
    findings = look(twilio, tmp_path)
    assert any("EE, LV, PL" in one for one in wrong(findings))
    assert any("expensive numbers may be called in SO" in one for one in wrong(findings))
    assert any(one.verdict is Verdict.NOTE and "may call SO, which" in one.said for one in findings)


def test_trial_account_is_a_note(twilio: Twilio, tmp_path: Path) -> None:
    twilio.account = {"status": "active", "type": "Trial"}
    assert any(one.verdict is Verdict.NOTE and "trial" in one.said for one in look(twilio, tmp_path))
