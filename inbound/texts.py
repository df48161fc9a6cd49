"""An SMS that came in: into the client's history, understood like a letter; STOP holds at once."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import heardfrom, sequences_stops, traffic
from core.accounts import Channel
from core.config import Settings
from core.consent import Scope, Suppression, SuppressionReason, suppress
from core.conversations import Conversation, Direction, Message
from core.dialling import readable
from core.optout import Wish, wish_of
from core.phoneevents import PhoneEvent
from core.phonewords import SMS_SUBJECT, said
from core.sequences import StopReason
from core.values import BadPhone
from inbound import callhistory, spoken
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
        segment=traffic.of_message(session, talk.contact_id, talk.deal_id, talk.id),
    )
    session.add(message)
    session.flush()
    opened = heardfrom.open_again(session, heardfrom.number_signs(caller.number, at), heardfrom.BY_SMS)
    if wish is not None:
        _obey(session, caller.number, wish, event)
        message.trail = [{"step": "screen", "reason": f"asks for {wish.value}"}]
    elif body.strip():
        _label(session, classifier, message, talk)
    if opened:
        message.trail = [{"step": "recognise", "reason": heardfrom.NOTED_NUMBER}, *(message.trail or ())]
    if caller.contact is not None:
        # An answer is an answer, whatever it came by.
        sequences_stops.stop_for_contacts(session, [caller.contact.id], StopReason.REPLY)
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
    labels = spoken.label(session, classifier, message, talk, message.text, "sms")
    if labels is None:
        return
    talk.language = labels.language or talk.language
    if talk.contact is not None and talk.contact.language is None:
        talk.contact.language = labels.language
    message.language = labels.language
