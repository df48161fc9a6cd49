"""What the callee of a call of ours hears, and a colleague who calls by click: plain data with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.callplan import (
    Ask,
    CallFacts,
    CallPlan,
    Connect,
    Hangup,
    House,
    RingClient,
    Say,
    Step,
    rings_or_message,
)
from core.config_dialling import OnMachine

TALK, OPT_OUT = "1", "9"
"""Keys of an automatic call: to talk with a colleague, and to get no such calls any more."""

PEOPLE = frozenset({"human", "unknown", ""})
"""Who answered, as the exchange heard it, where we speak as to a person; in doubt we do."""
FAX = "fax"
AFTER_THE_TONE = frozenset({"machine_end_beep", "machine_end_silence", "machine_end_other"})


@dataclass(frozen=True, slots=True)
class Words:
    """What an automatic call says, in the callee's language."""

    message: Say
    keys: Say
    """Which key does what."""
    stopped: Say
    """Said to who wants no more of these calls."""
    goodbye: Say


def answered(answered_by: str, words: Words, on_machine: OnMachine, params: Mapping[str, str]) -> CallPlan:
    """An automatic call was answered, by whom the exchange heard."""
    if answered_by in PEOPLE:
        ask = Ask((words.message, words.keys), Step.PRESSED, seconds=8, params=params)
        return CallPlan((ask,), f"answered by {answered_by or 'somebody'}")
    if answered_by == FAX:
        return CallPlan((Hangup(),), "a fax answered")
    if on_machine is OnMachine.MESSAGE and answered_by in AFTER_THE_TONE:
        return CallPlan((words.message, Hangup()), "left the message on a machine")
    return CallPlan((Hangup(),), "a machine answered")


def pressed(key: str, words: Words, facts: CallFacts, house: House) -> CallPlan:
    """The callee of an automatic call pressed a key, or none."""
    if key == TALK:
        return rings_or_message(facts, replace(house, record=False), "wants to talk")
    if key == OPT_OUT:
        return CallPlan((words.stopped, Hangup()), "wants no such calls any more")
    return CallPlan((words.goodbye, Hangup()), "heard the message")


def picked_up(whisper: Say, params: Mapping[str, str]) -> CallPlan:
    """A colleague who called by click picked up: say whom we call, and ask for a key."""
    return CallPlan((Ask((whisper,), Step.DIAL, seconds=10, params=params),), "says whom we call")


def dial(key: str, client: RingClient) -> CallPlan:
    """The colleague pressed a key: 1 calls the client."""
    if key == "1":
        return CallPlan((client,), "calls the client")
    return CallPlan((Hangup(),), "the colleague did not take it")


def announced(recorded: Say) -> CallPlan:
    """The client picked up: say that the call is recorded before the two are connected."""
    return CallPlan((recorded, Connect()), "says that it is recorded")


def talked(status: str, nobody: Say) -> CallPlan:
    """The client's telephone was rung, and is done with."""
    if status in {"completed", "answered"}:
        return CallPlan((Hangup(),), "talked with the client")
    return CallPlan((nobody, Hangup()), f"the client was not reached: {status or 'unknown'}")


def trial(says: Say) -> CallPlan:
    """A colleague picked up who wants to hear how a text sounds."""
    return CallPlan((says, Hangup()), "says how a voice sounds")
