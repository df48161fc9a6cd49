"""Deals and the stages they pass: opening, moving, closing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, Text, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import clock, provenance
from core.accounts import Account, Contact
from core.catalogue import Product
from core.db import Base, Id
from core.errors import Conflict, IllegalTransition, InputRefused
from core.pipelines import Pipeline, Stage, default_pipeline, first_stage
from core.provenance import Origin, Subject
from core.staff import StaffMember
from core.values import Money


class Outcome(StrEnum):
    """How a deal ended."""

    WON = "won"
    LOST = "lost"


class WinReason(StrEnum):
    """Why a deal was won."""

    PRICE = "price"
    PRODUCT = "product"
    SERVICE = "service"
    TERMS = "terms"
    TRUST = "trust"
    ONLY_US = "only_us"
    OTHER = "other"


class Initiative(StrEnum):
    """Who turned to whom first."""

    OURS = "ours"
    THEIRS = "theirs"


class Interest(StrEnum):
    """How much a client wants it, after a demo."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    READY = "ready"
    """Ready to buy."""


class LossReason(StrEnum):
    """Why a deal was lost."""

    PRICE = "price"
    COMPETITOR = "competitor"
    NO_BUDGET = "no_budget"
    NO_NEED = "no_need"
    TIMING = "timing"
    NO_ANSWER = "no_answer"
    OTHER = "other"


class Deal(Base):
    """A possible sale to one account."""

    __tablename__ = "deal"
    __table_args__ = (
        Index("ix_deal_open", "account_id", postgresql_where=text("outcome IS NULL")),
        Index("ix_deal_account_id", "account_id"),
        Index("ix_deal_proposed", "id", postgresql_where=text("proposed_stage_id IS NOT NULL")),
        Index("ix_deal_board", "pipeline_id", "stage_id", postgresql_where=text("outcome IS NULL")),
        Index(
            "ix_deal_standing", "stage_id", "stage_entered_at", "id", postgresql_where=text("outcome IS NULL")
        ),
    )

    id: Mapped[Id]
    title: Mapped[str] = mapped_column(Text, default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipeline.id"))
    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    proposed_stage_id: Mapped[int | None] = mapped_column(ForeignKey("stage.id"))
    """The stage that the client's last letter speaks for; cleared when the deal moves."""
    proposed_by_message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", use_alter=True, name="fk_deal_proposed_by_message_id_message")
    )
    dismissed: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """What spoke for another stage while it is in this one and a person said no to: ``offer=message:17``,
    ``payment=meeting_accepted``."""
    source: Mapped[str | None] = mapped_column(Text)
    trigger_message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", use_alter=True, name="fk_deal_trigger_message_id_message")
    )
    """The message that opened it."""
    initiative: Mapped[Initiative | None]
    event: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What set it off on the client's side: a breakdown, a tender, a new building."""
    interest: Mapped[Interest | None]
    performer_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    """Who works on it in its present stage, where that is not the owner."""
    currency: Mapped[str] = mapped_column(Text, default="EUR")
    vat_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(21), server_default="21")
    """Per cent."""
    need: Mapped[str] = mapped_column(Text, default="")
    """What the client needs, in the client's own terms."""
    solution: Mapped[str] = mapped_column(Text, default="")
    """What we propose; where empty, the summaries of the products stand for it."""
    payment_terms: Mapped[str] = mapped_column(Text, default="")
    delivery_terms: Mapped[str] = mapped_column(Text, default="")
    approver: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Whose word its proposals and offers need before they leave, written as a performer."""
    outcome: Mapped[Outcome | None]
    loss_reason: Mapped[LossReason | None]
    win_reason: Mapped[WinReason | None]
    close_note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The reason in words."""
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    stage_entered_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]

    account: Mapped[Account | None] = relationship()
    contact: Mapped[Contact | None] = relationship()
    pipeline: Mapped[Pipeline] = relationship()
    stage: Mapped[Stage] = relationship(foreign_keys=[stage_id])
    proposed_stage: Mapped[Stage | None] = relationship(foreign_keys=[proposed_stage_id])
    owner: Mapped[StaffMember | None] = relationship(foreign_keys=[owner_id])
    performer: Mapped[StaffMember | None] = relationship(foreign_keys=[performer_id])
    lines: Mapped[list[DealLine]] = relationship(
        back_populates="deal", order_by="DealLine.id", cascade="all, delete-orphan"
    )
    changes: Mapped[list[StageChange]] = relationship(back_populates="deal", order_by="StageChange.id")

    @property
    def total(self) -> Money:
        """The sum of its lines without VAT."""
        total = Money(Decimal(0), self.currency)
        for line in self.lines:
            total += line.sum
        return total


class DealLine(Base):
    """A product in a deal, with quantity and price."""

    __tablename__ = "deal_line"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 3), default=Decimal(1))
    price: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    """Price of one unit without VAT, in the deal's currency."""

    deal: Mapped[Deal] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()

    @property
    def sum(self) -> Money:
        """Quantity times price, rounded to cents."""
        return Money(self.price, self.deal.currency).times(self.quantity)


class StageChange(Base):
    """A deal entered a stage: when, from where, by whom and why."""

    __tablename__ = "stage_change"
    __table_args__ = (Index("ix_stage_change_open", "deal_id", postgresql_where=text("left_at IS NULL")),)

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    from_stage_id: Mapped[int | None] = mapped_column(ForeignKey("stage.id"))
    to_stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who moved it; None where a rule did."""
    reason: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    left_at: Mapped[datetime | None]
    """When the deal left the stage again; None while it is there."""
    performer_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who worked on it there."""
    lacking: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """What was missing when a leader let the deal leave the stage before all the same."""
    found: Mapped[dict[str, Any] | None]
    """What the move put an end to, for the day it is taken back (`core.stages_back`)."""

    deal: Mapped[Deal] = relationship(back_populates="changes")
    to_stage: Mapped[Stage] = relationship(foreign_keys=[to_stage_id])
    from_stage: Mapped[Stage | None] = relationship(foreign_keys=[from_stage_id])
    staff_member: Mapped[StaffMember | None] = relationship(foreign_keys=[staff_id])
    performer: Mapped[StaffMember | None] = relationship(foreign_keys=[performer_id])


class DealClosed(IllegalTransition):
    """The deal is closed."""

    cure = "Open a new deal for the client."


def open_deal(
    session: Session,
    *,
    contact: Contact | None,
    account: Account | None = None,
    title: str = "",
    source: str | None = None,
    owner_id: int | None = None,
    trigger_message_id: int | None = None,
    reason: str = "",
    pipeline: Pipeline | None = None,
    initiative: Initiative | None = None,
    event: str = "",
) -> Deal:
    """Open a deal in the first stage of a pipeline, the standard one where none is named.

    Its client is in touch with us from now on at the latest, and gets the owner as curator where nobody is.
    """
    pipeline = pipeline or default_pipeline(session)
    stage = first_stage(session, pipeline.id)
    account = account or (contact.account if contact else None)
    deal = Deal(
        title=title,
        contact=contact,
        account=account,
        pipeline=pipeline,
        stage=stage,
        owner_id=owner_id,
        source=source,
        trigger_message_id=trigger_message_id,
        initiative=initiative or (Initiative.THEIRS if trigger_message_id is not None else None),
        event=event,
    )
    session.add(deal)
    if account is not None:
        account.first_contact_at = account.first_contact_at or clock.now()
        if account.curator_id is None and owner_id is not None:
            account.curator_id = owner_id
            session.flush()
            follows = {"curator_id": owner_id}
            provenance.note(session, Subject.ACCOUNT, account.id, follows, Origin.DEAL, staff_id=owner_id)
    session.flush()
    session.add(
        StageChange(
            deal_id=deal.id, to_stage_id=stage.id, staff_id=owner_id, performer_id=owner_id, reason=reason
        )
    )
    return deal


def hold(session: Session, deal: Deal) -> None:
    """Hold a deal for a change. Raises DealClosed for a closed one."""
    session.refresh(deal, with_for_update={"of": Deal})
    if deal.outcome is not None:
        raise DealClosed


def move(
    session: Session, deal: Deal, to: Stage, *, staff_id: int | None = None, reason: str = ""
) -> StageChange:
    """Move an open deal to another stage of its pipeline and log it.

    Raises DealClosed for a closed deal, Conflict when it is in that stage already, InputRefused for a
    stage of another pipeline. What the stages ask for and send is the affair of `core.stages`.
    """
    hold(session, deal)
    if to.pipeline_id != deal.pipeline_id:
        raise InputRefused("That stage belongs to another pipeline.")
    if to.id == deal.stage_id:
        raise Conflict(f"The deal is in the stage “{to.name('en')}” already.")
    return log_change(session, deal, to, staff_id=staff_id, reason=reason)


def log_change(
    session: Session, deal: Deal, to: Stage, *, staff_id: int | None, reason: str, entered: bool = True
) -> StageChange:
    """Write down that a deal is in another stage, and end its time in the one before.

    ``entered`` is false where it only changed the version of its pipeline and its time there goes on.
    """
    leave(session, deal.id)
    change = StageChange(
        deal_id=deal.id, from_stage_id=deal.stage_id, to_stage_id=to.id, staff_id=staff_id, reason=reason
    )
    session.add(change)
    deal.pipeline_id, deal.stage_id = to.pipeline_id, to.id
    _forget_proposal(deal)
    if entered:
        deal.stage_entered_at = func.now()
    session.flush()
    session.expire(deal, ["stage", "pipeline", "proposed_stage", "stage_entered_at"])
    return change


def leave(session: Session, deal_id: int) -> None:
    """End a deal's time in its present stage."""
    session.execute(
        update(StageChange)
        .where(StageChange.deal_id == deal_id, StageChange.left_at.is_(None))
        .values(left_at=func.now())
    )


def _forget_proposal(deal: Deal) -> None:
    deal.proposed_stage_id = None
    deal.proposed_by_message_id = None
    deal.dismissed = []


def close(
    session: Session,
    deal: Deal,
    outcome: Outcome,
    *,
    loss_reason: LossReason | None = None,
    win_reason: WinReason | None = None,
    note: str = "",
    by: int | None = None,
) -> None:
    """Close a deal as won or lost; either needs its reason (InputRefused otherwise)."""
    hold(session, deal)
    if outcome == Outcome.LOST and loss_reason is None:
        raise InputRefused("A lost deal needs the reason why it was lost.")
    if outcome == Outcome.WON and win_reason is None:
        raise InputRefused("A won deal needs the reason why it was won.")
    deal.outcome = outcome
    deal.loss_reason = loss_reason if outcome == Outcome.LOST else None
    deal.win_reason = win_reason if outcome == Outcome.WON else None
    deal.close_note = note.strip()
    deal.closed_at = func.now()
    deal.closed_by = by
    _forget_proposal(deal)
    leave(session, deal.id)
    session.flush()


def reopen(session: Session, deal: Deal, *, by: int | None = None) -> None:
    """Take a closing back: the deal is where it was, and its time there begins anew.

    Raises IllegalTransition for a deal that is open.
    """
    session.refresh(deal, with_for_update={"of": Deal})
    if deal.outcome is None:
        raise IllegalTransition("The deal is open.")
    deal.outcome = deal.loss_reason = deal.win_reason = deal.closed_at = deal.closed_by = None
    deal.close_note = ""
    deal.stage_entered_at = func.now()
    session.add(
        StageChange(
            deal_id=deal.id,
            from_stage_id=deal.stage_id,
            to_stage_id=deal.stage_id,
            staff_id=by,
            performer_id=deal.performer_id or deal.owner_id,
            reason="opened again",
        )
    )
    session.flush()


def open_deals(session: Session, account_ids: list[int], contact_ids: list[int]) -> list[Deal]:
    """The open deals of some accounts, and of contacts that have no account, newest first."""
    query = (
        select(Deal)
        .where(Deal.outcome.is_(None))
        .where(
            Deal.account_id.in_(account_ids) | (Deal.account_id.is_(None) & Deal.contact_id.in_(contact_ids))
        )
        .order_by(Deal.id.desc())
    )
    return list(session.scalars(query))
