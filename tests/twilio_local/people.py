"""How people behave on the telephone: who is called, and who calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Answer(StrEnum):
    """What a telephone that is rung does."""

    HUMAN = "human"
    BUSY = "busy"
    SILENCE = "silence"
    """Rings until it is given up."""
    MACHINE = "machine"
    """A mobile's voicemail: picks up, listens, presses nothing."""
    FAX = "fax"
    """Answers with a tone."""


@dataclass
class Callee:
    """A colleague's telephone."""

    answer: Answer = Answer.HUMAN
    keys: str = "1"
    """Pressed when asked; empty for nothing."""
    ring_seconds: int = 4
    talk_seconds: int = 60
    hangs_up_at: int | None = None
    """Number of the verb, from 0, at which they hang up on a call of ours; None stays to the end."""


@dataclass
class Caller:
    """Somebody who rings us."""

    keys: list[str] = field(default_factory=list)
    """Pressed one after another, one at each question; then nothing more."""
    message_seconds: int = 0
    """How long they speak after the tone."""
    hangs_up_at: int | None = None
    """Number of the verb, from 0, at which they hang up; None stays to the end."""
