"""One call: its telephones, recording, transcript, and what the colleague says came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import callnotes, recordings
from core.callnotes import Logged, Note
from core.calls import Call, CallOutcome, Recording
from core.clock import now
from core.conversations import Conversation, Direction
from core.db import transaction
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.worktime import Calendar
from desk import callview, live
from desk.access import WORKERS, conversation_for
from desk.forms import Form, one_time_key
from desk.given import Filled, Transaction
from desk.pages import understood
from desk.pages.inbox import rail
from desk.pages.letter import disposition
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

SOUND_HEADERS = {
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
}
LONGEST_CALL = 24 * 60
"""Minutes."""


@get("/calls/{call_id:int}", enter=WORKERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction, call_id: FromPath[int]) -> Response[str]:
    """The whole page, or for an open one its parts anew."""
    viewer = request.scope["user"]
    call = callview.call_for(session, viewer, call_id)
    partial = request.headers.get("hx-request") == "true"
    return page(
        request,
        "call_parts.html" if partial else "call.html",
        one=callview.read(session, viewer, call),
        outcomes=list(CallOutcome),
        possible=bool(state.settings.twilio and state.settings.twilio.numbers),
        zone=ZoneInfo(state.settings.company.timezone),
        alarms=open_alarms(session),
        **understood.choices(session, reader(request)),
        **rail(session, request),
    )


@get("/calls/of/{message_id:int}", enter=WORKERS)
@in_thread
def of_message(request: PageRequest, session: Transaction, message_id: FromPath[int]) -> Redirect:
    """The call that a message of a conversation stands for."""
    found = session.scalar(select(Call.id).where(Call.message_id == message_id))
    if found is None:
        raise NotFound
    call = callview.call_for(session, request.scope["user"], found)
    return Redirect(f"/calls/{call.id}", status_code=303)


@get("/calls/{call_id:int}/sound/{recording_id:int}", enter=WORKERS)
@in_thread
def sound(
    request: PageRequest,
    state: State,
    session: Transaction,
    call_id: FromPath[int],
    recording_id: FromPath[int],
) -> Response[Any]:
    """A recording's bytes, whole or the part that was asked for (RFC 9110 section 14)."""
    call = callview.call_for(session, request.scope["user"], call_id)
    if not callview.may_hear(session, request.scope["user"], call):
        raise NotFound
    recording = callview.sound_of(call, recording_id)
    size = recording.size or 0
    part = callview.part_of(request.headers.get("range", ""), size)
    name = callview.label(call, recording)
    kind = disposition(name) if "save" in request.query_params else "inline"
    headers = {**SOUND_HEADERS, "content-disposition": kind}
    media_type = recording.media_type or "audio/mpeg"
    if part is None:
        return Response("", status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    if part.whole:
        headers["content-length"] = str(size)
        return Stream(_pieces(state, recording.id, size), media_type=media_type, headers=headers)
    data = b"".join(recordings.read(session, recording, part.start, part.end))
    headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    return Response(data, status_code=206, media_type=media_type, headers=headers)


def _pieces(state: State, recording_id: int, size: int) -> Iterator[bytes]:
    """A recording part by part, each in a transaction of its own: a slow listener holds nothing up."""
    for start in range(0, size, callview.PART):
        with transaction(state.engine) as session:
            recording = session.get_one(Recording, recording_id)
            yield b"".join(recordings.read(session, recording, start, min(start + callview.PART, size)))


@post("/calls/{call_id:int}/note", enter=WORKERS)
@in_thread
def note(
    request: PageRequest, state: State, session: Transaction, form: Filled, call_id: FromPath[int]
) -> Response[Any]:
    """Put down what came of the call."""
    viewer = request.scope["user"]
    call = callview.call_for(session, viewer, call_id)
    callnotes.note(
        session,
        call,
        viewer.staff_id,
        note_of(form, state.settings.company.timezone),
        calendar=Calendar(state.settings.company.timezone),
    )
    live.announce(session, "call", call.conversation_id)
    text = reader(request).gettext("The note is kept.")
    return done(request, text, go=f"/calls/{call_id}", events=("call", "tasks", "conversation"))


@post("/calls/{call_id:int}/fetch/{recording_id:int}", enter=WORKERS)
@in_thread
def fetch(
    request: PageRequest, session: Transaction, call_id: FromPath[int], recording_id: FromPath[int]
) -> Response[Any]:
    """Ask the provider for a recording once more."""
    call = callview.call_for(session, request.scope["user"], call_id)
    recording = next((one for one in call.recordings if one.id == recording_id), None)
    if recording is None:
        raise InputRefused("The call has no such recording.")
    recordings.fetch_again(session, recording)
    text = reader(request).gettext("The recording is asked for again.")
    return done(request, text, go=f"/calls/{call_id}", events=("call",))


@get("/conversations/{conversation_id:int}/call", enter=WORKERS)
@in_thread
def log_form(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """The form for a call that was made elsewhere."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    zone = ZoneInfo(request.app.state.settings.company.timezone)
    return sheet(
        request,
        session,
        "call_log.html",
        conversation=conversation,
        outcomes=list(CallOutcome),
        key=one_time_key(),
        happened=now().astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
    )


@post("/conversations/{conversation_id:int}/call", enter=WORKERS)
@in_thread
def log_call(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Put a call on record that was made elsewhere."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    zone = state.settings.company.timezone
    happened = moment_of(form, "happened", zone)
    if happened is None:
        raise InputRefused("The call needs its time.")
    minutes = form.number("minutes")
    if minutes is not None and minutes > LONGEST_CALL:
        raise InputRefused("No call lasts longer than a day.")
    made = Logged(
        key=form.line("key", longest=60) or one_time_key(),
        direction=Direction.IN if form.line("direction") == "in" else Direction.OUT,
        happened_at=happened,
        seconds=minutes * 60 if minutes is not None else None,
        number=_number(session, form, conversation_id),
    )
    call = callnotes.log_call(
        session, conversation, viewer.staff_id, made, note_of(form, zone), calendar=Calendar(zone)
    )
    live.announce(session, "call", conversation_id)
    text = reader(request).gettext("The call is on record.")
    return done(request, text, go=f"/calls/{call.id}", events=("conversation", "tasks", "asked"))


def _number(session: Session, form: Form, conversation_id: int) -> str:
    """One of the client's own numbers, or none."""
    contact = session.get_one(Conversation, conversation_id).contact
    chosen = form.line("number", longest=40)
    return chosen if contact is not None and chosen in {one.value for one in contact.points} else ""


def note_of(form: Form, zone: str) -> Note:
    """What the form says came of a call. Raises InputRefused for an outcome or a date that is none."""
    try:
        outcome = CallOutcome(form.line("outcome", longest=40))
    except ValueError as error:
        raise InputRefused("Say what came of the call.") from error
    return Note(
        outcome=outcome,
        text=form.text("note", longest=callnotes.LONGEST_NOTE),
        next_step=form.line("next_step", longest=300),
        next_at=moment_of(form, "next_at", zone),
        stage_id=form.number("stage"),
    )


def moment_of(form: Form, name: str, zone: str) -> datetime | None:
    """A date with its time, as people here mean it; None where the field is empty."""
    written = form.line(name, longest=40)
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise InputRefused("That is no date with its time.") from error
    return moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment


ROUTES = (show, of_message, sound, note, fetch, log_form, log_call)
