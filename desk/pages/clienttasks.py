"""Something to be done, planned from a client's page or a person's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import clock, tasks
from core.accounts import Contact
from core.tasks import Clash
from desk import live, tables
from desk.access import WORKERS
from desk.clientview import client_for, contact_of
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.plan import KIND_NAMES, clashes, moment
from desk.pages.sheets import sheet
from desk.personview import person_for
from desk.render import PageRequest, done, reader
from desk.threads import in_thread


@dataclass(frozen=True, slots=True)
class _For:
    """For whom something is to be done."""

    home: str
    name: str
    people: Sequence[Contact]
    account_id: int | None
    contact_id: int | None


def _client(session: Session, request: PageRequest, account_id: int) -> _For:
    account = client_for(session, request.scope["user"], account_id)
    return _For(f"/clients/{account_id}", account.name, account.contacts, account_id, None)


def _person(session: Session, request: PageRequest, contact_id: int) -> _For:
    contact = person_for(session, request.scope["user"], contact_id)
    name = contact.name or contact.email or contact.phone or ""
    return _For(f"/people/{contact_id}", name, [], contact.account_id, contact_id)


@get("/clients/{account_id:int}/task", enter=WORKERS)
@in_thread
def ask_of_client(
    request: PageRequest, state: State, session: Transaction, account_id: FromPath[int]
) -> Response[str]:
    """The form of something to be done for the client."""
    return _ask(request, state, session, _client(session, request, account_id))


@get("/people/{contact_id:int}/task", enter=WORKERS)
@in_thread
def ask_of_person(
    request: PageRequest, state: State, session: Transaction, contact_id: FromPath[int]
) -> Response[str]:
    """The form of something to be done for the person."""
    return _ask(request, state, session, _person(session, request, contact_id))


def _ask(request: PageRequest, state: State, session: Session, whom: _For) -> Response[str]:
    local = clock.now().astimezone(ZoneInfo(state.settings.company.timezone))
    kind = request.query_params.get("kind", "call")
    given = {"kind": kind if kind in tasks.KINDS else "call", "title": "", "staff_id": "", "contact_id": ""}
    given["due"] = f"{local + timedelta(days=1):%Y-%m-%d}T09:00"
    return _form(request, session, whom, given, [])


def _form(
    request: PageRequest, session: Session, whom: _For, given: dict[str, str], against: list[Clash]
) -> Response[str]:
    return sheet(
        request, session, "client_task.html", place=f"{whom.home}/task", whom=whom.name, people=whom.people,
        given=given, clashes=against, kinds=KIND_NAMES, colleagues=tables.colleagues(session),
    )  # fmt: skip


@post("/clients/{account_id:int}/task", enter=WORKERS)
@in_thread
def plan_for_client(
    request: PageRequest, state: State, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """Plan something for oneself or a colleague; where something speaks against the moment, ask first."""
    whom = _client(session, request, account_id)
    number = form.number("contact_id")
    if number is not None:
        contact_of(session, client_for(session, request.scope["user"], account_id), number)
    return _plan(request, state, session, form, whom, number)


@post("/people/{contact_id:int}/task", enter=WORKERS)
@in_thread
def plan_for_person(
    request: PageRequest, state: State, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """The same with a person alone."""
    return _plan(request, state, session, form, _person(session, request, contact_id), contact_id)


def _plan(
    request: PageRequest, state: State, session: Session, form: Form, whom: _For, contact_id: int | None
) -> Response[Any]:
    viewer, zone = request.scope["user"], state.settings.company.timezone
    staff_id = form.number("staff_id") or viewer.staff_id
    due_at = moment(form.line("due"), zone)
    if due_at is not None and not form.ticked("anyway"):
        against = clashes(session, staff_id, due_at, zone)
        if against:
            given = {name: form.line(name) for name in ("kind", "title", "staff_id", "due", "contact_id")}
            return _form(request, session, whom, given, against)
    task = tasks.plan(
        session, form.line("title", longest=300), assignee_id=staff_id, due_at=due_at, kind=form.line("kind"),
        by=viewer.staff_id,
    )  # fmt: skip
    task.account_id, task.contact_id = whom.account_id, contact_id
    session.flush()
    live.announce(session, "task", -whom.account_id if whom.account_id else None, task.assignee_id)
    return done(
        request,
        reader(request).gettext("It is planned."),
        go=whom.home,
        undo=f"/tasks/{task.id}/cancel",
        events=("client", "tasks", "asked"),
    )


ROUTES = (ask_of_client, ask_of_person, plan_for_client, plan_for_person)
