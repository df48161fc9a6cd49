"""Whose templates somebody sees and may change: everybody's, a team's, one's own; decided here and nowhere
else."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import NotAllowed, NotFound
from core.sessions import SignedIn
from core.templatelibrary import KINDS, InForce, TemplateScope
from core.templatelibrary_verbs import Place
from desk.access import LEADERS, MARKETERS

SHIPPED = "shipped"
"""The layer that nobody changes."""

FIXED = frozenset({("voice", "greeting"), ("voice", "out_of_hours"), ("voice", "voicemail")})
"""What a caller hears before anybody answers: part of the plan of calls, not of the library."""


@dataclass(frozen=True, slots=True)
class Layer:
    """For whom a text is: everybody, a team, or the colleague who wrote it."""

    scope: TemplateScope
    team_id: int | None = None
    staff_id: int | None = None

    @property
    def code(self) -> str:
        """As addresses and forms name it: ``company``, ``team-3``, ``mine``."""
        return f"team-{self.team_id}" if self.scope is TemplateScope.TEAM else self.scope.value

    def at(self, kind: str, key: str) -> Place:
        """The place of one template in it."""
        return Place(kind, key, self.scope, self.team_id, self.staff_id)


def insist_on(kind: str, key: str) -> None:
    """Raises NotFound for what is no template of the library."""
    if kind not in KINDS or (kind, key) in FIXED:
        raise NotFound


def layer_of(row: InForce) -> Layer:
    """The layer a template stands in."""
    return Layer(row.scope, row.team_id, row.staff_id)


def may_see(viewer: SignedIn, layer: Layer) -> bool:
    """Everybody sees the company's, a team and those who lead see the team's, one's own only oneself."""
    match layer.scope:
        case TemplateScope.MINE:
            return layer.staff_id == viewer.staff_id
        case TemplateScope.TEAM:
            return viewer.role in LEADERS or layer.team_id == viewer.team_id
        case _:
            return True


def may_change(viewer: SignedIn, layer: Layer) -> bool:
    """The company's: marketing and those who lead; a team's: those who lead; one's own: oneself."""
    match layer.scope:
        case TemplateScope.MINE:
            return layer.staff_id == viewer.staff_id
        case TemplateScope.TEAM:
            return viewer.role in LEADERS
        case _:
            return viewer.role in MARKETERS


def layer_from(viewer: SignedIn, code: str) -> Layer:
    """The layer that an address names. Raises NotFound for none, or one this person may not see."""
    if code == TemplateScope.COMPANY:
        layer = Layer(TemplateScope.COMPANY)
    elif code == TemplateScope.MINE:
        layer = Layer(TemplateScope.MINE, staff_id=viewer.staff_id)
    elif code.startswith("team-") and code[5:].isdecimal() and len(code) < 20:
        layer = Layer(TemplateScope.TEAM, team_id=int(code[5:]))
    else:
        raise NotFound
    if not may_see(viewer, layer):
        raise NotFound
    return layer


def layer_to_change(viewer: SignedIn, code: str) -> Layer:
    """The same, for a change. Raises NotAllowed where this person may only look."""
    layer = layer_from(viewer, code)
    if not may_change(viewer, layer):
        raise NotAllowed("These templates are changed by others.")
    return layer
