"""What was said: conversations, their messages in and out, attachments, and the ids that tie them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.accounts import Account, Channel, Contact
from core.bulk import among
from core.db import Base, Id
from core.staff import StaffMember, Team


class ConversationState(StrEnum):
    """Whether a conversation still asks for something."""

    OPEN = "open"
    DONE = "done"


TRANSITIONS: dict[ConversationState, frozenset[ConversationState]] = {
    ConversationState.OPEN: frozenset({ConversationState.DONE}),
    ConversationState.DONE: frozenset({ConversationState.OPEN}),
}
"""A new letter from the client opens a conversation again."""


class Direction(StrEnum):
    """Which way a message went."""

    IN = "in"
    OUT = "out"


class Conversation(Base):
    """One topic with one client, over any channel."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_inbox", "assignee_id", "state", text("last_message_at DESC")),
        Index("ix_conversation_team", "team_id", "state", text("last_message_at DESC")),
        Index("ix_conversation_list", "state", text("last_message_at DESC"), text("id DESC")),
        # What is counted beside every page: few of many rows, read from the index alone.
        Index(
            "ix_conversation_open",
            text("last_message_at DESC"),
            text("id DESC"),
            postgresql_include=["assignee_id", "team_id", "account_id", "snoozed_until"],
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_conversation_beside", "beside_id", postgresql_where=text("beside_id IS NOT NULL")),
        Index("ix_conversation_snoozed", "snoozed_until", postgresql_where=text("snoozed_until IS NOT NULL")),
    )

    id: Mapped[Id]
    subject: Mapped[str] = mapped_column(Text, default="")
    topic_key: Mapped[str] = mapped_column(Text, default="")
    """The subject without reply marks, folded: tells a new topic under an old thread id."""
    channel: Mapped[Channel] = mapped_column(default=Channel.EMAIL)
    state: Mapped[ConversationState] = mapped_column(default=ConversationState.OPEN)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    language: Mapped[str | None] = mapped_column(Text)
    intent: Mapped[str | None] = mapped_column(Text)
    """Intent of the newest classified message; None while nobody is sure."""
    urgency: Mapped[str] = mapped_column(Text, default="normal")
    waiting: Mapped[bool] = mapped_column(default=True)
    """The client wrote last and waits for us."""
    mailbox: Mapped[str | None] = mapped_column(Text)
    """Name of the mailbox the first letter came to; answers go out in its name."""
    beside_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    """The conversation its first letter refers to without its sender taking part in it; a person decides."""
    snoozed_until: Mapped[datetime | None]
    """Nobody wants to see it before then; a client's letter or call brings it back at once."""
    last_message_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    contact: Mapped[Contact | None] = relationship()
    account: Mapped[Account | None] = relationship()
    assignee: Mapped[StaffMember | None] = relationship()
    team: Mapped[Team | None] = relationship()
    messages: Mapped[list[Message]] = relationship(
        back_populates="conversation", order_by="Message.happened_at, Message.id"
    )


class Message(Base):
    """One letter, SMS or note of a call in a conversation."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_conversation", "conversation_id", "happened_at"),
        Index("ix_message_contact", "contact_id", "happened_at"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    direction: Mapped[Direction]
    channel: Mapped[Channel] = mapped_column(default=Channel.EMAIL)
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_message.id"), unique=True)
    """The bytes an incoming letter was read from."""
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), unique=True)
    """The delivery an outgoing message leaves by."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who wrote it, for an outgoing message that a person wrote."""
    rfc_id: Mapped[str | None] = mapped_column(Text, index=True)
    """Message-ID without angle brackets (RFC 5322 section 3.6.4)."""
    subject: Mapped[str] = mapped_column(Text, default="")
    sender_name: Mapped[str] = mapped_column(Text, default="")
    sender: Mapped[str] = mapped_column(Text, default="")
    """Address or number it came from, normal form."""
    recipients: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """``{"to": [[name, address], …], "cc": […]}``"""
    text: Mapped[str] = mapped_column(Text, default="")
    """The whole visible text."""
    reply: Mapped[str] = mapped_column(Text, default="")
    """What is new in it: without quoted history and signature."""
    quoted: Mapped[str] = mapped_column(Text, default="")
    signature: Mapped[str] = mapped_column(Text, default="")
    has_html: Mapped[bool] = mapped_column(default=False, server_default="false")
    language: Mapped[str | None] = mapped_column(Text)
    machine: Mapped[str | None] = mapped_column(Text)
    """What kind of machine wrote it (out_of_office, list, …); None for a person."""
    trail: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """Why each step of the pipeline decided as it did: ``[{"step": …, "reason": …}, …]``."""
    warnings: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """What a reader should beware of, as keys: look-alike domain, failed authentication, defects."""
    sender_checks: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Whether the sender is who the letter says: ``{"spf", "dkim", "dmarc", "domain", "by", "verdict",
    "findings": [{"code", "shown", "real"}, …]}``; None for what we or a machine wrote."""
    forwarded: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """A letter inside it: ``{"name", "address", "date", "subject"}`` as its block says."""
    segment: Mapped[dict[str, Any] | None]
    """Whose letter it was and about what, as `core.traffic` says, when it was filed."""
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When we received or queued it; the sender's own Date is in ``sent_at``."""
    sent_at: Mapped[datetime | None]

    conversation: Mapped[Conversation] = relationship(back_populates="messages")
    contact: Mapped[Contact | None] = relationship()
    staff_member: Mapped[StaffMember | None] = relationship()
    attachments: Mapped[list[Attachment]] = relationship(back_populates="message", order_by="Attachment.id")


class Attachment(Base):
    """A file in a message; its bytes stay in the raw message, or in the document or enclosure it is."""

    __tablename__ = "attachment"

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    """A label only; never a path."""
    content_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    """Bytes after decoding, estimated for very large parts."""
    part: Mapped[str | None] = mapped_column(Text)
    """Path of the MIME part in the raw message, as ``1.2``."""
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    enclosure_id: Mapped[int | None] = mapped_column(ForeignKey("enclosure.id"), index=True)

    message: Mapped[Message] = relationship(back_populates="attachments")


class ThreadId(Base):
    """A Message-ID that belongs to a conversation, whether we hold that letter or only saw it referred to."""

    __tablename__ = "thread_id"

    rfc_id: Mapped[str] = mapped_column(Text, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True, index=True)


def conversations_of_ids(session: Session, rfc_ids: Iterable[str]) -> dict[str, list[int]]:
    """For each Message-ID that is known, the conversations it belongs to, newest first."""
    query = (
        select(ThreadId.rfc_id, ThreadId.conversation_id)
        .where(among(ThreadId.rfc_id, set(rfc_ids)))
        .order_by(ThreadId.conversation_id.desc())
    )
    found: dict[str, list[int]] = {}
    for rfc_id, conversation_id in session.execute(query):
        found.setdefault(rfc_id, []).append(conversation_id)
    return found


def participants(session: Session, conversation_ids: Sequence[int]) -> dict[int, set[str]]:
    """The addresses that took part in each conversation: everybody who wrote or was written to."""
    found: dict[int, set[str]] = {conversation_id: set() for conversation_id in conversation_ids}
    query = select(Message.conversation_id, Message.sender, Message.recipients).where(
        Message.conversation_id.in_(conversation_ids)
    )
    for conversation_id, sender, recipients in session.execute(query):
        found[conversation_id].add(sender)
        for pairs in recipients.values():
            found[conversation_id].update(address for _, address in pairs)
    return found
