"""Which text counts for whom: what colleagues wrote, laid over the shipped templates.

One function decides it for everybody who reads a template, `laid_over`: a colleague's own text comes before
their team's, the team's before the company's, the company's before the shipped one. Each language is
looked up by itself, so that a text written in one language never hides the others.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import templatelibrary
from core.staff import StaffMember
from core.templatelibrary import InForce, TemplateScope
from templates.catalogue import Catalogue, shipped
from templates.unit import Source

LAYERS = (TemplateScope.COMPANY, TemplateScope.TEAM, TemplateScope.MINE)
"""From the lowest to the highest; the shipped texts lie under them."""

Variant = tuple[str, str, str]
"""Kind, key and language."""


@dataclass(frozen=True)
class Shelf(Catalogue):
    """The catalogue that one colleague reads, and which row each text comes from."""

    rows: Mapping[Variant, InForce] = field(default_factory=dict)
    """By variant; what is missing here is the shipped text."""

    def row_of(self, source: Source) -> InForce | None:
        """The row that a text comes from; None for the shipped one."""
        return self.rows.get((source.kind, source.key, source.language))


def laid_over(
    rows: Iterable[InForce], staff_id: int | None, team_id: int | None, default_language: str = "en"
) -> Shelf:
    """The texts as one colleague's letters take them; nobody's in particular with neither id.

    A deleted template counts only where no other text stands: what was queued with it still goes out.
    """
    overrides: dict[str, str] = {}
    found: dict[Variant, InForce] = {}
    counted = [one for one in rows if _counts(one, staff_id, team_id)]
    for row in sorted(counted, key=lambda one: LAYERS.index(one.scope)):
        if not row.deleted:
            for language in row.texts:
                found[row.kind, row.key, language] = row
    for row in counted:
        if row.deleted:
            for language in row.texts:
                if not shipped_has(row.kind, row.key, language):
                    found.setdefault((row.kind, row.key, language), row)
    for (kind, key, language), row in found.items():
        for part, text in row.texts[language].items():
            overrides[f"{kind}/{key}/{language}/{part}"] = text
    return Shelf(overrides, default_language, rows=found)


def shelf_of(
    session: Session,
    staff_id: int | None = None,
    *,
    kind: str | None = None,
    key: str | None = None,
    default_language: str = "en",
) -> Shelf:
    """The same, read from the database now; of one kind or key where that is all one needs."""
    team_id = None
    if staff_id is not None:
        team_id = session.scalar(select(StaffMember.team_id).where(StaffMember.id == staff_id))
    rows = templatelibrary.in_force(session, kind=kind, key=key)
    return laid_over(rows, staff_id, team_id, default_language)


class Library:
    """The whole library in memory, for who composes many letters; read anew when something changed."""

    def __init__(self, default_language: str = "en") -> None:
        self._default_language = default_language
        self._lock = threading.Lock()
        self._read_at = ""
        self._rows: list[InForce] = []
        self._teams: dict[int, int | None] = {}
        self._shelves: dict[tuple[int | None, int | None], Shelf] = {}

    def seen_by(self, session: Session, staff_id: int | None) -> Shelf:
        """The texts as a colleague's letters take them at this moment."""
        now = templatelibrary.fingerprint(session)
        with self._lock:
            if now != self._read_at:
                self._rows = templatelibrary.in_force(session)
                teams = select(StaffMember.id, StaffMember.team_id).where(StaffMember.team_id.is_not(None))
                self._teams = dict(session.execute(teams).all())
                self._shelves.clear()
                self._read_at = now
            team_id = self._teams.get(staff_id) if staff_id is not None else None
            # Only whoever wrote something of their own needs a shelf of their own.
            owns = any(row.staff_id == staff_id for row in self._rows if row.staff_id is not None)
            place = (staff_id if owns else None, team_id)
            if place not in self._shelves:
                self._shelves[place] = laid_over(self._rows, *place, self._default_language)
            return self._shelves[place]


def _counts(row: InForce, staff_id: int | None, team_id: int | None) -> bool:
    match row.scope:
        case TemplateScope.MINE:
            return staff_id is not None and row.staff_id == staff_id
        case TemplateScope.TEAM:
            return team_id is not None and row.team_id == team_id
        case _:
            return True


@functools.lru_cache(maxsize=1024)
def shipped_has(kind: str, key: str, language: str) -> bool:
    """Whether frontdesk ships a template in a language."""
    return key in shipped().keys(kind) and language in shipped().languages(kind, key)


def digest(source: Source) -> str:
    """What tells one text from another: the first 12 digits of the SHA-256 of its parts."""
    whole = "\0".join(f"{part}\0{source.parts[part]}" for part in sorted(source.parts))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
