"""React: a client who acts ends or puts off their follow-ups, and what they ask for proposes a stage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select, update

from core import clientabsences, sequences_stops
from core.accounts import Contact
from core.deals import Deal
from core.proposals import noted, places, propose
from core.sequences import StopReason
from inbound.automail import Kind
from inbound.work import Batch, Item

LONGEST_ABSENCE = timedelta(days=366)


def run(batch: Batch) -> None:
    """Do both for the whole batch, with a handful of statements however many letters there are."""
    known = [item for item in batch.items if item.failed is None and item.person and not item.person.new]
    _stop_follow_ups(batch, [item for item in known if item.human and item.ignored is None])
    # Most notes of absence name no letter of ours and are kept without being filed; they are still believed.
    _wait_for(batch, [item for item in known if item.machine == Kind.OUT_OF_OFFICE and item.reading.returns])
    _propose_stages(batch, [item for item in batch.on_their_way() if item.human])


def _stop_follow_ups(batch: Batch, items: Iterable[Item]) -> None:
    people = {item.person.id: item for item in items if item.person is not None}
    if people and sequences_stops.stop_for_contacts(batch.session, people, StopReason.REPLY):
        for item in people.values():
            item.note("react", "the client wrote: follow-ups that end with a reply have ended")


def _wait_for(batch: Batch, items: Iterable[Item]) -> None:
    for item in items:
        assert item.person is not None  # noqa: S101 - run() passes only such
        back = date.fromisoformat(item.reading.returns)
        until = datetime.combine(back, time.min, tzinfo=UTC)
        believable = batch.now < until < batch.now + LONGEST_ABSENCE
        if believable:
            away = update(Contact).where(Contact.id == item.person.id).values(away_until=back)
            batch.session.execute(away)
            clientabsences.note(batch.session, item.person.id, until)
        if believable and sequences_stops.pause_for_contacts(batch.session, [item.person.id], until):
            item.note("react", f"away: follow-ups wait until {back.isoformat()}")


def _propose_stages(batch: Batch, items: Iterable[Item]) -> None:
    asked = {
        item.talk.deal_id: item
        for item in items
        if item.talk is not None and item.talk.deal_id is not None and item.labels is not None
        and item.labels.intent is not None
    }  # fmt: skip
    opened = {deal.id for deal in batch.deals}
    wanted = [deal_id for deal_id in asked if deal_id not in opened]
    if not wanted:
        return
    deals = batch.session.execute(
        select(Deal.id, Deal.pipeline_id, Deal.stage_id).where(Deal.id.in_(wanted), Deal.outcome.is_(None))
    ).all()
    pipelines = places(batch.session, {pipeline_id for _, pipeline_id, _ in deals})
    for deal_id, pipeline_id, stage_id in deals:
        item, stages = asked[deal_id], pipelines[pipeline_id]
        present = next(place for place in stages.values() if place.id == stage_id)
        target = propose(item.labels.intent if item.labels else None, present, stages)
        if target is not None:
            item.note("react", noted(target.key, deal_id))
            batch.proposals.append(
                {"id": deal_id, "proposed_stage_id": target.id, "proposed_by_message_id": item.message_id}
            )
