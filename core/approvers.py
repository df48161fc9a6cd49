"""Who may say that a letter may leave: a person, a role or a team, and who stands in while they are away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.staff import Absence, Role, StaffMember, Team

LEADING = (Role.HEAD, Role.ADMIN)
"""Who is asked, in this order, when nobody else can be."""
READERS = frozenset({Role.AGENT, Role.SUPPORT, Role.HEAD, Role.ADMIN})
"""Roles that may read clients' letters at all; marketing is never asked."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A staff member as this choice sees them."""

    id: int
    email: str
    role: Role
    team: str | None
    here: bool = True
    deputy_id: int | None = None
    """Who stands in for them during the absence they are on."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose letter it is."""

    asker_id: int | None = None
    """In whose name it goes out."""
    owner_id: int | None = None
    """Of the deal."""
    curator_id: int | None = None
    """Of the client."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who may decide, and whether they only stand in for somebody away."""

    ids: tuple[int, ...]
    standing_in: bool = False


def choose(spec: str, everybody: Sequence[Colleague], whose: Whose) -> Chosen:
    """Who may decide now; ``spec`` is ``owner``, ``curator``, ``person:…``, ``role:…`` or ``team:…``.

    Where none of them is here their deputies decide; where these are missing, the head of sales, then whoever
    administers; where nobody at all is here, those who were named, when they are back.
    """
    able = [one for one in everybody if one.role in READERS]
    named = [one for one in able if _is_meant(spec, one, whose)]
    present = [one for one in named if one.here]
    if present:
        return Chosen(_ids(present))
    here = {one.id: one for one in able if one.here}
    deputies = [here[one.deputy_id] for one in named if one.deputy_id in here]
    if deputies:
        return Chosen(_ids(deputies), standing_in=True)
    for role in LEADING:
        leaders = [one for one in here.values() if one.role is role]
        if leaders:
            return Chosen(_ids(leaders), standing_in=bool(named))
    return Chosen(_ids(named or [one for one in able if one.role in LEADING]))


def _is_meant(spec: str, one: Colleague, whose: Whose) -> bool:
    kind, _, who = spec.partition(":")
    match kind:
        case "owner":
            return one.id == whose.owner_id
        case "curator":
            return one.id == whose.curator_id
        case "person":
            return one.email == who.lower()
        case "role":
            return one.role.value == who
        case "team":
            return one.team == who
        case _:
            return False


def _ids(colleagues: Sequence[Colleague]) -> tuple[int, ...]:
    return tuple(sorted({one.id for one in colleagues}))


def colleagues(session: Session) -> list[Colleague]:
    """Everybody who works here, with whether they are away today and who stands in."""
    away = (
        select(Absence.staff_id, func.max(Absence.deputy_id).label("deputy_id"))
        .where(Absence.first_day <= func.current_date(), Absence.last_day >= func.current_date())
        .group_by(Absence.staff_id)
        .subquery()
    )
    rows = session.execute(
        select(
            StaffMember.id,
            StaffMember.email,
            StaffMember.role,
            Team.name,
            away.c.staff_id.is_(None),
            away.c.deputy_id,
        )
        .outerjoin(Team, Team.id == StaffMember.team_id)
        .outerjoin(away, away.c.staff_id == StaffMember.id)
        .where(StaffMember.active)
        .order_by(StaffMember.id)
    )
    return [Colleague(*row) for row in rows]
