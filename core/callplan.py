"""What a caller hears and whose telephones ring: decided from local facts, as plain data with reasons.

An adapter turns a plan into its exchange's language; nothing here knows one. Every step of a call is planned
afresh from what is known then, so that a repeated request gets the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.callrings import NOBODY, Line, Rung, Telephone, order
from core.config_phone import Ring
from core.routing import Facts

MOST_ASKED = 2
"""How often a question is put to somebody who says nothing."""


class Step(StrEnum):
    """Where in a call the exchange asks us what to do."""

    GREET = "greet"
    """It arrived."""
    LANGUAGE = "language"
    """The caller was asked for a language."""
    TOPIC = "topic"
    """The caller was asked for a topic."""
    RUNG = "rung"
    """Ringing our telephones is over."""
    LEFT = "left"
    """The caller left a message, or kept silent after the tone."""
    WHISPER = "whisper"
    """A colleague picked up, and does not talk with the caller yet."""
    ACCEPT = "accept"
    """The colleague was asked to press a key."""
    MESSAGE = "message"
    """An automatic call of ours was answered."""
    PRESSED = "pressed"
    """Its callee was asked to press a key."""
    CLICK = "click"
    """A colleague who called by click picked up."""
    DIAL = "dial"
    """The colleague was asked to press a key, and the client is rung then."""
    ANNOUNCE = "announce"
    """The client picked up a call by click, and is told that it is recorded."""
    TALKED = "talked"
    """Ringing or talking with the client is over."""


@dataclass(frozen=True, slots=True)
class Say:
    """Words for the caller: a text already in its language."""

    text: str
    language: str
    voice: str = ""
    """Another voice than the language has."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Words after which one key is waited for; the answer comes back under `step`."""

    says: tuple[Say, ...]
    step: Step
    seconds: int = 5
    params: Mapping[str, str] = field(default_factory=dict)
    """What the exchange gives back with the answer."""


@dataclass(frozen=True, slots=True)
class RingStaff:
    """Ring colleagues; each must press a key to be connected, so that no voicemail of theirs takes it."""

    telephones: tuple[Telephone, ...]
    how: Ring
    seconds: int
    params: Mapping[str, str] = field(default_factory=dict)
    record: bool = False
    transcribe: str | None = None
    """The language in which the exchange writes down what is said; None for not."""
    longest_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Let the caller leave a message."""

    says: tuple[Say, ...]
    longest_seconds: int = 120
    params: Mapping[str, str] = field(default_factory=dict)
    transcribe: str | None = None


@dataclass(frozen=True, slots=True)
class RingClient:
    """Ring a client for a colleague who is on the line; its end comes back under `Step.TALKED`."""

    number: str
    shows: str
    """Our number, which the client sees."""
    seconds: int
    longest_seconds: int
    params: Mapping[str, str] = field(default_factory=dict)
    record: bool = False
    """Only after the client was told so, under `Step.ANNOUNCE`."""
    transcribe: str | None = None
    """The language in which the exchange writes down what is said; None for not."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not take the call; it costs nothing."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Connect:
    """The colleague takes the call: talk."""


Act = Say | Ask | RingStaff | RingClient | Voicemail | Reject | Hangup | Connect


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What to do now, in order, and why."""

    acts: tuple[Act, ...]
    reason: str

    @property
    def rings(self) -> list[int]:
        """Ids of the colleagues whom it rings, in order."""
        return [one.staff_id for act in self.acts if isinstance(act, RingStaff) for one in act.telephones]


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call when a step is planned."""

    blocked: bool = False
    open: bool = True
    """Our working hours."""
    language: str | None = None
    """What the caller speaks, from the client's card or the menu."""
    known: bool = False
    """The number belongs to a client's contact or account."""
    client: Facts = field(default_factory=Facts)
    """What the routing rules ask about; its language and topic are those of this call once they are known."""
    line: Line | None = None
    """Who could be rung; None where nobody is looked for."""


@dataclass(frozen=True, slots=True)
class House:
    """How our company takes calls, with its words."""

    languages: tuple[str, ...]
    default_language: str
    language_prompts: tuple[Say, ...]
    """One for each of `languages`, in their order: key 1 is the first."""
    topics: tuple[str, ...] = ()
    """Intents offered in the menu: key 1 is the first."""
    topic_prompts: Mapping[str, tuple[Say, ...]] = field(default_factory=dict)
    """By language, one for each topic."""
    greeting: Mapping[str, Say] = field(default_factory=dict)
    closed: Mapping[str, Say] = field(default_factory=dict)
    """Out of hours: asks for a message."""
    busy: Mapping[str, Say] = field(default_factory=dict)
    """Nobody is free: asks for a message."""
    goodbye: Mapping[str, Say] = field(default_factory=dict)
    ring: Ring = Ring.SEQUENCE
    ring_seconds: int = 15
    record: bool = False
    """Only after `greeting`, which says so."""
    transcribes: frozenset[str] = frozenset()
    """Languages in which the exchange writes down what is said, where it may be recorded."""
    voicemail: bool = True
    voicemail_seconds: int = 120
    longest_seconds: int = 3600


def language_of(facts: CallFacts, house: House) -> str:
    """The language to speak: the caller's where we speak it, else the company's."""
    return facts.language if facts.language in house.languages else house.default_language


def greet(facts: CallFacts, house: House) -> CallPlan:
    """A call arrived."""
    if facts.blocked:
        return CallPlan((Reject(),), "the number is on the block list")
    if not facts.open:
        return _message(facts, house, house.closed, "out of hours")
    if facts.known and facts.language in house.languages:
        return _ring(facts, house, "a client we know")
    return ask_language(facts, house, 1)


def ask_language(facts: CallFacts, house: House, time: int) -> CallPlan:
    """Ask for the language, or go on when there is only one or nobody answers."""
    if len(house.languages) < 2 or (facts.known and facts.language in house.languages):
        return ask_topic(facts, house, 1)
    if time > MOST_ASKED:
        return _ring(facts, house, "no language was chosen")
    ask = Ask(house.language_prompts, Step.LANGUAGE, params={"time": str(time)})
    return CallPlan((ask,), "a caller we do not know")


def language_chosen(key: str, facts: CallFacts, house: House, time: int) -> tuple[str | None, CallPlan]:
    """The caller pressed a key for a language, or none: the language, and what follows."""
    place = _place(key, house.languages)
    if place is None:
        return None, ask_language(facts, house, time + 1)
    chosen = house.languages[place]
    return chosen, ask_topic(with_language(facts, chosen), house, 1)


def ask_topic(facts: CallFacts, house: House, time: int) -> CallPlan:
    """Ask for the topic, or go on when there is no menu of topics or nobody answers."""
    language = language_of(facts, house)
    prompts = house.topic_prompts.get(language, ())
    if not house.topics or not prompts:
        return _ring(facts, house, "no menu of topics")
    if time > MOST_ASKED:
        return _ring(facts, house, "no topic was chosen")
    ask = Ask(prompts, Step.TOPIC, params={"time": str(time), "language": language})
    return CallPlan((ask,), "asks for the topic")


def topic_chosen(key: str, house: House) -> str | None:
    """The topic a key stands for, None for any other key."""
    place = _place(key, house.topics)
    return None if place is None else house.topics[place]


def after_topic(topic: str | None, facts: CallFacts, house: House, time: int) -> CallPlan:
    """The caller chose a topic, or none."""
    if topic is None:
        return ask_topic(facts, house, time + 1)
    return _ring(with_topic(facts, topic), house, f"chose {topic}")


def rung(connected: bool, facts: CallFacts, house: House) -> CallPlan:
    """Ringing is over: goodbye after a talk, else a message."""
    if connected:
        return CallPlan((Hangup(),), "a colleague talked with the caller")
    return _message(facts, house, house.busy, "nobody took it")


def left(seconds: int, facts: CallFacts, house: House) -> CallPlan:
    """The caller left a message of so many seconds, or kept silent."""
    if not seconds:
        return CallPlan((Hangup(),), "no message was left")
    return CallPlan((house.goodbye[language_of(facts, house)], Hangup()), "a message was left")


def whisper(says: Sequence[Say], params: Mapping[str, str]) -> CallPlan:
    """A colleague picked up: say who calls, and ask for a key."""
    return CallPlan((Ask(tuple(says), Step.ACCEPT, params=params),), "says who calls")


def accept(key: str) -> CallPlan:
    """The colleague pressed a key: 1 takes the call."""
    if key == "1":
        return CallPlan((Connect(),), "took the call")
    return CallPlan((Hangup(),), "did not take the call")


def rings(facts: CallFacts, house: House) -> Rung:
    """Whom to ring, in order, with the rule that put the first of them there."""
    if facts.line is None:
        return Rung((), NOBODY)
    return order(replace(facts.client, language=language_of(facts, house)), facts.line)


def with_language(facts: CallFacts, language: str) -> CallFacts:
    """The same facts with the language the caller chose."""
    return replace(facts, language=language)


def with_topic(facts: CallFacts, topic: str) -> CallFacts:
    """The same facts with the topic the caller chose, and the team that the topic goes to."""
    teams = facts.line.roster.teams_of_topics if facts.line is not None else {}
    client = replace(facts.client, intent=topic, topic_team_id=teams.get(topic))
    return replace(facts, client=client)


def rings_or_message(facts: CallFacts, house: House, why: str) -> CallPlan:
    """Ring whom this call should go to; where nobody is there, ask for a message."""
    return _ring(facts, house, why)


def _ring(facts: CallFacts, house: House, why: str) -> CallPlan:
    if not facts.open:
        return _message(facts, house, house.closed, "out of hours")
    rung_ones = rings(facts, house)
    if not rung_ones.telephones:
        return _message(facts, house, house.busy, f"{why}; nobody is on duty and free")
    language = language_of(facts, house)
    ring = RingStaff(
        rung_ones.telephones,
        house.ring,
        house.ring_seconds,
        {"language": language},
        record=house.record,
        transcribe=language if house.record and language in house.transcribes else None,
        longest_seconds=house.longest_seconds,
    )
    # Without words before it, ringing is the first thing done, and the caller pays nothing until it is taken.
    said: tuple[Act, ...] = (house.greeting[language],) if house.record else ()
    return CallPlan((*said, ring), f"{why}; {rung_ones.rule}")


def _message(facts: CallFacts, house: House, words: Mapping[str, Say], why: str) -> CallPlan:
    language = language_of(facts, house)
    if not house.voicemail:
        return CallPlan((words[language], Hangup()), f"{why}; no voicemail")
    message = Voicemail(
        (words[language],),
        house.voicemail_seconds,
        {"language": language},
        transcribe=language if language in house.transcribes else None,
    )
    return CallPlan((message,), f"{why}; voicemail")


def _place(key: str, choices: Sequence[str]) -> int | None:
    if len(key) == 1 and key.isascii() and key.isdecimal() and 1 <= int(key) <= len(choices):
        return int(key) - 1
    return None
