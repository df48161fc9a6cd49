"""Rehearsal on the screen: changed stages, follow-ups or routing beside what happened; nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import pipelines, rehearsal, rehearsal_runs, routingrules, segments, sequences, tabular
from core.errors import InputRefused, NotFound
from core.i18n import N_, Texts
from core.notices import open_alarms
from core.pipelines import PipelineDraft
from core.rehearsal import Change, Report
from core.rehearsal_file import followup
from core.rehearsal_runs import RehearsalRun, RunState
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
from desk.render import PageRequest, is_partial, page, reader
from desk.threads import in_thread

ROWS = 100
"""Rows of one page."""
DAYS = (7, 30, 90, 180, 365)
SHOWS: dict[str, str] = {
    "differ": N_("Only differences"),
    "change": N_("Only what the change makes"),
    "all": N_("Everything"),
}
PARTS: dict[str, str] = {
    "letters": N_("Letters are given out once more"),
    "deals": N_("Deals go their way once more"),
    "follow_ups": N_("Follow-ups are played"),
}
"""What is being played."""
STATES: dict[str, tuple[str, str]] = {
    RunState.WAITING: (N_("waits"), "plain-chip"),
    RunState.PLAYING: (N_("is being played"), "blue"),
    RunState.DONE: (N_("done"), "green"),
    RunState.FAILED: (N_("failed"), "red"),
    RunState.CANCELLED: (N_("broken off"), "plain-chip"),
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
    """Choose what to rehearse; below, what was rehearsed lately."""
    return _page(request, state, session, Form(dict(request.query_params.items())))


@post("/rehearsal", enter=LEADERS)
@in_thread
def ask(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Have it rehearsed in the background."""
    what = form.line("what", longest=100)
    rules = _rules(session, form, reader(request)) if what == "routing" else []
    return _asked(request, session, form, what, _change(session, form, what, rules))


@post("/rehearsal/followup/{key:str}", enter=LEADERS)
@in_thread
def ask_followup(
    request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]
) -> Response[Any]:
    """Rehearse a follow-up as its form stands, before it is put in force."""
    if sequences.current(session, key) is None:
        raise NotFound
    carried = form.text("document", longest=LONGEST_DOCUMENT)
    given = _carried(carried) if carried else read_sequence(form, key)
    document = followup(given | {"key": key}, templates(session))
    kept = Form({name: form.fields[name] for name in ("days", "deals", "letters") if name in form.fields})
    return _asked(request, session, kept, f"followup:{key}", Change(followups={key: document}))


def _asked(request: PageRequest, session: Session, form: Form, what: str, change: Change) -> Response[Any]:
    days, deals = form.number("days") or 30, _numbers(form.line("deals", longest=4000))
    letters = _numbers(form.line("letters", longest=4000))
    rehearsal.scope_of(session, days, deals, letters)
    run = rehearsal_runs.ask(
        session, request.scope["user"].staff_id, what, change,
        days=days, deals=deals, letters=letters, form=form.fields,
    )  # fmt: skip
    return Redirect(f"/rehearsal/runs/{run.id}", status_code=303)


@get("/rehearsal/runs/{run_id:int}", enter=LEADERS)
@in_thread
def show_run(
    request: PageRequest, state: State, session: Transaction, run_id: FromPath[int]
) -> Response[Any]:
    """How far a rehearsal is, or what it came to; for htmx only how far, until it is over."""
    run = rehearsal_runs.find(session, run_id)
    if is_partial(request):
        if not run.live:
            return Response("", status_code=200, headers={"hx-redirect": f"/rehearsal/runs/{run_id}"})
        return page(request, "rehearsal_progress.html", run=run, parts=PARTS)
    asked, language = Form(dict(request.query_params.items())), reader(request)
    report = rehearsal_runs.report_of(run)
    showing = asked.line("show") or "differ"
    if showing not in SHOWS:
        raise InputRefused("That is none of the choices.")
    kind = asked.line("kind")
    rows = rehearsing.chosen(report, showing, kind) if report else []
    if report is not None and asked.line("as") == "csv":
        cells = [rehearsing.cells(one, report, language) for one in rows]
        header = [language.gettext(one) for one in rehearsing.HEADER]
        return table_file(tabular.write_csv(header, cells), "rehearsal.csv")
    number = max(1, asked.number("page") or 1)
    return _page(
        request, state, session, Form({**run.form, "what": run.what}),
        run=run, report=report, sums=run.counts, showing=showing, kind=kind,
        rows=_shown(rows[(number - 1) * ROWS : number * ROWS], report, language),
        matching=len(rows), number=number, more=len(rows) > number * ROWS,
    )  # fmt: skip


@post("/rehearsal/runs/{run_id:int}/cancel", enter=LEADERS)
@in_thread
def cancel(request: PageRequest, session: Transaction, run_id: FromPath[int]) -> Response[Any]:
    """Break one off."""
    rehearsal_runs.cancel(session, rehearsal_runs.find(session, run_id))
    place = f"/rehearsal/runs/{run_id}"
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


def _carried(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputRefused("That is no follow-up.") from error
    if not isinstance(document, dict):
        raise InputRefused("That is no follow-up.")
    return document


def _page(
    request: PageRequest, state: State, session: Session, form: Form, *, run: RehearsalRun | None = None,
    **values: Any,
) -> Response[str]:  # fmt: skip
    language = reader(request)
    what = form.line("what", longest=100)
    document = _document_of(run)
    rules = _rules(session, form, language) if what == "routing" else []
    things = _things(session, language, document)
    known = dict(things)
    given: dict[str, Any] = {
        "run": run,
        "report": None,
        "rows": [],
        "what": what,
        "document": json.dumps(document, ensure_ascii=False) if document else "",
        "form": form,
        "days": form.number("days") or 30,
        "shows": SHOWS,
        "kinds": rehearsing.KINDS,
        "icons": rehearsing.ICONS,
        "parts": PARTS,
        "states": STATES,
        "day_choices": DAYS,
        "things": things,
        "rules": rules,
        "rule_fields": [(key, housewords.CONDITIONS[key][0]) for key in FIELDS] if rules else [],
        "choices": choices(session, state.settings, language) if rules else {},
        "colleagues": tables.colleagues(session) if rules else [],
        "teams": session.scalars(select(Team).order_by(Team.name)).all() if rules else [],
        "lately": [(one, _said_of(one, known, language)) for one in rehearsal_runs.lately(session)],
        "most": {"letters": rehearsal.MOST_LETTERS, "deals": rehearsal.MOST_DEALS},
        "alarms": open_alarms(session),
    }
    return page(request, "rehearsal.html", **given | values, **rail(session, request))


def _document_of(run: RehearsalRun | None) -> Mapping[str, Any] | None:
    """The follow-up that a rehearsal changed."""
    if run is None or not run.what.startswith("followup:"):
        return None
    return next(iter(run.change["followups"].values()), None)


def _said_of(run: RehearsalRun, known: Mapping[str, str], language: Texts) -> str:
    """What was rehearsed, in words; of a draft that is no longer there its key."""
    document = _document_of(run)
    if document is not None:
        return _changed_followup(document, language)
    return known.get(run.what) or run.what.partition(":")[2]


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
        found.append((f"followup:{document['key']}", _changed_followup(document, language)))
    return found


def _changed_followup(document: Mapping[str, Any], language: Texts) -> str:
    name = document["names"].get(language.language) or document["names"].get("en", document["key"])
    return language.gettext("Changed follow-up “%(name)s”", name=name)


def _change(session: Session, form: Form, what: str, rules: list[RuleRow]) -> Change:
    kind, _, key = what.partition(":")
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
    named = routingrules.told(session, [one.conditions for one in stored])
    given = [
        (f"{OWN}-{one.id}" if one.kind == OWN else one.kind, one.active, _rule_of(one, conditions))
        for one, conditions in zip(stored, named, strict=True)
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


def _rule_of(row: routingrules.RoutingRule, conditions: Mapping[str, str]) -> Rule:
    return Rule(row.kind, conditions, row.staff_id, row.team_id, routingrules.segment_of(row.conditions))


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
    segment_id = routingrules.segment_of(when)
    if "segment" in when:
        segments.get(session, segment_id or 0)
    conditions = routingrules.told(session, [when])[0]
    return Rule(
        OWN, conditions, *((int(number), None) if kind == "staff" else (None, int(number))), segment_id
    )


ROUTES = (show, ask, ask_followup, show_run, cancel)
