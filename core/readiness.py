"""What a deal still lacks before it may leave its stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import checklists, meetings, payments
from core.calls import Call, CallOutcome
from core.checklists import Point
from core.deals import Deal
from core.errors import Conflict
from core.pipelines import Stage
from core.pipelinespec import FIELDS


@dataclass(frozen=True, slots=True)
class Lack:
    """A field that is empty, or a required point that is open."""

    key: str
    names: Mapping[str, str]
    """By language; of a field only in English, to be translated where it is shown."""
    point: bool = False


class NotReady(Conflict):
    """The deal cannot leave its stage yet."""

    cure = "Fill it in, or have the head of sales let it go with a reason."

    def __init__(self, lacks: Sequence[Lack]) -> None:
        named = ", ".join(one.names.get("en", one.key) for one in lacks)
        super().__init__(f"The deal cannot leave its stage yet: {named}.")
        self.lacks = tuple(lacks)


_HELD: Mapping[str, Callable[[Session, Deal], bool]] = {
    "account": lambda _session, deal: deal.account_id is not None,
    "contact": lambda _session, deal: deal.contact_id is not None,
    "owner": lambda _session, deal: deal.owner_id is not None,
    "source": lambda _session, deal: bool(deal.source),
    "initiative": lambda _session, deal: deal.initiative is not None,
    "event": lambda _session, deal: bool(deal.event.strip()),
    "need": lambda _session, deal: bool(deal.need.strip()),
    "solution": lambda _session, deal: bool(deal.solution.strip()),
    "lines": lambda _session, deal: bool(deal.lines),
    "payment_terms": lambda _session, deal: bool(deal.payment_terms.strip()),
    "delivery_terms": lambda _session, deal: bool(deal.delivery_terms.strip()),
    "interest": lambda _session, deal: deal.interest is not None,
    "payment": lambda session, deal: bool(payments.payments(session, deal.id)),
    "paid": lambda session, deal: bool(deal.lines) and payments.owed(session, deal).amount <= 0,
    "delivery_note": lambda session, deal: bool(payments.delivery_notes(session, deal.id)),
}
"""How each field that a stage may ask for is seen to be there."""


def lacks(
    session: Session, deal: Deal, points: Sequence[Point] | None = None, stage: Stage | None = None
) -> list[Lack]:
    """What its stage, or another one, asks for and the deal does not have: fields first, then open points of
    the checklist.
    """
    stage = stage or deal.stage
    missing = [
        Lack(name, {"en": FIELDS[name]})
        for name in stage.required_fields
        if name in _HELD and not _HELD[name](session, deal)
    ]
    items = checklists.points(session, deal, stage) if points is None else points
    missing += [
        Lack(item.key, item.names, point=True) for item in items if item.required and not item.done_at
    ]
    return missing


CALLED: Mapping[CallOutcome, frozenset[str]] = {
    CallOutcome.TALKED: frozenset({"call_talked"}),
    CallOutcome.NEXT_STEP: frozenset({"call_talked", "call_agreed"}),
    CallOutcome.REFUSED: frozenset({"call_talked", "call_refused"}),
}
"""Which events a colleague's word on a call is; they hold in the stage in which it was noted."""


def _called(session: Session, deal: Deal) -> frozenset[str]:
    outcomes = session.scalars(
        select(Call.outcome).where(
            Call.deal_id == deal.id, Call.outcome.in_(CALLED), Call.noted_at >= deal.stage_entered_at
        )
    )
    return frozenset().union(*(CALLED[CallOutcome(one)] for one in outcomes if one is not None))


def happened(session: Session, deal: Deal) -> frozenset[str]:
    """Which of `core.pipelinespec.EVENTS` hold for a deal now."""
    held = {
        "paid": _HELD["paid"](session, deal),
        "delivered": _HELD["delivery_note"](session, deal),
        "meeting_accepted": meetings.accepted(session, deal.id),
        "checklist": checklists.complete(checklists.points(session, deal)),
    }
    return frozenset(name for name, holds in held.items() if holds) | _called(session, deal)
