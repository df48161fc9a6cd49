"""A company's own model beside ours: asked when ours is not sure, off unless configured."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from classifier.classify import Labels, Reason
from classifier.text import Text

ENOUGH = 0.9
"""How sure the other model must be to be believed where ours keeps silent."""

TIMEOUT_SECONDS = 20.0

REST_SECONDS = 300.0
"""After it failed or was late a program is not asked for so long: letters must not wait for it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another model says: a label and how sure it is (0 to 1)."""

    label: str
    confidence: float


class Labeller(Protocol):
    """Another model. It may be slow or fail; it then has no opinion and nothing else changes."""

    def label(self, texts: Sequence[Text]) -> list[Opinion | None]:
        """An opinion on each text, in order."""
        ...


@dataclass(slots=True)
class MemoryLabeller:
    """The twin for tests: opinions by a word that stands in the text."""

    opinions: Mapping[str, Opinion]
    asked: list[Text] = field(default_factory=list)

    def label(self, texts: Sequence[Text]) -> list[Opinion | None]:
        """The opinion of the first known word in each text."""
        self.asked.extend(texts)
        return [
            next((told for word, told in self.opinions.items() if word in text.body.lower()), None)
            for text in texts
        ]


@dataclass(slots=True)
class ProgramLabeller:
    """A program of the company: reads one JSON object a line (`subject`, `body`, `channel`), answers one a
    line (`label`, `confidence`). It is run without a shell, with no more than `timeout` seconds for a
    batch; after a failure it rests."""

    command: tuple[str, ...]
    timeout: float = TIMEOUT_SECONDS
    rest: float = REST_SECONDS
    _rests_until: float = field(default=0.0, repr=False)

    def label(self, texts: Sequence[Text]) -> list[Opinion | None]:
        """Opinions; none at all when the program fails, is late or answers with another number of lines."""
        if time.monotonic() < self._rests_until:
            return [None] * len(texts)
        lines, fault = self._answers(texts)
        if fault:
            self._rests_until = time.monotonic() + self.rest
            log.warning("the program beside the classifier failed", fault=fault, rests_seconds=self.rest)
            return [None] * len(texts)
        return [_opinion(line) for line in lines]

    def _answers(self, texts: Sequence[Text]) -> tuple[list[object], str]:
        """What it answered, a value a text, or what went wrong."""
        asked = "".join(
            json.dumps({"subject": one.subject, "body": one.body, "channel": one.channel}) + "\n"
            for one in texts
        )
        try:
            done = subprocess.run(  # noqa: S603 - the command stands in the company's own settings file
                self.command, input=asked, capture_output=True, text=True, timeout=self.timeout, check=True
            )
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            return [], f"{type(error).__name__}: {str(error)[:200]}"
        if len(lines) != len(texts):
            return [], f"{len(lines)} answers to {len(texts)} texts"
        return lines, ""


def asked_beside(
    ours: Sequence[Labels], texts: Sequence[Text], other: Labeller, known: frozenset[str]
) -> list[Labels]:
    """Our labels with the other model's opinions; it is shown only the texts on which ours keeps silent and
    that say anything."""
    doubtful = [place for place, one in enumerate(ours) if one.abstained and one.confidence > 0]
    if not doubtful:
        return list(ours)
    opinions = dict(zip(doubtful, other.label([texts[place] for place in doubtful]), strict=True))
    return [beside(one, opinions.get(place), known) for place, one in enumerate(ours)]


def beside(ours: Labels, opinion: Opinion | None, known: frozenset[str]) -> Labels:
    """Our labels with the other model's opinion: believed only where ours keeps silent, it is sure, and
    the label is one of ours."""
    if opinion is None or not ours.abstained or opinion.confidence < ENOUGH or opinion.label not in known:
        return ours
    rest = tuple(pair for pair in ours.alternatives if pair[0] != opinion.label)
    return replace(
        ours,
        intent=opinion.label,
        confidence=round(opinion.confidence, 4),
        alternatives=((opinion.label, round(opinion.confidence, 4)), *rest)[:3],
        reasons=(*ours.reasons, Reason("labeller", opinion.label, opinion.confidence)),
        abstained=False,
    )


def _opinion(line: object) -> Opinion | None:
    if not isinstance(line, dict):
        return None
    label, confidence = line.get("label"), line.get("confidence")
    if not isinstance(label, str) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        return None
    return Opinion(label, float(confidence))
