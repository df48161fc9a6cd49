"""Rehearsal on the screen: changed stages, follow-ups or routing beside what happened; nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import pipelines, rehearsal, routingrules, sequences, tabular
from core.errors import InputRefused, NotFound
from core.i18n import N_, Texts
from core.notices import open_alarms
from core.pipelines import PipelineDraft
from core.rehearsal import Change, Report
from core.rehearsal_file import followup
from core.routingrules import FIELDS, OWN, SHIPPED, Rule
from core.staff import StaffMember, Team
from desk import housewords, rehearsing, tables
from desk.access import LEADERS
from desk.commands.pipelines import templates
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.imports import table_file
from desk.pages.inbox import rail
from desk.pages.routing import choices
from desk.pages.sequences import read as read_sequence
from desk.render import PageRequest, page, reader
from desk.threads import in_thread

SECONDS = 20.0
"""A page shows what was played by then."""
ROWS = 100
"""Rows of one page."""
DAYS = (7, 30, 90, 180, 365)
SHOWS: dict[str, str] = {
    "differ": N_("Only differences"),
    "change": N_("Only what the change makes"),
    "all": N_("Everything"),
}
LONGEST_DOCUMENT = 60_000
"""Characters of a follow-up that travels with its form."""


class RuleRow(NamedTuple):
    """A rule of routing that may be moved or switched off for the rehearsal."""

    token: str
    rule: Rule
    sentence: str
    active: bool
    place: int


def _numbers(text: str) -> tuple[int, ...]:
    """The ids in a field: ``S-12, 14``. Raises InputRefused for anything else."""
    parts = [part for part in re.split(r"[\s,;]+", text) if part]
    found = [re.fullmatch(r"(?:[SsС]-)?(\d{1,12})", part) for part in parts]
    if None in found:
        raise InputRefused("Numbers of deals and letters are written as 12, 14, 20.")
    return tuple(int(one[1]) for one in found if one is not None)


@get("/rehearsal", enter=LEADERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[Any]:
    """Choose what to rehearse, and see what it comes to."""
    return _answer(request, state, session, Form(dict(request.query_params.items())))


@post("/rehearsal/followup/{key:str}", enter=LEADERS, status_code=200)
@in_thread
def changed_followup(
    request: PageRequest, state: State, session: Transaction, form: Filled, key: FromPath[str]
) -> Response[Any]:
    """Rehearse a follow-up as its form stands, before it is put in force."""
    if sequences.current(session, key) is None:
        raise NotFound
    carried = form.text("document", longest=LONGEST_DOCUMENT)
    document = _carried(carried) if carried else read_sequence(form, key)
    return _answer(request, state, session, form, followup(document | {"key": key}, templates(session)))


def _carried(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputRefused("That is no follow-up.") from error
    if not isinstance(document, dict):
        raise InputRefused("That is no follow-up.")
    return document


def _answer(
    request: PageRequest,
    state: State,
    session: Session,
    form: Form,
    document: Mapping[str, Any] | None = None,
) -> Response[Any]:
    language = reader(request)
    what = f"followup:{document['key']}" if document else form.line("what", longest=100)
    showing = form.line("show") or "differ"
    if showing not in SHOWS:
        raise InputRefused("That is none of the choices.")
    rules = _rules(session, form, language) if what == "routing" else []
    asked = bool(document) or form.ticked("run")
    report = None
    if asked:
        report = rehearsing.run(
            state.engine,
            state.settings,
            lambda inside: _change(inside, form, what, document, rules),
            days=form.number("days") or 30,
            deals=_numbers(form.line("deals", longest=4000)),
            letters=_numbers(form.line("letters", longest=4000)),
            seconds=SECONDS,
        )
    kind = form.line("kind")
    rows = rehearsing.chosen(report, showing, kind) if report else []
    if report is not None and form.line("as") == "csv":
        cells = [rehearsing.cells(one, report, language) for one in rows]
        header = [language.gettext(one) for one in rehearsing.HEADER]
        return table_file(tabular.write_csv(header, cells), "rehearsal.csv")
    number = max(1, form.number("page") or 1)
    return page(
        request,
        "rehearsal.html",
        what=what,
        document=json.dumps(document, ensure_ascii=False) if document else "",
        form=form,
        days=form.number("days") or 30,
        showing=showing,
        kind=kind,
        shows=SHOWS,
        kinds=rehearsing.KINDS,
        icons=rehearsing.ICONS,
        day_choices=DAYS,
        things=_things(session, language, document),
        rules=rules,
        rule_fields=[(key, housewords.CONDITIONS[key][0]) for key in FIELDS] if rules else [],
        choices=choices(session, state.settings, language) if rules else {},
        colleagues=tables.colleagues(session) if rules else [],
        teams=session.scalars(select(Team).order_by(Team.name)).all() if rules else [],
        report=report,
        sums=report.counts() if report else {},
        rows=_shown(rows[(number - 1) * ROWS : number * ROWS], report, language),
        matching=len(rows),
        number=number,
        more=len(rows) > number * ROWS,
        most={"letters": rehearsal.MOST_LETTERS, "deals": rehearsal.MOST_DEALS},
        alarms=open_alarms(session),
        **rail(session, request),
    )


def _shown(rows: list[Any], report: Report | None, language: Texts) -> list[dict[str, Any]]:
    if report is None:
        return []
    return [
        {
            "row": one,
            "was": rehearsing.said(one.was, report, language),
            "now": rehearsing.said(one.now, report, language),
            "would": rehearsing.said(one.would, report, language),
            "why": rehearsing.why(one.would, language),
        }
        for one in rows
    ]


def _things(session: Session, language: Texts, document: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """What can be rehearsed, by the key that the form sends."""
    _ = language.gettext
    roads = {one.key: one.name(language.language) for one in pipelines.active(session)}
    drafts = session.scalars(select(PipelineDraft).order_by(PipelineDraft.key))
    found = [("", _("The rules in force, against what happened"))]
    found += [
        (f"pipeline:{one.key}", _("Draft of the pipeline “%(name)s”", name=roads.get(one.key, one.key)))
        for one in drafts
    ]
    found.append(("routing", _("Changed rules of routing")))
    if document is not None:
        name = document["names"].get(language.language) or document["names"].get("en", document["key"])
        found.append((f"followup:{document['key']}", _("Changed follow-up “%(name)s”", name=name)))
    return found


def _change(
    session: Session, form: Form, what: str, document: Mapping[str, Any] | None, rules: list[RuleRow]
) -> Change:
    kind, _, key = what.partition(":")
    if document is not None:
        return Change(followups={key: document})
    if kind == "pipeline":
        return rehearsing.draft_change(session, key)
    if kind == "routing":
        ordered = sorted(rules, key=lambda row: row.place)
        chosen = [row.rule for row in ordered if row.active]
        new = _new_rule(session, form)
        if new is None:
            return Change(routing=chosen)
        place = next((at for at, one in enumerate(chosen) if one.kind == "topic_team"), 0)
        return Change(routing=[*chosen[:place], new, *chosen[place:]])
    if what:
        raise InputRefused("That cannot be rehearsed.")
    return Change()


def _rules(session: Session, form: Form, language: Texts) -> list[RuleRow]:
    """The rules in force, as the form orders and switches them."""
    people = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    teams = dict(session.execute(select(Team.id, Team.name)).all())
    stored = routingrules.all_rules(session)
    given = [
        (f"{OWN}-{one.id}" if one.kind == OWN else one.kind, one.active, _rule_of(one)) for one in stored
    ]
    given += [(kind, True, Rule(kind)) for kind in SHIPPED if kind not in {one.kind for one in stored}]
    sent = form.ticked("rules")
    found = []
    for place, (token, active, rule) in enumerate(given, start=1):
        who, team = people.get(rule.staff_id or 0), teams.get(rule.team_id or 0)
        sentence, _note = housewords.rule(rule.kind, rule.conditions, who, team, language)
        found.append(
            RuleRow(
                token,
                rule,
                sentence,
                form.ticked(f"on.{token}") if sent else active,
                form.number(f"place.{token}") or place,
            )
        )
    return sorted(found, key=lambda row: row.place)


def _rule_of(row: routingrules.RoutingRule) -> Rule:
    return Rule(row.kind, row.conditions, row.staff_id, row.team_id)


def _new_rule(session: Session, form: Form) -> Rule | None:
    """A rule that is only tried; None where none is filled in."""
    when = {key: value for key in FIELDS if (value := form.line(f"new.{key}", longest=100))}
    kind, _, number = form.line("new.to").partition(":")
    if not when and not number:
        return None
    if not when or not number.isdecimal():
        raise InputRefused("A rule needs a condition, and a colleague or a team that it names.")
    table = StaffMember if kind == "staff" else Team
    if session.get(table, int(number)) is None:
        raise NotFound
    return Rule(OWN, when, *((int(number), None) if kind == "staff" else (None, int(number))))


ROUTES = (show, changed_followup)
