"""Calls as somebody may see them: the list, one call with all that belongs to it, and its sound in ranges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload, selectinload

from core import transcripts
from core.calls import Call, CallLeg, CallState, Recording, RecordingState
from core.conversations import Conversation
from core.deals import Deal, Stage
from core.errors import NotFound
from core.labels import Classification
from core.sessions import SignedIn
from core.staff import StaffMember
from core.tasks import Task, TaskState
from core.transcripts import Speaker, TranscriptLine
from desk.access import LEADERS, visible

SHOWN: Final = 100
PART: Final = 2_000_000
"""Bytes of a recording in one answer; a player asks for the next part by itself."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Shelf(StrEnum):
    """Which calls the list shows."""

    ALL = "all"
    MISSED = "missed"
    """Nobody talked with the caller, and the call-back is still to be done."""
    MINE = "mine"
    NOTELESS = "noteless"
    """I talked, and wrote nothing down yet."""


def visible_call(viewer: SignedIn) -> ColumnElement[bool]:
    """That somebody may see a call: its conversation is theirs to see, or it rang for them."""
    mine = or_(Call.staff_id == viewer.staff_id, Call.rung.contains([viewer.staff_id]))
    if viewer.role in LEADERS:
        return or_(Call.id.is_not(None), mine)
    return or_(mine, Call.conversation_id.in_(select(Conversation.id).where(visible(viewer))))


def call_for(session: Session, viewer: SignedIn, call_id: int) -> Call:
    """The call, when this person may see it. Raises NotFound otherwise, whether or not it exists."""
    query = (
        select(Call)
        .where(Call.id == call_id, visible_call(viewer))
        .options(
            joinedload(Call.contact),
            joinedload(Call.account),
            joinedload(Call.conversation),
            joinedload(Call.staff_member),
            joinedload(Call.noted_by),
            selectinload(Call.legs),
            selectinload(Call.recordings),
        )
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """Calls of one shelf, with what a row tells besides."""

    calls: Sequence[Call]
    older: int | None
    """Where the list goes on; None at its end."""
    said: Mapping[int, str]
    """By call, how what was said in it begins, where the viewer may read it."""
    call_backs: Mapping[int, Task]
    """By call, the call-back that is still to be done."""
    mine: frozenset[int]
    """Calls whose conversation is open to the viewer, so that they may call from here."""
    to_ring_back: int
    """Calls on that shelf."""


def listed(session: Session, viewer: SignedIn, shelf: Shelf, before: int | None = None) -> Listed:
    """Calls of a shelf that somebody may see, newest first, from one on where it is given."""
    conditions: list[ColumnElement[bool]] = [visible_call(viewer)]
    if before is not None:
        conditions.append(Call.id < before)
    if shelf is Shelf.MISSED:
        conditions += _waiting()
    elif shelf is Shelf.MINE:
        conditions.append(Call.staff_id == viewer.staff_id)
    elif shelf is Shelf.NOTELESS:
        conditions += [Call.staff_id == viewer.staff_id, Call.noted_at.is_(None)]
        conditions.append(Call.state == CallState.ANSWERED)
    query = (
        select(Call)
        .where(*conditions)
        .options(joinedload(Call.contact), joinedload(Call.account), joinedload(Call.staff_member))
        .options(selectinload(Call.recordings))
        .order_by(Call.id.desc())
        .limit(SHOWN + 1)
    )
    found = session.scalars(query).all()
    calls, older = found[:SHOWN], found[SHOWN - 1].id if len(found) > SHOWN else None
    talks = {one.conversation_id for one in calls}
    open_ones = set(
        session.scalars(select(Conversation.id).where(Conversation.id.in_(talks), visible(viewer)))
    )
    mine = frozenset(one.id for one in calls if one.conversation_id in open_ones)
    heard = [one.id for one in calls if one.id in mine or one.staff_id == viewer.staff_id]
    tasks = select(Call.id, Task).join(Task, Task.id == Call.task_id)
    waiting = tasks.where(Call.id.in_([one.id for one in calls]), Task.state == TaskState.OPEN)
    counted = select(func.count()).select_from(Call).where(visible_call(viewer), *_waiting())
    return Listed(
        calls,
        older,
        _said(session, heard),
        dict(session.execute(waiting).all()),
        mine,
        session.scalar(counted) or 0,
    )


def _waiting() -> list[ColumnElement[bool]]:
    """That nobody talked with the caller, and the call-back is still to be done."""
    open_tasks = select(Task.id).where(Task.state == TaskState.OPEN)
    return [Call.state.in_([CallState.MISSED, CallState.VOICEMAIL]), Call.task_id.in_(open_tasks)]


def _said(session: Session, call_ids: Sequence[int]) -> dict[int, str]:
    """How what was said in each call begins: by the client, where it is known who spoke."""
    first = (
        select(TranscriptLine.call_id, TranscriptLine.text)
        .where(TranscriptLine.call_id.in_(call_ids))
        .ext(distinct_on(TranscriptLine.call_id))
        .order_by(
            TranscriptLine.call_id,
            TranscriptLine.speaker == Speaker.US,
            TranscriptLine.source,
            TranscriptLine.position,
        )
    )
    return dict(session.execute(first).all())


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that a call's page shows."""

    call: Call
    legs: Sequence[CallLeg]
    names: Mapping[int, str]
    """Of the colleagues whose telephones rang, by their ids."""
    lines: Sequence[TranscriptLine]
    understood: Classification | None
    deal: Deal | None
    stages: Sequence[Stage]
    """Those the deal may still go to."""
    call_back: Task | None
    next_task: Task | None
    my_own: bool
    """Whether the conversation is open to the viewer, so that they may write in it."""
    heard: bool
    """Whether the viewer may listen to it, and read what was said."""


def read(session: Session, viewer: SignedIn, call: Call) -> Page:
    """Read everything for a call's page."""
    deal = session.get(Deal, call.deal_id) if call.deal_id is not None else None
    stages: Sequence[Stage] = []
    if deal is not None and deal.outcome is None:
        query = select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.id != deal.stage_id)
        stages = session.scalars(query.order_by(Stage.position)).all()
    my_own = _open_to(session, viewer, call)
    heard = my_own or call.staff_id == viewer.staff_id
    rung = [leg.staff_id for leg in call.legs if leg.staff_id is not None]
    named = select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(rung))
    return Page(
        call=call,
        legs=call.legs,
        names=dict(session.execute(named).all()),
        lines=transcripts.of_call(session, call.id) if heard else [],
        understood=session.scalar(select(Classification).where(Classification.message_id == call.message_id))
        if call.message_id is not None
        else None,
        deal=deal,
        stages=stages,
        call_back=session.get(Task, call.task_id) if call.task_id is not None else None,
        next_task=session.get(Task, call.next_task_id) if call.next_task_id is not None else None,
        my_own=my_own,
        heard=heard,
    )


def _open_to(session: Session, viewer: SignedIn, call: Call) -> bool:
    talk = select(Conversation.id).where(Conversation.id == call.conversation_id, visible(viewer))
    return viewer.role in LEADERS or session.scalar(talk) is not None


def may_hear(session: Session, viewer: SignedIn, call: Call) -> bool:
    """Whether somebody may listen to a call: they talked in it, or may see the conversation. That it rang for
    them is not enough.
    """
    return call.staff_id == viewer.staff_id or _open_to(session, viewer, call)


def sound_of(call: Call, recording_id: int) -> Recording:
    """A recording of the call that lies here. Raises NotFound."""
    found = next((one for one in call.recordings if one.id == recording_id), None)
    if found is None or found.state != RecordingState.FETCHED or not found.size:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of an answer: from `start` up to, but not including, `end`."""

    start: int
    end: int
    whole: bool = False


def part_of(header: str, size: int) -> Part | None:
    """Which bytes a Range header asks for (RFC 9110 section 14.1.2); None where it cannot be satisfied.

    A header in another form, or one that asks for several ranges, counts as none: the whole is given. A part
    is `PART` bytes long at most; its Content-Range says so, and players ask for the rest.
    """
    asked = _RANGE.fullmatch(header.strip())
    if asked is None or not (asked[1] or asked[2]):
        return Part(0, size, whole=True)
    if not asked[1]:
        wanted = min(int(asked[2]), size)
        return Part(size - wanted, min(size, size - wanted + PART)) if wanted else None
    start = int(asked[1])
    last = int(asked[2]) if asked[2] else size - 1
    if start >= size:
        return None
    if last < start:
        return Part(0, size, whole=True)
    return Part(start, min(last + 1, size, start + PART))


def label(call: Call, recording: Recording) -> str:
    """What a recording is called when it is saved: ours, from nothing that anybody outside chose."""
    moment: datetime = call.started_at or call.created_at
    return f"call-{call.id}-{moment:%Y-%m-%d}-{recording.id}.mp3"
