"""The labels as the company has them, for every page; looked up at most every few seconds."""

from __future__ import annotations

import threading
import time
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from core.db import transaction
from core.labelbook import LabelEntry, uncounted

LOOK_EVERY = 5.0
"""Seconds for which labels are kept."""

_lock = threading.Lock()
_held: WeakKeyDictionary[sa.Engine, tuple[float, dict[str, LabelEntry]]] = WeakKeyDictionary()


def name(engine: sa.Engine, key: str, language: str) -> str:
    """A label's name in a language: the company's own, else ours, else its key."""
    entry = _labels(engine).get(key)
    return key if entry is None else entry.name(language)


def topics(engine: sa.Engine, language: str) -> list[tuple[str, str]]:
    """The labels in use with their names, those that come with frontdesk first."""
    return [(one.key, one.name(language)) for one in _labels(engine).values() if one.active]


def forget(engine: sa.Engine) -> None:
    """Look again at the next page: a label was just changed."""
    with _lock:
        _held.pop(engine, None)


def _labels(engine: sa.Engine) -> dict[str, LabelEntry]:
    with _lock:
        known = _held.get(engine)
        if known is not None and time.monotonic() - known[0] < LOOK_EVERY:
            return known[1]
    with transaction(engine) as session:
        found = {one.key: one for one in uncounted(session)}
    with _lock:
        _held[engine] = (time.monotonic(), found)
    return found
