"""Campaigns: one mailing to many contacts, by mail or SMS, with a row for each recipient and a text in each
language.

A campaign is written as a draft, checked, started at once or at a time, and then goes out a page at a time:
who receives it is written down first (`core.campaign_audience`), then each row is turned into a delivery when
its time has come (`outbound.campaigns`). A row becomes a delivery once, in the transaction that queues it, so
no kill, pause or edit makes a second copy.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.accounts import Channel
from core.db import Base, Id
from core.staff import StaffMember


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    """Being written."""
    SCHEDULED = "scheduled"
    """Waits for its time."""
    RUNNING = "running"
    """Its recipients are written down and queued, page by page."""
    PAUSED = "paused"
    """A person stopped it for now; what was queued waits as well."""
    ASKING = "asking"
    """Its time went by while nothing ran, or it stood still for long: a person says whether it still goes."""
    FINISHED = "finished"
    """Everybody was written to or left out for a reason."""
    CANCELLED = "cancelled"
    """A person ended it; what was queued is cancelled."""


S = CampaignState
TRANSITIONS: dict[CampaignState, frozenset[CampaignState]] = {
    S.DRAFT: frozenset({S.SCHEDULED, S.RUNNING, S.CANCELLED}),
    S.SCHEDULED: frozenset({S.DRAFT, S.RUNNING, S.PAUSED, S.ASKING, S.CANCELLED}),
    S.RUNNING: frozenset({S.PAUSED, S.ASKING, S.FINISHED, S.CANCELLED}),
    S.PAUSED: frozenset({S.SCHEDULED, S.RUNNING, S.CANCELLED}),
    S.ASKING: frozenset({S.SCHEDULED, S.RUNNING, S.CANCELLED}),
    S.FINISHED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""Which state may follow which."""

LIVE = (S.SCHEDULED, S.RUNNING)
"""States in which the campaign moves by itself."""
HOLDING = (S.PAUSED, S.ASKING)
"""States in which what was queued waits."""
EDITABLE = (S.DRAFT, S.SCHEDULED, S.RUNNING, S.PAUSED, S.ASKING)
"""States in which its texts may still change: for whom has not been queued yet."""


class RecipientState(StrEnum):
    """Where one recipient of a campaign stands; once queued, the delivery's state says the rest."""

    WAITING = "waiting"
    QUEUED = "queued"
    SKIPPED = "skipped"


class Skip(StrEnum):
    """Why a recipient was left out."""

    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_CONSENT = "no_consent"
    DUPLICATE = "duplicate"
    """Somebody else of the audience has the same address or number."""
    NO_TEXT = "no_text"
    """There is no text in a language they could be sent."""
    PRESSURE = "pressure"
    """They would have been written to too often, for as long as the campaign was ready to wait."""
    MACHINE = "machine"
    """The address says that nobody reads it."""


class Goal(StrEnum):
    """What decides between the variants of a campaign; opens never do."""

    REPLIES = "replies"
    DEALS = "deals"


class Campaign(Base):
    """One mailing to many."""

    __tablename__ = "campaign"
    __table_args__ = (
        Index(
            "ix_campaign_live",
            "state",
            "start_at",
            postgresql_where=text("state IN ('scheduled', 'running')"),
        ),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[CampaignState] = mapped_column(default=CampaignState.DRAFT)
    channel: Mapped[Channel] = mapped_column(default=Channel.EMAIL)
    topic: Mapped[str] = mapped_column(Text, default="offers", server_default="offers")
    """What it is about, of `core.consent.Topic`: who said no to that is left out."""
    needs_consent: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Only to who agreed in so many words."""
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segment.id"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("contact_list.id"))
    contact_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list, server_default="{}")
    """Contacts put together by hand; the audience is the segment, the list and these together."""
    language: Mapped[str] = mapped_column(Text, default="en", server_default="en")
    """What is sent where the contact's own language is not known or has no text."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who made it; in whose name it goes where ``in_own_name``."""
    in_own_name: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Written in the name of each client's curator, where there is one."""
    mailbox: Mapped[str | None] = mapped_column(Text)
    """Name of the mailbox where answers are to come."""
    start_at: Mapped[datetime | None]
    """When it begins; None for at once."""
    local_time: Mapped[bool] = mapped_column(default=False, server_default="false")
    """``start_at`` is the time on the clock of each recipient's place."""
    pace_per_minute: Mapped[int] = mapped_column(default=0, server_default="0")
    """Recipients queued a minute at most; 0 for no limit but what domains accept."""
    patience_hours: Mapped[int] = mapped_column(default=72, server_default="72")
    """How long a recipient who was written to enough lately is waited for before they are left out."""
    test_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    """Share of the audience that gets the variants first; 0 where there is one variant."""
    test_hours: Mapped[int] = mapped_column(default=24, server_default="24")
    goal: Mapped[Goal] = mapped_column(default=Goal.REPLIES, server_default="replies")
    winner: Mapped[str | None] = mapped_column(Text)
    """The variant that the rest of the audience gets."""
    winner_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    """Grows with every edit, so that two people do not overwrite each other."""
    frozen_upto: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Contacts up to this id were looked at while recipients were written down."""
    frozen_at: Mapped[datetime | None]
    """When the last recipient was written down."""
    tested_at: Mapped[datetime | None]
    """When the last recipient of the test was queued."""
    promoted_at: Mapped[datetime | None]
    """When a page was last queued."""
    beat_at: Mapped[datetime | None]
    """When a worker last looked at it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    staff_member: Mapped[StaffMember | None] = relationship()


class CampaignText(Base):
    """What a campaign says in one language and variant; an edit adds a row and closes the one before."""

    __tablename__ = "campaign_text"
    __table_args__ = (
        Index(
            "uq_campaign_text_current", "campaign_id", "variant", "language",
            unique=True, postgresql_where=text("replaced_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    variant: Mapped[str] = mapped_column(Text, default="A")
    language: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text, default="")
    """Empty for SMS."""
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    """Own HTML of the letter's body; made of the text where there is none."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    replaced_at: Mapped[datetime | None]


class CampaignRecipient(Base):
    """One contact of a campaign: the primary key is why nobody gets a second copy."""

    __tablename__ = "campaign_recipient"
    __table_args__ = (
        Index(
            "ix_campaign_recipient_waiting", "campaign_id", "due_at", "contact_id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_campaign_recipient_delivery", "delivery_id"),
        Index("ix_campaign_recipient_contact", "contact_id"),
    )  # fmt: skip

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    state: Mapped[RecipientState] = mapped_column(default=RecipientState.WAITING)
    variant: Mapped[str | None] = mapped_column(Text)
    """None for the part of the audience that gets the winner."""
    domain: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Of the address they had when they were written down; the pace goes by it."""
    language: Mapped[str | None] = mapped_column(Text)
    """What they were sent."""
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    skip: Mapped[Skip | None]
    queued_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]
    """When they followed the link in this campaign's letter."""


class CampaignEvent(Base):
    """What happened to a campaign, and who did it."""

    __tablename__ = "campaign_event"

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    state: Mapped[CampaignState]
    """The state it came into, or stayed in."""
    detail: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())
