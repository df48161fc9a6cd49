"""What templates are called, for every page: the company's own names first; looked up every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import transaction
from core.i18n import Texts
from core.templatelibrary import KINDS, Template, TemplateScope
from desk import templatewords

LOOK_EVERY = 5.0
"""Seconds for which names are kept."""

_SCOPES = (TemplateScope.COMPANY, TemplateScope.TEAM, TemplateScope.MINE)
"""Whose name a key goes by where several have one: everybody's first."""

Names = Mapping[str, Mapping[str, str]]
"""By key, then by language."""

_lock = threading.Lock()
_held: WeakKeyDictionary[sa.Engine, tuple[float, Names]] = WeakKeyDictionary()


def own(session: Session) -> Names:
    """The names that were given to templates, by key; a deleted one keeps its name for what was sent."""
    rows = session.execute(
        select(Template.key, Template.names, Template.scope, Template.kind, Template.deleted_at)
    ).all()
    named = [row for row in rows if row.names]
    named.sort(
        key=lambda row: (row.deleted_at is not None, _SCOPES.index(row.scope), KINDS.index(row.kind)),
        reverse=True,
    )
    return {row.key: dict(row.names) for row in named}


def name(engine: sa.Engine, key: str, t: Texts) -> str:
    """What a reader calls a template; one of another kind than letters is named as `sms/key`."""
    kind, _, bare = key.rpartition("/")
    said = templatewords.name(_names(engine).get(bare, {}), bare, t)
    return f"{kind.upper()}: {said}" if kind else said


def forget(engine: sa.Engine) -> None:
    """Look again at the next page: a template was just saved."""
    with _lock:
        _held.pop(engine, None)


def _names(engine: sa.Engine) -> Names:
    with _lock:
        known = _held.get(engine)
        if known is not None and time.monotonic() - known[0] < LOOK_EVERY:
            return known[1]
    with transaction(engine) as session:
        found = own(session)
    with _lock:
        _held[engine] = (time.monotonic(), found)
    return found
