"""The port between a page of deliveries and what its channel keeps in the database: counted rules, and ids.

Mail has none. What goes by telephone costs money, so it may only go after it was counted, in the transaction
that marks it as being transmitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from outbound.channels.base import Outcome
from outbound.compose import Composed
from outbound.policy import Verdict


class Gate(Protocol):
    """Asked twice for each page, inside its transactions."""

    def admit(self, session: Session, composed: Sequence[Composed]) -> Mapping[int, Verdict]:
        """Deliveries that may not go now, with the reason; for the others, write down that they go."""
        ...

    def recorded(self, session: Session, outcomes: Mapping[int, Outcome]) -> None:
        """What became of deliveries, in the transaction that has just settled them."""
        ...


class OpenGate:
    """Lets everything through: the gate of mail."""

    def admit(self, session: Session, composed: Sequence[Composed]) -> Mapping[int, Verdict]:
        """Nobody is held back."""
        return {}

    def recorded(self, session: Session, outcomes: Mapping[int, Outcome]) -> None:
        """Nothing is kept."""
