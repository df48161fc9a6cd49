"""Imports: a file comes, columns are assigned, a dry run shows what would happen; then done, or undone."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import Provide
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import imports, tabular
from core.errors import FrontdeskError, InputRefused
from core.imports_fields import FIELDS
from core.imports_rows import Import, ImportRow, ImportState, RowOutcome
from core.notices import open_alarms
from desk.access import MARKETERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, is_partial, page, reader
from desk.threads import in_thread
from desk.uploads import BODY_LIMIT, Uploaded, uploaded

SHOWN = 100
"""Imports in the list."""
EXAMPLES = 3
"""Cells of a column that are shown beside it."""
PREVIEWED = 8
"""Rows of the dry run that are shown."""


@get("/imports", enter=MARKETERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """A place for a file, and the imports before."""
    rows = session.scalars(select(Import).order_by(Import.id.desc()).limit(SHOWN)).all()
    return page(
        request, "imports.html", rows=rows, fault=None, alarms=open_alarms(session), **rail(session, request)
    )


@post(
    "/imports",
    enter=MARKETERS,
    request_max_body_size=BODY_LIMIT,
    dependencies={"upload": Provide(uploaded)},
)
@in_thread
def take(request: PageRequest, session: Transaction, upload: Uploaded) -> Response[Any]:
    """Take a file in."""
    one = imports.upload(session, upload.name, upload.data, staff_id=request.scope["user"].staff_id)
    return Redirect(f"/imports/{one.id}", status_code=303)


@get("/imports/{import_id:int}", enter=MARKETERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, import_id: FromPath[int]) -> Response[str]:
    """One import: its columns and what they would do, or what it did."""
    return _shown(request, session, imports.get(session, import_id))


@post("/imports/{import_id:int}/columns", enter=MARKETERS)
@in_thread
def assign(
    request: PageRequest, session: Transaction, form: Filled, import_id: FromPath[int]
) -> Response[Any]:
    """Other columns mean other things; nothing is imported yet."""
    one = imports.get(session, import_id, lock=True)
    _assign(one, form)
    session.flush()
    if not is_partial(request):
        return Redirect(f"/imports/{import_id}", status_code=303)
    return _shown(request, session, one, list_name=form.line("list_name"))


def _assign(one: Import, form: Form) -> None:
    if one.state != ImportState.LOOKED_AT:
        return
    chosen: dict[str, str] = {}
    for name in form.fields:
        column = name.removeprefix("column:")
        if name.startswith("column:") and column.isascii() and column.isdecimal() and len(column) < 4:
            wanted = form.line(name)
            if wanted in FIELDS and wanted not in chosen.values():
                chosen[column] = wanted
    one.mapping = chosen


@post("/imports/{import_id:int}/run", enter=MARKETERS)
@in_thread
def run(request: PageRequest, session: Transaction, form: Filled, import_id: FromPath[int]) -> Response[Any]:
    """Do it."""
    one = imports.get(session, import_id, lock=True)
    _assign(one, form)
    session.flush()
    list_name = form.line("list_name", longest=200)
    try:
        with session.begin_nested():
            imports.run(session, one, list_name=list_name, staff_id=request.scope["user"].staff_id)
    except InputRefused as refused:
        return _shown(request, session, one, list_name=list_name, fault=refused)
    return _go(request, f"/imports/{import_id}")


@post("/imports/{import_id:int}/undo", enter=MARKETERS)
@in_thread
def undo(request: PageRequest, session: Transaction, import_id: FromPath[int]) -> Response[Any]:
    """Take the whole import back."""
    imports.undo(session, imports.get(session, import_id, lock=True))
    return _go(request, f"/imports/{import_id}")


@get("/imports/{import_id:int}/refused", enter=MARKETERS)
@in_thread
def download_refused(request: PageRequest, session: Transaction, import_id: FromPath[int]) -> Response[bytes]:
    """The rows that were refused, with what is wrong with each, to be mended and imported again."""
    one = imports.get(session, import_id)
    t = reader(request)
    sheet = tabular.read(one.data)
    if one.state == ImportState.LOOKED_AT:
        wrong = imports.refused(imports.plan(session, sheet, imports.mapping_of(one)), sheet)
    else:
        held = select(ImportRow.row, ImportRow.error).where(
            ImportRow.import_id == one.id, ImportRow.outcome == RowOutcome.REFUSED
        )
        cells = dict(sheet.numbered())
        wrong = [
            [str(row), error, *cells.get(row, ())]
            for row, error in session.execute(held.order_by(ImportRow.row))
        ]
    rows = [[row[0], t.gettext(row[1]), *row[2:]] for row in wrong]
    header = [t.gettext("Row"), t.gettext("What is wrong"), *sheet.header]
    return table_file(tabular.write_csv(header, rows), f"refused-{import_id}.csv")


def table_file(data: bytes, name: str) -> Response[bytes]:
    """A table as a file to be kept."""
    kinds = {"csv": "text/csv; charset=utf-8"}
    kind = kinds.get(
        name.rpartition(".")[2], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(data, media_type=kind, headers=headers)


def _go(request: PageRequest, place: str) -> Response[Any]:
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


def _shown(
    request: PageRequest,
    session: Session,
    one: Import,
    *,
    list_name: str = "",
    fault: FrontdeskError | None = None,
) -> Response[str]:
    sheet = tabular.read(one.data)
    planned: list[imports.Planned] = []
    counts: dict[str, int] = {}
    if one.state == ImportState.LOOKED_AT:
        try:
            planned = imports.plan(session, sheet, imports.mapping_of(one))
            counts = imports.counts(planned)
        except InputRefused as refused:
            fault = fault or refused
    else:
        counts = one.counts
    columns = [
        (number, title, [row[number] for row in sheet.rows[:20] if row[number]][:EXAMPLES])
        for number, title in enumerate(sheet.header)
    ]
    wrong = [row for row in planned if row.outcome == RowOutcome.REFUSED]
    fine = [row for row in planned if row.outcome != RowOutcome.REFUSED]
    values: dict[str, Any] = {
        "one": one,
        "columns": columns,
        "total": len(sheet.rows),
        "fields": FIELDS,
        "mapping": imports.mapping_of(one),
        "tally": counts,
        "preview": fine[:PREVIEWED],
        "wrong": wrong[:PREVIEWED],
        "list_name": list_name,
        "fault": fault,
    }
    if is_partial(request):
        return page(request, "import_draft.html", **values)
    return page(request, "import.html", **values, alarms=open_alarms(session), **rail(session, request))


ROUTES = (show_all, take, show_one, assign, run, undo, download_refused)
