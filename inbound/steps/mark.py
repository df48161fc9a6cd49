"""Mark: which segment of the traffic a letter belongs to, for routing, reports and the words of answers."""

from __future__ import annotations

from core.deals import default_pipeline, first_stage
from core.traffic import look_up
from inbound.work import Batch


def run(batch: Batch) -> None:
    """Put the client's segments, the intent, the products and the deal's stage on every letter: one query."""
    items = [item for item in batch.on_their_way() if item.machine is None]
    known = look_up(
        batch.session,
        (item.person.id for item in items if item.person is not None and not item.person.new),
        (item.talk.deal_id for item in items if item.talk is not None),
    )
    if batch.deals:
        stage = first_stage(batch.session, default_pipeline(batch.session).id)
        known.stages.update({deal.id: stage.key for deal in batch.deals})
    for item in items:
        person, talk, labels = item.person, item.talk, item.labels
        item.segments = frozenset(known.segments.get(person.id, ())) if person is not None else frozenset()
        item.stage = known.stages.get(talk.deal_id or 0) if talk is not None else None
        sure = labels is not None and labels.intent is not None
        item.segment = known.of(
            person.id if person is not None else None,
            talk.deal_id if talk is not None else None,
            # The conversation has it under the company's own name, where two were merged.
            intent=talk.intent if talk is not None and sure else None,
            products=[key for key, _confidence, _reason in labels.interests] if labels else (),
        )
