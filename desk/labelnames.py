"""The names that the company gave to labels, for every page; looked up at most every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from core.db import transaction
from core.intents import intent_name
from core.labelbook import label_names

LOOK_EVERY = 5.0
"""Seconds for which names are kept."""

_lock = threading.Lock()
_held: WeakKeyDictionary[sa.Engine, tuple[float, Mapping[str, Mapping[str, str]]]] = WeakKeyDictionary()


def name(engine: sa.Engine, key: str, language: str) -> str:
    """A label's name in a language: the company's own, else ours, else its key."""
    given = _names(engine).get(key, {})
    return given.get(language) or _ours(key, language) or next(iter(given.values()), key)


def forget(engine: sa.Engine) -> None:
    """Look again at the next page: a name was just changed."""
    with _lock:
        _held.pop(engine, None)


def _ours(key: str, language: str) -> str | None:
    found = intent_name(key, language)
    return None if found == key else found


def _names(engine: sa.Engine) -> Mapping[str, Mapping[str, str]]:
    with _lock:
        known = _held.get(engine)
        if known is not None and time.monotonic() - known[0] < LOOK_EVERY:
            return known[1]
    with transaction(engine) as session:
        found = label_names(session)
    with _lock:
        _held[engine] = (time.monotonic(), found)
    return found
