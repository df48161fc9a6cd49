"""The classifier in force: the shipped model until a version of the company's own is active."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier.classify import Classifier, Labels, ProductTerms, Text
from classifier.recent import MOST
from classifier.text import features_of, plain
from core.labels import ClassifierVersion, Correction, Field, VersionState, corrections_in_force

LOOK_EVERY = 15.0
"""Seconds between looks at the database for another version or new corrections."""

Transaction = Callable[[], AbstractContextManager[Session]]


class ClassifierInForce:
    """Classifies as `Classifier` does, and follows activations, rollbacks and corrections made elsewhere."""

    def __init__(self, transaction: Transaction, *, look_every: float = LOOK_EVERY) -> None:
        self._transaction = transaction
        self._look_every = look_every
        self._seen: tuple[str | None, int, int] | None = None
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._present = Classifier.load()

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """The labels of every text, in order."""
        return self.present().classify(texts, products)

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
        newest, undone = session.execute(
            select(func.coalesce(func.max(Correction.id), 0), func.count(Correction.undone_at)).where(
                Correction.field == Field.INTENT
            )
        ).one()
        seen = (name, newest, undone)
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
    """(prepared text, label) of the newest corrections, oldest first."""
    return [
        (features_of(plain(Text(message.subject, message.reply or message.text))), correction.value or "")
        for correction, message in list(corrections_in_force(session))[-MOST:]
        if correction.value
    ]
