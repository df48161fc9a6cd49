"""What happens with calls, in words: states, outcomes, legs, and why a call went where it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import phonenumbers
from jinja2 import pass_context
from jinja2.runtime import Context

from core.calls import Call, CallOutcome, CallState, LegState, RecordingState
from core.conversations import Direction
from core.i18n import N_
from core.phonewords import retitled, retold
from core.transcripts import Speaker

STATES: Mapping[CallState, tuple[str, str, str]] = {
    CallState.RINGING: (N_("Ringing"), "blue", "phone"),
    CallState.CONNECTED: (N_("Talking"), "green", "phone"),
    CallState.REJECTED: (N_("Refused: blocked"), "", "ban"),
    CallState.MISSED: (N_("Missed"), "red", "phone"),
    CallState.VOICEMAIL: (N_("Left a message"), "yellow", "message-circle"),
    CallState.ANSWERED: (N_("Talked"), "green", "check"),
}
"""Name, colour and icon of each state of a call."""
STATES_OUT: Mapping[CallState, tuple[str, str, str]] = {
    CallState.MISSED: (N_("Did not answer"), "yellow", "phone"),
}
"""The same for calls we make, where they differ."""

OUTCOMES: Mapping[CallOutcome, str] = {
    CallOutcome.TALKED: N_("Talked"),
    CallOutcome.NEXT_STEP: N_("Agreed the next step"),
    CallOutcome.NO_ANSWER: N_("No answer"),
    CallOutcome.REFUSED: N_("Not interested for now"),
    CallOutcome.WRONG_NUMBER: N_("Wrong number"),
}

LEGS: Mapping[LegState, str] = {
    LegState.QUEUED: N_("queued"),
    LegState.INITIATED: N_("being called"),
    LegState.RINGING: N_("rang"),
    LegState.ANSWERED: N_("picked up"),
    LegState.CANCELED: N_("ended before anybody answered"),
    LegState.NO_ANSWER: N_("nobody answered"),
    LegState.BUSY: N_("busy"),
    LegState.FAILED: N_("could not be reached"),
    LegState.COMPLETED: N_("talked, over"),
}

RECORDINGS: Mapping[RecordingState, str] = {
    RecordingState.RUNNING: N_("Being recorded."),
    RecordingState.COMPLETED: N_("On its way here."),
    RecordingState.ABSENT: N_("There was nothing to record."),
    RecordingState.FAILED: N_("The exchange could not record it."),
    RecordingState.FETCHED: N_("Kept here."),
}

SPEAKERS: Mapping[Speaker, str] = {
    Speaker.CLIENT: N_("Client"),
    Speaker.US: N_("We"),
    Speaker.UNKNOWN: "",
}

STEPS: Mapping[str, str] = {
    "greet": N_("Came in"),
    "language": N_("Language"),
    "topic": N_("Topic"),
    "rung": N_("After ringing"),
    "left": N_("Message"),
    "whisper": N_("A colleague picked up"),
    "accept": N_("The colleague decided"),
    "message": N_("Answered"),
    "pressed": N_("The client pressed a key"),
    "click": N_("The colleague picked up"),
    "dial": N_("The colleague decided"),
    "announce": N_("The client picked up"),
    "talked": N_("After ringing"),
}
REASONS: Mapping[str, str] = {
    "the number is on the block list": N_("the number is blocked"),
    "out of hours; voicemail": N_("out of hours, so a message was asked for"),
    "out of hours; no voicemail": N_("out of hours"),
    "a caller we do not know": N_("a number we do not know"),
    "asks for the topic": N_("asked for the topic"),
    "nobody took it; voicemail": N_("nobody took it, so a message was asked for"),
    "nobody took it; no voicemail": N_("nobody took it"),
    "a colleague talked with the caller": N_("a colleague talked with the caller"),
    "a message was left": N_("a message was left"),
    "no message was left": N_("no message was left"),
    "says who calls": N_("heard who is calling"),
    "took the call": N_("took the call"),
    "did not take the call": N_("did not take the call"),
    "rings": N_("rings for a colleague"),
    "says whom we call": N_("heard whom we call"),
    "calls the client": N_("pressed 1, so the client was called"),
    "the colleague did not take it": N_("did not press 1, so the client was not called"),
    "says that it is recorded": N_("heard that the call is recorded"),
    "talked with the client": N_("talked with the client"),
    "the client was not reached: busy": N_("the client was busy"),
    "the client was not reached: no-answer": N_("the client did not answer"),
    "the client was not reached: failed": N_("the client could not be reached"),
    "the client was not reached: canceled": N_("the client did not answer"),
    "answered by human": N_("a person answered"),
    "answered by unknown": N_("somebody answered"),
    "answered by somebody": N_("somebody answered"),
    "a fax answered": N_("a fax answered"),
    "a machine answered": N_("an answering machine took it"),
    "left the message on a machine": N_("left the message on an answering machine"),
    "heard the message": N_("heard the message"),
    "something went wrong on our side": N_("something went wrong on our side"),
    "something went wrong on our side; no voicemail": N_("something went wrong on our side"),
    "wants no such calls any more": N_("wants no such calls any more"),
    "something went wrong on our side; voicemail": N_(
        "something went wrong on our side, so a message was asked for"
    ),
}
"""Reasons as plans give them; another one is told by its rule."""
RULES: Mapping[str, str] = {
    "owns_deal": N_("rang the owner of the deal first"),
    "keeps_conversation": N_("rang who has the conversation first"),
    "curates_account": N_("rang the client’s curator first"),
    "topic_person": N_("rang who takes the topic in the curator’s team first"),
    "topic_team": N_("rang the topic’s team"),
    "territory": N_("rang who answers for the client’s territory first"),
    "industry": N_("rang who knows the client’s industry first"),
    "least_loaded": N_("rang who has the least work"),
    "nobody is on duty and free": N_("nobody was on duty and free"),
}
"""Why the first telephone was the first, by the rule of routing that named its owner."""


def state_of(call: Call) -> tuple[str, str, str]:
    """Name, colour and icon of a call's state."""
    state = CallState(call.state)
    other = STATES_OUT.get(state) if call.direction == Direction.OUT else None
    return other or STATES[state]


def _named(table: Mapping[Any, str]) -> Callable[[Context, str], str]:
    @pass_context
    def name(context: Context, key: str) -> str:
        word = table.get(key, str(key))
        return context["_"](word) if word else ""

    return name


@pass_context
def _reason(context: Context, reason: str) -> str:
    _: Callable[[str], str] = context["_"]
    if reason in REASONS:
        return _(REASONS[reason])
    if "custom:" in reason:
        return _(N_("by a rule of our own"))
    found = next((words for rule, words in RULES.items() if rule in reason), None)
    return _(found) if found else reason


def length(seconds: int | None) -> str:
    """A length as people write it: 4:05, 1:02:03; empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@lru_cache(4096)
def spaced(number: str | None) -> str:
    """A number in the groups that people read it in: +370 612 00101; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number or "", None)
    except phonenumbers.NumberParseException:
        return number or ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@pass_context
def _retold(context: Context, text: str | None) -> str:
    return retold(text or "", context["lang"])


@pass_context
def _retitled(context: Context, subject: str | None) -> str:
    return retitled(subject or "", context["lang"])


def voice_name(voice: str) -> str:
    """A voice as people tell it from others: whose it is, and its name."""
    maker, _, name = voice.partition(".")
    if maker == "Google":
        kind = name.split("-", 2)[-1]
        return f"Google {kind.replace('-', ' ')}"
    return f"{name.replace('-', ' ')} (Amazon)" if maker == "Polly" else voice


FILTERS: Mapping[str, Callable[..., Any]] = {
    "call_state": state_of,
    "outcome_name": _named(OUTCOMES),
    "leg_state": _named(LEGS),
    "recording_state": _named(RECORDINGS),
    "speaker_name": _named(SPEAKERS),
    "call_step": _named(STEPS),
    "call_reason": _reason,
    "call_length": length,
    "spaced": spaced,
    "voice_name": voice_name,
    "retold": _retold,
    "retitled": _retitled,
}
"""Filters of the views of calls."""
