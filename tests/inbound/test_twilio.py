"""Twilio's webhooks: what is believed, what each says, and documents that no words of a caller can change."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from core.callplan import (
    Act,
    Ask,
    CallPlan,
    Connect,
    Hangup,
    Reject,
    Ring,
    RingStaff,
    Say,
    Step,
    Telephone,
    Voicemail,
)
from core.errors import InputRefused
from core.phoneevents import EventKind
from inbound import twilio
from inbound.twilio import Forged, Signed, Webhook
from inbound.twiml import render
from tests.twilio_local.twimlcheck import parse

PUBLIC = "https://desk.example"
ACCOUNT = "AC" + "0" * 31 + "1"
CALL, CHILD, RECORDING = "CA" + "a" * 32, "CA" + "b" * 32, "RE" + "c" * 32
TOKENS = ["the new token", "the old token"]
FIELDS = {
    "AccountSid": ACCOUNT,
    "CallSid": CALL,
    "CallStatus": "ringing",
    "From": "+37061234567",
    "FromCity": "",
}


def sent(
    fields: dict[str, str] | None = None,
    *,
    token: str = TOKENS[0],
    url: str = f"{PUBLIC}/phone/twilio/voice",
    query: str = "",
) -> Webhook:
    fields = FIELDS if fields is None else fields
    full = url + (f"?{query}" if query else "")
    return Webhook(
        "/phone/twilio/voice",
        query,
        "application/x-www-form-urlencoded; charset=utf-8",
        RequestValidator(token).compute_signature(full, fields),
        urlencode(fields).encode(),
    )


def verify(webhook: Webhook) -> Signed:
    return twilio.verify(webhook, public_url=PUBLIC, account_sid=ACCOUNT, tokens=TOKENS)


@pytest.mark.parametrize("token", TOKENS)
def test_webhook_signed_with_either_token_is_believed_empty_fields_and_all(token: str) -> None:
    signed = verify(sent(token=token, query="call=CA1&language=lt"))
    assert signed.fields == FIELDS
    assert signed.params == {"call": "CA1", "language": "lt"}


BAD = {
    "wrong token": sent(token="another"),
    "no signature": replace(sent(), signature=""),
    "signature of another address": sent(url=f"{PUBLIC}/phone/twilio/sms"),
    "signature of plain http": sent(url="http://desk.example/phone/twilio/voice"),
    "signature of another port": sent(url="https://desk.example:8443/phone/twilio/voice"),
    "signature that is no base64": replace(sent(), signature="ž\udcff" * 9),
    "a field more": replace(sent(), body=sent().body + b"&Extra=1"),
    "an empty field less": replace(sent(), body=sent().body.replace(b"&FromCity=", b"")),
    "a field twice": replace(sent(), body=sent().body + b"&From=%2B37061234567"),
    "another query": replace(sent(), query="language=lt"),
    "JSON": replace(sent(), content_type="application/json", body=b"{}"),
    "no content type": replace(sent(), content_type=""),
    "10 MB": replace(sent(), body=b"a=" + b"x" * 10_000_000),
    "10,000 fields": replace(sent(), body=b"&".join(b"a%d=1" % n for n in range(10_000))),
    "no text": replace(sent(), body=b"\xff\xfe=\x00"),
    "broken encoding": replace(sent(), body=b"From=%FF%FE"),
    "another account": sent({**FIELDS, "AccountSid": "AC" + "f" * 32}),
    "no account": sent({"CallSid": CALL}),
    "nothing": replace(sent(), body=b"", signature=""),
    "a name with a number in it": sent({**FIELDS, "To+370": "1"}),
}


@pytest.mark.parametrize("webhook", list(BAD.values()), ids=list(BAD))
def test_whatever_twilio_did_not_sign_as_it_stands_is_refused(webhook: Webhook) -> None:
    """F51."""
    with pytest.raises(Forged):
        verify(webhook)


def test_moved_boundary_between_two_fields_is_refused_although_the_signature_fits() -> None:
    """F51."""
    honest = {**FIELDS, "FromCity": "", "FromX": ""}
    moved = {**honest, "From": "+37061234567FromCity"}
    del moved["FromCity"]
    webhook = replace(sent(honest), body=urlencode(moved).encode())
    signature = RequestValidator(TOKENS[0])
    assert signature.validate(f"{PUBLIC}/phone/twilio/voice", moved, webhook.signature)
    told = twilio.step_told(Step.GREET, verify(webhook))
    assert told.key == f"twilio:step:{CALL}:greet:1"


@given(st.binary(max_size=300), st.text(max_size=60), st.text(max_size=40), st.text(max_size=60))
def test_no_request_of_any_kind_is_anything_but_refused(
    body: bytes, signature: str, content_type: str, query: str
) -> None:
    for kind in (content_type, "application/x-www-form-urlencoded"):
        with pytest.raises(Forged):
            verify(Webhook("/phone/twilio/voice", query, kind, signature, body))


def test_status_of_a_leg_is_told_in_our_words_and_has_one_key_per_fact() -> None:
    fields = {
        "CallSid": CHILD, "ParentCallSid": CALL, "CallStatus": "no-answer", "Direction": "outbound-dial",
        "From": "+37052000000", "To": "+37060000001", "Timestamp": "Fri, 20 Nov 2026 09:00:00 +0000",
        "CallDuration": "-1", "SipResponseCode": "487", "SequenceNumber": "2",
    }  # fmt: skip
    told = twilio.status_told(fields)
    assert told.key == f"twilio:call:{CHILD}:no_answer"
    assert told.facts["call"] == CALL
    assert told.facts["at"] == "2026-11-20T09:00:00+00:00"
    assert (told.facts["seconds"], told.facts["cause"], told.facts["direction"]) == (None, "487", "out")
    assert twilio.status_told({**fields, "SequenceNumber": "3"}).key == told.key


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"CallSid": "CA1", "CallStatus": "ringing"},
        {"CallSid": CALL, "CallStatus": "dancing"},
        {"CallSid": CALL, "CallStatus": "ringing", "ParentCallSid": "'; drop table call"},
    ],
)
def test_status_without_its_form_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(InputRefused):
        twilio.status_told(fields)


def test_recording_belongs_to_the_leg_to_the_outside() -> None:
    told = twilio.recording_told(
        {
            "RecordingSid": RECORDING,
            "CallSid": CALL,
            "RecordingStatus": "completed",
            "RecordingDuration": "12",
        }
    )
    assert (told.kind, told.facts["call"], told.facts["seconds"]) == (EventKind.RECORDING, CALL, 12)


def test_sms_of_10_000_letters_and_its_pictures_are_told_but_nothing_is_fetched() -> None:
    """B60 and B63."""
    fields = {"MessageSid": "SM" + "d" * 32, "From": "+37061234567", "Body": "ž" * 20_000, "NumMedia": "2"}
    told = twilio.sms_told({**fields, "MediaUrl0": "http://169.254.169.254/"})
    assert (len(told.facts["text"]), told.facts["media"]) == (10_000, 2)
    assert "169.254" not in str(told.facts)


VOICES = {"lt": "Google.lt-LT-Standard-A"}
TELEPHONES = tuple(Telephone(f"+3706000000{n}", n) for n in range(3))


def rendered(*acts: Act) -> ElementTree.Element:
    plan = CallPlan(acts, "why")
    return parse(render(plan, public_url=PUBLIC, call=CALL, voices=VOICES))


hostile = st.text(max_size=200) | st.sampled_from(
    ["</Say><Dial>+19001234567</Dial>", "\x00\x0b\ufffe\ud800", "&lt;&#x0;", "<![CDATA[", '" url="http://x']
)


@given(hostile)
def test_no_words_can_change_a_document(words: str) -> None:
    """B56."""
    root = rendered(Say(words, "lt"), Ask((Say(words, "ru"),), Step.ACCEPT, params={"call": words}))
    assert [verb.tag for verb in root.iter()] == ["Response", "Say", "Gather", "Say"]


def test_telephones_are_rung_in_sequence_with_a_whisper_and_their_states_are_asked_for() -> None:
    (dial,) = rendered(RingStaff(TELEPHONES, Ring.SEQUENCE, 15))
    assert (dial.get("sequential"), dial.get("timeout"), dial.get("answerOnBridge")) == ("true", "15", "true")
    assert dial.get("record") is None
    assert [number.text for number in dial] == [one.number for one in TELEPHONES]
    assert dial[0].get("statusCallbackEvent") == "initiated ringing answered completed"
    assert dial[1].get("url") == f"{PUBLIC}/phone/twilio/whisper?call={CALL}&staff=1"


def test_telephones_are_rung_together_where_so_set_and_recorded_only_where_so_planned() -> None:
    (dial,) = rendered(RingStaff(TELEPHONES, Ring.TOGETHER, 15, record=True))
    assert dial.get("sequential") is None
    assert dial.get("record") == "record-from-answer-dual"


def test_silence_is_an_answer_and_a_record_has_its_own_action() -> None:
    (gather,) = rendered(Ask((Say("x", "lt"),), Step.LANGUAGE, params={"time": "1"}))
    assert gather.get("actionOnEmptyResult") == "true"
    assert gather.get("action") == f"{PUBLIC}/phone/twilio/language?time=1"
    _, record, hangup = rendered(Voicemail((Say("x", "lt"),), 120))
    assert record.get("action") == f"{PUBLIC}/phone/twilio/left"
    assert hangup.tag == "Hangup"


def test_the_other_acts_are_one_verb_each_and_lithuanian_goes_by_its_voice() -> None:
    assert [verb.tag for verb in rendered(Reject())] == ["Reject"]
    assert [verb.tag for verb in rendered(Connect())] == []
    say, hangup = rendered(Say("Labas", "lt"), Hangup())
    assert (say.get("voice"), say.get("language"), hangup.tag) == (VOICES["lt"], None, "Hangup")
