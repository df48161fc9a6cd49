"""A state of an SMS of ours, as the exchange told it: found by token, id or words, and put on record."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import phoneorders
from core.accounts import Channel
from core.phoneevents import PhoneEvent
from core.phoneorders import PhoneOrder, TextStatus
from inbound.steps.write import LIVE


def told(session: Session, event: PhoneEvent) -> str | None:
    """Put a state on record; returns why it changes nothing, or None."""
    facts = event.facts
    order = order_of(session, event)
    if order is None:
        return "an SMS that was not sent from here"
    if not phoneorders.bind(session, order, event.subject):
        return "the delivery went out under another id"
    before = phoneorders.hold(session, order)
    phoneorders.text_told(session, order, TextStatus(facts["status"]), facts.get("code"))
    delivery = order.delivery
    session.refresh(delivery)
    if delivery.state != before and delivery.conversation_id is not None:
        news = {"kind": "message", "conversation_id": delivery.conversation_id, "staff_id": delivery.staff_id}
        session.execute(select(func.pg_notify(LIVE, json.dumps(news))))
    return None


def order_of(session: Session, event: PhoneEvent) -> PhoneOrder | None:
    """Our order that an event speaks of: by the token we gave, by its id, or by number, words and time."""
    facts = event.facts
    found = phoneorders.by_sid(session, event.subject)
    if found is None and facts.get("delivery"):
        found = phoneorders.by_token(session, facts["delivery"])
    if found is None and facts.get("text"):
        created = datetime.fromisoformat(facts["created"]) if facts.get("created") else event.received_at
        found = phoneorders.matching(
            session, channel=Channel.SMS, dialled=facts["called"], text=facts["text"], at=created
        )
    return found
