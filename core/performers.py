"""Who works on a deal in a stage: a person, a role, a team, or whoever a rule about the client names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.deals import Deal
from core.pipelines import Stage
from core.staff import Role, StaffMember, Team, absent_on
from core.territories import Territory, matches


@dataclass(frozen=True, slots=True)
class Client:
    """What rules ask of a deal's client."""

    territories: frozenset[str] = frozenset()
    industry: str | None = None
    products: frozenset[str] = frozenset()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A staff member as this choice sees them."""

    id: int
    email: str
    role: str
    team: str | None
    speaks: frozenset[str]
    load: int
    """Open deals they work on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who it is and why; nobody where nobody fits."""

    staff_id: int | None
    reason: str


def fits(when: Mapping[str, str], client: Client) -> bool:
    """Whether a rule speaks of this client; of several conditions all must hold."""
    asked = {
        "territory": lambda value: value.casefold() in {one.casefold() for one in client.territories},
        "industry": lambda value: (
            client.industry is not None and value.casefold() == client.industry.casefold()
        ),
        "product": lambda value: value in client.products,
        "language": lambda value: value == client.language,
    }
    return all(name in asked and asked[name](value) for name, value in when.items())


def choose(
    stage: Stage,
    client: Client,
    here: Collection[Colleague],
    *,
    owner_id: int | None,
    curator_id: int | None,
    present_id: int | None = None,
) -> Choice:
    """Who works in a stage: the first rule that fits, else the stage's own performer, else the owner.

    ``here`` are those at work today. Of a role or team the one who works on it already stays, else whoever
    speaks the client's language and has the least to do.
    """
    rules: Sequence[Mapping[str, Any]] = stage.performer_rules
    wanted = [
        (rule["performer"], f"rule: {_said(rule['when'])}") for rule in rules if fits(rule["when"], client)
    ]
    for performer, reason in [*wanted, (stage.performer, "the stage")]:
        found = _resolve(performer, client, here, owner_id, curator_id, present_id)
        if found is not None:
            return Choice(found, reason)
    return Choice(owner_id, "owner" if owner_id is not None else "nobody")


def _said(when: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in when.items())


def _resolve(
    performer: str,
    client: Client,
    here: Collection[Colleague],
    owner_id: int | None,
    curator_id: int | None,
    present_id: int | None,
) -> int | None:
    kind, _, who = performer.partition(":")
    if kind == "owner":
        return owner_id
    if kind == "curator":
        return curator_id
    if kind == "person":
        return next((one.id for one in here if one.email == who.lower()), None)
    able = [one for one in here if (one.role if kind == "role" else one.team) == who]
    if present_id in {one.id for one in able}:
        return present_id
    speaking = [one for one in able if client.language is None or client.language in one.speaks]
    chosen = min(speaking or able, key=lambda one: (one.load, one.id), default=None)
    return chosen.id if chosen else None


def performer_of(
    session: Session,
    deal: Deal,
    stage: Stage,
    *,
    here: Collection[Colleague] | None = None,
    present_id: int | None = None,
) -> Choice:
    """Who works on a deal in a stage, from what the database knows.

    ``here`` and ``present_id`` stand for those at work today and for who works on it now, where another day
    is played.
    """
    account = deal.account
    curator_id = account.curator_id if account else None
    only_owner = stage.performer == "owner" and not stage.performer_rules
    if only_owner:
        return Choice(deal.owner_id, "owner" if deal.owner_id is not None else "nobody")
    return choose(
        stage,
        client_of(session, deal),
        colleagues(session) if here is None else here,
        owner_id=deal.owner_id,
        curator_id=curator_id,
        present_id=(deal.performer_id if here is None else present_id) or deal.owner_id,
    )


def client_of(session: Session, deal: Deal) -> Client:
    """What rules ask of a deal's client."""
    account = deal.account
    country, region = (account.country, account.region) if account else (None, None)
    named: set[str] = {region} if region else set()
    if country or region:
        rows = session.execute(select(Territory.name, Territory.countries, Territory.regions))
        named |= {name for name, countries, regions in rows if matches(countries, regions, country, region)}
    return Client(
        territories=frozenset(named),
        industry=account.industry if account else None,
        products=frozenset(line.product.key for line in deal.lines),
        language=deal.contact.language if deal.contact else None,
    )


def colleagues(session: Session) -> list[Colleague]:
    """Those at work today, with the deals they work on."""
    today = session.execute(select(func.current_date())).scalar_one()
    away = absent_on(session, today)
    return [one for one in everybody(session) if one.id not in away]


def everybody(session: Session) -> list[Colleague]:
    """All who work here, those who are away too, with the deals they work on today."""
    loads = (
        select(func.coalesce(Deal.performer_id, Deal.owner_id).label("staff_id"), func.count().label("load"))
        .where(Deal.outcome.is_(None), or_(Deal.performer_id.is_not(None), Deal.owner_id.is_not(None)))
        .group_by(func.coalesce(Deal.performer_id, Deal.owner_id))
        .subquery()
    )
    rows = session.execute(
        select(
            StaffMember.id,
            StaffMember.email,
            StaffMember.role,
            Team.name,
            StaffMember.speaks,
            func.coalesce(loads.c.load, 0),
        )
        .outerjoin(Team, Team.id == StaffMember.team_id)
        .outerjoin(loads, loads.c.staff_id == StaffMember.id)
        .where(StaffMember.active)
        .order_by(StaffMember.id)
    )
    return [
        Colleague(number, email, Role(role).value, team, frozenset(speaks), load)
        for number, email, role, team, speaks, load in rows
    ]
