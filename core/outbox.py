"""The send ledger: every mail, SMS, call or fax that is to leave is a delivery in exactly one state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import approvalasks, fileasks, outbox_history, outbox_rows, traffic
from core.accounts import Channel, Contact
from core.consent import address_key
from core.copies import Reader
from core.db import Base, Id
from core.errors import IllegalTransition
from core.outbox_history import Copy
from core.outbox_rows import new_token
from core.values import email_domain, normal_email


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    HELD = "held"
    """Waits for somebody's word (`core.approvals`); it cannot leave before that."""
    QUEUED = "queued"
    CLAIMED = "claimed"
    """A worker holds its lease and prepares it; nothing was transmitted yet."""
    TRANSMITTING = "transmitting"
    """Committed before the final dot (RFC 5321 section 4.1.1.4): a lost line now leaves its fate open."""
    SENT = "sent"
    """The server took responsibility."""
    DEFERRED = "deferred"
    """Refused for now; tried again at ``due_at``."""
    REFUSED = "refused"
    """Refused for good."""
    UNCERTAIN = "uncertain"
    """The line was lost when the server may already have taken it; never repeated by itself."""
    DELIVERED = "delivered"
    """Known to have arrived: a delivery report or an answer to it came."""
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    """Not sent: the address is on the suppression list."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Not sent within its time."""


S = DeliveryState
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.HELD: frozenset({S.QUEUED, S.SUPPRESSED, S.CANCELLED}),
    S.QUEUED: frozenset({S.CLAIMED, S.HELD, S.SUPPRESSED, S.CANCELLED, S.EXPIRED}),
    S.CLAIMED: frozenset(
        {S.TRANSMITTING, S.QUEUED, S.DEFERRED, S.REFUSED, S.SUPPRESSED, S.CANCELLED, S.EXPIRED}
    ),
    S.TRANSMITTING: frozenset({S.SENT, S.DEFERRED, S.REFUSED, S.UNCERTAIN}),
    S.DEFERRED: frozenset({S.CLAIMED, S.SUPPRESSED, S.CANCELLED, S.EXPIRED}),
    S.UNCERTAIN: frozenset(
        {S.SENT, S.DEFERRED, S.REFUSED, S.QUEUED, S.CANCELLED, S.DELIVERED, S.BOUNCED, S.COMPLAINED}
    ),
    S.SENT: frozenset({S.DELIVERED, S.BOUNCED, S.COMPLAINED}),
    S.DELIVERED: frozenset({S.BOUNCED, S.COMPLAINED}),
    S.BOUNCED: frozenset({S.COMPLAINED}),
    S.REFUSED: frozenset(),
    S.COMPLAINED: frozenset(),
    S.SUPPRESSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
"""Which state may follow which. Uncertain → queued happens only when a person says "send again"; uncertain →
deferred or refused only when the worker that held it comes back and knows that it was not taken. Queued →
held takes back a word that let it go, as long as no worker has claimed it."""

WAITING = (S.QUEUED, S.DEFERRED)
WAKE_UP = "frontdesk_outbox"
"""The PostgreSQL channel on which workers hear that something was queued."""
QUEUED_AT_ONCE = 500
"""Deliveries in one statement."""
EXPIRY = timedelta(days=5)
"""How long a delivery is tried (RFC 5321 section 4.5.4.1: four to five days)."""
AUTO_ANSWER_GAP = timedelta(days=7)
"""Least time between two automatic answers to one address (RFC 5230 section 4.2)."""


class Purpose(StrEnum):
    """Why something is sent; decides which opt-outs stop it."""

    ANSWER = "answer"
    """A person answers or writes to a client."""
    SERVICE = "service"
    """What the client asked for or the deal calls for: acknowledgement, offer, proposal."""
    MARKETING = "marketing"
    """Follow-ups, brochures unasked for, mailings: needs a way to opt out."""
    STAFF = "staff"
    """A notice to our own staff."""


class Delivery(Base):
    """One thing to send to one address on one channel."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_due", "channel", "priority", "due_at", "id",
            postgresql_where=text("state IN ('queued', 'deferred')"),
        ),
        Index(
            "ix_delivery_leased", "lease_until",
            postgresql_where=text("state IN ('claimed', 'transmitting')"),
        ),
        Index("ix_delivery_copy", "copy_of_id", postgresql_where=text("copy_of_id IS NOT NULL")),
        Index("ix_delivery_uncertain", "id", postgresql_where=text("state = 'uncertain'")),
        Index(
            "ix_delivery_campaign_open", "campaign_id",
            postgresql_where=text(
                "campaign_id IS NOT NULL AND state IN ('queued', 'claimed', 'transmitting', 'deferred')"
            ),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    """Names the intention, so that the same cause queues it once only: ``stage_change:17:brochure``."""
    token: Mapped[str] = mapped_column(Text, unique=True)
    """128 random bits in hexadecimal; our reply key in Message-ID and envelope sender."""
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.QUEUED)
    channel: Mapped[Channel] = mapped_column(default=Channel.EMAIL)
    purpose: Mapped[Purpose] = mapped_column(default=Purpose.SERVICE)
    automatic: Mapped[bool] = mapped_column(default=True)
    """No person wrote it; marked so for other machines (RFC 3834 section 5)."""
    copy_of_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    """The letter it is a copy of, and from which it takes its words; None for the letter itself."""
    addressed: Mapped[dict[str, Any] | None]
    """Whom the header of a letter with copies names: ``{"to": [[name, address]], "cc": […]}``."""
    address: Mapped[str] = mapped_column(Text)
    address_key: Mapped[str] = mapped_column(Text, index=True)
    """The form compared with the suppression list."""
    domain: Mapped[str] = mapped_column(Text, default="")
    recipient_name: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """In whose name it goes out."""
    mailbox: Mapped[str | None] = mapped_column(Text)
    """Name of the mailbox in whose name it goes out, so that answers come back there."""
    template: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text, default="en")
    values: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What the placeholders stood for when it was queued."""
    segment: Mapped[dict[str, Any] | None]
    """Whose letter it is and about what, as `core.traffic` says, when it was queued."""
    subject: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, default="")
    """The text a person wrote; empty where the template holds it all."""
    documents: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Keys of documents to be made and attached."""
    versions: Mapped[dict[str, Any] | None]
    """By ``kind/key``: what somebody read before it left, and it goes out in (`templates.asread`)."""
    files: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """What the client may download: ``[{"key", "name", "size", "until"}]``, see `core.fileasks`."""
    in_reply_to: Mapped[str | None] = mapped_column(Text)
    reference_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    """The mailing it belongs to."""
    priority: Mapped[int] = mapped_column(default=5)
    """1 is first; a person's answers go before mailings."""
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '5 days'"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None]
    rfc_id: Mapped[str | None] = mapped_column(Text, index=True)
    """Message-ID it goes out under, the same at every attempt."""
    reply: Mapped[str | None] = mapped_column(Text)
    """What the server last said."""
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship()


class DeliveryEvent(Base):
    """Something that happened to a delivery."""

    __tablename__ = "delivery_event"

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    state: Mapped[DeliveryState]
    """The state it came into."""
    detail: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AutoAnswer(Base):
    """When an address last got an automatic answer from us."""

    __tablename__ = "auto_answer"

    address: Mapped[str] = mapped_column(Text, primary_key=True)
    answered_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Draft:
    """What to queue; see the columns of Delivery for the meaning of each."""

    key: str
    address: str
    channel: Channel = Channel.EMAIL
    purpose: Purpose = Purpose.SERVICE
    automatic: bool = True
    recipient_name: str = ""
    contact_id: int | None = None
    conversation_id: int | None = None
    deal_id: int | None = None
    staff_id: int | None = None
    mailbox: str | None = None
    template: str | None = None
    language: str = "en"
    values: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    body: str = ""
    documents: Sequence[str] = ()
    files: Sequence[int] = ()
    """Files of the library to be downloaded by a link, besides those that go with the template."""
    copies: Sequence[Reader] = ()
    """Who else gets this letter, and stands in its header."""
    approver: str = ""
    """Whose word it needs before it leaves, from `core.approvalasks.asked_by`."""
    in_reply_to: str | None = None
    reference_ids: Sequence[str] = ()
    campaign_id: int | None = None
    priority: int = 5
    due_at: datetime | None = None
    expires_at: datetime | None = None


def _row(draft: Draft) -> dict[str, Any]:
    """What goes into the database as JSON: the draft, its address in its normal form, a token."""
    mail = draft.channel == Channel.EMAIL
    address = normal_email(draft.address) if mail else draft.address
    row: dict[str, Any] = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    row |= {
        "address": address,
        "address_key": address_key(draft.channel, address),
        "domain": email_domain(address) if mail else "",
        "token": new_token(),
        "values": dict(draft.values),
        "documents": list(draft.documents),
        "state": "queued",
        "files": list(draft.files),
        "copies": [{"name": one.name, "address": normal_email(one.address)} for one in draft.copies],
        "copy_of_id": None,
        "addressed": None,
        "reference_ids": list(draft.reference_ids),
        "due_at": draft.due_at and draft.due_at.isoformat(),
        "expires_at": draft.expires_at and draft.expires_at.isoformat(),
    }
    return row


def queue(session: Session, draft: Draft) -> int | None:
    """Queue one delivery in the caller's transaction; returns its id, or None when its key was queued before.

    Raises BadAddress or BadPhone for an address that nothing can be sent to.
    """
    ids = queue_many(session, [draft])
    return ids[0] if ids else None


def queue_many(session: Session, drafts: Iterable[Draft]) -> list[int]:
    """Queue many deliveries, some hundreds in one statement; returns the ids of those whose keys were new.

    What needs somebody's word is held until it is given. What a person wrote stands in its conversation's
    history at once. Workers hear of it when the transaction commits.
    """
    given = list(drafts)
    queued: list[int] = []
    for start in range(0, len(given), QUEUED_AT_ONCE):
        rows = {draft.key: _row(draft) for draft in given[start : start + QUEUED_AT_ONCE]}
        _mark(session, list(rows.values()))
        links = fileasks.lay_beside(session, rows.values())
        asks = approvalasks.needed(session, rows.values())
        for key in asks:
            rows[key]["state"] = DeliveryState.HELD
        outbox_rows.address(session, rows.values())
        fresh = outbox_rows.lay(session, list(rows.values()), EXPIRY)
        if copies := [one for number, key in fresh for one in outbox_rows.copies_of(number, rows[key])]:
            outbox_rows.lay(session, copies, EXPIRY)
        outbox_history.file_copies(
            session,
            [_copy(delivery_id, rows[key]) for delivery_id, key in fresh if _by_hand(rows[key])],
        )
        approvalasks.wait(
            session, [(number, rows[key]["staff_id"], asks[key]) for number, key in fresh if key in asks]
        )
        linked = [(number, rows[key], links[key]) for number, key in fresh if key in links]
        fileasks.make_links(session, linked)
        queued += [delivery_id for delivery_id, _ in fresh]
    if queued:
        session.execute(select(func.pg_notify(WAKE_UP, "")))
    return queued


def _mark(session: Session, rows: list[dict[str, Any]]) -> None:
    """Say on each row whose letter it is and about what."""
    known = traffic.look_up(
        session,
        (row["contact_id"] for row in rows),
        (row["deal_id"] for row in rows),
        (row["conversation_id"] for row in rows),
    )
    for row in rows:
        row["segment"] = known.of(row["contact_id"], row["deal_id"], conversation_id=row["conversation_id"])
        if (names := known.names.get(row["contact_id"] or 0)) and "client" in row["values"]:
            client = row["values"]["client"] | {"segments": traffic.named(names)}
            row["values"] = row["values"] | {"client": client}


def _by_hand(row: dict[str, Any]) -> bool:
    return row["conversation_id"] is not None and not row["automatic"]


def _copy(delivery_id: int, row: dict[str, Any]) -> Copy:
    return Copy(
        delivery_id=delivery_id,
        conversation_id=row["conversation_id"],
        contact_id=row["contact_id"],
        staff_id=row["staff_id"],
        channel=row["channel"],
        recipient_name=row["recipient_name"],
        recipient=row["address"],
        subject=row["subject"],
        text=row["body"],
        language=row["language"],
        by_hand=row["state"] == DeliveryState.QUEUED,
        copied=(row["addressed"] or {}).get("cc", ()),
    )


def may_answer_automatically(session: Session, address: str) -> bool:
    """Take the right to answer an address automatically; granted at most once in seven days.

    Safe against two workers at once: the row decides, and it goes back with a rolled back transaction.
    """
    return bool(may_answer_many(session, [address]))


def may_answer_many(session: Session, addresses: Iterable[str]) -> set[str]:
    """The same for many addresses in one statement; returns those that were granted.

    Of addresses that differ in a ``+tag`` only the first is.
    """
    by_key: dict[str, str] = {}
    for address in addresses:
        by_key.setdefault(address_key(Channel.EMAIL, address), address)
    if not by_key:
        return set()
    row = insert(AutoAnswer).values([{"address": key} for key in sorted(by_key)])
    granted = session.scalars(
        row.on_conflict_do_update(
            index_elements=[AutoAnswer.address],
            set_={"answered_at": func.now()},
            where=AutoAnswer.answered_at < func.now() - AUTO_ANSWER_GAP,
        ).returning(AutoAnswer.address)
    )
    return {by_key[key] for key in granted}


def settle(
    session: Session,
    delivery_id: int,
    state: DeliveryState,
    *,
    detail: str = "",
    staff_id: int | None = None,
    wait: timedelta = timedelta(),
) -> None:
    """Bring one delivery into another state and log it. Raises IllegalTransition where the table forbids it.

    For what people and reports decide; workers settle whole pages at once. What is queued leaves after
    ``wait``.
    """
    sources = [before for before, after in TRANSITIONS.items() if state in after]
    values: dict[str, Any] = {
        "state": state,
        "settled_at": func.now(),
        "lease_owner": None,
        "lease_until": None,
    }
    if state == DeliveryState.QUEUED:
        values |= {"due_at": func.now() + wait, "expires_at": func.now() + wait + EXPIRY, "settled_at": None}
    if state == DeliveryState.HELD:
        values["settled_at"] = None
    done = session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(sources))
        .values(values)
        .returning(Delivery.id)
    ).first()
    if done is None:
        present = session.scalar(select(Delivery.state).where(Delivery.id == delivery_id))
        raise IllegalTransition(f"A delivery that is {present} cannot become {state}.")
    session.add(DeliveryEvent(delivery_id=delivery_id, state=state, detail=detail, staff_id=staff_id))
    session.flush()
    if state == DeliveryState.QUEUED:
        session.execute(select(func.pg_notify(WAKE_UP, "")))


def by_token(session: Session, tokens: Iterable[str]) -> dict[str, Delivery]:
    """Our deliveries among some reply keys."""
    return {
        row.token: row for row in session.scalars(select(Delivery).where(Delivery.token.in_(set(tokens))))
    }


def counts(session: Session) -> dict[str, int]:
    """How many deliveries are in each state; every state is named, also at nought."""
    found = dict(session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all())
    return {state.value: found.get(state, 0) for state in DeliveryState}
