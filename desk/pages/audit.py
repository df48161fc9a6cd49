"""The audit log: who changed what of the house, newest first."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response, get
from sqlalchemy import select

from core import audit
from core.audit import AuditEntry
from core.errors import InputRefused
from core.i18n import Texts
from core.notices import open_alarms
from core.staff import StaffMember
from desk.access import LEADERS
from desk.auditwords import DEEDS, KINDS, Words
from desk.forms import Form
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.threads import in_thread

SHOWN = 50


class Row(NamedTuple):
    """An entry in words."""

    entry: AuditEntry
    who: str | None
    kind: str
    title: str
    deed: str
    changes: list[tuple[str, str | None, str | None]]


def _row(entry: AuditEntry, who: str | None, words: Words, language: Texts) -> Row:
    kind, deed = KINDS.get(entry.kind, entry.kind), DEEDS.get(entry.deed, entry.deed)
    return Row(
        entry, who, language.gettext(kind), words.title(entry), language.gettext(deed), words.changes(entry)
    )


def day_of(form: Form, name: str) -> date | None:
    """A field that holds a day; None when it is empty. Raises InputRefused for anything else."""
    given = form.line(name, longest=20)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise InputRefused(f"“{given}” is no day.", cure="Write it as 2030-12-31.") from error


@get("/audit", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The entries that fit the filters."""
    asked = Form(dict(request.query_params.items()))
    kind, staff_id, since = asked.line("kind", longest=40), asked.number("staff"), day_of(asked, "since")
    query = audit.entries(kind=kind, staff_id=staff_id, since=since, before_id=asked.number("before"))
    found = session.execute(query.limit(SHOWN + 1)).all()
    language = reader(request)
    words = Words(session, request.app.state.engine, language)
    values: dict[str, Any] = {
        "rows": [_row(entry, who, words, language) for entry, who in found[:SHOWN]],
        "more": len(found) > SHOWN,
        "kinds": KINDS,
        "kind": kind,
        "staff_id": staff_id,
        "since": since.isoformat() if since else "",
        "people": session.execute(select(StaffMember.id, StaffMember.name).order_by(StaffMember.name)).all(),
        "older": "",
    }
    if values["more"]:
        filters = {"kind": kind, "staff": staff_id or "", "since": values["since"]}
        values["older"] = urlencode({**filters, "before": found[SHOWN - 1][0].id})
    return page(request, "audit.html", **values, alarms=open_alarms(session), **rail(session, request))


ROUTES = (show,)
