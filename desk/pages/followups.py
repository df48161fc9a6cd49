"""A client's follow-ups in a person's hands: held, let go on, a step left out, ended."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import sequences, sequences_stops
from core.errors import Conflict, InputRefused, NotFound
from core.i18n import N_
from core.sequences import Result, StopReason
from desk import live
from desk.access import SALES, conversation_for
from desk.dealview import deal_for
from desk.dealwords import SAID_OF_TASKS
from desk.followups import follow_up_of, house_of
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, reader
from desk.threads import in_thread
from outbound.sequences import skip

SAID: dict[str, str] = {
    "pause": N_("The follow-up waits until you let it go on."),
    "resume": N_("The follow-up goes on."),
    "skip": N_("The next step is left out."),
    "stop": N_("The follow-up has ended."),
    "unbegin": N_("The follow-up has ended."),
    "result": N_("It is noted, and the follow-up goes on by it."),
}
"""What is told after each deed."""
BACK = {"pause": "resume", "resume": "pause"}
"""What undoes a deed; nothing leads back from the others."""


@post("/conversations/{conversation_id:int}/followups/{enrolment_id:int}", enter=SALES)
@in_thread
def steer(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    conversation_id: FromPath[int],
    enrolment_id: FromPath[int],
) -> Response[Any]:
    """Hold a follow-up, let it go on, leave out its next step, or end it."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    enrolment = follow_up_of(session, conversation, enrolment_id)
    live.announce(session, "followup", conversation_id)
    return _steer(request, state, session, form, enrolment, f"/conversations/{conversation_id}")


@post("/deals/{deal_id:int}/followups/{enrolment_id:int}", enter=SALES)
@in_thread
def steer_of_deal(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    deal_id: FromPath[int],
    enrolment_id: FromPath[int],
) -> Response[Any]:
    """The same with a follow-up of a deal, from the deal's own page."""
    deal = deal_for(session, request.scope["user"], deal_id)
    enrolment = session.get(sequences.Enrolment, enrolment_id)
    if enrolment is None or enrolment.deal_id != deal.id:
        raise NotFound
    live.announce(session, "followup", None)
    return _steer(request, state, session, form, enrolment, f"/deals/{deal_id}")


def _steer(
    request: PageRequest,
    state: State,
    session: Session,
    form: Form,
    enrolment: sequences.Enrolment,
    home: str,
) -> Response[Any]:
    deed = form.line("deed")
    if deed not in SAID:
        raise InputRefused("That is none of the deeds.")
    if deed == "pause":
        sequences.pause(session, enrolment)
    elif deed == "resume":
        sequences.resume(session, enrolment)
    elif deed == "result":
        _record(session, form, enrolment)
    elif deed in {"stop", "unbegin"}:
        # Begun by mistake and nothing done yet: it counts as never begun, and one “for once” may begin again.
        undone = deed == "unbegin" and not enrolment.log
        reason = StopReason.TAKEN_BACK if undone else StopReason.HAND
        sequences_stops.stop(session, enrolment, by=request.scope["user"].staff_id, reason=reason)
    else:
        session.refresh(enrolment, with_for_update={"of": sequences.Enrolment})
        # A second press, or a step that went out meanwhile, must not cost the client the one after it.
        if form.number("position") != enrolment.next_position:
            raise Conflict("That step is no longer the next one.")
        skip(session, enrolment, house_of(state.settings))
    back = BACK.get(deed)
    return done(
        request,
        reader(request).gettext(SAID[deed]),
        go=home,
        undo=request.url.path if back else None,
        undo_values={"deed": back},
        events=("conversation",),
    )


def _record(session: Session, form: Form, enrolment: sequences.Enrolment) -> None:
    result = form.line("result")
    if result not in SAID_OF_TASKS:
        raise InputRefused("That is none of the choices.")
    position = form.number("position") or 0
    said = sequences.record_result(session, Result(result), enrolment_id=enrolment.id, position=position)
    if not said:
        raise Conflict("That step is no longer the last one.")


ROUTES = (steer, steer_of_deal)
