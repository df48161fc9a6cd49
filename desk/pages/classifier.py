"""The classifier: how often it is right, by week and by label, its versions, and what looks odd."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, get, post
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from classifier import comparison, history, learning, material, versions
from classifier.jobs import RETRAIN
from core import audit, jobs
from core.clock import now
from core.conversations import Message
from core.errors import InputRefused
from core.labels import Correction, Field, active_version, undo
from core.notices import open_alarms
from core.staff import StaffMember
from desk import classifierview
from desk.access import LEADERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

SHOWN = 20
"""The newest versions listed."""


@get("/classifier", enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The report, the versions, and corrections that look odd."""
    words = reader(request)
    view = "classifier_body.html" if request.headers.get("hx-request") == "true" else "classifier.html"
    present = active_version(session)
    report = history.from_corrections(session)
    return page(
        request,
        view,
        report=report,
        charts=classifierview.charts(report, history.by_week(session), words),
        matrix=classifierview.matrix(report.pairs),
        versions=[
            (one, classifierview.state(one, words), classifierview.why(one, words))
            for one in versions.versions(session)[:SHOWN]
        ],
        present=present.name if present is not None else versions.SHIPPED_NAME,
        shipped=versions.SHIPPED_NAME,
        odd=_odd(session),
        due=learning.due(session) is not None,
        fresh=learning.fresh_corrections(session),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/classifier/compare", enter=LEADERS)
@in_thread
def compare(request: PageRequest, session: Transaction) -> Response[str]:
    """Two versions on the messages that are kept for judging."""
    before = request.query_params.get("before", versions.SHIPPED_NAME)
    after = request.query_params.get("after", versions.SHIPPED_NAME)
    found = comparison.compare(session, before, after)
    ids = [change.message_id for change in found.changes]
    beginning = func.left(Message.text, 100).label("text")
    query = select(Message.id, Message.conversation_id, Message.subject, beginning)
    subjects = {
        row.id: (row.conversation_id, row.subject or row.text[:80])
        for row in session.execute(query.where(Message.id.in_(ids)))
    }
    return page(
        request,
        "classifier_compare.html",
        found=found,
        rows=classifierview.beside(found),
        subjects=subjects,
        names=[versions.SHIPPED_NAME, *(one.name for one in versions.versions(session))],
        alarms=open_alarms(session),
        **rail(session, request),
    )


@post("/classifier/learn", enter=LEADERS)
@in_thread
def learn(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Train now, in the background."""
    del form
    jobs.enqueue(session, RETRAIN, dedupe=RETRAIN, wanted=True)
    _ = reader(request).gettext
    text = (
        _("A new version is being trained. It appears here when it has been judged.")
        if learning.taught_since(session)
        else _("Nothing was corrected since the last training; only changed labels make a new version now.")
    )
    return done(request, text, go="/classifier", events=("classifier",))


@post("/classifier/rollback", enter=LEADERS)
@in_thread
def roll_back(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Put another version in force."""
    present = active_version(session)
    before = present.name if present is not None else versions.SHIPPED_NAME
    name = versions.rollback(session, form.line("name") or None)
    by = request.scope["user"].staff_id
    audit.note(
        session,
        by,
        "published",
        "classifier",
        name,
        name,
        before={"version": before},
        after={"version": name},
    )
    return done(
        request,
        reader(request).gettext("Now in force: %(name)s.", name=name),
        go="/classifier",
        undo="/classifier/rollback",
        undo_values={"name": before},
        events=("classifier",),
    )


@post("/classifier/odd", enter=LEADERS)
@in_thread
def decide_odd(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Let a batch of corrections that looks odd teach all the same, hold it back again, or take it back."""
    deed, numbers = form.line("deed"), _numbers(form)
    by = request.scope["user"].staff_id
    audit.note(session, by, "changed", "classifier", "", deed, after={"corrections": len(numbers)})
    _ = reader(request).gettext
    if deed == "allow":
        _mark(session, numbers, now())
        text, undo_values = _("They teach from the next training on."), {"deed": "hold"}
    elif deed == "hold":
        _mark(session, numbers, None)
        text, undo_values = _("They are held back again."), {"deed": "allow"}
    elif deed == "refuse":
        for correction in _corrections(session, numbers):
            undo(session, correction)
        return done(request, _("The corrections are taken back."), go="/classifier", events=("classifier",))
    else:
        raise InputRefused("That is none of the deeds.")
    return done(
        request,
        text,
        go="/classifier",
        undo="/classifier/odd",
        undo_values=undo_values | {"messages": ",".join(map(str, numbers))},
        events=("classifier",),
    )


def _odd(session: Session) -> list[tuple[material.OddBatch, str]]:
    """Odd batches with the name of who made them."""
    batches = material.odd_now(session)
    query = select(StaffMember.id, StaffMember.name)
    query = query.where(StaffMember.id.in_({one.staff_id for one in batches}))
    names = {row.id: row.name for row in session.execute(query)}
    return [(one, names.get(one.staff_id, "")) for one in batches]


def _numbers(form: Form) -> list[int]:
    parts = form.line("messages", longest=20_000).split(",")
    if not all(part.isdecimal() and len(part) < 18 for part in parts):
        raise InputRefused("The field messages must hold numbers.")
    return [int(part) for part in parts]


def _mark(session: Session, messages: list[int], at: datetime | None) -> None:
    session.execute(
        update(Correction)
        .where(Correction.message_id.in_(messages), Correction.field == Field.INTENT)
        .values(allowed_at=at)
    )


def _corrections(session: Session, messages: list[int]) -> list[int]:
    return list(
        session.scalars(
            select(Correction.id)
            .where(
                Correction.message_id.in_(messages),
                Correction.field == Field.INTENT,
                Correction.undone_at.is_(None),
            )
            .order_by(Correction.id.desc())
        )
    )


ROUTES = (show, compare, learn, roll_back, decide_odd)
