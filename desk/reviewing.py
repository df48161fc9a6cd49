"""Everything that waits for a person's decision, of every kind, in one order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from classifier import review
from core import approvalreads
from core.accounts import Account, Contact
from core.approvalasks import Approval
from core.conversations import Conversation, Message
from core.deals import Deal, Stage
from core.i18n import N_
from core.labels import Classification
from core.sessions import SignedIn
from desk import tables
from desk.access import LEADERS, SALES, visible

EACH = 50
"""So many of a kind are listed at most; the next come as these are decided."""


class Kind(StrEnum):
    """What there is to decide."""

    APPROVAL = "approval"
    RETURNED = "returned"
    SEND = "send"
    QUARANTINE = "quarantine"
    BESIDE = "beside"
    STAGE = "stage"
    TOPIC = "topic"


KIND_NAMES: dict[Kind, str] = {
    Kind.APPROVAL: N_("May it leave?"),
    Kind.RETURNED: N_("It came back to you"),
    Kind.SEND: N_("Did it arrive?"),
    Kind.QUARANTINE: N_("Could not be read"),
    Kind.BESIDE: N_("One conversation or two?"),
    Kind.STAGE: N_("Move the deal?"),
    Kind.TOPIC: N_("What is it about?"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to decide."""

    kind: Kind
    number: int
    """Of the approval, delivery, raw letter, conversation, deal or message."""
    title: str
    who: str
    at: datetime
    conversation_id: int | None = None
    template: str | None = None
    """Of a letter whose title is its template's name."""

    @property
    def key(self) -> str:
        """Its name in addresses."""
        return f"{self.kind}-{self.number}"


def items(session: Session, viewer: SignedIn) -> list[Item]:
    """What this person may decide: first what clients wait for."""
    return [item for kind in Kind for item in _READERS[kind](session, viewer)]


def count_query(viewer: SignedIn) -> dict[str, Select[*tuple[Any, ...]]]:
    """What to count of the kinds that no other count covers, each a query of ids."""
    newest = (
        select(Classification.message_id)
        .where(Classification.abstained, Classification.reviewed_at.is_(None))
        .limit(tables.MANY)
        .subquery()
    )
    topics = select(newest.c.message_id)
    if viewer.role not in LEADERS:
        topics = (
            topics.join(Message, Message.id == newest.c.message_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(visible(viewer))
        )
    found: dict[str, Select[*tuple[Any, ...]]] = {
        "approval": select(Approval.id).where(approvalreads.to_decide(viewer.staff_id)),
        "returned": select(Approval.id).where(_came_back(viewer)),
        "topic": topics,
        "beside": select(Conversation.id).where(Conversation.beside_id.is_not(None), visible(viewer)),
    }
    if viewer.role in SALES:
        found["stage"] = _stage_query(viewer).with_only_columns(Deal.id)
    return found


def _approvals(session: Session, viewer: SignedIn) -> list[Item]:
    return _asked(session, Kind.APPROVAL, approvalreads.to_decide(viewer.staff_id))


def _returned(session: Session, viewer: SignedIn) -> list[Item]:
    return _asked(session, Kind.RETURNED, _came_back(viewer))


def _came_back(viewer: SignedIn) -> ColumnElement[bool]:
    return approvalreads.came_back(viewer.staff_id, leads=viewer.role in LEADERS)


def _asked(session: Session, kind: Kind, which: ColumnElement[bool]) -> list[Item]:
    longest_first = approvalreads.listing().where(which).order_by(None).order_by(Approval.id)
    rows = session.execute(longest_first.limit(EACH))
    return [
        Item(
            kind,
            one.id,
            letter.subject,
            client or letter.recipient_name or letter.address,
            one.decided_at or one.asked_at,
            letter.conversation_id,
            template=letter.template if letter.template != "answer" else None,
        )
        for one, letter, client in rows
    ]


def _sends(session: Session, viewer: SignedIn) -> list[Item]:
    rows = session.execute(tables.uncertain_query(viewer).limit(EACH))
    return [
        Item(
            Kind.SEND,
            row.id,
            row.subject,
            row.recipient_name or row.address,
            row.settled_at or row.created_at,
            row.conversation_id,
        )
        for row in rows
    ]


def _stuck(session: Session, viewer: SignedIn) -> list[Item]:
    if viewer.role not in LEADERS:
        return []
    rows = tables.quarantined(session)[:EACH]
    return [Item(Kind.QUARANTINE, row.id, row.error or "", row.source, row.stored_at) for row in rows]


def _client() -> Any:
    return func.coalesce(func.nullif(Account.name, ""), func.nullif(Contact.name, ""), "")


def _beside(session: Session, viewer: SignedIn) -> list[Item]:
    query = (
        select(Conversation.id, Conversation.subject, _client(), Conversation.last_message_at)
        .outerjoin(Account, Conversation.account_id == Account.id)
        .outerjoin(Contact, Conversation.contact_id == Contact.id)
        .where(Conversation.beside_id.is_not(None), visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(EACH)
    )
    return [
        Item(Kind.BESIDE, number, subject, who, at, number)
        for number, subject, who, at in session.execute(query)
    ]


def _stage_query(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    talk = (
        select(Conversation.id)
        .where(Conversation.deal_id == Deal.id, visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(1)
        .correlate(Deal)
        .scalar_subquery()
    )
    return (
        select(Deal.id, Deal.title, _client(), Stage.names, Deal.stage_entered_at, talk)
        .join(Stage, Deal.proposed_stage_id == Stage.id)
        .outerjoin(Account, Deal.account_id == Account.id)
        .outerjoin(Contact, Deal.contact_id == Contact.id)
        .where(Deal.proposed_stage_id.is_not(None), Deal.outcome.is_(None), talk.is_not(None))
        .order_by(Deal.id.desc())
        .limit(EACH)
    )


def _stages(session: Session, viewer: SignedIn) -> list[Item]:
    if viewer.role not in SALES:
        return []
    return [
        Item(Kind.STAGE, row[0], row[1] or f"S-{row[0]}", row[2], row[4], row[5])
        for row in session.execute(_stage_query(viewer))
    ]


def _topics(session: Session, viewer: SignedIn) -> list[Item]:
    asked = [one.message_id for one in review.queue(session, EACH, visible(viewer))]
    query = (
        select(
            Message.id,
            func.coalesce(func.nullif(Message.subject, ""), Conversation.subject),
            func.coalesce(func.nullif(Message.sender_name, ""), Message.sender),
            Message.happened_at,
            Message.conversation_id,
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id.in_(asked))
    )
    found = {row[0]: Item(Kind.TOPIC, *row) for row in session.execute(query)}
    return [found[number] for number in asked if number in found]


_READERS: dict[Kind, Callable[[Session, SignedIn], list[Item]]] = {
    Kind.APPROVAL: _approvals,
    Kind.RETURNED: _returned,
    Kind.SEND: _sends,
    Kind.QUARANTINE: _stuck,
    Kind.BESIDE: _beside,
    Kind.STAGE: _stages,
    Kind.TOPIC: _topics,
}
