"""Which colleagues answer for which countries and regions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ForeignKey, Text, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.errors import InputRefused, NotFound
from core.staff import StaffMember


class Territory(Base):
    """A part of the map: whole countries, or regions as clients' cards name them."""

    __tablename__ = "territory"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """ISO 3166-1 codes."""
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Names of regions or towns; where a territory names any, its countries alone are not enough."""


class TerritoryStaff(Base):
    """A colleague answers for a territory."""

    __tablename__ = "territory_staff"

    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )


def matches(
    countries: Collection[str], regions: Collection[str], country: str | None, region: str | None
) -> int:
    """How well a territory fits a place: 2 where it names the region, 1 the country alone, 0 not at all."""
    if regions:
        named = {one.casefold() for one in regions}
        fits = region is not None and region.casefold() in named
        return 2 if fits and (not countries or country is None or country in countries) else 0
    return 1 if country is not None and country in countries else 0


def put(
    session: Session, name: str, *, countries: list[str], regions: list[str], staff: list[str]
) -> Territory:
    """Make a territory, or replace what it covers and who answers for it; `staff` are mail addresses.

    Raises InputRefused for a name, country or territory that is none, NotFound for a stranger.
    """
    name = " ".join(name.split())
    if not name or not (countries or regions):
        raise InputRefused("A territory needs a name and at least one country or region.")
    if wrong := [one for one in countries if len(one) != 2 or not one.isascii() or not one.isupper()]:
        raise InputRefused(f"{wrong[0]} is no country code.", cure="Use two capital letters, such as LT.")
    members = []
    for address in staff:
        member = session.scalar(select(StaffMember).where(StaffMember.email == address.strip().lower()))
        if member is None:
            raise NotFound(f"{address} is no colleague of ours.")
        members.append(member.id)
    territory = session.scalar(select(Territory).where(Territory.name == name)) or Territory(name=name)
    territory.countries, territory.regions = sorted(set(countries)), sorted(set(regions))
    session.add(territory)
    session.flush()
    session.execute(delete(TerritoryStaff).where(TerritoryStaff.territory_id == territory.id))
    session.add_all(TerritoryStaff(territory_id=territory.id, staff_id=one) for one in sorted(set(members)))
    session.flush()
    return territory
