"""Who has a conversation before them now, and who is writing: held in memory, told by notifications."""

from __future__ import annotations

import time
from dataclasses import dataclass

LASTS = 50.0
"""Seconds after which somebody who gave no sign has gone; pages give one every 20 s."""
STATES = frozenset({"here", "writing", "gone"})


@dataclass(frozen=True, slots=True)
class Present:
    """A colleague at a conversation."""

    staff_id: int
    name: str
    writing: bool
    seen: float
    """On this process's monotonic clock."""


class Presence:
    """Who is where; each process learns it from the same notifications."""

    def __init__(self) -> None:
        self._at: dict[int, dict[int, Present]] = {}

    def heard(self, conversation_id: int, staff_id: int, name: str, state: str) -> bool:
        """Take a sign; True where it changes what colleagues see."""
        people = self._at.setdefault(conversation_id, {})
        before = people.get(staff_id)
        if state not in STATES or state == "gone":
            people.pop(staff_id, None)
            if not people:
                self._at.pop(conversation_id, None)
            return before is not None
        now = time.monotonic()
        people[staff_id] = Present(staff_id, name[:200], state == "writing", now)
        return before is None or before.writing != (state == "writing") or now - before.seen > LASTS

    def at(self, conversation_id: int, but: int) -> list[Present]:
        """The colleagues at a conversation other than `but`, by name."""
        oldest = time.monotonic() - LASTS
        people = list(self._at.get(conversation_id, {}).values())
        return sorted(
            (one for one in people if one.staff_id != but and one.seen > oldest), key=lambda one: one.name
        )
