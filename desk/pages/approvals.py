"""Approvals: what waits for my word, what came back, what I asked; and the rules that make letters wait."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core import approvalreads, approvalrules, approvals, letters
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
from outbound.sequences import house_of, opens_at
from templates.asread import keep_as_read

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
    back = approvalreads.came_back(me, leads=approvalview.leads(viewer))
    values: dict[str, Any] = {
        "shelves": [
            (language.gettext("Waits for your word"), approvalview.row_values(session, viewer, to_decide)),
            (language.gettext("Came back to you"), approvalview.row_values(session, viewer, back)),
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
    request: PageRequest, state: State, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Let it go as it was read; ten seconds at least are left to take the word back."""
    by, leads = _speaker(request, session, approval_id)
    delivery = approvals.held(session, approval_id)[1]
    made = approvals.approve(
        session,
        approval_id,
        by=by,
        leads=leads,
        seen=form.line("seen", longest=64),
        not_before=opens_at(session, delivery.id, house_of(state.settings)),
    )
    if made.state != ApprovalState.APPROVED:
        return _after(request, session, made, _not_sent(reader(request), made))
    keep_as_read(session, delivery, state.settings.company.default_language)
    return _after(request, session, made, _leaves(session, reader(request), delivery), undo=True)


@post("/approvals/{approval_id:int}/return", enter=WORKERS)
@in_thread
def give_back(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Back to whoever asked, with a note."""
    by, leads = _speaker(request, session, approval_id)
    note = form.text("note", longest=approvals.LONGEST_NOTE)
    made = approvals.give_back(session, approval_id, note, by=by, leads=leads)
    return _after(request, session, made, reader(request).gettext("Returned with your note."), undo=True)


@post("/approvals/{approval_id:int}/undo", enter=WORKERS)
@in_thread
def take_back(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Take one's word back while the letter is still here."""
    del form
    by, _leads = _speaker(request, session, approval_id)
    made = approvals.take_back(session, approval_id, by=by)
    return _after(request, session, made, reader(request).gettext("It waits again."))


@post("/approvals/{approval_id:int}/edit", enter=WORKERS)
@in_thread
def edit(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Other words, before it leaves."""
    by, leads = _speaker(request, session, approval_id)
    subject, body = form.line("subject", longest=300), form.text("body")
    made = approvals.edit(session, approval_id, subject=subject, body=body, by=by, leads=leads)
    return _after(request, session, made, reader(request).gettext("The letter is changed."))


@post("/approvals/{approval_id:int}/again", enter=WORKERS)
@in_thread
def ask_again(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """Ask once more, with the deal as it stands now."""
    del form
    by, leads = _speaker(request, session, approval_id)
    made = approvals.ask_again(session, approval_id, by=by, leads=leads)
    language = reader(request)
    asked = made.state == ApprovalState.WAITING
    return _after(
        request, session, made, language.gettext("Asked again.") if asked else _not_sent(language, made)
    )


@post("/approvals/{approval_id:int}/withdraw", enter=WORKERS)
@in_thread
def withdraw(
    request: PageRequest, session: Transaction, form: Filled, approval_id: FromPath[int]
) -> Response[Any]:
    """It is not needed any more; of what is out of date, take note."""
    del form
    by, leads = _speaker(request, session, approval_id)
    made = approvals.withdraw(session, approval_id, by=by, leads=leads)
    return _after(request, session, made, reader(request).gettext("Put aside; it is not sent."))


def _speaker(request: PageRequest, session: Session, approval_id: int) -> tuple[int, bool]:
    """Who speaks of a question that they have to do with, and whether they lead. Raises NotFound."""
    viewer = request.scope["user"]
    approvalview.find(session, viewer, approval_id)
    return viewer.staff_id, approvalview.leads(viewer)


def _after(
    request: PageRequest, session: Session, made: Approval, text: str, *, undo: bool = False
) -> Response[Any]:
    """What is told after a word, and that open pages show it."""
    delivery = session.get_one(Delivery, made.delivery_id)
    live.announce(session, "approval", delivery.conversation_id)
    back = f"/approvals/{made.id}/undo" if undo else None
    return done(request, text, go="/approvals", undo=back, events=EVENTS)


def _not_sent(language: Texts, made: Approval) -> str:
    why = approvalview.note_text(made, language)
    return language.gettext("Not sent: %(why)s. Whoever asked is told.", why=why)


def _leaves(session: Session, language: Texts, delivery: Delivery) -> str:
    session.refresh(delivery)
    now = session.execute(select(func.now())).scalar_one()
    if delivery.due_at <= now + letters.UNDO:
        return language.gettext("Approved: it leaves in ten seconds.")
    when = language.moment(delivery.due_at)
    if not delivery.automatic:
        return language.gettext("Approved. It goes out on %(when)s.", when=when)
    return language.gettext("Approved: it leaves in the client’s working hours, %(when)s.", when=when)


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


ROUTES = (show, set_rule, approve, give_back, take_back, edit, ask_again, withdraw, document)
