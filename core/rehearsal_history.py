"""What happened to some deals, as a rehearsal reads it: a query a table, however many deals there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import proposals, readiness
from core.calls import Call, CallOutcome
from core.checklists import ChecklistMark
from core.conversations import Conversation, Direction, Message
from core.labels import Classification
from core.meetings import Answer, Attendee, Meeting, MeetingState
from core.outbox import Delivery
from core.payments import DeliveryNote, Payment
from core.sequences import Enrolment


class History:
    """What happened to some deals, read with a query a table."""

    def __init__(self, session: Session, ids: Sequence[int]) -> None:
        self.letters: dict[int, list[tuple[datetime, str, int, str | None]]] = {}
        rows = session.execute(
            select(
                Conversation.deal_id, Message.happened_at, Classification.intent, Message.id, Message.trail
            )
            .join(Message, Message.conversation_id == Conversation.id)
            .join(Classification, Classification.message_id == Message.id)
            .where(
                Conversation.deal_id.in_(ids), Message.direction == Direction.IN,
                Message.machine.is_(None), Classification.intent.is_not(None),
            )
            .order_by(Message.happened_at, Message.id)
        )  # fmt: skip
        for deal_id, at, intent, message_id, trail in rows:
            proposed = proposals.noted_in(trail or [])
            self.letters.setdefault(deal_id or 0, []).append((at, intent or "", message_id, proposed))
        self.calls: dict[int, list[tuple[datetime, frozenset[str]]]] = {}
        calls = select(Call.deal_id, Call.noted_at, Call.outcome).where(
            Call.deal_id.in_(ids), Call.outcome.in_(readiness.CALLED), Call.noted_at.is_not(None)
        )
        for deal_id, at, outcome in session.execute(calls):
            if at is not None and outcome is not None:
                said = readiness.CALLED[CallOutcome(outcome)]
                self.calls.setdefault(deal_id or 0, []).append((at, said))
        self.paid: dict[int, list[tuple[datetime, Decimal]]] = {}
        paid = select(Payment.deal_id, Payment.created_at, Payment.amount).where(
            Payment.deal_id.in_(ids), Payment.undone_at.is_(None)
        )
        for deal_id, at, amount in session.execute(paid.order_by(Payment.created_at)):
            self.paid.setdefault(deal_id, []).append((at, amount))
        first = func.min(DeliveryNote.created_at)
        notes = select(DeliveryNote.deal_id, first).where(
            DeliveryNote.deal_id.in_(ids), DeliveryNote.undone_at.is_(None)
        )
        self.delivered = dict(session.execute(notes.group_by(DeliveryNote.deal_id)).all())
        self.accepted: dict[int, list[datetime]] = {}
        said = (
            select(Meeting.deal_id, Attendee.answered_at)
            .join(Attendee, Attendee.meeting_id == Meeting.id)
            .where(
                Meeting.deal_id.in_(ids), Meeting.state == MeetingState.PLANNED, Attendee.invited,
                Attendee.staff_id.is_(None), Attendee.answer == Answer.ACCEPTED,
            )
        )  # fmt: skip
        for deal_id, at in session.execute(said.order_by(Attendee.answered_at)):
            if at is not None:
                self.accepted.setdefault(deal_id or 0, []).append(at)
        self.marks: dict[int, dict[tuple[str, str], datetime]] = {}
        ticked = select(ChecklistMark).where(ChecklistMark.deal_id.in_(ids))
        for mark in session.scalars(ticked):
            self.marks.setdefault(mark.deal_id, {})[mark.stage_key, mark.item] = mark.done_at
        self.enrolments: dict[int, list[Enrolment]] = {}
        query = select(Enrolment).where(Enrolment.deal_id.in_(ids)).order_by(Enrolment.started_at)
        for one in session.scalars(query):
            self.enrolments.setdefault(one.deal_id or 0, []).append(one)
        self.sent: dict[int, Delivery] = {}
        deliveries = session.scalars(
            select(Delivery).where(Delivery.deal_id.in_(ids), Delivery.key.like("stage\\_change:%"))
        )
        for one in deliveries:
            self.sent[int(one.key.split(":")[1])] = one
