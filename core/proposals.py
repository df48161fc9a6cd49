"""Which stage a deal should go to next, judged by what the client wrote; a person or a rule decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.deals import Deal
from core.labels import Classification
from core.pipelines import Stage


@dataclass(frozen=True, slots=True)
class Place:
    """A stage as proposals see it."""

    id: int
    key: str
    position: int
    proposed_on: frozenset[str] = frozenset()
    """Topics that speak for it, those that move a deal there by themselves included."""
    leads_to: frozenset[str] = frozenset()
    """Keys of the stages that may follow it; empty for any."""


def propose(intent: str | None, present: Place, stages: Mapping[str, Place]) -> Place | None:
    """The stage to propose, or None: never backwards, never where the deal is, only where it may go.

    Of several that a topic speaks for, the nearest.
    """
    ahead = (
        place
        for place in stages.values()
        if intent in place.proposed_on
        and place.position > present.position
        and (not present.leads_to or place.key in present.leads_to)
    )
    return min(ahead, key=lambda place: place.position, default=None)


_NOTED = re.compile(r"proposes the stage (\S+) for deal \d+")


def noted(key: str, deal_id: int) -> str:
    """What a letter's trail says of a proposal that it made."""
    return f"proposes the stage {key} for deal {deal_id}"


def noted_in(trail: Iterable[Mapping[str, Any]]) -> str | None:
    """Key of the stage that a letter proposed, from its trail."""
    for one in trail:
        found = _NOTED.fullmatch(str(one.get("reason", "")))
        if found is not None:
            return found[1]
    return None


def places(session: Session, pipeline_ids: Iterable[int]) -> dict[int, dict[str, Place]]:
    """The stages of some pipelines, by pipeline and by key."""
    rows = session.execute(
        select(
            Stage.pipeline_id,
            Stage.id,
            Stage.key,
            Stage.position,
            Stage.proposed_on,
            Stage.automatic_on,
            Stage.next_stages,
        ).where(Stage.pipeline_id.in_(set(pipeline_ids)))
    )
    found: dict[int, dict[str, Place]] = {}
    for pipeline_id, stage_id, key, position, proposed, automatic, leads in rows:
        place = Place(stage_id, key, position, frozenset(proposed) | frozenset(automatic), frozenset(leads))
        found.setdefault(pipeline_id, {})[key] = place
    return found


def place_of(stage: Stage) -> Place:
    """A stage as proposals see it."""
    spoken_for = frozenset(stage.proposed_on) | frozenset(stage.automatic_on)
    return Place(stage.id, stage.key, stage.position, spoken_for, frozenset(stage.next_stages))


def spoken_by(message_id: int) -> str:
    """How a letter is named among what spoke for a stage."""
    return f"message:{message_id}"


def was_dismissed(deal: Deal, stage_key: str, cause: str) -> bool:
    """Whether a person has said no to this, a letter or an event, in the stage that the deal is in."""
    return f"{stage_key}={cause}" in deal.dismissed


def set_aside(cause: str) -> str:
    """How a deal keeps that a letter or an event moves it by itself no more while it stays in its stage."""
    return f"!{cause}"


def was_set_aside(deal: Deal, cause: str) -> bool:
    """Whether a person has taken back what a rule made of this, a letter or an event, in the deal's stage."""
    return set_aside(cause) in deal.dismissed


def automatic(session: Session, limit: int) -> list[tuple[int, int, str]]:
    """Deals whose proposal moves them by itself: deal, stage and topic; locked until the transaction ends."""
    query = (
        select(Deal.id, Stage.id, Classification.intent)
        .join(Stage, Stage.id == Deal.proposed_stage_id)
        .join(Classification, Classification.message_id == Deal.proposed_by_message_id)
        .where(
            Deal.proposed_stage_id.is_not(None),
            Deal.outcome.is_(None),
            Stage.automatic_on.op("?")(Classification.intent),
        )
        .order_by(Deal.id)
        .limit(limit)
        .with_for_update(of=Deal, skip_locked=True)
    )
    return [(deal_id, stage_id, intent or "") for deal_id, stage_id, intent in session.execute(query)]
