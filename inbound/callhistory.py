"""A call's place in the client's history: whose it is, the conversation it belongs to, and who has it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import heardfrom, phoneorders, routing, traffic, transcripts
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.callplan import Step
from core.calls import Call, CallState
from core.config import Settings
from core.conversations import Conversation, Direction, Message
from core.dialling import may_call, readable
from core.phonewords import HISTORY, HISTORY_OUT, SUBJECT, said
from core.routing import Assignment
from inbound.callers import Caller, open_conversation, open_deal, place_of, recognise
from inbound.steps.write import LIVE

SOURCE: Final = "call"
"""Source of contacts that are known by their telephone only."""

SHOWN: Final = 600
"""Characters of a transcript that stand in the conversation."""
ASKS_FOR_US: Final = frozenset({CallState.MISSED, CallState.VOICEMAIL})


def file(session: Session, settings: Settings, call: Call, at: datetime) -> None:
    """Give a call its contact, conversation and message, once; then keep its message and owner true."""
    if call.conversation_id is None:
        caller = _client(session, settings, recognise(session, number_outside(call)), call.language)
        talk = conversation_for(
            session, settings, caller, Channel.VOICE, said(SUBJECT, settings.company.default_language), at
        )
        call.contact, call.account = caller.contact, caller.account
        call.conversation, call.deal_id = talk, talk.deal_id
        call.language = call.language or caller.language
        message = Message(
            conversation_id=talk.id,
            contact_id=caller.contact.id if caller.contact else None,
            direction=call.direction,
            channel=Channel.VOICE,
            subject=said(SUBJECT, settings.company.default_language),
            sender_name=caller.contact.name if caller.contact and call.direction == Direction.IN else "",
            sender=call.caller,
            recipients={"to": [["", call.called]]},
            happened_at=call.started_at or at,
            segment=traffic.of_message(session, talk.contact_id, talk.deal_id, talk.id, intent=call.topic),
        )
        if call.direction == Direction.IN and heardfrom.open_again(
            session, heardfrom.number_signs(caller.number, call.started_at or at), heardfrom.BY_CALL
        ):
            message.trail = [{"step": "recognise", "reason": heardfrom.NOTED_NUMBER}]
        session.add(message)
        session.flush()
        call.message_id = message.id
    _keep_true(session, settings, call)
    session.flush()


def _keep_true(session: Session, settings: Settings, call: Call) -> None:
    write(session, settings, call)
    talk = session.get_one(Conversation, call.conversation_id)
    talk.language = call.language or talk.language
    talk.intent = talk.intent or call.topic
    if talk.contact is not None and talk.contact.source == SOURCE:
        talk.contact.language = talk.contact.language or call.language
    if call.direction == Direction.OUT:
        return
    talk.waiting = talk.waiting or call.state in ASKS_FOR_US
    if call.state == CallState.ANSWERED and call.staff_id is not None and talk.assignee_id is None:
        give(session, talk, routing.Decision("took_the_call", call.staff_id, talk.team_id))
    elif call.state in ASKS_FOR_US:
        assign(session, talk, call.topic, number_outside(call))


def number_outside(call: Call) -> str:
    """The number of the other side."""
    return call.called if call.direction == Direction.OUT else call.caller


def write(session: Session, settings: Settings, call: Call) -> None:
    """Bring the text of a call's message in line: how it ended, what was noted, what was said."""
    if call.message_id is None:
        return
    message = session.get_one(Message, call.message_id)
    seconds = call.voicemail_seconds if call.state == CallState.VOICEMAIL else call.seconds
    words = HISTORY_OUT.get(call.state) if call.direction == Direction.OUT else None
    happened = said(words or HISTORY[call.state], settings.company.default_language, seconds=seconds or 0)
    ours = phoneorders.words_of(session, message.delivery_id)
    spoken = "\n".join(line.text for line in transcripts.of_call(session, call.id))
    message.subject = message.subject or said(SUBJECT, settings.company.default_language)
    message.reply = "\n\n".join(filter(None, (happened, call.note.strip() or shortened(spoken) or ours)))
    message.text = "\n\n".join(filter(None, (happened, call.note.strip(), spoken, ours)))
    message.language = call.language
    of_route = {step.value for step in Step}
    kept = [one for one in message.trail or [] if one.get("step") not in of_route]
    message.trail = [*({"step": one["step"], "reason": one["reason"]} for one in call.route), *kept]
    message.staff_id = call.staff_id


def shortened(spoken: str) -> str:
    """The beginning of a transcript, for the conversation; all of it stands with the call."""
    return spoken if len(spoken) <= SHOWN else spoken[:SHOWN].rsplit(" ", 1)[0] + " …"


def _client(session: Session, settings: Settings, caller: Caller, language: str | None) -> Caller:
    """The caller; one we do not know becomes a contact, unless it is a number nobody here may ring back."""
    if caller.known or caller.number is None or not may_call(caller.number, settings.phone.countries).yes:
        return caller
    contact = Contact(
        name="",
        language=language,
        source=SOURCE,
        points=[ContactPoint(kind=PointKind.PHONE, value=caller.number, source=SOURCE)],
    )
    session.add(contact)
    session.flush()
    return Caller(caller.number, contact, None, language)


def client_of(session: Session, settings: Settings, shown: str, language: str | None) -> Caller:
    """Who a number belongs to, made a contact where nobody has it yet and it may be rung back."""
    return _client(session, settings, recognise(session, shown), language)


def conversation_for(
    session: Session, settings: Settings, caller: Caller, channel: Channel, subject: str, at: datetime
) -> Conversation:
    """The open conversation with a caller, or a new one on their open deal."""
    talk = open_conversation(session, caller)
    if talk is None:
        deal = open_deal(session, caller)
        talk = Conversation(
            subject=subject,
            channel=channel,
            contact=caller.contact,
            account=caller.account,
            deal_id=deal.id if deal else None,
            language=caller.language,
            last_message_at=at,
        )
        session.add(talk)
        session.flush()
    talk.last_message_at = max(talk.last_message_at, at)
    talk.snoozed_until = None
    return talk


def assign(session: Session, talk: Conversation, topic: str | None, number: str | None = None) -> None:
    """Ask the routing rules who gets a conversation that nobody has; `number` is whom it is with."""
    if talk.assignee_id is not None:
        return
    roster = routing.roster(session)
    deal = open_deal(session, Caller(None, talk.contact, talk.account))
    country, region = place_of(Caller(readable(number or ""), talk.contact, talk.account))
    segments, stage = traffic.of_client(session, talk.contact_id, deal.id if deal else None)
    decision = routing.decide(
        routing.Facts(
            segments=segments,
            stage=stage,
            language=talk.language,
            intent=topic or talk.intent,
            country=country,
            region=region,
            industry=talk.account.industry if talk.account else None,
            mailbox=talk.mailbox,
            owner_id=deal.owner_id if deal else None,
            curator_id=talk.account.curator_id if talk.account else None,
            topic_team_id=roster.teams_of_topics.get(topic or talk.intent or ""),
        ),
        roster,
    )
    if decision.staff_id is not None or talk.team_id != decision.team_id:
        give(session, talk, decision)


def give(session: Session, talk: Conversation, decision: routing.Decision) -> None:
    """Give a conversation to whom the rules name, and remember the rule."""
    talk.assignee_id = decision.staff_id
    talk.team_id = decision.team_id if decision.team_id is not None else talk.team_id
    session.add(
        Assignment(
            conversation_id=talk.id, staff_id=decision.staff_id, team_id=decision.team_id, rule=decision.rule
        )
    )
    session.flush()


def announce(session: Session, call: Call) -> None:
    """Tell open screens, when the transaction commits."""
    news = {
        "kind": "call",
        "conversation_id": call.conversation_id,
        "staff_id": call.conversation.assignee_id if call.conversation else None,
        "rings": [*call.rung, *([call.staff_id] if call.staff_id is not None else [])],
    }
    session.execute(select(func.pg_notify(LIVE, json.dumps(news))))
