"""A query put into words once tells everybody what it would tell if it were put together for them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, String, literal, select
from sqlalchemy.orm import Session

from core.sessions import SignedIn
from core.staff import Role, StaffMember
from desk import fixedquery, tables
from desk.access import WORKERS
from desk.tables import Wanted
from tests.factories import World, add_client, add_staff, talk


def _viewer(member: StaffMember, role: Role, team: int | None) -> SignedIn:
    return SignedIn(0, member.id, member.name, member.email, role, team, "en", "auto")


@pytest.fixture
def staff(session: Session) -> dict[str, StaffMember]:
    """Colleagues, with letters that are theirs, another's, nobody's and of a client they answer for."""
    world = World()
    add_staff(session, world)
    client = add_client(session, world, "siurbliai", "Siurbliai", "Ona", language="lt", curator="other")
    agent, mate = world.staff["agent"], world.staff["mate"]
    talk(session, subject="mine", text="How much is the pump?", assignee=agent)
    talk(session, subject="the mate's", text="How much is the valve?", assignee=mate, hours=2)
    talk(session, subject="nobody's", text="Who are you?", hours=3)
    talk(session, subject="my client's", text="Kiek kainuoja?", contact=client, assignee=mate, intent=None)
    return world.staff


@pytest.mark.parametrize("role", sorted(WORKERS))
@pytest.mark.parametrize("alone", [True, False])
def test_whoever_looks_gets_what_was_asked_for_them(
    session: Session, staff: dict[str, StaffMember], role: Role, alone: bool
) -> None:
    for key in ("agent", "mate", "other"):
        viewer = _viewer(staff[key], role, None if alone else staff[key].team_id)
        counted = dict(fixedquery.execute(session, tables._counts, viewer).one()._mapping)
        assert counted == dict(session.execute(tables._counts(viewer)).one()._mapping)
        assert counted["mine"] == {"agent": 1, "mate": 2, "other": 0}[key]
        for box in tables.boxes_of(viewer):
            filled = fixedquery.execute(session, tables._page, viewer, box, Wanted(), "").all()
            made = session.execute(tables._page(viewer, box, Wanted(), "")).all()
            assert [tuple(row) for row in filled] == [tuple(row) for row in made]


def _with_signs(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    signs = literal("at 10:30 :staff_id ::x 100 %", String)
    return select(StaffMember.id, signs).where(StaffMember.id == viewer.staff_id)


def test_signs_in_a_constant_stay_as_they_are(session: Session, staff: dict[str, StaffMember]) -> None:
    row = fixedquery.execute(session, _with_signs, _viewer(staff["mate"], Role.AGENT, None)).one()
    assert tuple(row) == (staff["mate"].id, "at 10:30 :staff_id ::x 100 %")
