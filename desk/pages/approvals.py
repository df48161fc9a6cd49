"""Approvals: what waits for my word, what came back, what I asked; and the rules that make letters wait."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core import approvalreads, approvalrules, approvals
from core.approvalasks import NEVER, Approval, ApprovalState
from core.errors import FrontdeskError, InputRefused, NotFound
from core.i18n import Texts
from core.notices import open_alarms
from core.outbox import Delivery
from desk import answers, approvalview, live, templatechoice
from desk.access import LEADERS, WORKERS
from desk.figures import read_number, write_number
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.security import DOWNLOAD_POLICY
from desk.threads import in_thread

EVENTS = ("review", "approvals", "conversation")
DECIDED = 30
"""So many of what was decided lately are listed."""


@get("/approvals", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """Everything one has to do with; leaders see everybody's."""
    viewer = request.scope["user"]
    language = reader(request)
    me = viewer.staff_id
    waiting = Approval.state == ApprovalState.WAITING
    others = waiting if approvalview.leads(viewer) else and_(waiting, Approval.asker_id == me)
    closed = Approval.state.in_([ApprovalState.APPROVED, ApprovalState.WITHDRAWN])
    concerned = closed if approvalview.leads(viewer) else and_(closed, approvalreads.concerns(me))
    to_decide = approvalreads.to_decide(me)
    values: dict[str, Any] = {
        "shelves": [
            (language.gettext("Waits for your word"), approvalview.row_values(session, viewer, to_decide)),
            (
                language.gettext("Came back to you"),
                approvalview.row_values(session, viewer, approvalreads.came_back(me)),
            ),
            (
                language.gettext("Waits for others"),
                approvalview.row_values(session, viewer, and_(others, ~to_decide)),
            ),
            (
                language.gettext("Decided lately"),
                approvalview.row_values(session, viewer, concerned, DECIDED),
            ),
        ],
        "states": approvalview.STATES,
        "note_text": lambda one: approvalview.note_text(one, language),
    }
    if is_partial(request):
        return page(request, "approvals_list.html", **values)
    if approvalview.leads(viewer):
        rules = {one.template: one for one in approvalrules.rules(session)}
        values["rules"] = rules
        # A rule about a template that is gone stays to be seen, and can be ended.
        offered = _ruled(session, language)
        values["templates"] = offered | {key: key for key in rules if key not in offered}
        values["choices"] = approvalview.approver_choices(session, language)
        values["number"] = lambda value: write_number(value, language.language, 2)
    return page(request, "approvals.html", alarms=open_alarms(session), **values, **rail(session, request))


def _ruled(session: Session, language: Texts) -> dict[str, str]:
    """The letters that may be made to wait, with their names."""
    offered = templatechoice.for_rules(session, language)
    return {key: name for key, name in offered.items() if key not in NEVER}


@post("/approvals/rules", enter=LEADERS)
@in_thread
def set_rule(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Letters of one template wait for somebody's word, or no more."""
    viewer = request.scope["user"]
    language = reader(request)
    template = form.line("template")
    ends = not form.line("approver", longest=300)
    if template not in _ruled(session, language) and not ends:
        raise InputRefused("That template does not exist.")
    total: Decimal | None = None
    if form.line("least_total"):
        total = read_number(form.line("least_total", longest=40), language.language)
        if not 0 <= total < 10**12:
            raise InputRefused("The sum must not be negative.")
    approver = form.line("approver", longest=300)
    approvalrules.set_rule(session, template, approver, least_total=total, by=viewer.staff_id)
    _ = language.gettext
    text = _("Such letters wait from now on.") if approver else _("Such letters leave at once from now on.")
    return done(request, text, go="/approvals", events=("approvals",))


@post("/approvals/{approval_id:int}/approve", enter=WORKERS)
@in_thread
def approve(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Let it go as it was read; ten seconds are left to take the word back."""
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    made = approvals.approve(
        session,
        approval_id,
        by=viewer.staff_id,
        leads=approvalview.leads(viewer),
        seen=form.line("seen", longest=64),
    )
    _announce(session, made)
    language = reader(request)
    if made.state != ApprovalState.APPROVED:
        why = approvalview.note_text(made, language)
        text = language.gettext("Not sent: %(why)s. Whoever asked is told.", why=why)
        return done(request, text, go="/approvals", events=EVENTS)
    text = language.gettext("Approved: it leaves in ten seconds.")
    return done(request, text, go="/approvals", undo=f"/approvals/{approval_id}/undo", events=EVENTS)


@post("/approvals/{approval_id:int}/return", enter=WORKERS)
@in_thread
def give_back(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Back to whoever asked, with a note."""
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    note = form.text("note", longest=approvals.LONGEST_NOTE)
    made = approvals.give_back(
        session, approval_id, note, by=viewer.staff_id, leads=approvalview.leads(viewer)
    )
    _announce(session, made)
    text = reader(request).gettext("Returned with your note.")
    return done(request, text, go="/approvals", undo=f"/approvals/{approval_id}/undo", events=EVENTS)


@post("/approvals/{approval_id:int}/undo", enter=WORKERS)
@in_thread
def take_back(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Take one's word back while the letter is still here."""
    del form
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    made = approvals.take_back(session, approval_id, by=viewer.staff_id)
    _announce(session, made)
    return done(request, reader(request).gettext("It waits again."), go="/approvals", events=EVENTS)


@post("/approvals/{approval_id:int}/edit", enter=WORKERS)
@in_thread
def edit(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Other words, before it leaves."""
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    made = approvals.edit(
        session,
        approval_id,
        subject=form.line("subject", longest=300),
        body=form.text("body"),
        by=viewer.staff_id,
        leads=approvalview.leads(viewer),
    )
    _announce(session, made)
    return done(request, reader(request).gettext("The letter is changed."), go="/approvals", events=EVENTS)


@post("/approvals/{approval_id:int}/again", enter=WORKERS)
@in_thread
def ask_again(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Ask once more, with the deal as it stands now."""
    del form
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    made = approvals.ask_again(session, approval_id, by=viewer.staff_id, leads=approvalview.leads(viewer))
    _announce(session, made)
    language = reader(request)
    if made.state != ApprovalState.WAITING:
        why = approvalview.note_text(made, language)
        text = language.gettext("Not sent: %(why)s. Whoever asked is told.", why=why)
    else:
        text = language.gettext("Asked again.")
    return done(request, text, go="/approvals", events=EVENTS)


@post("/approvals/{approval_id:int}/withdraw", enter=WORKERS)
@in_thread
def withdraw(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """It is not needed any more; of what is out of date, take note."""
    del form
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    made = approvals.withdraw(session, approval_id, by=viewer.staff_id, leads=approvalview.leads(viewer))
    _announce(session, made)
    return done(
        request, reader(request).gettext("Put aside; it is not sent."), go="/approvals", events=EVENTS
    )


@get("/approvals/{approval_id:int}/document/{key:str}", enter=WORKERS)
@in_thread
def document(
    request: PageRequest,
    state: State,
    session: Transaction,
    approval_id: FromPath[int],
    key: FromPath[str],
) -> Response[bytes]:
    """The PDF as it would be made now, without a number: that is taken when it leaves."""
    approval = approvalview.find(session, request.scope["user"], approval_id)
    delivery = session.get_one(Delivery, approval.delivery_id)
    if key not in delivery.documents:
        raise NotFound
    today = session.execute(select(func.current_date())).scalar_one()
    try:
        draft = answers.draft_of(delivery)
        made = answers.preview_document(session, draft, key, state.settings.company, today)
    except FrontdeskError as error:
        raise InputRefused(error.message, cure=error.cure) from error
    headers = {
        "content-disposition": 'inline; filename="draft.pdf"',
        "content-security-policy": DOWNLOAD_POLICY,
        "cache-control": "no-store",
    }
    return Response(made.content, media_type=made.content_type, headers=headers)


def _announce(session: Session, approval: Approval) -> None:
    delivery = session.get_one(Delivery, approval.delivery_id)
    live.announce(session, "approval", delivery.conversation_id)


ROUTES = (show, set_rule, approve, give_back, take_back, edit, ask_again, withdraw, document)
