"""Pipelines on the screen: drafts changed stage by stage, put in force as versions, deals moved to them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, pipelines, pipelineversions
from core.deals import Deal
from core.errors import Conflict, FrontdeskError, InputRefused, NotFound
from core.intents import intent_name
from core.notices import open_alarms
from core.pipelines import Pipeline, PipelineDraft
from core.pipelinespec import EVENTS, FIELDS, RULE_KEYS, Known, check
from core.pipelineversions import PipelineRefused, known
from core.sequences import Sequence
from core.staff import Role, StaffMember, Team
from desk import pipelineforms as forms
from desk import templatechoice
from desk.access import LEADERS
from desk.commands.pipelines import templates
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread


@get("/pipelines", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """All pipelines in force, with the deals in each version, and drafts."""
    roads = pipelines.active(session)
    under_way = dict(
        session.execute(
            select(Deal.pipeline_id, func.count()).where(Deal.outcome.is_(None)).group_by(Deal.pipeline_id)
        ).all()
    )
    drafts = {draft.key: draft for draft in session.scalars(select(PipelineDraft))}
    new = [draft for key, draft in drafts.items() if key not in {road.key for road in roads}]
    return _page(
        request,
        session,
        "pipelines.html",
        roads=[
            (road, under_way.get(road.id, 0), len(pipelineversions.transfers(session, road)))
            for road in roads
        ],
        drafts=drafts,
        new=new,
        retired=pipelineversions.retired(session),
    )


def _page(
    request: PageRequest, session: Session, view: str, status: int = 200, **values: Any
) -> Response[str]:
    return page(request, view, status=status, alarms=open_alarms(session), **values, **rail(session, request))


def _draft(session: Session, key: str) -> PipelineDraft:
    draft = pipelineversions.draft(session, key)
    if draft is None:
        raise NotFound
    return draft


@post("/pipelines", enter=LEADERS)
@in_thread
def begin(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Begin a draft: of a pipeline that is there, or a new one made after it."""
    by, source = request.scope["user"].staff_id, form.line("key")
    if not form.ticked("copy"):
        pipelineversions.begin_draft(session, source, by=by)
        return Redirect(f"/pipelines/{source}", status_code=303)
    road = pipelines.current(session, source)
    names = forms.names_of(form, "name")
    key = forms.key_from(names.get("en", ""))
    if road is None:
        raise NotFound
    if not key:
        raise InputRefused("A new pipeline needs a name in English.")
    if pipelines.current(session, key) is not None:
        raise Conflict("There is a pipeline of that name.", cure="Choose another name.")
    document = pipelineversions.document_of(road) | {"key": key, "standard": False, "names": names}
    pipelineversions.save_draft(session, key, document, revision=0, by=by)
    return Redirect(f"/pipelines/{key}", status_code=303)


@get("/pipelines/{key:str}", enter=LEADERS)
@in_thread
def edit(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[str]:
    """A draft: its stages in order, what is wrong with it, and how the road looks."""
    return _editor(request, session, _draft(session, key))


def _editor(
    request: PageRequest, session: Session, draft: PipelineDraft, fault: FrontdeskError | None = None
) -> Response[str]:
    road = pipelines.current(session, draft.key)
    faults = check(draft.document, known(session, templates(session)))
    return _page(
        request,
        session,
        "pipeline.html",
        status=422 if fault else 200,
        draft=draft,
        document={"note": "", **draft.document},
        stages=[forms.shown(stage) for stage in draft.document["stages"]],
        norm_of=_norm_of,
        road=road,
        changed=road is None
        or not road.active
        or not pipelineversions.same(draft.document, pipelineversions.document_of(road)),
        faults=faults,
        faulty={fault.path[1] for fault in faults if len(fault.path) > 1 and fault.path[0] == "stages"},
        fault=fault,
        templates=templatechoice.for_stages(session, reader(request)),
        sequences=_sequences(session),
    )


@post("/pipelines/{key:str}", enter=LEADERS)
@in_thread
def change(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Change the draft as a whole: its name, the order of its stages, one more or one less."""
    draft = _draft(session, key)
    document, deed = draft.document, form.line("do")
    by, revision = request.scope["user"].staff_id, form.number("revision") or 0
    kind, _, which = deed.partition(":")
    place = f"/pipelines/{key}"
    if kind == "order":
        changed = forms.ordered(document, form.line("order", longest=4000).split(","))
    elif kind in {"up", "down"}:
        changed = forms.shifted(document, which, -1 if kind == "up" else 1)
    elif kind == "remove":
        changed = forms.without(document, which)
    elif kind == "add":
        names = forms.names_of(form, "stage")
        if not names:
            raise InputRefused("A stage needs a name.")
        changed, added = forms.with_stage(document, names)
        place = f"/pipelines/{key}/stages/{added}"
    else:
        changed = forms.head_of(document, form)
    pipelineversions.save_draft(session, key, changed, revision=revision, by=by)
    return Redirect(place, status_code=303)


@get("/pipelines/{key:str}/stages/{stage:str}", enter=LEADERS)
@in_thread
def edit_stage(
    request: PageRequest, session: Transaction, key: FromPath[str], stage: FromPath[str]
) -> Response[str]:
    """Everything about one stage of a draft."""
    draft = _draft(session, key)
    return _stage_page(request, session, draft, forms.find(draft.document, stage))


def _stage_page(
    request: PageRequest, session: Session, draft: PipelineDraft, stage: Mapping[str, Any]
) -> Response[str]:
    language = reader(request).language
    there = known(session, templates(session))
    number = [one["key"] for one in draft.document["stages"]].index(stage["key"])
    return _page(
        request,
        session,
        "pipeline_stage.html",
        draft=draft,
        document=draft.document,
        stages=[forms.shown(one) for one in draft.document["stages"]],
        stage=forms.shown(stage),
        rules=forms.rows(stage.get("performer_rules", []), forms.EMPTY_RULE),
        items=forms.rows(stage.get("checklist", []), forms.EMPTY_ITEM),
        number=number,
        faults=[one for one in check(draft.document, there) if one.path[:2] == ("stages", number)],
        fields=FIELDS,
        events=[(topic, intent_name(topic, language)) for topic in sorted(there.topics)],
        own_events=EVENTS,
        rule_keys=RULE_KEYS,
        performers=_performers(request, session),
        templates=templatechoice.for_stages(session, reader(request)),
        sequences=_sequences(session),
        norm=_norm_of(stage),
    )


def _norm_of(stage: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Working days and hours of a stage's norm; neither where it cannot be read."""
    with suppress(ValueError):
        return pipelineversions.read_norm(stage.get("norm", ""))
    return None, None


@post("/pipelines/{key:str}/stages/{stage:str}", enter=LEADERS)
@in_thread
def save_stage(
    request: PageRequest, session: Transaction, form: Filled, key: FromPath[str], stage: FromPath[str]
) -> Response[Any]:
    """Save a stage of the draft, and stay where something is wrong with it."""
    draft = _draft(session, key)
    there: Known = known(session, templates(session))
    changed = forms.with_form(draft.document, stage, form, sorted(there.topics))
    draft = pipelineversions.save_draft(
        session, key, changed, revision=form.number("revision") or 0, by=request.scope["user"].staff_id
    )
    number = [one["key"] for one in changed["stages"]].index(stage)
    wrong = [one for one in check(changed, there) if one.path[:2] == ("stages", number)]
    stays = wrong or form.line("do") == "more"
    place = f"/pipelines/{key}/stages/{stage}" if stays else f"/pipelines/{key}"
    return Redirect(place, status_code=303)


def _sequences(session: Session) -> dict[str, Sequence]:
    return {one.key: one for one in session.scalars(select(Sequence).where(Sequence.active))}


def _performers(request: PageRequest, session: Session) -> list[tuple[str, str]]:
    _ = reader(request).gettext
    people = session.scalars(select(StaffMember).where(StaffMember.active).order_by(StaffMember.name))
    teams = session.scalars(select(Team.name).order_by(Team.name))
    return [
        ("owner", _("The deal’s owner")),
        ("curator", _("The client’s curator")),
        *((f"team:{name}", _("Team: %(name)s", name=name)) for name in teams),
        *((f"role:{role.value}", _("Role: %(name)s", name=role.value)) for role in Role),
        *((f"person:{one.email}", one.name) for one in people),
    ]


@post("/pipelines/{key:str}/publish", enter=LEADERS)
@in_thread
def publish(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[Any]:
    """Put the draft in force as a new version."""
    draft = _draft(session, key)
    try:
        made = pipelineversions.publish(
            session, draft.document, by=request.scope["user"].staff_id, templates=templates(session)
        )
    except PipelineRefused as fault:
        return _editor(request, session, draft, fault)
    pipelineversions.drop_draft(session, key)
    by, name = request.scope["user"].staff_id, made.name("en")
    audit.note(session, by, "published", "pipeline", key, name, after={"version": made.version})
    waiting = pipelineversions.transfers(session, made)
    return Redirect(f"/pipelines/{key}/deals" if waiting else "/pipelines", status_code=303)


@post("/pipelines/{key:str}/drop", enter=LEADERS)
@in_thread
def drop(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[Any]:
    """Throw the draft away; what is in force stays."""
    pipelineversions.drop_draft(session, key)
    return done(request, reader(request).gettext("The draft is thrown away."), go="/pipelines")


@post("/pipelines/{key:str}/retire", enter=LEADERS)
@in_thread
def retire(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[Any]:
    """Let a pipeline take no new deals."""
    road = _road(session, key)
    pipelineversions.retire(session, key)
    by, _ = request.scope["user"].staff_id, reader(request)
    audit.note(session, by, "put_away", "pipeline", key, road.name("en"))
    text = _.gettext("New deals no longer begin in “%(name)s”.", name=road.name(_.language))
    return done(request, text, go="/pipelines")


@post("/pipelines/{key:str}/restore", enter=LEADERS)
@in_thread
def restore(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[Any]:
    """Let a retired pipeline take new deals again."""
    pipelineversions.restore(session, key)
    road = _road(session, key)
    by, _ = request.scope["user"].staff_id, reader(request)
    audit.note(session, by, "reactivated", "pipeline", key, road.name("en"))
    text = _.gettext("New deals begin in “%(name)s” again.", name=road.name(_.language))
    return done(request, text, go="/pipelines")


@get("/pipelines/{key:str}/deals", enter=LEADERS)
@in_thread
def ask_transfer(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[str]:
    """The deals under way in earlier versions, and where each would stand in this one."""
    road = _road(session, key)
    waiting = pipelineversions.transfers(session, road)
    language = reader(request).language
    return _page(
        request,
        session,
        "pipeline_deals.html",
        road=road,
        waiting=waiting,
        gone={one.deal.stage.key: one.deal.stage.name(language) for one in waiting if one.target is None},
    )


def _road(session: Session, key: str) -> Pipeline:
    road = pipelines.current(session, key)
    if road is None or not road.active:
        raise NotFound
    return road


@post("/pipelines/{key:str}/deals", enter=LEADERS)
@in_thread
def transfer(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Move the ticked deals to the version in force; nothing is sent."""
    road = _road(session, key)
    waiting = pipelineversions.transfers(session, road)
    chosen = [one.deal.id for one in waiting if form.ticked(f"deal_{one.deal.id}")]
    instead = {
        one.deal.stage.key: form.line(f"instead_{one.deal.stage.key}")
        for one in waiting
        if one.target is None
    }
    moved = pipelineversions.transfer(
        session, road, chosen, instead=instead, by=request.scope["user"].staff_id
    )
    by = request.scope["user"].staff_id
    audit.note(session, by, "changed", "pipeline", key, road.name("en"), after={"deals_moved": moved})
    language = reader(request)
    said = language.ngettext("%(num)d deal moved.", "%(num)d deals moved.", moved)
    return done(request, said, go="/pipelines")


ROUTES = (
    show, begin, edit, change, edit_stage, save_stage, publish, drop, retire, restore, ask_transfer, transfer,
)  # fmt: skip
