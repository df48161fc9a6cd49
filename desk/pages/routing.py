"""Routing as people read and change it: the rules in order, and who would get a letter now."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import routingrules, segments, segments_ready
from core.accounts import Account
from core.catalogue import active_products
from core.config import Settings
from core.errors import Conflict, InputRefused
from core.i18n import LANGUAGE_NAMES, Texts
from core.intents import Intent, intent_name
from core.notices import open_alarms
from core.pipelines import Pipeline, Stage
from core.routingrules import FIELDS, OWN, RoutingRule
from core.staff import StaffMember, Team
from core.territories import Territory
from desk import housewords, tables
from desk.access import LEADERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread
from desk.whowouldget import Question, answer

CHOOSING = "prefer_"
"""How the kinds of rules begin that only choose among several colleagues."""


class Row(NamedTuple):
    """A rule for the page."""

    id: int
    sentence: str
    note: str
    active: bool
    own: bool


def _rows(session: Session, language: Texts) -> tuple[list[Row], list[Row]]:
    """The rules that name somebody, and those that choose among several, each in order."""
    rules = routingrules.all_rules(session) or routingrules.own(session)
    people = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    teams = dict(session.execute(select(Team.id, Team.name)).all())
    naming: list[Row] = []
    choosing: list[Row] = []
    for one, conditions in zip(
        rules, routingrules.told(session, [one.conditions for one in rules]), strict=True
    ):
        who, team = people.get(one.staff_id or 0), teams.get(one.team_id or 0)
        sentence, note = housewords.rule(one.kind, conditions, who, team, language)
        row = Row(one.id, sentence, note, one.active, one.kind == OWN)
        (choosing if _chooses(one) else naming).append(row)
    return naming, choosing


def _chooses(rule: RoutingRule) -> bool:
    return rule.kind.startswith(CHOOSING)


def choices(session: Session, settings: Settings, language: Texts) -> dict[str, list[tuple[str, str]]]:
    """What a condition may ask for, where that is a list."""
    industries = session.scalars(
        select(Account.industry)
        .where(Account.industry.is_not(None))
        .distinct()
        .order_by(Account.industry)
        .limit(200)
    )
    territories = session.scalars(select(Territory.name).order_by(Territory.name))
    return {
        "topic": [(one.value, intent_name(one, language.language)) for one in Intent],
        "language": list(LANGUAGE_NAMES.items()),
        "territory": [(name, name) for name in territories],
        "industry": [(name, name) for name in industries if name],
        "product": [
            (one.key, one.names.get(language.language) or one.key) for one in active_products(session)
        ],
        "segment": [(str(one.id), segments_ready.name_of(one, language)) for one in segments.in_use(session)],
        "stage": _stages(session, language),
        "mailbox": [(one.name, one.name) for one in settings.mailboxes],
    }


def _stages(session: Session, language: Texts) -> list[tuple[str, str]]:
    """Every stage of the pipelines in force once, in their order."""
    rows = session.execute(
        select(Stage.key, Stage.names)
        .join(Pipeline, Stage.pipeline_id == Pipeline.id)
        .where(Pipeline.active)
        .order_by(Pipeline.id, Stage.position)
    )
    named = {key: names.get(language.language) or key for key, names in rows}
    return list(named.items())


@get("/routing", enter=LEADERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """The rules as sentences in their order; for htmx the lists only."""
    language = reader(request)
    naming, choosing = _rows(session, language)
    values: dict[str, Any] = {"naming": naming, "choosing": choosing}
    if is_partial(request):
        return page(request, "routing_list.html", **values)
    values |= {
        "fields": [(key, housewords.CONDITIONS[key][0]) for key in FIELDS],
        "choices": choices(session, state.settings, language),
        "colleagues": tables.colleagues(session),
        "teams": session.scalars(select(Team).order_by(Team.name)).all(),
        "alarms": open_alarms(session),
    }
    return page(request, "routing.html", **values, **rail(session, request))


@get("/routing/try", enter=LEADERS)
@in_thread
def try_out(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """Who would get a letter now, and why; nothing is changed."""
    asked = Form(dict(request.query_params.items()))
    question = Question(
        sender=asked.line("sender", longest=300),
        topic=asked.line("topic", longest=60) or None,
        language=asked.line("language", longest=5) or None,
        mailbox=asked.line("mailbox", longest=100) or None,
        product=asked.line("product", longest=100) or None,
    )
    found = answer(session, state.settings, question)
    if is_partial(request):
        return page(request, "routing_answer.html", found=found, t_reader=reader(request))
    language = reader(request)
    return page(
        request, "routing_tried.html", found=found, t_reader=language,
        alarms=open_alarms(session), **rail(session, request),
    )  # fmt: skip


@post("/routing", enter=LEADERS)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A rule of our own."""
    who, _, number = form.line("to", longest=40).partition(":")
    if who not in {"staff", "team"} or not number.isdecimal():
        raise InputRefused("A rule names either a colleague or a team.", cure="Choose one of them.")
    made = routingrules.add(
        session,
        {key: form.line(key, longest=200) for key in FIELDS},
        staff_id=int(number) if who == "staff" else None,
        team_id=int(number) if who == "team" else None,
        by=request.scope["user"].staff_id,
    )
    return done(
        request, reader(request).gettext("The rule is in force."),
        go="/routing", undo=f"/routing/{made.id}/remove", events=("routing",),
    )  # fmt: skip


@post("/routing/order", enter=LEADERS)
@in_thread
def put_in_order(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Another order of the rules of one of the two lists."""
    words = form.text("order", longest=5000).split(",")
    if not all(word.isdecimal() and len(word) < 18 for word in words):
        raise InputRefused("The order is not a list of rules.")
    given = [int(word) for word in words]
    rules = routingrules.own(session)
    before = [[one.id for one in rules if _chooses(one) == kind] for kind in (False, True)]
    at = next((at for at, ids in enumerate(before) if sorted(ids) == sorted(given)), None)
    if at is None:
        raise Conflict("The rules were changed meanwhile.")
    after = [given if number == at else ids for number, ids in enumerate(before)]
    routingrules.put_in_order(session, [*after[0], *after[1]], by=request.scope["user"].staff_id)
    return done(
        request, reader(request).gettext("The rules are asked in this order now."),
        go="/routing", undo="/routing/order", undo_values={"order": ",".join(map(str, before[at]))},
        events=("routing",),
    )  # fmt: skip


@post("/routing/{rule_id:int}/switch", enter=LEADERS)
@in_thread
def switch(request: PageRequest, session: Transaction, form: Filled, rule_id: FromPath[int]) -> Response[Any]:
    """Switch a rule on or off."""
    on = form.line("active") == "1"
    routingrules.switch(session, rule_id, on, by=request.scope["user"].staff_id)
    _ = reader(request).gettext
    return done(
        request, _("The rule is switched on.") if on else _("The rule is switched off."),
        go="/routing", undo=request.url.path, undo_values={"active": "" if on else "1"}, events=("routing",),
    )  # fmt: skip


@post("/routing/{rule_id:int}/shift", enter=LEADERS)
@in_thread
def shift(request: PageRequest, session: Transaction, form: Filled, rule_id: FromPath[int]) -> Response[Any]:
    """Move a rule one place up or down in its list."""
    rules = list(routingrules.own(session))
    mine = next((one for one in rules if one.id == rule_id), None)
    same = [one.id for one in rules if mine is not None and _chooses(one) == _chooses(mine)]
    if not same:
        raise Conflict("The rules were changed meanwhile.")
    at = same.index(rule_id)
    to = at - 1 if form.line("way") == "up" else at + 1
    if 0 <= to < len(same):
        same[at], same[to] = same[to], same[at]
        others = [one.id for one in rules if one.id not in same]
        choosing = mine is not None and _chooses(mine)
        order = [*others, *same] if choosing else [*same, *others]
        routingrules.put_in_order(session, order, by=request.scope["user"].staff_id)
    return done(
        request, reader(request).gettext("The rules are asked in this order now."),
        go="/routing", events=("routing",),
    )  # fmt: skip


@post("/routing/{rule_id:int}/remove", enter=LEADERS)
@in_thread
def remove(request: PageRequest, session: Transaction, rule_id: FromPath[int]) -> Response[Any]:
    """Remove a rule of our own."""
    gone = routingrules.remove(session, rule_id, by=request.scope["user"].staff_id)
    to = f"staff:{gone.staff_id}" if gone.staff_id is not None else f"team:{gone.team_id}"
    return done(
        request, reader(request).gettext("The rule is removed."),
        go="/routing", undo="/routing", undo_values={**gone.conditions, "to": to}, events=("routing",),
    )  # fmt: skip


ROUTES = (show, try_out, add, put_in_order, switch, shift, remove)
