"""A deal's own page: its road, what its stage asks for, its money, its story and its log."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from sqlalchemy.orm import Session

from core import audit, checklists, deals, handover, payments, stages, stages_back
from core.deals import Deal, Initiative, Interest, LossReason, StageChange
from core.errors import InputRefused, NotAllowed, NotFound
from core.notices import open_alarms
from core.payments import DeliveryNote, Payment
from core.sessions import SignedIn
from core.staff import StaffMember
from core.worktime import Calendar
from desk import dealview, followups, live, tables, todo
from desk.access import LEADERS, SALES
from desk.dealview import deal_for
from desk.figures import read_number
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages import dealdeeds
from desk.pages.dealdeeds import at_page
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread
from desk.wording import LOSS_REASONS, SOURCES
from outbound.sequences import house_of

LONGEST = 5_000
"""Characters of what is written about a deal."""


def calendar_of(state: State, deal: Deal) -> Calendar:
    """Working time at the deal's client."""
    return house_of(state.settings).calendar_of(deal.account)


@get("/deals/{deal_id:int}", enter=SALES)
@in_thread
def show(request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int]) -> Response[str]:
    """The whole page."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    view = dealview.read(session, deal, viewer, calendar_of(state, deal))
    language = reader(request)
    values: dict[str, Any] = {
        "view": view,
        "deal": deal,
        "unmovable": _unmovable(session, viewer, deal),
        "followups": followups.of(session, house_of(state.settings), deal_id=deal.id),
        "tasks": todo.of_deal(session, viewer, deal.id),
        "loss_reasons": [(reason.value, language.gettext(LOSS_REASONS[reason])) for reason in LossReason],
        "colleagues": tables.colleagues(session),
        "today": date.today().isoformat(),  # noqa: DTZ011 - only what the field shows at first
    }
    if is_partial(request):
        return page(request, "deal_body.html", **values)
    return page(request, "deal.html", alarms=open_alarms(session), **values, **rail(session, request))


@get("/deals/{deal_id:int}/aside", enter=SALES)
@in_thread
def aside(request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int]) -> Response[str]:
    """What the stage asks for, beside a conversation: guide, checklist, who else is at work."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    view = dealview.read(session, deal, viewer, calendar_of(state, deal))
    return page(request, "deal_aside.html", view=view, deal=deal)


@get("/deals/{deal_id:int}/move", enter=SALES)
@in_thread
def ask_move(
    request: PageRequest,
    state: State,
    session: Transaction,
    deal_id: FromPath[int],
    stage: FromQuery[int | None] = None,
) -> Response[str]:
    """What moving the deal would send, shown before it is done; nothing is changed."""
    at = at_page(session, request, deal_id)
    return dealdeeds.move_sheet(request, state, session, at, dealdeeds.stage_of(session, at.deal, stage))


@post("/deals/{deal_id:int}/move", enter=SALES)
@in_thread
def move(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """Move the deal, end the follow-ups of the stage before, and queue what the new stage sends."""
    return dealdeeds.move(request, state, session, form, at_page(session, request, deal_id))


@post("/deals/{deal_id:int}/close", enter=SALES)
@in_thread
def close(request: PageRequest, session: Transaction, form: Filled, deal_id: FromPath[int]) -> Response[Any]:
    """The deal is won, or lost for a reason; its follow-ups end."""
    return dealdeeds.close(request, session, form, at_page(session, request, deal_id))


@post("/deals/{deal_id:int}/dismiss", enter=SALES)
@in_thread
def dismiss(request: PageRequest, session: Transaction, deal_id: FromPath[int]) -> Response[Any]:
    """The stage that is proposed is not what comes next."""
    return dealdeeds.dismiss(request, session, at_page(session, request, deal_id))


@post("/deals/{deal_id:int}/check", enter=SALES)
@in_thread
def check(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """A point of the checklist is done, or is open again."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    item, ticked = form.line("item"), form.ticked("ticked")
    checklists.tick(session, deal, item, done=ticked, by=viewer.staff_id)
    said = reader(request).gettext("Done.") if ticked else reader(request).gettext("It is open again.")
    return _after(
        request, state, session, deal, said,
        undo="check", undo_values={"item": item, "ticked": "" if ticked else "1"},
    )  # fmt: skip


@post("/deals/{deal_id:int}/story", enter=SALES)
@in_thread
def story(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """How the deal came about, how much the client wants it, and whose it is."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    deals.hold(session, deal)
    deal.source = form.line("source", longest=200) or (deal.source if deal.source in SOURCES else None)
    deal.event = form.line("event", longest=500)
    initiative, interest = form.line("initiative"), form.line("interest")
    if initiative and initiative not in Initiative.__members__.values():
        raise InputRefused("That is none of the choices.")
    if interest and interest not in Interest.__members__.values():
        raise InputRefused("That is none of the choices.")
    deal.initiative = Initiative(initiative) if initiative else None
    deal.interest = Interest(interest) if interest else None
    owner = form.number("owner_id")
    if owner != deal.owner_id:
        _give(session, deal, owner, viewer.staff_id)
    session.flush()
    return _after(request, state, session, deal, reader(request).gettext("The deal is saved."))


def _give(session: Session, deal: Deal, owner: int | None, by: int) -> None:
    """Another owner, which is written down; whoever gets it is told what they get."""
    if owner is not None and session.get(StaffMember, owner) is None:
        raise NotFound
    before, giver = deal.owner, deal.owner_id
    deal.owner_id = owner
    session.flush()
    session.refresh(deal)
    named = [{"staff": one.name if one is not None else None} for one in (before, deal.owner)]
    title = deal.title or f"S-{deal.id}"
    audit.note(session, by, "changed", "deal", deal.id, title, before=named[0], after=named[1])
    if owner is not None and owner != by:
        handover.hand_over(session, deal, giver_id=giver, taker_id=owner, reason="a new owner")


@post("/deals/{deal_id:int}/payments", enter=SALES)
@in_thread
def pay(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """Money came in."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    made = payments.pay(
        session,
        deal,
        amount=read_number(form.line("amount"), reader(request).language),
        paid_on=_day(form, "paid_on"),
        number=form.line("number"),
        note=form.line("note"),
        by=viewer.staff_id,
    )
    said = reader(request).gettext("The payment is entered.")
    return _after(request, state, session, deal, said, undo=f"payments/{made.id}/undo")


@post("/deals/{deal_id:int}/deliveries", enter=SALES)
@in_thread
def deliver(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """Something was handed over."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    made = payments.deliver(
        session,
        deal,
        delivered_on=_day(form, "delivered_on"),
        number=form.line("number"),
        note=form.line("note"),
        by=viewer.staff_id,
    )
    said = reader(request).gettext("The delivery note is entered.")
    return _after(request, state, session, deal, said, undo=f"deliveries/{made.id}/undo")


@post("/deals/{deal_id:int}/payments/{entry_id:int}/undo", enter=SALES)
@in_thread
def unpay(
    request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int], entry_id: FromPath[int]
) -> Response[Any]:
    """The payment was entered by mistake."""
    return _take_back(request, state, session, deal_id, session.get(Payment, entry_id))


@post("/deals/{deal_id:int}/deliveries/{entry_id:int}/undo", enter=SALES)
@in_thread
def undeliver(
    request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int], entry_id: FromPath[int]
) -> Response[Any]:
    """The delivery note was entered by mistake."""
    return _take_back(request, state, session, deal_id, session.get(DeliveryNote, entry_id))


def _take_back(
    request: PageRequest, state: State, session: Session, deal_id: int, entry: Payment | DeliveryNote | None
) -> Response[Any]:
    deal = deal_for(session, request.scope["user"], deal_id)
    if entry is None or entry.deal_id != deal.id:
        raise NotFound
    payments.take_back(session, entry)
    return _after(request, state, session, deal, reader(request).gettext("It is taken back."))


@post("/deals/{deal_id:int}/moves/{change_id:int}/undo", enter=SALES)
@in_thread
def unmove(
    request: PageRequest, session: Transaction, deal_id: FromPath[int], change_id: FromPath[int]
) -> Response[Any]:
    """The deal was moved by mistake, also by a rule: it is where it was, as long as nothing has left."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    change = session.get(StageChange, change_id)
    if change is not None and change.deal_id == deal.id and not _may_unmove(viewer, change):
        raise NotAllowed("Only who moved the deal takes that back, or the head of sales.")
    back = stages_back.take_back(session, deal, change_id, by=viewer.staff_id)
    language = reader(request)
    said = [language.gettext("The deal is back in “%(stage)s”.", stage=deal.stage.name(language.language))]
    if back.letters:
        said.append(language.ngettext("Its letter is not sent.", "Its letters are not sent.", back.letters))
    if back.lost:
        said.append(
            language.ngettext(
                "%(num)d letter that had waited before stays cancelled.",
                "%(num)d letters that had waited before stay cancelled.",
                back.lost,
            )
        )
    live.announce(session, "deal", None)
    return done(
        request,
        " ".join(said),
        go=f"/deals/{deal.id}",
        events=("conversation", "moved", "deal", "review", "tasks"),
    )


def _may_unmove(viewer: SignedIn, change: StageChange) -> bool:
    return viewer.role in LEADERS or change.staff_id in {None, viewer.staff_id}


def _unmovable(session: Session, viewer: SignedIn, deal: Deal) -> int | None:
    """The move that whoever looks may still take back."""
    change = stages_back.last_to_take_back(session, deal)
    return change.id if change is not None and _may_unmove(viewer, change) else None


@post("/deals/{deal_id:int}/reopen", enter=SALES)
@in_thread
def reopen(request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int]) -> Response[Any]:
    """The closing is taken back."""
    viewer = request.scope["user"]
    deal = deal_for(session, viewer, deal_id)
    deals.reopen(session, deal, by=viewer.staff_id)
    return _after(request, state, session, deal, reader(request).gettext("The deal is open again."))


def _day(form: Form, name: str) -> date:
    try:
        return date.fromisoformat(form.line(name))
    except ValueError as error:
        raise InputRefused("That is no day.", cure="Write it as 2026-11-22.") from error


def _after(
    request: PageRequest,
    state: State,
    session: Session,
    deal: Deal,
    said: str,
    undo: str | None = None,
    undo_values: dict[str, str] | None = None,
) -> Response[Any]:
    """What rules make of a change, and back to where it was made."""
    moved = stages.run_rules(session, deal, calendar_of(state, deal)) if deal.outcome is None else []
    language = reader(request)
    if moved:
        session.refresh(deal)
        said += " " + language.gettext("Moved to “%(stage)s”.", stage=deal.stage.name(language.language))
    live.announce(session, "deal", None)
    return done(
        request,
        said,
        go=f"/deals/{deal.id}",
        undo=f"/deals/{deal.id}/{undo}" if undo and not moved else None,
        undo_values=undo_values,
        events=("conversation", "deal"),
    )


ROUTES = (
    show,
    aside,
    ask_move,
    move,
    close,
    dismiss,
    check,
    story,
    pay,
    deliver,
    unpay,
    undeliver,
    unmove,
    reopen,
)
