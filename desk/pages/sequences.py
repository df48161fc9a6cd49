"""Follow-ups on the screen: their steps and rules, put in force as versions; a held flood let go."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from core import flood, sequences, sequencespec
from core.accounts import Contact
from core.deals import Stage
from core.errors import Conflict, InputRefused, NotFound
from core.notices import open_alarms
from core.pipelines import Pipeline
from core.sequences import LIVE, RULED, Enrolment, Result, Sequence, SequenceStep, StepKind
from core.sequencespec import SequenceRefused
from desk import templatechoice
from desk.access import LEADERS
from desk.commands.pipelines import templates
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.pipelineforms import key_from, names_of
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

SPARE = 1
"""Empty rows below the steps."""
SHOWN = 50
"""Clients in a follow-up that its page names."""
BRANCHES = 2
"""Branches of a step that the form offers at least."""


@get("/sequences", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """All follow-ups in force, with who is in them and where they begin."""
    live = dict(
        session.execute(
            select(Enrolment.sequence_key, func.count())
            .where(Enrolment.state.in_(LIVE))
            .group_by(Enrolment.sequence_key)
        ).all()
    )
    begins: dict[str, list[Stage]] = {}
    for stage in session.scalars(
        select(Stage).join(Pipeline).where(Pipeline.active, Stage.sequence.is_not(None))
    ):
        begins.setdefault(stage.sequence or "", []).append(stage)
    query = select(Sequence).where(Sequence.active).order_by(Sequence.key)
    return page(
        request,
        "sequences.html",
        rows=[(one, live.get(one.key, 0), begins.get(one.key, [])) for one in session.scalars(query)],
        held=flood.held_since(session),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@post("/sequences/release", enter=LEADERS)
@in_thread
def release(request: PageRequest, session: Transaction) -> Response[Any]:
    """What was held after a gap may go."""
    flood.release(session)
    return done(request, reader(request).gettext("What is due goes out now."), go="/sequences")


@post("/sequences", enter=LEADERS)
@in_thread
def begin(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new follow-up, with one letter to begin with."""
    names = names_of(form, "name")
    key = key_from(names.get("en", ""))
    if not key:
        raise InputRefused("A follow-up needs a name in English.")
    if sequences.current(session, key) is not None:
        raise Conflict("There is a follow-up of that name.", cure="Choose another name.")
    document = {
        "key": key,
        "names": {language: names.get(language) or names["en"] for language in ("en", "ru", "lt")},
        "stop_on": sorted(reason.value for reason in RULED),
        "once": False,
        "exclusive": False,
        "least_gap_hours": 24,
        "note": "",
        "steps": [{"kind": "email", "days": 5, "hours": 0, "template": "follow_up", "titles": {}}],
    }
    sequencespec.publish(session, document, templates(session))
    return Redirect(f"/sequences/{key}", status_code=303)


def _current(session: Session, key: str) -> Sequence:
    found = sequences.current(session, key)
    if found is None:
        raise NotFound
    return found


@get("/sequences/{key:str}", enter=LEADERS)
@in_thread
def edit(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[str]:
    """One follow-up with all its steps."""
    present = _current(session, key)
    return _editor(request, session, present, sequencespec.document_of(present))


def _editor(
    request: PageRequest,
    session: Session,
    present: Sequence,
    document: dict[str, Any],
    fault: SequenceRefused | None = None,
    *,
    spare: int = 0,
) -> Response[str]:
    return page(
        request,
        "sequence.html",
        status=422 if fault else 200,
        present=present,
        document=document,
        steps=[*(_padded(step) for step in document["steps"]), *(_padded({}) for _ in range(spare))],
        faults=fault.faults if fault else (),
        kinds=StepKind,
        results=Result,
        ruled=sorted(RULED),
        templates=templatechoice.for_steps(session, reader(request)),
        inside=_inside(session, present.key),
        alarms=open_alarms(session),
        **rail(session, request),
    )


def _inside(session: Session, key: str) -> list[tuple[Enrolment, SequenceStep | None]]:
    """Clients who are in it, each with the step that is next; who is due first stands first."""
    query = (
        select(Enrolment)
        .where(Enrolment.sequence_key == key, Enrolment.state.in_(LIVE))
        .options(
            joinedload(Enrolment.contact).joinedload(Contact.account),
            joinedload(Enrolment.deal),
            joinedload(Enrolment.sequence).selectinload(Sequence.steps),
        )
        .order_by(Enrolment.due_at, Enrolment.id)
        .limit(SHOWN)
    )
    return [
        (one, next((step for step in one.sequence.steps if step.position == one.next_position), None))
        for one in session.scalars(query)
    ]


def _padded(step: dict[str, Any]) -> dict[str, Any]:
    """A step with every field of the form, the empty ones too."""
    branches = [*(step.get("branches") or []), *({"on": "", "to": None} for _ in range(BRANCHES))]
    window = {"days": [], "from": "", "to": ""} | (step.get("window") or {})
    empty = {"kind": "", "days": 0, "hours": 0, "template": None, "titles": {}}
    return empty | step | {"branches": branches[: max(BRANCHES, len(branches) - BRANCHES)], "window": window}


@post("/sequences/{key:str}", enter=LEADERS)
@in_thread
def save(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Put what the form says in force as a new version; clients under way keep theirs."""
    present = _current(session, key)
    document = read(form, key)
    if form.line("do") == "more":
        return _editor(request, session, present, document, spare=SPARE)
    if form.number("version") != present.version:
        raise Conflict("Somebody else changed this follow-up meanwhile.")
    try:
        sequencespec.publish(session, document, templates(session))
    except SequenceRefused as fault:
        return _editor(request, session, present, document, fault)
    return Redirect("/sequences", status_code=303)


def read(form: Form, key: str) -> dict[str, Any]:
    """The document that the form describes; a step without a kind is left out."""
    steps: list[dict[str, Any]] = []
    places: dict[int, int] = {}
    for number in range(1, sequencespec.MOST_STEPS + 2):
        kind = form.line(f"step_{number}_kind")
        if not kind:
            continue
        places[number] = len(steps) + 1
        steps.append(_step(form, number, kind))
    for step in steps:
        for branch in step["branches"]:
            # Steps that were left out move the ones behind them up.
            branch["to"] = places.get(branch["to"], branch["to"]) if branch["to"] else None
    return {
        "key": key,
        "names": names_of(form, "name"),
        "stop_on": sorted(reason.value for reason in RULED if form.ticked(f"stop_{reason.value}")),
        "once": form.ticked("once"),
        "exclusive": form.ticked("exclusive"),
        "least_gap_hours": form.number("least_gap_hours") or 0,
        "note": form.line("note", longest=300),
        "steps": steps,
    }


def _step(form: Form, number: int, kind: str) -> dict[str, Any]:
    task = kind == StepKind.TASK
    return {
        "kind": kind,
        "days": form.number(f"step_{number}_days") or 0,
        "hours": form.number(f"step_{number}_hours") or 0,
        "template": None if task else form.line(f"step_{number}_template") or None,
        "titles": names_of(form, f"step_{number}_title") if task else {},
        "window": _window(form, number),
        "branches": [
            {"on": on, "to": form.number(f"step_{number}_to_{place}")}
            for place in range(12)
            if (on := form.line(f"step_{number}_on_{place}"))
        ],
        **({"approve": True} if form.ticked(f"step_{number}_approve") and not task else {}),
    }


def _window(form: Form, number: int) -> dict[str, Any] | None:
    days = [day for day in range(7) if form.ticked(f"step_{number}_day_{day}")]
    start, end = form.line(f"step_{number}_from"), form.line(f"step_{number}_until")
    window: dict[str, Any] = {}
    if days and len(days) < 7:
        window["days"] = days
    if start:
        window["from"] = start
    if end:
        window["to"] = end
    return window or None


ROUTES = (show, release, begin, edit, save)
