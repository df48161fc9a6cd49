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
        claims = [None] * len(plains) if self._recent is None else self._recent.claims(matrix)
        return [
            self._labels(text, one, row, catalogue, claim)
            for text, one, row, claim in zip(texts, plains, probabilities, claims, strict=True)
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
        urgent = rules.urgency(folded)
        if urgent.found:
            reasons.append(Reason("urgency", urgent.found, urgent.weight))
        deal = rules.signal(folded)
        if deal is not None:
            reasons.append(Reason("signal", deal.found, deal.weight))
        interests = () if catalogue is None else catalogue.interests(folded)
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


def _words_of(text: Text) -> str:
    body = text.body[:600]
    return visible(body if len(body) > 40 else f"{text.subject[:200]} {body}")
