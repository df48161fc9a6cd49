"""Places in the order of changes, the same for every process of the desk.

PostgreSQL hands notifications to all who listen in one order, that of the commits (its manual, NOTIFY).
Whoever begins to listen sends a mark into that order, and all who hear it count from there under the mark's
name: a place that one process gave to a page is understood by the process that the page's stream reaches.
"""

from __future__ import annotations

import json
import re
import secrets

KEPT = 16
"""Marks that are still understood: each time a process of the desk begins to listen, there is one more."""

_PLACE = re.compile(r"([0-9a-f]{8})\.([0-9]{1,18})")
_NAME = re.compile(r"[0-9a-f]{8}")


class Order:
    """Counts changes, and names each place by the newest mark before it."""

    def __init__(self) -> None:
        self._number = 0
        self._marks: dict[str, int] = {}
        self.begin()

    @property
    def number(self) -> int:
        """The newest change's, on this process's own count."""
        return self._number

    def begin(self) -> None:
        """What was counted before is compared with nobody's any more: something was not heard, perhaps."""
        self._marks = {secrets.token_hex(4): self._number}

    def count(self) -> int:
        """One more change was heard; its number."""
        self._number += 1
        return self._number

    def heard(self, name: str) -> None:
        """A mark was heard; one that is no name is none."""
        if _NAME.fullmatch(name) and name not in self._marks:
            self._marks[name] = self._number
            if len(self._marks) > KEPT:
                self._marks.pop(next(iter(self._marks)))

    def place(self, number: int | None = None) -> str | None:
        """What a page is told of a number, the newest where none is given; None where no mark names it."""
        asked = self._number if number is None else number
        for name, base in reversed(self._marks.items()):
            if base <= asked:
                return f"{name}.{asked - base}"
        return None

    def number_of(self, place: str) -> int | None:
        """The number that a page's place has here; None where it is not known."""
        read = _PLACE.fullmatch(place)
        if read is None or read[1] not in self._marks:
            return None
        return self._marks[read[1]] + int(read[2])


def mark() -> str:
    """A mark to be sent to all who listen."""
    return json.dumps({"kind": "mark", "name": secrets.token_hex(4)})


def name_in(payload: str) -> str | None:
    """The name in a notification that is a mark."""
    try:
        news = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(news, dict) or news.get("kind") != "mark":
        return None
    return str(news.get("name"))
