"""Messages to labels: language, intent and its confidence, urgency, products, the deal's signal, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from classifier import rules, store
from classifier.interests import Catalogue, Interest, ProductTerms
from classifier.language import Detected, detect
from classifier.model import Model, softmax
from classifier.recent import CONFIDENCE, Recent
from classifier.text import Text, features_of, plain, visible
from core.intents import Signal, Urgency

__all__ = ["Classifier", "Detected", "Interest", "Labels", "ProductTerms", "Reason", "Text", "classify"]

SHIPPED = Path(__file__).parent / "shipped.model"
"""The model trained on `classifier/examples`; made by `python -m classifier.training`."""

ALTERNATIVES = 3
SIGNAL, INTEREST, URGENCY = "signal", "interest", "urgency"
"""The names of the model's heads."""

UNLIKELY = 0.05
"""Below this chance by the model, words that seem to say a signal or an urgency are not believed."""

LEARNT = 4
"""Products learnt from staff are told while fewer than this are named."""

FEWEST_LETTERS = 2
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: `kind` is rule, urgency, signal or abstain; `text` the words seen; `weight` their strength."""

    kind: str
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Labels:
    """How one message is understood.

    `intent` is None when the classifier keeps silent (`abstained`); `alternatives` still holds the most
    probable intents with their calibrated probabilities, best first. `language` is ru, lt, en or None.
    `interests` holds (product key, confidence, reason).
    """

    language: str | None
    intent: str | None
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    urgency: Urgency
    interests: tuple[tuple[str, float, str], ...]
    signal: Signal
    reasons: tuple[Reason, ...]
    abstained: bool
    model_version: str


class Classifier:
    """A model with the rules around it; the same object may serve many threads' calls one after another."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._recent: Recent | None = None
        self._catalogues: dict[tuple[ProductTerms, ...], Catalogue] = {}

    @classmethod
    def load(cls, data: bytes | None = None) -> Classifier:
        """The shipped classifier, or the one in these bytes (`classifier_version.model`).

        Raises:
            ModelUnreadable: the bytes are damaged, changed or of another version.
        """
        return _shipped() if data is None else cls(store.load(data))

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.model.version

    def remember(self, corrected: Sequence[tuple[str, str]]) -> None:
        """From now on letters nearly like these (prepared text, label) get their label at once."""
        self._recent = Recent.of(self.model.features, corrected) if corrected else None

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """The labels of every text, in order. A text that says nothing is abstained from, never an error."""
        plains = [plain(text) for text in texts]
        catalogue = self._catalogue(products)
        matrix = self.model.features.transform([features_of(one) for one in plains])
        probabilities = softmax(self.model.scores_of(matrix) / self.model.temperature)
        heads = {name: head.chances(matrix) for name, head in self.model.heads.items()}
        claims = [None] * len(plains) if self._recent is None else self._recent.claims(matrix)
        return [
            self._labels(
                text, plains[i], probabilities[i], catalogue, claims[i], {n: c[i] for n, c in heads.items()}
            )
            for i, text in enumerate(texts)
        ]

    def explain(self, text: Text, label: str | None = None) -> list[tuple[str, float]]:
        """The words that spoke most for the label (by default the most probable), with their weight."""
        prepared = features_of(plain(text))
        if label is None:
            label = self.model.labels[int(self.model.probabilities([prepared])[0].argmax())]
        return self.model.words_for(prepared, label)

    def _labels(
        self,
        text: Text,
        seen: str,
        row: np.ndarray,
        catalogue: Catalogue | None,
        claim: tuple[str, float, str] | None,
        heads: dict[str, np.ndarray],
    ) -> Labels:
        language = detect(_words_of(text), text.language_hint)
        folded = rules.unmarked(seen.lower())
        reasons: list[Reason] = []
        row, rule = self._with_rule(row, folded)
        if rule is None and claim is not None and claim[0] in self.model.labels:
            rule = rules.Decision(claim[0], f"like a corrected letter: {claim[2][:60]}", CONFIDENCE)
            row = self._raised(row, rule)
        if rule is not None:
            reasons.append(Reason("rule", rule.found, rule.weight))
        order = np.argsort(-row, kind="stable")[:ALTERNATIVES]
        best = int(order[0])
        confidence = float(row[best])
        abstained = bool(confidence < self.model.thresholds[best]) and rule is None
        if len(_LETTERS.findall(seen[:80])) < FEWEST_LETTERS:
            abstained, confidence = True, 0.0
            reasons.append(Reason("abstain", "nothing written", 1.0))
        elif abstained:
            reasons.append(Reason("abstain", f"below {self.model.thresholds[best]:.2f}", confidence))
        urgent = self._urgency(seen, folded, heads)
        if urgent.found:
            reasons.append(Reason("urgency", urgent.found, urgent.weight))
        deal = self._signal(seen, folded, heads)
        if deal is not None:
            reasons.append(Reason("signal", deal.found, deal.weight))
        interests = () if catalogue is None else self._interests(seen, folded, catalogue, heads)
        return Labels(
            language=language.language,
            intent=None if abstained else self.model.labels[best],
            confidence=round(confidence, 4),
            alternatives=tuple((self.model.labels[i], round(float(row[i]), 4)) for i in order),
            urgency=Urgency(urgent.value),
            interests=tuple((one.product, one.confidence, one.reason) for one in interests),
            signal=Signal.NONE if deal is None else Signal(deal.value),
            reasons=tuple(reasons),
            abstained=abstained,
            model_version=self.model.version,
        )

    def _signal(self, seen: str, folded: str, heads: dict[str, np.ndarray]) -> rules.Decision | None:
        """What words decide unless the model finds it unlikely; else what the model is sure of."""
        said, head = rules.signal(folded), self.model.heads.get(SIGNAL)
        if head is None:
            return said
        row = heads[SIGNAL]
        if said is not None and said.value in head.labels:
            return said if row[head.labels.index(said.value)] >= UNLIKELY else None
        best = int(row.argmax())
        if said is not None or head.labels[best] == Signal.NONE or row[best] < head.thresholds[best]:
            return said
        words = self.model.words_of_head(features_of(seen), head, head.labels[best])
        return rules.Decision(head.labels[best], _told(words), round(float(row[best]), 3))

    def _urgency(self, seen: str, folded: str, heads: dict[str, np.ndarray]) -> rules.Decision:
        """What words decide unless staff's corrections make it unlikely; else what those taught for sure."""
        said, head = rules.urgency(folded), self.model.heads.get(URGENCY)
        if head is None or said.value not in head.labels:
            return said
        row = heads[URGENCY]
        best = int(row.argmax())
        unlikely = row[head.labels.index(said.value)] < UNLIKELY
        sure = said.value == Urgency.NORMAL and row[best] >= head.thresholds[best]
        if head.labels[best] == said.value or not (unlikely or sure):
            return said
        words = self.model.words_of_head(features_of(seen), head, head.labels[best])
        return rules.Decision(head.labels[best], _told(words), round(float(row[best]), 3))

    def _interests(
        self, seen: str, folded: str, catalogue: Catalogue, heads: dict[str, np.ndarray]
    ) -> tuple[Interest, ...]:
        """Products named in any form, then those that staff taught us to see in other words."""
        named = catalogue.interests(folded)
        head = self.model.heads.get(INTEREST)
        if head is None:
            return named
        row, known = heads[INTEREST], {one.product for one in named}
        learnt = [
            Interest(
                head.labels[i],
                round(float(row[i]), 4),
                _told(self.model.words_of_head(features_of(seen), head, head.labels[i])),
            )
            for i in np.flatnonzero(row >= head.thresholds)
            if head.labels[i] not in known and head.labels[i] in catalogue.keys
        ]
        return (*named, *sorted(learnt, key=lambda one: -one.confidence)[: max(0, LEARNT - len(named))])

    def _with_rule(self, row: np.ndarray, folded: str) -> tuple[np.ndarray, rules.Decision | None]:
        rule = rules.sure_intent(folded)
        if rule is None or rule.value not in self.model.labels:
            return row, None
        return self._raised(row, rule), rule

    def _raised(self, row: np.ndarray, rule: rules.Decision) -> np.ndarray:
        index = self.model.labels.index(rule.value)
        if row[index] >= rule.weight:
            return row
        rest = 1.0 - float(row[index])
        raised = row * ((1.0 - rule.weight) / rest)
        raised[index] = rule.weight
        return raised

    def _catalogue(self, products: Sequence[ProductTerms]) -> Catalogue | None:
        if not products:
            return None
        key = tuple(products)
        found = self._catalogues.get(key)
        if found is None:
            self._catalogues.clear()
            found = self._catalogues[key] = Catalogue.of(key)
        return found


def classify(texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
    """The labels by the shipped classifier."""
    return _shipped().classify(texts, products)


@lru_cache(maxsize=1)
def _shipped() -> Classifier:
    return Classifier(store.read(SHIPPED))


def _told(words: Sequence[tuple[str, float]]) -> str:
    return "learnt: " + ", ".join(word for word, _ in words)


def _words_of(text: Text) -> str:
    body = text.body[:600]
    return visible(body if len(body) > 40 else f"{text.subject[:200]} {body}")
