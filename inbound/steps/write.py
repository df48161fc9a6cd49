"""Writing down what the steps decided: every table once a batch, by COPY or one statement."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import outbox
from core.accounts import Account, AccountDomain, Channel, Contact, ContactPoint, PointKind
from core.bulk import copy_rows, raw_connection
from core.catalogue import ProductInterest
from core.conversations import Attachment, Conversation, ConversationState, Direction, Message
from core.deals import Deal, StageChange, default_pipeline, first_stage
from core.labels import Classification
from core.outbox import Delivery
from core.routing import Assignment
from core.values import BadAddress, normal_email
from inbound import afterwards
from inbound.authenticity import as_stored
from inbound.reading import Pair
from inbound.work import Batch, Item, Talk

LIVE: Final = "frontdesk_live"
"""The channel on which open screens hear of news (PostgreSQL NOTIFY)."""

SOURCE: Final = "mail"


def write(batch: Batch) -> None:
    """Write everything of the letters that are on their way, in the batch's transaction."""
    items = [item for item in batch.on_their_way() if item.talk is not None]
    _clients(batch)
    _deals(batch)
    _conversations(batch, items)
    _messages(batch.session, items)
    _answered_mailings(batch.session, items)
    _labels(batch, items)
    _triggers(batch)
    if batch.proposals:
        batch.session.execute(update(Deal), batch.proposals)
    outbox.queue_many(batch.session, batch.drafts)
    afterwards.ask_for(batch.session, [item.message_id for item in items if _worth_a_closer_look(item)])
    _announce(batch.session, items)


def _answered_mailings(session: Session, items: list[Item]) -> None:
    """The letter of a mailing joins the conversation that its answer began."""
    for item in items:
        if item.answers is not None and item.talk is not None:
            session.execute(
                update(Delivery)
                .where(Delivery.id == item.answers, Delivery.conversation_id.is_(None))
                .values(conversation_id=item.talk.id)
            )


def _clients(batch: Batch) -> None:
    session, now = batch.session, batch.now
    if batch.companies:
        copy_rows(
            session, Account, ("id", "name", "source", "first_contact_at"),
            [(one.id, one.name, SOURCE, now) for one in batch.companies],
        )  # fmt: skip
        copy_rows(
            session, AccountDomain, ("domain", "account_id"),
            [(one.domain, one.id) for one in batch.companies],
        )  # fmt: skip
    if batch.people:
        copy_rows(
            session, Contact, ("id", "account_id", "name", "position", "language", "source"),
            [
                (one.id, one.company.id if one.company else None, one.name, "", one.language, SOURCE)
                for one in batch.people
            ],
        )  # fmt: skip
        copy_rows(
            session, ContactPoint, ("contact_id", "kind", "value", "source"),
            [(one.id, PointKind.EMAIL, one.email, SOURCE) for one in batch.people],
        )  # fmt: skip


def _deals(batch: Batch) -> None:
    if not batch.deals:
        return
    pipeline = default_pipeline(batch.session)
    stage = first_stage(batch.session, pipeline.id)
    copy_rows(
        batch.session,
        Deal,
        (
            "id", "title", "account_id", "contact_id", "pipeline_id", "stage_id", "owner_id", "source",
            "currency", "need", "solution", "payment_terms", "delivery_terms",
        ),
        [
            (
                one.id, one.title, one.account_id, one.contact_id, pipeline.id, stage.id, one.owner_id,
                one.source, "EUR", "", "", "", "",
            )
            for one in batch.deals
        ],
    )  # fmt: skip
    copy_rows(
        batch.session, StageChange, ("deal_id", "to_stage_id", "reason"),
        [(one.id, stage.id, one.reason) for one in batch.deals],
    )  # fmt: skip


def _triggers(batch: Batch) -> None:
    """Which message opened each deal: said afterwards, because each row names the other."""
    if batch.deals:
        batch.session.execute(
            text(
                "update deal set trigger_message_id = new.message from"
                " unnest(cast(:deals as bigint[]), cast(:messages as bigint[])) as new (deal, message)"
                " where deal.id = new.deal"
            ),
            {
                "deals": [one.id for one in batch.deals],
                "messages": [one.message_id for one in batch.deals],
            },
        )


_TALK = (
    "subject", "topic_key", "channel", "state", "contact_id", "account_id", "deal_id", "assignee_id",
    "team_id", "language", "intent", "urgency", "waiting", "mailbox", "beside_id", "last_message_at",
)  # fmt: skip


def _talk_row(talk: Talk, topic: str, batch: Batch) -> tuple[Any, ...]:
    state = ConversationState.OPEN if talk.open else ConversationState.DONE
    return (
        talk.id, talk.subject, topic, Channel.EMAIL, state, talk.contact_id, talk.account_id, talk.deal_id,
        talk.assignee_id, talk.team_id, talk.language, talk.intent, talk.urgency, talk.waiting, talk.mailbox,
        talk.beside_id, talk.last_message_at or batch.now,
    )  # fmt: skip


def _conversations(batch: Batch, items: list[Item]) -> None:
    session = batch.session
    talks = {item.talk.id: item.talk for item in items if item.talk is not None}
    new = [talk for talk in talks.values() if talk.new]
    copy_rows(
        session,
        Conversation,
        ("id", *_TALK),
        [_talk_row(talk, talk.topic, batch) for talk in new],
    )
    changed = [_update_of(talk, batch) for talk in talks.values() if talk.changed and not talk.new]
    if changed:
        session.execute(_UPDATE, changed)
    decided = [talk for talk in talks.values() if talk.decision is not None]
    copy_rows(
        session, Assignment, ("conversation_id", "staff_id", "team_id", "rule"),
        [
            (talk.id, talk.decision.staff_id, talk.decision.team_id, talk.decision.rule)
            for talk in decided
            if talk.decision is not None
        ],
    )  # fmt: skip
    if batch.thread_ids:
        pairs = sorted(batch.thread_ids)
        raw_connection(session).execute(
            "INSERT INTO thread_id (rfc_id, conversation_id)"
            " SELECT * FROM unnest(%s::text[], %s::bigint[]) ON CONFLICT DO NOTHING",
            ([one for one, _ in pairs], [one for _, one in pairs]),
        )


_UPDATE = text(
    "update conversation set state = :state, contact_id = :contact_id, account_id = :account_id,"
    " deal_id = :deal_id, assignee_id = :assignee_id, team_id = :team_id, language = :language,"
    " intent = :intent, urgency = :urgency, waiting = :waiting, last_message_at = :last_message_at,"
    " snoozed_until = case when :woken then null else snoozed_until end"
    " where id = :id"
)


def _update_of(talk: Talk, batch: Batch) -> dict[str, Any]:
    return {
        "id": talk.id,
        "state": (ConversationState.OPEN if talk.open else ConversationState.DONE).value,
        "contact_id": talk.contact_id,
        "account_id": talk.account_id,
        "deal_id": talk.deal_id,
        "assignee_id": talk.assignee_id,
        "team_id": talk.team_id,
        "language": talk.language,
        "intent": talk.intent,
        "urgency": talk.urgency,
        "waiting": talk.waiting,
        "woken": talk.woken,
        "last_message_at": talk.last_message_at or batch.now,
    }


def _messages(session: Session, items: list[Item]) -> None:
    copy_rows(
        session,
        Message,
        (
            "id", "conversation_id", "contact_id", "direction", "channel", "raw_id", "staff_id", "rfc_id",
            "subject", "sender_name", "sender", "recipients", "text", "reply", "quoted", "signature",
            "has_html", "language", "machine", "trail", "warnings", "sender_checks", "forwarded",
            "segment", "happened_at", "sent_at",
        ),
        [_message_row(item) for item in items],
    )  # fmt: skip
    copy_rows(
        session,
        Attachment,
        ("message_id", "name", "content_type", "size", "part"),
        [
            (item.message_id, name, content_type, size, path or None)
            for item in items
            for name, content_type, size, path in item.reading.attachments
        ],
    )


def _message_row(item: Item) -> tuple[Any, ...]:
    reading, talk = item.reading, item.talk
    language = (item.labels.language if item.labels else None) or reading.language
    return (
        item.message_id,
        talk.id if talk else None,
        item.person.id if item.person else None,
        Direction.IN if item.staff_id is None else Direction.OUT,
        Channel.EMAIL,
        item.raw.id,
        item.staff_id,
        reading.message_id or None,
        reading.subject,
        item.sender_name,
        item.sender or (reading.from_[1] if reading.from_ else ""),
        {"to": _pairs(reading.to), "cc": _pairs(reading.cc)},
        reading.text,
        reading.reply,
        reading.quoted,
        reading.signature,
        reading.has_html,
        language,
        item.machine,
        item.trail,
        item.warnings,
        _sender_checks(item),
        _forwarded(item),
        item.segment,
        item.came_at,
        reading.sent_at(),
    )


def _worth_a_closer_look(item: Item) -> bool:
    """A person's letter that may say something of its writer, or be signed without anybody having checked."""
    if not item.human or item.person is None:
        return False
    unchecked = item.reading.signed and item.checks is not None and not item.checks.by
    return unchecked or bool(item.reading.signature)


def _sender_checks(item: Item) -> dict[str, Any] | None:
    if item.checks is None or item.staff_id is not None or item.reading.from_ is None:
        return None
    return as_stored(item.checks, item.reading.from_[1].rpartition("@")[2].lower(), item.findings)


def _forwarded(item: Item) -> dict[str, str] | None:
    if item.reading.forward is None or not item.reading.forward[1]:
        return None
    name, address, subject, date = item.reading.forward
    return {"name": name, "address": address, "subject": subject, "date": date}


def _pairs(pairs: tuple[Pair, ...]) -> list[list[str]]:
    written = []
    for name, address in pairs:
        try:
            written.append([name, normal_email(address)])
        except BadAddress:
            written.append([name, address.lower()])
    return written


def _labels(batch: Batch, items: list[Item]) -> None:
    labelled = [(item, item.labels) for item in items if item.labels is not None]
    copy_rows(
        batch.session,
        Classification,
        (
            "message_id", "language", "intent", "confidence", "alternatives", "urgency", "signal",
            "interests", "reasons", "abstained", "model_version",
        ),
        [
            (
                item.message_id, labels.language, labels.intent, labels.confidence,
                [list(one) for one in labels.alternatives], labels.urgency, labels.signal,
                [list(one) for one in labels.interests],
                [{"kind": one.kind, "text": one.text, "weight": one.weight} for one in labels.reasons],
                labels.abstained, labels.model_version,
            )
            for item, labels in labelled
        ],
    )  # fmt: skip
    written = {item.raw.id for item in items}
    rows = [
        {
            "product_id": product, "contact_id": contact, "account_id": account,
            "message_id": item.message_id, "confidence": confidence, "reason": reason,
        }
        for product, contact, account, item, confidence, reason in batch.interests
        if item.raw.id in written
    ]  # fmt: skip
    if rows:
        batch.session.execute(insert(ProductInterest).values(rows).on_conflict_do_nothing())


def _announce(session: Session, items: list[Item]) -> None:
    """Tell open screens, when the transaction commits."""
    news = [
        json.dumps({"kind": "message", "conversation_id": item.talk.id, "staff_id": item.talk.assignee_id})
        for item in items
        if item.talk is not None
    ]
    if news:
        session.execute(
            select(text("pg_notify(:channel, payload)")).select_from(
                text("unnest(cast(:payloads as text[])) as news (payload)")
            ),
            {"channel": LIVE, "payloads": list(dict.fromkeys(news))},
        )
