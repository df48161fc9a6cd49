"""A follow-up begun by hand, from a conversation or a deal; what would go out and when is shown before."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import clock, sequences
from core.accounts import Contact
from core.errors import InputRefused
from core.sequences import Sequence
from desk import live
from desk.access import SALES, conversation_for
from desk.dealview import deal_for
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread
from outbound.sequences import begin, house_of, plan_of


@get("/conversations/{conversation_id:int}/followups", enter=SALES)
@in_thread
def ask_in_talk(
    request: PageRequest, state: State, session: Transaction, conversation_id: FromPath[int]
) -> Response[str]:
    """The follow-ups that may begin, each with what it would send and when."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    return _ask(request, state, session, conversation.contact, f"/conversations/{conversation_id}")


@get("/deals/{deal_id:int}/followups", enter=SALES)
@in_thread
def ask_of_deal(
    request: PageRequest, state: State, session: Transaction, deal_id: FromPath[int]
) -> Response[str]:
    """The same for a deal's contact."""
    deal = deal_for(session, request.scope["user"], deal_id)
    return _ask(request, state, session, deal.contact, f"/deals/{deal_id}")


def _ask(
    request: PageRequest, state: State, session: Session, contact: Contact | None, home: str
) -> Response[str]:
    contact = _somebody(contact)
    house, now = house_of(state.settings), clock.now()
    query = select(Sequence).where(Sequence.active).options(selectinload(Sequence.steps))
    running = {one.sequence_key for one in sequences.live_of(session, contact_id=contact.id)}
    rows = [
        (one, plan_of(one, contact.account, house, now))
        for one in session.scalars(query.order_by(Sequence.key))
        if one.key not in running
    ]
    return sheet(request, session, "follow_up_begin.html", rows=rows, contact=contact, home=home)


@post("/conversations/{conversation_id:int}/followups", enter=SALES)
@in_thread
def begin_in_talk(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Lead the client of a conversation into a follow-up, about its deal where it has one."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    live.announce(session, "followup", conversation_id)
    home = f"/conversations/{conversation_id}"
    return _begin(request, state, session, form, conversation.contact, conversation.deal_id, home)


@post("/deals/{deal_id:int}/followups", enter=SALES)
@in_thread
def begin_of_deal(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """The same with a deal's contact."""
    deal = deal_for(session, request.scope["user"], deal_id)
    live.announce(session, "followup", None)
    return _begin(request, state, session, form, deal.contact, deal.id, f"/deals/{deal_id}")


def _begin(
    request: PageRequest,
    state: State,
    session: Session,
    form: Form,
    contact: Contact | None,
    deal_id: int | None,
    home: str,
) -> Response[Any]:
    sequence = sequences.current(session, form.line("sequence"))
    if sequence is None:
        raise InputRefused("That is none of the choices.")
    house = house_of(state.settings)
    one = begin(session, sequence, _somebody(contact), house, deal_id=deal_id)
    return done(
        request,
        reader(request).gettext("The follow-up has begun."),
        go=home,
        undo=f"{home}/followups/{one.id}",
        undo_values={"deed": "unbegin"},
        events=("conversation",),
    )


def _somebody(contact: Contact | None) -> Contact:
    if contact is None:
        raise InputRefused("The sender is not a client yet.")
    return contact


ROUTES = (ask_in_talk, ask_of_deal, begin_in_talk, begin_of_deal)
