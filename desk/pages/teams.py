"""Teams with their topics, and territories with those who answer for them."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import staffroom
from core.errors import Conflict, InputRefused, NotFound
from core.intents import Intent
from core.notices import open_alarms
from core.routing import TopicTeam
from core.staff import StaffMember, Team
from core.territories import Territory, TerritoryStaff
from desk.access import LEADERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page
from desk.threads import in_thread


def _page(
    request: PageRequest, session: Session, fault: InputRefused | Conflict | None = None
) -> Response[str]:
    owners = session.execute(select(TopicTeam.intent, Team.id, Team.name).join(Team)).all()
    team_topics: dict[int, list[str]] = {}
    for intent, team_id, _name in owners:
        team_topics.setdefault(team_id, []).append(intent)
    answering: dict[int, set[int]] = {}
    for territory_id, staff_id in session.execute(
        select(TerritoryStaff.territory_id, TerritoryStaff.staff_id)
    ):
        answering.setdefault(territory_id, set()).add(staff_id)
    teams = select(Team).options(selectinload(Team.members)).order_by(Team.name)
    people = select(StaffMember).where(StaffMember.active).order_by(StaffMember.name)
    return page(
        request,
        "teams.html",
        status=422 if fault else 200,
        teams=session.scalars(teams).all(),
        team_topics=team_topics,
        owners={intent: name for intent, _id, name in owners},
        topics=[one.value for one in Intent],
        territories=session.scalars(select(Territory).order_by(Territory.name)).all(),
        answering=answering,
        people=session.scalars(people).all(),
        fault=fault,
        said="",
        alarms=open_alarms(session),
        **rail(session, request),
    )


def _topics(form: Form) -> list[str]:
    return [one.value for one in Intent if form.ticked(f"topic_{one.value}")]


def _words(text: str) -> list[str]:
    return [word for part in text.replace(";", ",").split(",") if (word := " ".join(part.split()))]


@get("/teams", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Every team and every territory."""
    return _page(request, session)


def _put_team(request: PageRequest, session: Session, form: Form, team: Team | None) -> Response[Any]:
    by = staffroom.find(session, request.scope["user"].staff_id)
    try:
        with session.begin_nested():
            staffroom.put_team(session, team, form.line("name"), _topics(form), by=by)
    except (Conflict, InputRefused) as fault:
        return _page(request, session, fault)
    return Redirect("/teams", status_code=303)


@post("/teams", enter=LEADERS)
@in_thread
def add_team(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new team."""
    return _put_team(request, session, form, None)


@post("/teams/{team_id:int}", enter=LEADERS)
@in_thread
def change_team(
    request: PageRequest, session: Transaction, form: Filled, team_id: FromPath[int]
) -> Response[Any]:
    """A team's name and topics."""
    team = session.get(Team, team_id)
    if team is None:
        raise NotFound
    return _put_team(request, session, form, team)


def _put_territory(
    request: PageRequest, session: Session, form: Form, territory: Territory | None
) -> Response[Any]:
    by = staffroom.find(session, request.scope["user"].staff_id)
    ids = [
        int(name.removeprefix("staff_"))
        for name, value in form.fields.items()
        if value and name.startswith("staff_") and name[6:].isdecimal() and len(name) < 24
    ]
    try:
        with session.begin_nested():
            staffroom.put_territory(
                session,
                territory,
                form.line("name"),
                countries=[one.upper() for one in _words(form.line("countries"))],
                regions=_words(form.line("regions", longest=2000)),
                staff_ids=ids,
                by=by,
            )
    except (Conflict, InputRefused) as fault:
        return _page(request, session, fault)
    return Redirect("/teams#territories", status_code=303)


def _territory(session: Session, territory_id: int) -> Territory:
    found = session.get(Territory, territory_id)
    if found is None:
        raise NotFound
    return found


@post("/territories", enter=LEADERS)
@in_thread
def add_territory(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new territory."""
    return _put_territory(request, session, form, None)


@post("/territories/{territory_id:int}", enter=LEADERS)
@in_thread
def change_territory(
    request: PageRequest, session: Transaction, form: Filled, territory_id: FromPath[int]
) -> Response[Any]:
    """What a territory covers and who answers for it."""
    return _put_territory(request, session, form, _territory(session, territory_id))


@post("/territories/{territory_id:int}/remove", enter=LEADERS)
@in_thread
def remove_territory(
    request: PageRequest, session: Transaction, territory_id: FromPath[int]
) -> Response[Any]:
    """No longer a territory."""
    by = staffroom.find(session, request.scope["user"].staff_id)
    staffroom.remove_territory(session, _territory(session, territory_id), by=by)
    return Redirect("/teams#territories", status_code=303)


ROUTES = (show, add_team, change_team, add_territory, change_territory, remove_territory)
