"""A plan of a call in Twilio's words: TwiML, built with the SDK's own classes only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from twilio.twiml.voice_response import Dial, Gather, Start, VoiceResponse

from core.callplan import Ask, CallPlan, Connect, Hangup, Reject, Ring, RingClient, RingStaff, Say, Voicemail
from inbound.twilio import OURS

ROAD: Final = "/phone/twilio"
"""Where our webhooks are, below the public address."""

LEG_EVENTS: Final = "initiated ringing answered completed"
RECORDING_EVENTS: Final = "in-progress completed absent"
LOCALES: Final = {"ru": "ru-RU", "en": "en-GB"}
"""Languages in which Twilio writes down what is said; that it can Lithuanian is not certain."""
SILENCE_SECONDS: Final = 6
"""So much silence ends a caller's message."""

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold; the SDK escapes the rest."""


def plain(text: str) -> str:
    """Text without the characters that would make a document unreadable (Twilio's error 12100)."""
    return _NOT_XML.sub(" ", text)


def address(public_url: str, name: str, params: Mapping[str, str] | None = None) -> str:
    """The full address of one of our webhooks."""
    query = urlencode({key: plain(value) for key, value in (params or {}).items()})
    return f"{public_url}{ROAD}/{name}" + (f"?{query}" if query else "")


def render(plan: CallPlan, *, public_url: str, call: str, voices: Mapping[str, str]) -> str:
    """The document for one step of a call; `call` is the id of the caller's leg."""
    response = VoiceResponse()
    for act in plan.acts:
        match act:
            case Say():
                _say(response, act, voices)
            case Ask():
                action = address(public_url, act.step.value, act.params)
                gather = Gather(
                    input="dtmf",
                    num_digits=1,
                    timeout=act.seconds,
                    action=action,
                    method="POST",
                    # Silence is an answer as well; without this the call would fall through.
                    action_on_empty_result=True,
                )
                for say in act.says:
                    _say(gather, say, voices)
                response.append(gather)
            case RingStaff():
                _ring(response, act, public_url, call)
            case RingClient():
                _ring_client(response, act, public_url, call)
            case Voicemail():
                for say in act.says:
                    _say(response, say, voices)
                _transcribe(response, act.transcribe, public_url, "inbound_track")
                response.record(
                    action=address(public_url, "left", act.params),
                    method="POST",
                    max_length=act.longest_seconds,
                    timeout=SILENCE_SECONDS,
                    play_beep=True,
                    recording_status_callback=address(public_url, "recording"),
                    recording_status_callback_event=RECORDING_EVENTS,
                )
                # A caller who says nothing at all falls through to here.
                response.hangup()
            case Reject():
                response.reject(reason="busy")
            case Hangup():
                response.hangup()
            case Connect():
                # The end of this document is what connects the two.
                pass
    return str(response)


def _say(into: VoiceResponse | Gather, say: Say, voices: Mapping[str, str]) -> None:
    voice = say.voice or voices.get(say.language)
    into.say(plain(say.text), **({"voice": voice} if voice else {}))


def _transcribe(
    response: VoiceResponse, language: str | None, public_url: str, track: str, *, placed: bool = False
) -> None:
    """Have what follows written down; where the language is none of Twilio's, nothing is.

    The incoming sound of a call is the client's, unless we ``placed`` it: then it is the colleague's who was
    rung first.
    """
    locale = LOCALES.get(language or "")
    if locale is None:
        return
    start = Start()
    start.transcription(
        status_callback_url=address(public_url, "transcript", {OURS: "inbound_track"} if placed else None),
        status_callback_method="POST",
        language_code=locale,
        track=track,
        inbound_track_label="us" if placed else "client",
        outbound_track_label="client" if placed else "us",
        partial_results=False,
        enable_automatic_punctuation=True,
    )
    response.append(start)


def _recorded(public_url: str) -> dict[str, str]:
    return {
        "record": "record-from-answer-dual",
        "recording_status_callback": address(public_url, "recording"),
        "recording_status_callback_event": RECORDING_EVENTS,
    }


def _ring_client(response: VoiceResponse, act: RingClient, public_url: str, call: str) -> None:
    _transcribe(response, act.transcribe, public_url, "both_tracks", placed=True)
    dial = Dial(
        action=address(public_url, "talked", act.params),
        method="POST",
        timeout=act.seconds,
        time_limit=act.longest_seconds,
        caller_id=act.shows,
        **(_recorded(public_url) if act.record else {}),
    )
    # Said to the client alone, before the two are connected.
    announcement = {"url": address(public_url, "announce", {"call": call, **act.params}), "method": "POST"}
    dial.number(
        act.number,
        status_callback=address(public_url, "status", act.params),
        status_callback_event=LEG_EVENTS,
        status_callback_method="POST",
        **(announcement if act.record else {}),
    )
    response.append(dial)


def _ring(response: VoiceResponse, act: RingStaff, public_url: str, call: str) -> None:
    _transcribe(response, act.transcribe, public_url, "both_tracks")
    dial = Dial(
        action=address(public_url, "rung", act.params),
        method="POST",
        timeout=act.seconds,
        time_limit=act.longest_seconds,
        answer_on_bridge=True,
        **({"sequential": True} if act.how is Ring.SEQUENCE and len(act.telephones) > 1 else {}),
        **(_recorded(public_url) if act.record else {}),
    )
    for telephone in act.telephones:
        params = {"call": call, "staff": str(telephone.staff_id), **act.params}
        dial.number(
            telephone.number,
            url=address(public_url, "whisper", params),
            method="POST",
            status_callback=address(public_url, "status"),
            status_callback_event=LEG_EVENTS,
            status_callback_method="POST",
        )
    response.append(dial)
