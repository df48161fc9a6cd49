"""What is done with one conversation or several at once: put off, done, given away; and all of it undone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, post
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import handling, snoozing
from core.clock import now
from core.conversations import TRANSITIONS, Conversation, ConversationState
from core.errors import InputRefused, NotFound
from core.i18n import Texts
from core.staff import StaffMember
from desk import live
from desk.access import WORKERS, conversation_for, visible
from desk.forms import Form, own_place
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

MOST = 200
"""So many conversations are handled at once."""

DEEDS = frozenset({"done", "reopen", "give", "later", "back"})
"""What may be done with several."""


@post("/conversations/{conversation_id:int}/later", enter=WORKERS)
@in_thread
def later(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Put one conversation off until a moment, or with ``now`` bring it back."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    before = conversation.snoozed_until
    until = _until(request, form)
    snoozing.snooze(session, conversation, until)
    live.announce(session, "state", conversation_id)
    language = reader(request)
    text = (
        language.gettext("It comes back %(when)s.", when=language.moment(until))
        if until
        else language.gettext("It is back.")
    )
    return done(
        request,
        text,
        go=own_place(form.line("back"), "/inbox"),
        undo=request.url.path,
        undo_values={"at": before.isoformat()} if before else {"until": "now"},
        events=("inbox", "conversation", *(["onwards"] if form.ticked("onwards") else [])),
    )


def _until(request: PageRequest, form: Form) -> datetime | None:
    """The moment asked for: ``until`` by name, ``day``, or ``at`` as this page once gave it."""
    if form.line("until") == "now":
        return None
    if given := form.line("at", longest=40):
        return _moment(given)
    zone = ZoneInfo(request.app.state.settings.company.timezone)
    return snoozing.moment_of(form.line("until"), form.line("day", longest=10), now(), zone)


def _moment(given: str) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise InputRefused("Choose a day.") from error
    if at.tzinfo is None or abs(at - now()) > snoozing.LATEST:
        raise InputRefused("Choose a day that is still to come, within a year.")
    return at


@post("/inbox/several", enter=WORKERS)
@in_thread
def several(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Do one thing with many conversations; those that are so already, or not to be seen, are left out."""
    deed = form.line("deed")
    if deed not in DEEDS:
        raise InputRefused("That is none of the deeds.")
    before: list[list[Any]] = []
    if deed == "back":
        touched = _put_back(request, session, form)
    else:
        found = _chosen(request, session, _numbers(form))
        touched = 0
        for conversation in found:
            held = [
                conversation.id,
                conversation.state.value,
                conversation.assignee_id,
                conversation.snoozed_until.isoformat() if conversation.snoozed_until else None,
            ]
            if _do(request, session, form, deed, conversation):
                before.append(held)
                touched += 1
    live.announce(session, "state")
    return done(
        request,
        _said(reader(request), deed, touched),
        go=own_place(form.line("back"), "/inbox"),
        undo="/inbox/several" if before else None,
        undo_values={"deed": "back", "before": json.dumps(before)},
        events=("inbox",),
    )


def _said(language: Texts, deed: str, num: int) -> str:
    """What is told of it."""
    ngettext = language.ngettext
    return {
        "done": ngettext("%(num)d conversation is done.", "%(num)d conversations are done.", num),
        "reopen": ngettext(
            "%(num)d conversation is open again.", "%(num)d conversations are open again.", num
        ),
        "give": ngettext("%(num)d conversation given.", "%(num)d conversations given.", num),
        "later": ngettext("%(num)d conversation put off.", "%(num)d conversations put off.", num),
        "back": ngettext("%(num)d conversation is as before.", "%(num)d conversations are as before.", num),
    }[deed]


def _numbers(form: Form) -> list[int]:
    words = form.line("ids", longest=4_000).split(",")
    numbers = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 18]
    if not numbers:
        raise InputRefused("Choose at least one conversation.")
    return numbers[:MOST]


def _chosen(request: PageRequest, session: Session, numbers: Sequence[int]) -> Sequence[Conversation]:
    query = (
        select(Conversation)
        .where(Conversation.id.in_(numbers), visible(request.scope["user"]))
        .order_by(Conversation.id)
        .with_for_update(of=Conversation)
    )
    return session.scalars(query).all()


def _do(request: PageRequest, session: Session, form: Form, deed: str, conversation: Conversation) -> bool:
    """Do it with one; False where it is so already."""
    if deed == "give":
        to = _colleague(session, form.number("staff_id"))
        if conversation.assignee_id == (to.id if to else None):
            return False
        handling.give(session, conversation, to, by=_me(request, session))
    elif deed == "later":
        if conversation.state != ConversationState.OPEN:
            return False
        snoozing.snooze(session, conversation, _until(request, form))
    else:
        state = ConversationState.DONE if deed == "done" else ConversationState.OPEN
        if state not in TRANSITIONS[ConversationState(conversation.state)]:
            return False
        handling.bring_to(session, conversation, state)
    return True


def _me(request: PageRequest, session: Session) -> StaffMember:
    return session.get_one(StaffMember, request.scope["user"].staff_id)


def _colleague(session: Session, number: int | None) -> StaffMember | None:
    found = session.get(StaffMember, number) if number is not None else None
    if number is not None and found is None:
        raise NotFound
    return found


def _put_back(request: PageRequest, session: Session, form: Form) -> int:
    """Bring each conversation to what it was, as the message that offered to undo said."""
    try:
        held = {
            int(number): (ConversationState(state), assignee, until)
            for number, state, assignee, until in json.loads(form.text("before", longest=40_000))
        }
    except (ValueError, TypeError) as error:
        raise InputRefused("That cannot be undone.") from error
    touched = 0
    for conversation in _chosen(request, session, list(held)[:MOST]):
        state, assignee, until = held[conversation.id]
        if conversation.state != state:
            handling.bring_to(session, conversation, state)
        if conversation.assignee_id != assignee and (assignee is None or isinstance(assignee, int)):
            to = _colleague(session, assignee)
            handling.give(session, conversation, to, by=_me(request, session))
        conversation.snoozed_until = _moment(until) if isinstance(until, str) else None
        touched += 1
    session.flush()
    return touched


ROUTES = (later, several)
