"""The classifier in force: the shipped model until a version of the company's own is active."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier.classify import Classifier, Labels, ProductTerms, Text
from classifier.labeller import Labeller, asked_beside
from classifier.material import odd_now
from classifier.recent import MOST
from classifier.sidelessons import text_of
from core.labels import (
    ClassifierVersion,
    Correction,
    Field,
    VersionState,
    newest_corrections,
    resolve_labels,
)

LOOK_EVERY = 15.0
"""Seconds between looks at the database for another version or new corrections."""

Transaction = Callable[[], AbstractContextManager[Session]]


class ClassifierInForce:
    """Classifies as `Classifier` does, and follows activations, rollbacks and corrections made elsewhere.

    `other` is a company's own model, asked where ours keeps silent.
    """

    def __init__(
        self, transaction: Transaction, *, look_every: float = LOOK_EVERY, other: Labeller | None = None
    ) -> None:
        self._transaction = transaction
        self._other = other
        self._look_every = look_every
        self._seen: tuple[str | None, int, int, int] | None = None
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._present = Classifier.load()

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """The labels of every text, in order."""
        present = self.present()
        ours = present.classify(texts, products)
        if self._other is None:
            return ours
        return asked_beside(ours, texts, self._other, frozenset(present.model.labels))

    @property
    def version(self) -> str:
        """The version in force."""
        return self.present().version

    def present(self) -> Classifier:
        """The classifier now in force."""
        with self._lock:
            if time.monotonic() - self._looked >= self._look_every:
                with self._transaction() as session:
                    self._look(session)
                self._looked = time.monotonic()
            return self._present

    def _look(self, session: Session) -> None:
        name = session.scalar(
            select(ClassifierVersion.name).where(ClassifierVersion.state == VersionState.ACTIVE)
        )
        newest, undone, allowed = session.execute(
            select(
                func.coalesce(func.max(Correction.id), 0),
                func.count(Correction.undone_at),
                func.count(Correction.allowed_at),
            ).where(Correction.field == Field.INTENT)
        ).one()
        seen = (name, newest, undone, allowed)
        if seen == self._seen:
            return
        if self._seen is None or self._seen[0] != name:
            self._present = loaded(session)
        self._present.remember(corrected_lately(session))
        self._seen = seen


def loaded(session: Session) -> Classifier:
    """The classifier of the active version, else the shipped one."""
    model = session.scalar(
        select(ClassifierVersion.model).where(ClassifierVersion.state == VersionState.ACTIVE)
    )
    return Classifier.load(model)


def corrected_lately(session: Session) -> list[tuple[str, str]]:
    """(prepared text, label) of the newest corrections, the newest last; a merged label's by what stands for
    it now. Batches that look odd change nothing at once either."""
    odd = {message_id for batch in odd_now(session) for message_id in batch.messages}
    resolved = resolve_labels(session)
    found: list[tuple[str, str]] = []
    for correction, message in newest_corrections(session, MOST):
        label = resolved.get(correction.value or "", correction.value)
        if label and message.id not in odd:
            found.append((text_of(message), label))
    return found
