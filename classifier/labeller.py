"""A company's own model beside ours: asked when ours is not sure, off unless configured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from classifier.classify import Labels, Reason
from classifier.text import Text

ENOUGH = 0.9
"""How sure the other model must be to be believed where ours keeps silent."""

TIMEOUT_SECONDS = 20.0


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


@dataclass(frozen=True, slots=True)
class ProgramLabeller:
    """A program of the company: reads one JSON object a line (`subject`, `body`, `channel`), answers one a
    line (`label`, `confidence`). It is run without a shell, with no more than `timeout` seconds for a
    batch."""

    command: tuple[str, ...]
    timeout: float = TIMEOUT_SECONDS

    def label(self, texts: Sequence[Text]) -> list[Opinion | None]:
        """Opinions; none at all when the program fails, is late or answers with another number of lines."""
        asked = "".join(
            json.dumps({"subject": one.subject, "body": one.body, "channel": one.channel}) + "\n"
            for one in texts
        )
        try:
            done = subprocess.run(  # noqa: S603 - the command stands in the company's own settings file
                self.command, input=asked, capture_output=True, text=True, timeout=self.timeout, check=True
            )
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        except (OSError, subprocess.SubprocessError, ValueError):
            return [None] * len(texts)
        if len(lines) != len(texts):
            return [None] * len(texts)
        return [_opinion(line) for line in lines]


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
