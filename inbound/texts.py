"""An SMS that came in: into the client's history, understood like a letter; STOP holds at once."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from classifier.classify import Labels, Text
from core.accounts import Channel
from core.catalogue import ProductInterest, active_products
from core.config import Settings
from core.consent import Scope, Suppression, SuppressionReason, suppress
from core.conversations import Conversation, Direction, Message
from core.dialling import readable
from core.labels import Classification, resolve_labels
from core.optout import Wish, wish_of
from core.phoneevents import PhoneEvent
from core.phonewords import SMS_SUBJECT, said
from core.values import BadPhone
from inbound import callhistory
from inbound.steps.classify import describe, terms
from inbound.steps.write import LIVE
from inbound.work import Labeller


def receive(session: Session, settings: Settings, classifier: Labeller, event: PhoneEvent) -> str | None:
    """Put an SMS on record; returns why it changes nothing, or None."""
    facts = event.facts
    shown, body = facts.get("caller") or "", facts.get("text") or ""
    wish = wish_of(body)
    caller = callhistory.client_of(session, settings, shown, None)
    at = datetime.fromisoformat(facts["at"]) if facts.get("at") else event.received_at
    talk = callhistory.conversation_for(
        session, settings, caller, Channel.SMS, said(SMS_SUBJECT, settings.company.default_language), at
    )
    message = Message(
        conversation_id=talk.id,
        contact_id=caller.contact.id if caller.contact else None,
        direction=Direction.IN,
        channel=Channel.SMS,
        subject=said(SMS_SUBJECT, settings.company.default_language),
        sender_name=caller.contact.name if caller.contact else "",
        sender=caller.number or readable(shown) or shown[:40],
        recipients={"to": [["", (facts.get("called") or "")[:40]]]},
        text=body,
        reply=body,
        warnings=["media_not_fetched"] if facts.get("media") else [],
        happened_at=at,
    )
    session.add(message)
    session.flush()
    if wish is not None:
        _obey(session, caller.number, wish, event)
        message.trail = [{"step": "screen", "reason": f"asks for {wish.value}"}]
    elif body.strip():
        _label(session, classifier, message, talk)
    talk.waiting = talk.waiting if wish is not None else True
    callhistory.assign(session, talk, talk.intent)
    news = {"kind": "message", "conversation_id": talk.id, "staff_id": talk.assignee_id}
    session.execute(select(func.pg_notify(LIVE, json.dumps(news))))
    session.flush()
    return None


def _obey(session: Session, number: str | None, wish: Wish, event: PhoneEvent) -> None:
    """Stop everything by SMS to the number, or take a stop back that its owner asked for."""
    if number is None:
        return
    try:
        if wish is Wish.STOP:
            suppress(
                session,
                Channel.SMS,
                number,
                scope=Scope.EVERYTHING,
                reason=SuppressionReason.UNSUBSCRIBED,
                source=f"sms:{event.subject}",
            )
            return
    except BadPhone:
        # A number that is none can be written to by nobody, and needs no entry in the list.
        return
    session.execute(
        delete(Suppression).where(
            Suppression.channel == Channel.SMS,
            Suppression.address == number,
            Suppression.reason == SuppressionReason.UNSUBSCRIBED,
        )
    )


def _label(session: Session, classifier: Labeller, message: Message, talk: Conversation) -> None:
    """Intent, language and products of what was written."""
    products = active_products(session)
    (labels,) = classifier.classify(
        [Text("", message.text, "sms", talk.language)], [terms(product) for product in products]
    )
    merged = resolve_labels(session)
    if labels.intent is not None:
        talk.intent = merged.get(labels.intent, labels.intent)
    talk.urgency = labels.urgency.value
    talk.language = labels.language or talk.language
    if talk.contact is not None and talk.contact.language is None:
        talk.contact.language = labels.language
    message.language = labels.language
    message.trail = [{"step": "classify", "reason": describe(labels)}]
    session.add(_classification(message.id, labels))
    by_key = {product.key: product.id for product in products}
    rows = [
        {
            "product_id": by_key[key],
            "contact_id": talk.contact_id,
            "account_id": talk.account_id,
            "message_id": message.id,
            "confidence": confidence,
            "reason": reason,
        }
        for key, confidence, reason in labels.interests
        if key in by_key and talk.contact_id is not None
    ]
    if rows:
        session.execute(insert(ProductInterest).values(rows).on_conflict_do_nothing())


def _classification(message_id: int, labels: Labels) -> Classification:
    return Classification(
        message_id=message_id,
        language=labels.language,
        intent=labels.intent,
        confidence=labels.confidence,
        alternatives=[list(one) for one in labels.alternatives],
        urgency=labels.urgency,
        signal=labels.signal,
        interests=[list(one) for one in labels.interests],
        reasons=[{"kind": one.kind, "text": one.text, "weight": one.weight} for one in labels.reasons],
        abstained=labels.abstained,
        model_version=labels.model_version,
    )
