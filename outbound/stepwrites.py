"""A page of decided follow-ups written down: each table in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import approvalasks, outbox
from core.accounts import Channel
from core.approvalasks import STEP
from core.bulk import copy_rows, new_ids
from core.deals import Deal
from core.letters import (
    DOCUMENTS,
    OFFERS,
    NothingToOffer,
    approver_of,
    deal_values,
    product_values,
    proposal_values,
    staff_values,
)
from core.outbox import EXPIRY, Draft
from core.sequences import CHANNELS, EnrolmentState, SequenceStep, StepKind, StopReason
from core.tasks import Task, TaskState
from core.values import Language
from outbound.stepreads import Due, Page, purpose_of

_QUEUED = text("select key, id from delivery where key = any(:keys)")

_STEPS = text("""
insert into enrolment_step (enrolment_id, position, outcome, delivery_id, task_id, taken_at)
select enrolment_id, position, 'done', delivery_id, task_id, :now
from jsonb_to_recordset(cast(:rows as jsonb))
    as v (enrolment_id bigint, position bigint, delivery_id bigint, task_id bigint)
""")

_MOVES = text("""
update enrolment e set state = v.state, next_position = v.next_position, due_at = v.due_at,
    waits_for = v.waits_for, stop_reason = v.stop_reason,
    ended_at = case when v.state in ('finished', 'stopped') then cast(:now as timestamptz) end
from jsonb_to_recordset(cast(:rows as jsonb)) as v (id bigint, state text, next_position bigint,
    due_at timestamptz, waits_for text, stop_reason text)
where e.id = v.id
""")


@dataclass(frozen=True, slots=True)
class Move:
    """Where an enrolment stands after it was looked at."""

    id: int
    state: EnrolmentState
    next_position: int
    due_at: datetime
    waits_for: str | None = None
    stop_reason: StopReason | None = None


@dataclass(slots=True)
class Work:
    """What a page's decisions come to."""

    drafts: dict[tuple[int, int], Draft] = field(default_factory=dict)
    """By enrolment and position."""
    tasks: dict[tuple[int, int], Sequence[Any]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)


def draft_of(page: Page, due: Due, step: SequenceStep, address: str) -> Draft:
    """What a step sends, in the thread of the deal's or the contact's last conversation.

    Raises NothingToOffer, and what the values of the deal raise when they make no sense.
    """
    talk = page.talk(due)
    deal = page.deals.get(due.deal_id) if due.deal_id is not None else None
    language = due.language or (talk.language if talk else None) or Language.EN.value
    thread = page.threads.get(talk.id, []) if talk else []
    template = step.template or "follow_up"
    channel = CHANNELS[step.kind]
    written = channel in {Channel.EMAIL, Channel.FAX}
    if written and template in OFFERS and (deal is None or not deal.lines):
        raise NothingToOffer
    return Draft(
        key=f"enrolment:{due.id}:{step.position}",
        address=address,
        channel=channel,
        purpose=purpose_of(step),
        recipient_name=due.name,
        contact_id=due.contact_id,
        conversation_id=talk.id if talk else None,
        deal_id=due.deal_id,
        staff_id=deal.owner_id if deal else None,
        mailbox=talk.mailbox if talk else None,
        template=template,
        language=language,
        values={
            "client": {"name": due.name, "company": due.company, "code": due.code},
            "staff": staff_values(deal.owner) if deal else {},
            "deal": deal_values(deal, language, page.now.date()) if deal else {},
            "product": product_values(deal, language) if deal else {},
            "proposal": proposal_values(deal, language) if deal else {},
        },
        documents=[template] if written and template in DOCUMENTS else [],
        approver=approvalasks.BETWEEN.join(
            filter(None, (STEP if step.approve else "", approver_of(deal, template) if deal else ""))
        ),
        in_reply_to=thread[-1] if thread and step.kind is StepKind.EMAIL else None,
        reference_ids=thread if step.kind is StepKind.EMAIL else [],
        priority=6,
        due_at=page.now,
        expires_at=page.now + EXPIRY,
    )


_TASK = ("id", "title", "kind", "state", "assignee_id", "contact_id", "account_id", "deal_id", "due_at")


def task_of(page: Page, due: Due, step: SequenceStep) -> Sequence[Any]:
    """What a step asks of a colleague, as columns of Task after its id."""
    deal = page.deals.get(due.deal_id) if due.deal_id is not None else None
    assignee, language = _assignee(deal, due)
    title = step.titles.get(language) or step.titles.get("en", "")
    return (
        title, "follow_up", TaskState.OPEN, assignee, due.contact_id, due.account_id, due.deal_id, page.now,
    )  # fmt: skip


def _assignee(deal: Deal | None, due: Due) -> tuple[int | None, str]:
    worker = (deal.performer or deal.owner) if deal is not None else None
    if worker is not None:
        return worker.id, worker.language
    return due.curator_id, due.curator_language or Language.EN.value


def write(session: Session, page: Page, work: Work) -> None:
    """Write everything down in the caller's transaction."""
    made: dict[tuple[int, int], dict[str, int]] = {}
    if work.drafts:
        outbox.queue_many(session, work.drafts.values())
        keys = {draft.key: place for place, draft in work.drafts.items()}
        rows = session.execute(_QUEUED, {"keys": list(keys)})
        made |= {keys[key]: {"delivery_id": delivery_id} for key, delivery_id in rows}
    if work.tasks:
        ids = dict(zip(work.tasks, new_ids(session, Task, len(work.tasks)), strict=True))
        copy_rows(session, Task, _TASK, [(ids[place], *row) for place, row in work.tasks.items()])
        made |= {place: {"task_id": task_id} for place, task_id in ids.items()}
    if made:
        # Its primary key is what lets a step be taken once, whatever went wrong before.
        rows = [{"enrolment_id": one, "position": position} | what for (one, position), what in made.items()]
        session.execute(_STEPS, {"rows": json.dumps(rows), "now": page.now})
    moves = [
        {
            "id": move.id,
            "state": move.state.value,
            "next_position": move.next_position,
            "due_at": move.due_at.isoformat(),
            "waits_for": move.waits_for,
            "stop_reason": move.stop_reason and move.stop_reason.value,
        }
        for move in work.moves
    ]
    session.execute(_MOVES, {"rows": json.dumps(moves), "now": page.now})
