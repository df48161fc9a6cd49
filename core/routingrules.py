"""The rules of routing as a company keeps them: in order, switched on or off, some with conditions of its
own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.db import Base, Id
from core.errors import Conflict, InputRefused, NotFound
from core.segments import Segment
from core.staff import StaffMember, Team

SHIPPED: tuple[str, ...] = (
    "keeps_conversation",
    "owns_deal",
    "curates_account",
    "topic_person",
    "topic_team",
    "mailbox_team",
    "likely_topic",
    "territory",
    "industry",
    "least_loaded",
    "prefer_territory",
    "prefer_industry",
    "prefer_language",
)
"""The rules of a new company in their order; those that prefer only choose among several colleagues."""

OWN = "custom"
"""Kind of the rules that a company adds."""
FIELDS: tuple[str, ...] = (
    "topic", "language", "country", "region", "territory", "industry", "segment", "product", "stage",
    "mailbox",
)  # fmt: skip
"""What a condition may ask for; a segment is kept by its number, so that it may get another name."""
MOST = 200
"""Rules of its own that a company may keep."""


class RoutingRule(Base):
    """One rule in its place."""

    __tablename__ = "routing_rule"

    id: Mapped[Id]
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    """One of `SHIPPED`, or ``custom``."""
    active: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of a rule of the company's own: what must hold, all of it, by `FIELDS`."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as routing reads it."""

    kind: str
    conditions: Mapping[str, str] = field(default_factory=dict)
    staff_id: int | None = None
    team_id: int | None = None
    segment_id: int | None = None
    """The segment that the client must be in; `conditions` tell what it is called."""

    @property
    def name(self) -> str:
        """What an assignment remembers; a rule of one's own with its conditions, so that it can be told
        after the rule is gone."""
        return f"{OWN}:{urlencode(self.conditions)}" if self.kind == OWN else self.kind


DEFAULT: tuple[Rule, ...] = tuple(Rule(kind) for kind in SHIPPED)


def conditions_of(name: str) -> dict[str, str] | None:
    """The conditions that a name of a rule of one's own holds; None for any other."""
    kind, _, rest = name.partition(":")
    return dict(parse_qsl(rest)) if kind == OWN else None


def read(session: Session) -> tuple[Rule, ...]:
    """The rules in force, in order; the shipped ones where a company never changed any."""
    every = all_rules(session)
    if not every:
        return DEFAULT
    rows = [one for one in every if one.active]
    named = told(session, [one.conditions for one in rows])
    return tuple(
        Rule(one.kind, conditions, one.staff_id, one.team_id, segment_of(one.conditions))
        for one, conditions in zip(rows, named, strict=True)
    )


def told(session: Session, several: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Conditions with what their segments are called: their names, or the keys of the ready ones."""
    wanted = {number for one in several if (number := segment_of(one)) is not None}
    names: dict[int, str] = {}
    if wanted:
        called = func.coalesce(func.nullif(Segment.name, ""), Segment.ready, "")
        names = dict(session.execute(select(Segment.id, called).where(Segment.id.in_(wanted))).all())
    return [
        {**one, "segment": names.get(number, "?")} if (number := segment_of(one)) is not None else dict(one)
        for one in several
    ]


def segment_of(conditions: Mapping[str, str]) -> int | None:
    """The number of the segment that conditions as kept ask for."""
    value = conditions.get("segment", "")
    return int(value) if value.isdecimal() and len(value) < 18 else None


def all_rules(session: Session) -> Sequence[RoutingRule]:
    """Every rule in order, active or not; empty where a company never changed any."""
    return session.scalars(select(RoutingRule).order_by(RoutingRule.position, RoutingRule.id)).all()


def own(session: Session) -> Sequence[RoutingRule]:
    """The rules as rows, locked, written down from the shipped ones where they were not yet."""
    session.execute(select(func.pg_advisory_xact_lock(727_100_063)))
    rows = all_rules(session)
    known = {one.kind for one in rows}
    missing = [kind for kind in SHIPPED if kind not in known]
    if missing:
        start = len(rows)
        session.add_all(
            RoutingRule(position=start + at, kind=kind, conditions={}) for at, kind in enumerate(missing)
        )
        session.flush()
        rows = all_rules(session)
    return rows


def _find(rows: Sequence[RoutingRule], rule_id: int) -> RoutingRule:
    found = next((one for one in rows if one.id == rule_id), None)
    if found is None:
        raise NotFound
    return found


def add(
    session: Session,
    conditions: Mapping[str, str],
    *,
    staff_id: int | None = None,
    team_id: int | None = None,
    by: int | None = None,
) -> RoutingRule:
    """Add a rule of the company's own before all others but those that keep a conversation where it is.

    Raises InputRefused without a condition, for one that is none, or unless it names either a colleague or a
    team.
    """
    given = {key: " ".join(value.split()) for key, value in conditions.items() if value.strip()}
    if not given:
        raise InputRefused("A rule needs at least one condition.", cure="Say when it holds.")
    if strange := set(given) - set(FIELDS):
        raise InputRefused(f"{min(strange)} is no condition of routing.")
    if "segment" in given and session.get(Segment, segment_of(given) or 0) is None:
        raise InputRefused("There is no such segment.", cure="Choose one of the list.")
    if (staff_id is None) == (team_id is None):
        raise InputRefused("A rule names either a colleague or a team.", cure="Choose one of them.")
    if staff_id is not None and not getattr(session.get(StaffMember, staff_id), "active", False):
        raise InputRefused("That colleague no longer works here.", cure="Choose somebody else.")
    if team_id is not None and session.get(Team, team_id) is None:
        raise NotFound
    rows = list(own(session))
    if sum(one.kind == OWN for one in rows) >= MOST:
        raise InputRefused("There are too many rules.", cure="Remove some that no longer matter.")
    made = RoutingRule(position=0, kind=OWN, conditions=given, staff_id=staff_id, team_id=team_id)
    session.add(made)
    place = next((at for at, one in enumerate(rows) if one.kind == "topic_team"), 0)
    _number([*rows[:place], made, *rows[place:]])
    session.flush()
    audit.note(session, by, "added", "routing", made.id, _called(session, made), after=_state(session, made))
    return made


def _number(rows: Sequence[RoutingRule]) -> None:
    for position, one in enumerate(rows):
        one.position = position


def _called(session: Session, rule: RoutingRule) -> str:
    if rule.kind != OWN:
        return rule.kind
    return ", ".join(f"{key} {one}" for key, one in told(session, [rule.conditions])[0].items())


def _state(session: Session, rule: RoutingRule) -> dict[str, Any]:
    member = session.get(StaffMember, rule.staff_id) if rule.staff_id is not None else None
    team = session.get(Team, rule.team_id) if rule.team_id is not None else None
    return {
        "active": rule.active,
        "conditions": told(session, [rule.conditions])[0],
        "staff": member.name if member else None,
        "team": team.name if team else None,
    }


def put_in_order(session: Session, ids: Sequence[int], *, by: int | None = None) -> None:
    """Put the rules in a new order. Raises Conflict when somebody added or removed one meanwhile."""
    rows = {one.id: one for one in own(session)}
    if sorted(ids) != sorted(rows):
        raise Conflict("The rules were changed meanwhile.")
    before = [_called(session, one) for one in rows.values()]
    ordered = [rows[one] for one in ids]
    _number(ordered)
    session.flush()
    audit.note(
        session, by, "ordered", "routing", "", "",
        before={"order": before}, after={"order": [_called(session, one) for one in ordered]},
    )  # fmt: skip


def switch(session: Session, rule_id: int, active: bool, *, by: int | None = None) -> RoutingRule:
    """Switch a rule on or off."""
    rule = _find(own(session), rule_id)
    before = _state(session, rule)
    rule.active = active
    session.flush()
    after = _state(session, rule)
    called = _called(session, rule)
    audit.note(session, by, "changed", "routing", rule.id, called, before=before, after=after)
    return rule


def remove(session: Session, rule_id: int, *, by: int | None = None) -> RoutingRule:
    """Remove a rule of the company's own. Raises InputRefused for a shipped one."""
    rule = _find(own(session), rule_id)
    if rule.kind != OWN:
        raise InputRefused("A rule of the house stays.", cure="Switch it off instead.")
    called = _called(session, rule)
    audit.note(session, by, "removed", "routing", rule.id, called, before=_state(session, rule))
    session.delete(rule)
    session.flush()
    return rule
