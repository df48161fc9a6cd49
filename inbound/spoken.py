"""What was said or noted in a call or an SMS, understood like a letter and filed: topic, interests, deal."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from classifier.classify import Labels, Text
from core import deals, proposals, traffic, transcripts
from core.calls import Call
from core.catalogue import ProductInterest, active_products
from core.conversations import Conversation, Message
from core.deals import Deal
from core.intents import Urgency
from core.labels import Classification, keep_said, resolve_labels
from core.transcripts import Speaker
from inbound.labelling import bound_urgency
from inbound.steps.classify import describe, terms
from inbound.steps.file import OPENS_DEAL
from inbound.work import Labeller

LONGEST: int = 20_000
"""Characters that are classified; a topic is named early in a call."""


def label(
    session: Session, classifier: Labeller, message: Message, talk: Conversation, words: str, channel: str
) -> Labels | None:
    """Label words that belong to a message; None where a person has said already what it is about.

    The conversation's topic and urgency follow, and the client's interests are noted.
    """
    known = session.scalar(select(Classification).where(Classification.message_id == message.id))
    if known is not None and known.reviewed_at is not None:
        return None
    products = active_products(session)
    labelled = classifier.classify(
        [Text("", words[:LONGEST], channel, talk.language)], [terms(product) for product in products]
    )
    if known is not None:
        # Understood anew, it does not count beside itself.
        known.urgency = Urgency.NORMAL
        session.flush()
    (labels,) = bound_urgency(session, [message.contact_id], labelled)
    merged = resolve_labels(session)
    if labels.intent is not None:
        talk.intent = merged.get(labels.intent, labels.intent)
    trail = [one for one in message.trail if one.get("step") != "classify"]
    message.trail = [*trail, {"step": "classify", "reason": describe(labels)}]
    if known is None:
        known = Classification(message_id=message.id)
        session.add(known)
    _fill(known, labels)
    keep_said(session, known)
    talk.urgency = known.urgency.value
    _interests(session, message, talk, known, {product.key: product.id for product in products})
    message.segment = traffic.of_message(
        session, message.contact_id, talk.deal_id, talk.id,
        intent=labels.intent and merged.get(labels.intent, labels.intent),
        products=[key for key, _confidence, _reason in labels.interests],
    )  # fmt: skip
    session.flush()
    return labels


def of_call(session: Session, classifier: Labeller, call: Call) -> None:
    """Understand a call from its note and what the client said; nothing where there is neither."""
    if call.message_id is None or call.conversation_id is None:
        return
    lines = transcripts.of_call(session, call.id)
    spoken = " ".join(line.text for line in lines if line.speaker != Speaker.US)
    words = "\n\n".join(filter(None, (call.note.strip(), spoken.strip())))
    if not words:
        return
    message = session.get_one(Message, call.message_id)
    talk = session.get_one(Conversation, call.conversation_id)
    labels = label(session, classifier, message, talk, words, "call")
    if labels is not None:
        _deal(session, call, message, talk, labels)


def _deal(session: Session, call: Call, message: Message, talk: Conversation, labels: Labels) -> None:
    """The client's open deal, or a new one where they want to buy; and the stage that their words speak
    for."""
    if talk.deal_id is None and labels.intent in OPENS_DEAL and talk.contact is not None:
        present = deals.open_deals(session, [talk.account_id] if talk.account_id else [], [talk.contact.id])
        deal = (
            present[0]
            if present
            else deals.open_deal(
                session,
                contact=talk.contact,
                account=talk.account,
                title=(call.note.strip().splitlines() or [talk.subject])[0][:200],
                source="call",
                owner_id=call.staff_id or talk.assignee_id,
                trigger_message_id=message.id,
                reason=f"{labels.intent} by telephone",
            )
        )
        talk.deal_id = deal.id
    call.deal_id = call.deal_id or talk.deal_id
    deal = session.get(Deal, talk.deal_id) if talk.deal_id is not None else None
    # What a colleague proposed in the note goes before what the classifier makes of it.
    if deal is None or deal.outcome is not None or deal.proposed_stage_id is not None:
        return
    stages = proposals.places(session, [deal.pipeline_id])[deal.pipeline_id]
    present_stage = next(place for place in stages.values() if place.id == deal.stage_id)
    target = proposals.propose(labels.intent, present_stage, stages)
    said_no = target is not None and proposals.was_dismissed(
        deal, target.key, proposals.spoken_by(message.id)
    )
    if target is not None and not said_no and deal.trigger_message_id != message.id:
        deal.proposed_stage_id, deal.proposed_by_message_id = target.id, message.id


def _interests(
    session: Session, message: Message, talk: Conversation, known: Classification, products: Mapping[str, int]
) -> None:
    rows = [
        {
            "product_id": products[key],
            "contact_id": talk.contact_id,
            "account_id": talk.account_id,
            "message_id": message.id,
            "confidence": confidence,
            "reason": reason,
        }
        for key, confidence, reason in known.interests
        if key in products and talk.contact_id is not None
    ]
    if rows:
        session.execute(insert(ProductInterest).values(rows).on_conflict_do_nothing())


def _fill(known: Classification, labels: Labels) -> None:
    known.language, known.intent, known.confidence = labels.language, labels.intent, labels.confidence
    known.alternatives = [list(one) for one in labels.alternatives]
    known.urgency, known.signal = labels.urgency, labels.signal
    known.interests = [list(one) for one in labels.interests]
    known.reasons = [{"kind": one.kind, "text": one.text, "weight": one.weight} for one in labels.reasons]
    known.abstained, known.model_version = labels.abstained, labels.model_version
