"""Twilio's webhooks: whether Twilio sent them, and what each says in our own words.

A signature proves who sent a request, not when, nor where one field ends and the next begins. So besides the
signature every field we use must have the form it should have, no name may stand twice, and each fact has a
key under which it is kept once. Nothing here looks at a database or makes a decision about a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from core.callplan import Step
from core.calls import LegState
from core.errors import InputRefused, NotAllowed
from core.phoneevents import EventKind, Told
from core.phoneorders import TextStatus
from core.phoneroads import DELIVERY

PROVIDER: Final = "twilio"
BODY_LIMIT: Final = 64_000
"""Bytes of one webhook; a transcript of real-time recognition, the longest, takes some hundreds."""
FIELDS_LIMIT: Final = 200

STATUSES: Final[Mapping[str, LegState]] = {
    "queued": LegState.QUEUED,
    "initiated": LegState.INITIATED,
    "ringing": LegState.RINGING,
    "in-progress": LegState.ANSWERED,
    "answered": LegState.ANSWERED,
    "completed": LegState.COMPLETED,
    "busy": LegState.BUSY,
    "failed": LegState.FAILED,
    "no-answer": LegState.NO_ANSWER,
    "canceled": LegState.CANCELED,
}
"""Twilio's words for the state of a leg, and ours."""

RECORDING_STATUSES: Final = {
    "in-progress": "running",
    "processing": "running",
    "paused": "running",
    "stopped": "running",
    "completed": "completed",
    "absent": "absent",
    "failed": "failed",
}

TEXT_STATUSES: Final = frozenset(status.value for status in TextStatus)

_CALL = re.compile(r"CA[0-9a-f]{32}")
_RECORDING = re.compile(r"RE[0-9a-f]{32}")
_MESSAGE = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_TRANSCRIPT = re.compile(r"GT[0-9a-f]{32}")
_NUMBER = re.compile(r"\d{1,9}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Forged(NotAllowed):
    """The request did not come from Twilio as it stands."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as it reached us, before anything of it is believed."""

    path: str
    """Raw path, percent-encoded as it came."""
    query: str
    """Raw query without its question mark; empty for none."""
    content_type: str
    signature: str
    """X-Twilio-Signature; empty where the header is missing."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that Twilio signed: the fields of its form, and the parameters that we ourselves put into its
    address."""

    fields: Mapping[str, str]
    params: Mapping[str, str]


def verify(webhook: Webhook, *, public_url: str, account_sid: str, tokens: Sequence[str]) -> Signed:
    """Read a webhook that Twilio signed with one of the account's tokens.

    The address is built from the public one, because behind a proxy the request names another. Raises Forged
    for whatever Twilio would not send, without saying more than that to who asks.
    """
    if len(webhook.body) > BODY_LIMIT:
        raise Forged("The request is too large for a webhook.")
    if webhook.content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Forged("The request is not a form.")
    fields = _pairs(webhook.body)
    params = _pairs(webhook.query.encode())
    address = public_url + webhook.path + (f"?{webhook.query}" if webhook.query else "")
    signed = [
        token for token in tokens if RequestValidator(token).validate(address, fields, webhook.signature)
    ]
    if not webhook.signature or not signed:
        raise Forged("The signature does not fit.")
    if fields.get("AccountSid") != account_sid:
        raise Forged("The request speaks of another account.")
    return Signed(fields, params)


def _pairs(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT
        )
    except ValueError as error:  # not ASCII, not UTF-8 once decoded, or too many fields
        raise Forged("The request cannot be read.") from error
    named = dict(pairs)
    if len(named) != len(pairs):
        # The signature holds for either of two values of one name, so neither can be believed.
        raise Forged("A field stands twice in the request.")
    if not all(_NAME.fullmatch(name) for name in named):
        raise Forged("A field of the request has a name that Twilio gives to none.")
    return named


def step_told(step: Step, signed: Signed, **more: Any) -> Told:
    """What the request for the next step of a call says; `more` is added to its facts.

    Raises InputRefused where a field does not have its form.
    """
    fields, params = signed.fields, signed.params
    leg = _sid(_CALL, fields, "CallSid")
    call = params.get("call", leg)
    if not _CALL.fullmatch(call):
        raise InputRefused("The request names no call.")
    facts: dict[str, Any] = {
        "call": call,
        "step": step.value,
        "input": fields.get("Digits", "")[:20],
        "status": fields.get("DialCallStatus", ""),
        "seconds": _count(fields.get("RecordingDuration")),
        "language": params.get("language"),
        **more,
    }
    if leg == call:
        facts |= {"caller": fields.get("From", ""), "called": fields.get("To", "")}
    if answered_by := fields.get("AnsweredBy", ""):
        facts["answered_by"] = answered_by[:40]
    if token := params.get(DELIVERY):
        facts["delivery"] = token[:64]
    if (staff := params.get("staff")) is not None:
        facts["staff_id"] = _count(staff)
    if (recording := fields.get("RecordingSid")) and _RECORDING.fullmatch(recording):
        facts["recording"] = recording
    key = f"{PROVIDER}:step:{leg}:{step.value}:{params.get('time', '1')[:3]}"
    return Told(key, PROVIDER, EventKind.STEP, call, facts, fields)


def status_told(fields: Mapping[str, str], source: str = "webhook", delivery: str | None = None) -> Told:
    """What a status callback says of one leg; ``delivery`` is the token of the delivery that asked for the
    call. Raises InputRefused for a status we do not know.
    """
    sid = _sid(_CALL, fields, "CallSid")
    state = STATUSES.get(fields.get("CallStatus", ""))
    if state is None:
        raise InputRefused("The request names no state of a call.")
    parent = fields.get("ParentCallSid") or None
    if parent is not None and not _CALL.fullmatch(parent):
        raise InputRefused("The request names no call.")
    return leg_told(
        sid,
        state,
        parent=parent,
        direction="in" if fields.get("Direction") == "inbound" else "out",
        caller=fields.get("From", ""),
        called=fields.get("To", ""),
        at=_moment(fields.get("Timestamp")),
        seconds=_count(fields.get("CallDuration")),
        cause=fields.get("SipResponseCode") or None,
        raw=fields,
        source=source,
        delivery=delivery,
    )


def leg_told(
    sid: str,
    state: LegState,
    *,
    parent: str | None,
    direction: str,
    caller: str,
    called: str,
    at: str | None = None,
    seconds: int | None = None,
    cause: str | None = None,
    raw: Mapping[str, str] | None = None,
    source: str = "webhook",
    delivery: str | None = None,
    created: str | None = None,
) -> Told:
    """One state of one leg, from a webhook or from a list: both give the same key."""
    facts = {
        "call": parent or sid,
        "parent": parent,
        "status": state.value,
        "direction": direction,
        "caller": caller,
        "called": called,
        "at": at,
        "seconds": seconds,
        "cause": cause,
        "delivery": delivery[:64] if delivery else None,
        "created": created,
    }
    key = f"{PROVIDER}:call:{sid}:{state.value}"
    return Told(key, PROVIDER, EventKind.CALL, sid, facts, raw or {}, source)


def recording_told(fields: Mapping[str, str], source: str = "webhook") -> Told:
    """What is said of a recording; its call is always the leg to the outside."""
    sid = _sid(_RECORDING, fields, "RecordingSid")
    status = RECORDING_STATUSES.get(fields.get("RecordingStatus", ""))
    if status is None:
        raise InputRefused("The request names no state of a recording.")
    facts = {
        "call": _sid(_CALL, fields, "CallSid"),
        "status": status,
        "seconds": _count(fields.get("RecordingDuration")),
        # A message that a caller left, also where our own document could not be fetched and another one ran.
        "message": fields.get("RecordingSource") == "RecordVerb",
    }
    return Told(
        f"{PROVIDER}:recording:{sid}:{status}", PROVIDER, EventKind.RECORDING, sid, facts, fields, source
    )


OURS: Final = "ours"
"""The parameter that names the track of our own side, where it is not the outgoing one."""
TRACKS: Final = frozenset({"inbound_track", "outbound_track"})


def transcript_told(fields: Mapping[str, str], params: Mapping[str, str]) -> Told | None:
    """Words that Twilio wrote down; None for news that brings none. Raises InputRefused for another form."""
    sid = _sid(_TRANSCRIPT, fields, "TranscriptionSid")
    call = _sid(_CALL, fields, "CallSid")
    event = fields.get("TranscriptionEvent", "")
    if event != "transcription-content":
        return None
    if fields.get("Final", "true") != "true":
        return None
    position = _count(fields.get("SequenceId"))
    if position is None:
        raise InputRefused("The words have no place in the call.")
    try:
        data = json.loads(fields.get("TranscriptionData") or "{}")
        text, confidence = str(data.get("transcript") or ""), data.get("confidence")
    except (ValueError, AttributeError) as error:
        raise InputRefused("The words cannot be read.") from error
    facts = {
        "call": call,
        "transcript": sid,
        "position": position,
        "speaker": _speaker(fields.get("Track", ""), params.get(OURS, "outbound_track")),
        "language": (fields.get("LanguageCode") or "")[:2].lower() or None,
        "text": text[:10_000],
        "confidence": confidence if isinstance(confidence, int | float) else None,
    }
    return Told(f"{PROVIDER}:transcript:{sid}:{position}", PROVIDER, EventKind.TRANSCRIPT, sid, facts, fields)


def _speaker(track: str, ours: str) -> str:
    if track not in TRACKS:
        return "unknown"
    return "us" if track == ours else "client"


def sms_told(fields: Mapping[str, str], source: str = "webhook", at: datetime | None = None) -> Told:
    """An SMS that came in; its webhook does not say when, a list does."""
    sid = _sid(_MESSAGE, fields, "MessageSid")
    facts = {
        "caller": fields.get("From", ""),
        "called": fields.get("To", ""),
        "text": fields.get("Body", "")[:10_000],
        "media": _count(fields.get("NumMedia")) or 0,
        "at": at.astimezone(UTC).isoformat() if at else None,
    }
    return Told(f"{PROVIDER}:sms:{sid}", PROVIDER, EventKind.SMS_IN, sid, facts, fields, source)


def text_told(
    fields: Mapping[str, str],
    *,
    delivery: str | None = None,
    source: str = "webhook",
    created: datetime | None = None,
) -> Told:
    """A state of an SMS of ours, from a callback or a list. Raises InputRefused for one we do not know."""
    sid = _sid(_MESSAGE, fields, "MessageSid")
    status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    if status not in TEXT_STATUSES:
        raise InputRefused("The request names no state of an SMS.")
    facts = {
        "status": status,
        "code": _count(fields.get("ErrorCode") or None),
        "called": fields.get("To", ""),
        "caller": fields.get("From", ""),
        "text": fields.get("Body", "")[:10_000],
        "delivery": delivery[:64] if delivery else None,
        "created": created.astimezone(UTC).isoformat() if created else None,
    }
    return Told(f"{PROVIDER}:sms:{sid}:{status}", PROVIDER, EventKind.SMS_OUT, sid, facts, fields, source)


def _sid(form: re.Pattern[str], fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not form.fullmatch(value):
        raise InputRefused(f"The request has no {name} that could be one.")
    return value


def _count(value: str | None) -> int | None:
    """A number of seconds, or None for whatever is not one (Twilio sends -1 where there is none)."""
    return int(value) if value is not None and value.isascii() and _NUMBER.fullmatch(value) else None


def _moment(value: str | None) -> str | None:
    """An RFC 2822 time as ISO 8601 in UTC; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
