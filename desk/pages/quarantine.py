"""Letters that could not be understood: what they are, why, and another try."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import func, select, update

from core import intake
from core.errors import Conflict, NotFound
from core.intake import TRANSITIONS, IntakeState, RawMessage
from core.notices import open_alarms
from desk import tables
from desk.access import LEADERS
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

SHOWN = 20_000
"""Bytes of a letter that are shown as text."""


def header_of(head: bytes, name: str) -> str:
    """A header of raw bytes, readable whatever is in it; empty where there is none."""
    from inbound import headers, structure
    from inbound.parsed import Headers

    del headers
    fields = Headers(structure.scan(head, []).fields, None)
    return fields.get(name)[:300]


@get("/quarantine", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """All that wait, newest first."""
    rows = [(row, _headers(bytes(row.head))) for row in tables.quarantined(session)]
    view = "quarantine_list.html" if request.headers.get("hx-request") == "true" else "quarantine.html"
    return page(request, view, rows=rows, alarms=open_alarms(session), **rail(session, request))


def _headers(head: bytes) -> dict[str, str]:
    try:
        return {name: header_of(head, name) for name in ("from", "subject", "date")}
    except Exception:  # what stopped the pipeline may stop this too, and the list must show all the same
        return {"from": "", "subject": "", "date": ""}


@get("/quarantine/{raw_id:int}", enter=LEADERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, raw_id: FromPath[int]) -> Response[str]:
    """One letter's first bytes as text, exactly as they came."""
    query = select(
        RawMessage.id, RawMessage.size, RawMessage.error, func.substr(RawMessage.data, 1, SHOWN).label("head")
    ).where(RawMessage.id == raw_id, RawMessage.state == IntakeState.QUARANTINED)
    row = session.execute(query).first()
    if row is None:
        raise NotFound
    text = bytes(row.head).decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return page(request, "quarantine_one.html", row=row, text=text, cut=row.size > SHOWN)


@post("/quarantine/{raw_id:int}/again", enter=LEADERS)
@in_thread
def again(request: PageRequest, session: Transaction, form: Filled, raw_id: FromPath[int]) -> Response[Any]:
    """Give one letter another three attempts."""
    intake.run_again(session, raw_id)
    text = reader(request).gettext("It is being tried again.")
    return done(request, text, go="/quarantine", events=("quarantine",))


@post("/quarantine/again", enter=LEADERS)
@in_thread
def again_all(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Give every letter here another three attempts."""
    waiting = session.scalars(
        select(RawMessage.id)
        .where(RawMessage.state == IntakeState.QUARANTINED)
        .order_by(RawMessage.id)
        .with_for_update(skip_locked=True)
    ).all()
    for raw_id in waiting:
        intake.run_again(session, raw_id)
    text = reader(request).ngettext(
        "%(num)d letter is being tried again.", "%(num)d letters are being tried again.", len(waiting)
    )
    return done(request, text, go="/quarantine", events=("quarantine",))


@post("/quarantine/{raw_id:int}/ignore", enter=LEADERS)
@in_thread
def ignore(request: PageRequest, session: Transaction, form: Filled, raw_id: FromPath[int]) -> Response[Any]:
    """Leave a letter be; it is kept, with who decided so, and can still be run again."""
    if IntakeState.IGNORED not in TRANSITIONS[IntakeState.QUARANTINED]:
        raise Conflict
    viewer = request.scope["user"]
    left = session.execute(
        update(RawMessage)
        .where(RawMessage.id == raw_id, RawMessage.state == IntakeState.QUARANTINED)
        .values(state=IntakeState.IGNORED, reason=f"put aside by {viewer.name}", settled_at=func.now())
        .returning(RawMessage.id)
    ).first()
    if left is None:
        raise NotFound
    intake.tell_of_quarantine(session)
    return done(
        request,
        reader(request).gettext("Put aside."),
        go="/quarantine",
        undo=f"/quarantine/{raw_id}/again",
        events=("quarantine",),
    )


ROUTES = (show, show_one, again, again_all, ignore)
