"""The template library: the list, and the editor of one template."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import templatelibrary, templatelibrary_verbs, templateplaces
from core.errors import FrontdeskError, InputRefused, NotFound
from core.notices import open_alarms
from core.sessions import SignedIn
from core.staff import StaffMember, Team
from core.templatelibrary import KINDS, InForce, TemplateScope
from core.templateplaces import Named
from core.values import LANGUAGES
from desk import templatenames
from desk import templatewords as words
from desk.access import EVERYBODY, LEADERS, MARKETERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, page, reader
from desk.templaterights import (
    FIXED,
    SHIPPED,
    Layer,
    insist_on,
    layer_from,
    layer_of,
    layer_to_change,
    may_change,
    may_see,
)
from desk.threads import in_thread
from templates.catalogue import shipped
from templates.examining import Finding, examine
from templates.library import laid_over, shipped_has
from templates.placeholders import PLACEHOLDERS, samples
from templates.unit import OPTIONAL_PARTS, PARTS, Source

FIELDS = {
    "subject.txt": "subject",
    "body.txt": "body",
    "body.html": "html",
    "text.txt": "body",
    "title.txt": "title",
}
"""The form's field of each part."""
PROMINENT = (SHIPPED, "company", "mine")
"""Layers that are offered by themselves; teams stand behind one button."""


def _viewer(request: PageRequest) -> SignedIn:
    return request.scope["user"]


def _page(
    request: PageRequest, session: Session, view: str, status: int = 200, **given: Any
) -> Response[str]:
    return page(request, view, status=status, alarms=open_alarms(session), **given, **rail(session, request))


@get("/templates", enter=EVERYBODY)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Every template that counts for whoever asks, with what is missing; and what was deleted."""
    viewer, t = _viewer(request), reader(request)
    rows = [one for one in templatelibrary.in_force(session) if may_see(viewer, layer_of(one))]
    shelf = laid_over(rows, viewer.staff_id, viewer.team_id)
    missing = {(one.kind, one.key, one.language) for one in shelf.missing()}
    teams = dict(session.execute(select(Team.id, Team.name)).all())
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for kind in KINDS:
        keys = set(shipped().keys(kind)) | {one.key for one in rows if one.kind == kind and not one.deleted}
        listed = [
            {
                "key": key,
                "name": words.name(_names(rows, kind, key), key, t),
                "layers": [_said(one, teams, t) for one in rows if _is(one, kind, key)],
                "shipped": key in shipped().keys(kind),
                "languages": [
                    (one, "none" if (kind, key, one) in missing or not _has(shelf, kind, key, one)
                     else "own" if (kind, key, one) in shelf.rows else "shipped")
                    for one in LANGUAGES
                ],
            }
            for key in keys
            if (kind, key) not in FIXED
        ]  # fmt: skip
        groups.append((kind, sorted(listed, key=lambda one: str(one["name"]).casefold())))
    deleted = [
        (one, words.name(one.names, one.key, t), _said(one, teams, t))
        for one in rows
        if one.deleted and may_change(viewer, layer_of(one))
    ]
    return _page(
        request, session, "templates.html",
        groups=groups, deleted=deleted, kinds=words.KINDS, layer_code=lambda one: layer_of(one).code,
        may_company=viewer.role in MARKETERS,
    )  # fmt: skip


def _has(shelf: Any, kind: str, key: str, language: str) -> bool:
    return (kind, key, language) in shelf.rows or shipped_has(kind, key, language)


def _is(one: InForce, kind: str, key: str) -> bool:
    return (one.kind, one.key) == (kind, key) and not one.deleted


def _names(rows: list[InForce], kind: str, key: str) -> dict[str, str]:
    return next((one.names for one in rows if (one.kind, one.key) == (kind, key) and one.names), {})


def _said(one: InForce, teams: dict[int, str], t: Any) -> str:
    match one.scope:
        case TemplateScope.MINE:
            return t.gettext("Mine")
        case TemplateScope.TEAM:
            return teams.get(one.team_id or 0, "?")
        case _:
            return t.gettext("Company")


@post("/templates", enter=EVERYBODY)
@in_thread
def begin(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Begin a template of one's own: nothing is kept before its first text is saved."""
    viewer, kind, name = _viewer(request), form.line("kind"), form.line("name", longest=120)
    layer = layer_to_change(viewer, form.line("of"))
    key = words.key_from(name)
    if kind not in KINDS or not key:
        raise InputRefused("Give the template a name.")
    taken = {one.key for one in templatelibrary.in_force(session, kind=kind)} | set(shipped().keys(kind))
    free = next(one for one in (key, *(f"{key}_{n}" for n in range(2, 1000))) if one not in taken)
    from urllib.parse import quote

    return Redirect(f"/templates/{kind}/{free}?of={layer.code}&name={quote(name)}", status_code=303)


@get("/templates/{kind:str}/{key:str}", enter=EVERYBODY)
@in_thread
def edit(
    request: PageRequest, session: Transaction, kind: FromPath[str], key: FromPath[str]
) -> Response[str]:
    """One template in one language and layer, with how it reads."""
    asked = request.query_params
    language = asked.get("language", "")
    return _editor(request, session, kind, key, asked.get("of", ""), language, begun=asked.get("name", ""))


def _editor(
    request: PageRequest,
    session: Session,
    kind: str,
    key: str,
    of: str,
    language: str,
    *,
    begun: str = "",
    form: Form | None = None,
    findings: list[Finding] | None = None,
    fault: FrontdeskError | None = None,
) -> Response[str]:
    viewer, t = _viewer(request), reader(request)
    insist_on(kind, key)
    rows = [
        one for one in templatelibrary.in_force(session, kind=kind, key=key) if may_see(viewer, layer_of(one))
    ]
    shelf = laid_over(rows, viewer.staff_id, viewer.team_id)
    here = {layer_of(one).code: one for one in rows if not one.deleted}
    exists = bool(here) or key in shipped().keys(kind)
    layer = None if of in ("", SHIPPED) else layer_from(viewer, of)
    if not of and here:
        layer = layer_of(max(here.values(), key=lambda one: list(TemplateScope).index(one.scope)))
    if not exists and (layer is None or not may_change(viewer, layer) or not (begun or form)):
        raise NotFound
    row = here.get(layer.code) if layer else None
    written = [one for one in LANGUAGES if (kind, key, one) in shelf.rows or shipped_has(kind, key, one)]
    if language not in LANGUAGES:
        language = t.language if t.language in written or not written else written[0]
    parts = _texts(rows, shelf, layer, kind, key, language)
    if form is not None:
        parts = _parts(form, kind)
    names = row.names if row and row.names else _names(rows, kind, key)
    may = layer is not None and may_change(viewer, layer)
    layers = _layers(session, viewer, here, kind, key, t)
    versions = templatelibrary_verbs.versions(session, row.id) if row else []
    people = {one.created_by for one in versions} - {None}
    writers = dict(
        session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(people))).all()
    ) if people else {}  # fmt: skip
    return _page(
        request, session, "template.html",
        status=422 if findings or fault else 200,
        kind=kind, key=key, of=layer.code if layer else SHIPPED, row=row, may=may,
        name=words.name(names or ({t.language: begun} if begun else {}), key, t),
        names=names or ({t.language: begun} if begun else {}),
        layers=[one for one in layers if one[2] or one[0] in PROMINENT or one[0] == of],
        others=[one[:2] for one in layers if not one[2] and one[0] not in PROMINENT and one[0] != of],
        language=language, written=written,
        own=set(row.texts) if row else set(),
        parts=[(part, FIELDS[part], words.PARTS[part], parts.get(part, ""),
                (kind, part) not in OPTIONAL_PARTS) for part in PARTS[kind]],
        findings=findings or [], fault=fault, note=form.line("note", longest=300) if form else "",
        versions=versions, writers=writers, kinds=words.KINDS,
        groups=_placeholders(language), group_names=words.GROUPS, told=told_in(t),
        base=row.number if row else 0, begun=begun, exists=exists,
        files=row.files if row else (),
        clients=[], read=None, frame="", part_names=words.PARTS,
    )  # fmt: skip


def told_in(t: Any) -> Any:
    """A function that puts a finding into the reader's words: what is wrong, and what to do."""
    return lambda finding: (
        words.told(finding.problem, words.FAULTS, t),
        words.told(finding.cure, words.CURES, t),
    )


def _layers(
    session: Session, viewer: SignedIn, here: dict[str, InForce], kind: str, key: str, t: Any
) -> list[tuple[str, str, InForce | None]]:
    teams = select(Team.id, Team.name).order_by(Team.name)
    found: list[tuple[str, str, InForce | None]] = []
    if key in shipped().keys(kind):
        found.append((SHIPPED, t.gettext("Shipped"), None))
    if viewer.role in MARKETERS or "company" in here:
        found.append(("company", t.gettext("Company"), here.get("company")))
    for team_id, name in session.execute(teams):
        layer = Layer(TemplateScope.TEAM, team_id=team_id)
        if viewer.role in LEADERS or (may_see(viewer, layer) and layer.code in here):
            found.append((layer.code, name, here.get(layer.code)))
    found.append(("mine", t.gettext("Mine"), here.get("mine")))
    return found


def _texts(
    rows: list[InForce], shelf: Any, layer: Layer | None, kind: str, key: str, language: str
) -> dict[str, str]:
    """The parts to begin from: the layer's own, else those that count under it."""
    if layer is None:
        return dict(shipped().source(kind, key, language).parts) if shipped_has(kind, key, language) else {}
    own = next((one for one in rows if not one.deleted and layer_of(one) == layer), None)
    if own is not None and language in own.texts:
        return dict(own.texts[language])
    counts = shelf.rows.get((kind, key, language))
    if counts is not None and not counts.deleted:
        return dict(counts.texts[language])
    return dict(shipped().source(kind, key, language).parts) if shipped_has(kind, key, language) else {}


def _placeholders(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    from templates.values import show as shown

    given = samples(language)
    groups: dict[str, list[tuple[str, str]]] = {}
    for path, placeholder in PLACEHOLDERS.items():
        group, _, leaf = path.partition(".")
        if "[]" in leaf:
            continue
        value = given.get(group, {}).get(leaf)
        sample = "" if value is None or isinstance(value, list) else str(shown(placeholder, value, language))
        groups.setdefault(group, []).append((path, " ".join(sample.split())[:80]))
    return list(groups.items())


def _parts(form: Form, kind: str) -> dict[str, str]:
    return {
        part: form.line(FIELDS[part], longest=2000) if part in ("subject.txt", "title.txt")
        else form.text(FIELDS[part])
        for part in PARTS[kind]
    }  # fmt: skip


def source_from(form: Form, kind: str, key: str, language: str) -> Source:
    """What stands in the editor, as a template. Raises NotFound for a kind or language that is none."""
    insist_on(kind, key)
    if language not in LANGUAGES:
        raise NotFound
    parts = {part: text for part, text in _parts(form, kind).items() if text.strip()}
    return Source(kind, key, language, parts, own=True)


@post("/templates/{kind:str}/{key:str}", enter=EVERYBODY)
@in_thread
def save(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    kind: FromPath[str],
    key: FromPath[str],
) -> Response[Any]:
    """Save one language as the next version; what is wrong with it is told beside it."""
    viewer, language, of = _viewer(request), form.line("language"), form.line("of")
    layer = layer_to_change(viewer, of)
    source = source_from(form, kind, key, language)
    findings = examine(source)
    if findings:
        return _editor(request, session, kind, key, of, language, form=form, findings=findings)
    names = {one: form.line(f"name_{one}", longest=300) for one in LANGUAGES}
    try:
        with session.begin_nested():
            made = templatelibrary_verbs.save(
                session, layer.at(kind, key), language, source.parts,
                base=form.number("base") or 0, by=viewer.staff_id,
                note=form.text("note", longest=300), names=names,
            )  # fmt: skip
    except FrontdeskError as fault:
        return _editor(request, session, kind, key, of, language, form=form, fault=fault)
    templatenames.forget(state.engine)
    place = f"/templates/{kind}/{key}?of={layer.code}&language={language}"
    said = reader(request).gettext("Saved as version %(number)d.", number=made.number)
    if request.headers.get("hx-request") == "true":
        return done(request, said, go=place, events=("template",))
    return Redirect(place, status_code=303)


def _named(session: Session, layer: Layer, kind: str, key: str) -> tuple[list[Named], bool]:
    """What names a template, and whether some other text would stand in its place for all of it.

    What sends by itself knows only the company's templates, so that nobody else's stands in their place.
    """
    if layer.scope is not TemplateScope.COMPANY:
        return [], True
    return templateplaces.places(session, kind, key), key in shipped().keys(kind)


@get("/templates/{kind:str}/{key:str}/remove", enter=EVERYBODY)
@in_thread
def ask_remove(
    request: PageRequest, session: Transaction, kind: FromPath[str], key: FromPath[str]
) -> Response[str]:
    """What names the template, before it is taken out of use."""
    layer = layer_to_change(_viewer(request), request.query_params.get("of", ""))
    row = templatelibrary_verbs.find(session, layer.at(kind, key))
    if row is None or row.deleted_at is not None:
        raise NotFound
    named, stands = _named(session, layer, kind, key)
    return sheet(
        request, session, "template_remove.html",
        kind=kind, key=key, of=layer.code, named=named, stands=stands, kept=key in shipped().keys(kind),
        name=words.name(row.names, key, reader(request)), wheres=words.WHERES,
        bound=not stands and any(one.where in templateplaces.BINDING for one in named),
    )  # fmt: skip


@post("/templates/{kind:str}/{key:str}/remove", enter=EVERYBODY)
@in_thread
def remove(
    request: PageRequest, session: Transaction, form: Filled, kind: FromPath[str], key: FromPath[str]
) -> Response[Any]:
    """Take a template out of use; the text under it counts again. What still sends it is not left without."""
    layer = layer_to_change(_viewer(request), form.line("of"))
    named, stands = _named(session, layer, kind, key)
    if not stands:
        templateplaces.insist_spare(named)
    templatelibrary_verbs.delete(session, layer.at(kind, key), by=_viewer(request).staff_id)
    _ = reader(request).gettext
    text = (
        _("The shipped text counts again.") if key in shipped().keys(kind) else _("The template is deleted.")
    )
    place = f"/templates/{kind}/{key}"
    return done(
        request, text, go=place if key in shipped().keys(kind) else "/templates",
        undo=f"{place}/back", undo_values={"of": layer.code}, events=("template", "asked"),
    )  # fmt: skip


@post("/templates/{kind:str}/{key:str}/back", enter=EVERYBODY)
@in_thread
def bring_back(
    request: PageRequest, session: Transaction, form: Filled, kind: FromPath[str], key: FromPath[str]
) -> Response[Any]:
    """Undo a deletion."""
    layer = layer_to_change(_viewer(request), form.line("of"))
    templatelibrary_verbs.bring_back(session, layer.at(kind, key), by=_viewer(request).staff_id)
    text = reader(request).gettext("The template is back.")
    return done(request, text, go=f"/templates/{kind}/{key}?of={layer.code}", events=("template",))


@post("/templates/{kind:str}/{key:str}/restore", enter=EVERYBODY)
@in_thread
def restore(
    request: PageRequest, session: Transaction, form: Filled, kind: FromPath[str], key: FromPath[str]
) -> Response[Any]:
    """Put an older version in force again, as a new one."""
    layer = layer_to_change(_viewer(request), form.line("of"))
    number, before = form.number("number") or 0, form.number("base") or 0
    made = templatelibrary_verbs.restore(session, layer.at(kind, key), number, by=_viewer(request).staff_id)
    text = reader(request).gettext(
        "Version %(old)d is in force again, as version %(new)d.", old=number, new=made.number
    )
    return done(
        request, text, go=f"/templates/{kind}/{key}?of={layer.code}",
        undo=f"/templates/{kind}/{key}/restore" if before else None,
        undo_values={"of": layer.code, "number": before}, events=("template",),
    )  # fmt: skip


ROUTES = (show, begin, edit, save, ask_remove, remove, bring_back, restore)
