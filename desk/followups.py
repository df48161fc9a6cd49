"""What the card tells of follow-ups: what will go out and when, and how those that ended did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from core import clock, sequences
from core.conversations import Conversation
from core.errors import NotFound
from core.sequences import Enrolment, EnrolmentState, SequenceStep, StepKind
from core.staff import StaffMember
from outbound.sequences import House, house_of, plan

__all__ = ["FollowUps", "follow_up_of", "house_of", "read"]

ENDED = (EnrolmentState.FINISHED, EnrolmentState.STOPPED)
SHOWN = 5
"""Follow-ups that ended are shown up to so many."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A step still to come; `at` is None when it is due already."""

    step: SequenceStep
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Running:
    """A follow-up under way, with the steps to come."""

    enrolment: Enrolment
    coming: list[Coming]
    ask: int | None = None
    """The step whose outcome a colleague may still say: a task, and a branch goes by it."""

    @property
    def paused(self) -> bool:
        """Held until a person lets it go on."""
        return self.enrolment.state == EnrolmentState.PAUSED


@dataclass(frozen=True, slots=True)
class Ended:
    """A follow-up that is over, and who ended it where a person did."""

    enrolment: Enrolment
    by: str | None


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Those of a conversation's contact and of its deal."""

    running: list[Running]
    ended: list[Ended]


def read(session: Session, conversation: Conversation, house: House) -> FollowUps:
    """The follow-ups of a conversation's contact and of its deal."""
    return of(session, house, contact_id=conversation.contact_id, deal_id=conversation.deal_id)


def of(session: Session, house: House, *, contact_id: int | None = None, deal_id: int | None) -> FollowUps:
    """The follow-ups of a deal, and of a contact where one is given."""
    found: dict[int, Enrolment] = {}
    if contact_id is not None:
        found |= {one.id: one for one in sequences.live_of(session, contact_id=contact_id)}
    if deal_id is not None:
        found |= {one.id: one for one in sequences.live_of(session, deal_id=deal_id)}
    now = clock.now()
    running = [
        Running(one, [Coming(step, at if at > now else None) for step, at in plan(one, house)], _asks(one))
        for one in sorted(found.values(), key=lambda one: one.due_at)
    ]
    return FollowUps(running, _ended(session, contact_id, deal_id))


def _asks(enrolment: Enrolment) -> int | None:
    last = max((row.position for row in enrolment.log if row.outcome == "done"), default=None)
    if last is None or last + 1 != enrolment.next_position:
        return None
    step = next((one for one in enrolment.sequence.steps if one.position == last), None)
    said = any(row.result for row in enrolment.log if row.position == last)
    return last if step is not None and step.kind == StepKind.TASK and step.branches and not said else None


def _ended(session: Session, contact_id: int | None, deal_id: int | None) -> list[Ended]:
    if contact_id is None and deal_id is None:
        return []
    known = ((Enrolment.contact_id, contact_id), (Enrolment.deal_id, deal_id))
    query = (
        select(Enrolment, StaffMember.name)
        .outerjoin(StaffMember, Enrolment.stopped_by == StaffMember.id)
        .where(Enrolment.state.in_(ENDED))
        # A row without a deal belongs to many: what is not known here must not be compared.
        .where(or_(*(column == one for column, one in known if one is not None)))
        .order_by(Enrolment.ended_at.desc(), Enrolment.id.desc())
        .limit(SHOWN)
        .options(joinedload(Enrolment.sequence))
    )
    return [Ended(enrolment, name) for enrolment, name in session.execute(query)]


def follow_up_of(session: Session, conversation: Conversation, enrolment_id: int) -> Enrolment:
    """A follow-up of a conversation's contact or of its deal. Raises NotFound for any other."""
    enrolment = session.get(Enrolment, enrolment_id)
    if enrolment is None:
        raise NotFound
    of_contact = enrolment.contact_id == conversation.contact_id
    of_deal = enrolment.deal_id is not None and enrolment.deal_id == conversation.deal_id
    if not (of_contact or of_deal):
        raise NotFound
    return enrolment
