"""What is done with a deal, from a conversation as from its own page: moved, closed, a proposal dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.datastructures import State
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import approvalreads, letters, stages
from core.deals import Deal, LossReason, Outcome, Stage, WinReason
from core.errors import FrontdeskError, InputRefused, NotAllowed, NotFound
from core.outbox import Delivery
from core.staff import StaffMember
from desk import answers, approvalview, live
from desk.access import LEADERS
from desk.dealview import deal_for
from desk.forms import Form
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from outbound.sequences import house_of
from templates.asread import keep_as_read


@dataclass(frozen=True, slots=True)
class At:
    """A deal, and the page from which it is worked on."""

    deal: Deal
    page: str
    """Where one is and stays: a conversation, or the deal's own page."""
    goods: str
    """Where its products and terms are."""
    conversation_id: int | None = None

    def told(self, session: Session) -> None:
        """Tell open pages; without a conversation every one of them looks."""
        live.announce(session, "deal", self.conversation_id)


def at_page(session: Session, request: PageRequest, deal_id: int) -> At:
    """A deal on its own page. Raises NotFound for one that whoever asks may not see."""
    deal = deal_for(session, request.scope["user"], deal_id)
    return At(deal, f"/deals/{deal_id}", f"/deals/{deal_id}/goods")


def stage_of(session: Session, deal: Deal, number: int | None) -> Stage:
    """A stage of the deal's pipeline. Raises NotFound for any other."""
    stage = session.get(Stage, number) if number is not None else None
    if stage is None or stage.pipeline_id != deal.pipeline_id:
        raise NotFound
    return stage


def move_sheet(request: PageRequest, state: State, session: Session, at: At, to: Stage) -> Response[str]:
    """The question whether to move, with the letter that would go out or what hinders it."""
    viewer, deal = request.scope["user"], at.deal
    staff = session.get_one(StaffMember, viewer.staff_id)
    outlook = stages.outlook(session, deal, to, staff, reader(request).language)
    today = session.execute(select(func.current_date())).scalar_one()
    letter, fault = None, outlook.fault
    if outlook.draft is not None:
        try:
            letter = answers.preview(session, outlook.draft, state.settings.company, today)
        except FrontdeskError as error:
            # The company's own text may ask for what no deal has; the move itself is free to go on.
            fault = error
    performer = session.get(StaffMember, outlook.performer.staff_id) if outlook.performer.staff_id else None
    back = to.position < deal.stage.position
    ask = approvalreads.would_ask(session, outlook.draft) if outlook.draft else None
    return sheet(
        request,
        session,
        "move.html",
        at=at,
        deal=deal,
        to=to,
        outlook=outlook,
        draft=outlook.draft,
        letter=letter,
        fault=fault,
        performer=performer,
        stopped=not outlook.allowed or (bool(outlook.lacks) and not back),
        may_override=viewer.role in LEADERS,
        lacks_products=isinstance(fault, letters.NothingToOffer),
        asks=approvalview.names(session, ask.ids) if ask else [],
    )


def move(request: PageRequest, state: State, session: Session, form: Form, at: At) -> Response[Any]:
    """Move the deal, end the follow-ups of the stage before, and queue what the new stage sends."""
    deal = at.deal
    to = stage_of(session, deal, form.number("stage"))
    staff = session.get_one(StaffMember, request.scope["user"].staff_id)
    override = form.ticked("override")
    if override and request.scope["user"].role not in LEADERS:
        raise NotAllowed("Only the head of sales may let it go.")
    change, delivery_id = stages.enter_stage(
        session,
        deal,
        to,
        staff=staff,
        reason=form.line("reason"),
        calendar=house_of(state.settings).calendar,
        # Without a letter no follow-up of the new stage may begin to speak of one.
        silent=form.ticked("silent"),
        override=override,
    )
    if delivery_id is not None:
        delivery = session.get_one(Delivery, delivery_id)
        keep_as_read(session, delivery, state.settings.company.default_language)
    at.told(session)
    language = reader(request)
    text = language.gettext("Moved to “%(stage)s”.", stage=to.name(language.language))
    if approvalreads.of_deliveries(session, [delivery_id] if delivery_id is not None else []):
        text += " " + language.gettext("The letter waits for approval.")
    elif delivery_id is not None:
        text += " " + language.gettext("The letter is queued.")
    return done(
        request,
        text,
        go=at.page,
        undo=f"/deals/{deal.id}/moves/{change.id}/undo",
        events=("conversation", "moved", "deal", "review"),
    )


def close(request: PageRequest, session: Session, form: Form, at: At) -> Response[Any]:
    """The deal is won, or lost for a reason; its follow-ups end."""
    outcome, reason = form.line("outcome"), form.line("loss_reason")
    if outcome not in Outcome.__members__.values():
        raise InputRefused("A deal is won or lost.")
    if reason and reason not in LossReason.__members__.values():
        raise InputRefused("That is none of the reasons.")
    won = form.line("win_reason")
    if won and won not in WinReason.__members__.values():
        raise InputRefused("That is none of the reasons.")
    stages.close(
        session,
        at.deal,
        Outcome(outcome),
        loss_reason=LossReason(reason) if reason else None,
        win_reason=WinReason(won) if won else None,
        note=form.line("note"),
        by=request.scope["user"].staff_id,
    )
    at.told(session)
    _ = reader(request).gettext
    text = _("The deal is won.") if outcome == Outcome.WON else _("The deal is lost.")
    return done(
        request, text, go=at.page, undo=f"/deals/{at.deal.id}/reopen", events=("conversation", "deal")
    )


def dismiss(request: PageRequest, session: Session, at: At) -> Response[Any]:
    """The stage that is proposed is not what comes next."""
    stages.dismiss_proposal(session, at.deal)
    at.told(session)
    text = reader(request).gettext("The deal stays where it is.")
    return done(request, text, go=at.page, events=("conversation",))
