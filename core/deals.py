"""Deals and the stages they pass: opening, moving, closing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Numeric, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.accounts import Account, Contact
from core.catalogue import Product
from core.db import Base, Id
from core.errors import Conflict, IllegalTransition, InputRefused
from core.staff import StaffMember
from core.values import Money


class Outcome(StrEnum):
    """How a deal ended."""

    WON = "won"
    LOST = "lost"


class LossReason(StrEnum):
    """Why a deal was lost."""

    PRICE = "price"
    COMPETITOR = "competitor"
    NO_BUDGET = "no_budget"
    NO_NEED = "no_need"
    TIMING = "timing"
    NO_ANSWER = "no_answer"
    OTHER = "other"


class Pipeline(Base):
    """The road a kind of deal takes, as a company defines it."""

    __tablename__ = "pipeline"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(default=True)

    stages: Mapped[list[Stage]] = relationship(back_populates="pipeline", order_by="Stage.position")


class Stage(Base):
    """One step of a pipeline; entering it may send a document."""

    __tablename__ = "stage"
    __table_args__ = (Index("uq_stage_key", "pipeline_id", "key", unique=True),)

    id: Mapped[Id]
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipeline.id"))
    key: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    norm_days: Mapped[int | None]
    """How many days a deal should stay here at most."""
    template: Mapped[str | None] = mapped_column(Text)
    """Key of the template that is sent to the client on entering."""
    sequence: Mapped[str | None] = mapped_column(Text)
    """Key of the follow-up that begins on entering."""

    pipeline: Mapped[Pipeline] = relationship(back_populates="stages")

    def name(self, language: str) -> str:
        """The name in a language, else in English."""
        return self.names.get(language) or self.names["en"]


class Deal(Base):
    """A possible sale to one account."""

    __tablename__ = "deal"
    __table_args__ = (
        Index("ix_deal_open", "account_id", postgresql_where=text("outcome IS NULL")),
        Index("ix_deal_board", "pipeline_id", "stage_id", postgresql_where=text("outcome IS NULL")),
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
    source: Mapped[str | None] = mapped_column(Text)
    trigger_message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", use_alter=True, name="fk_deal_trigger_message_id_message")
    )
    """The message that opened it."""
    currency: Mapped[str] = mapped_column(Text, default="EUR")
    vat_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(21), server_default="21")
    """Per cent."""
    need: Mapped[str] = mapped_column(Text, default="")
    """What the client needs, in the client's own terms."""
    solution: Mapped[str] = mapped_column(Text, default="")
    """What we propose; where empty, the summaries of the products stand for it."""
    payment_terms: Mapped[str] = mapped_column(Text, default="")
    delivery_terms: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[Outcome | None]
    loss_reason: Mapped[LossReason | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    stage_entered_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]

    account: Mapped[Account | None] = relationship()
    contact: Mapped[Contact | None] = relationship()
    pipeline: Mapped[Pipeline] = relationship()
    stage: Mapped[Stage] = relationship(foreign_keys=[stage_id])
    proposed_stage: Mapped[Stage | None] = relationship(foreign_keys=[proposed_stage_id])
    owner: Mapped[StaffMember | None] = relationship()
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

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    from_stage_id: Mapped[int | None] = mapped_column(ForeignKey("stage.id"))
    to_stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """Who moved it; None where a rule did."""
    reason: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    deal: Mapped[Deal] = relationship(back_populates="changes")
    to_stage: Mapped[Stage] = relationship(foreign_keys=[to_stage_id])
    from_stage: Mapped[Stage | None] = relationship(foreign_keys=[from_stage_id])
    staff_member: Mapped[StaffMember | None] = relationship()


class DealClosed(IllegalTransition):
    """The deal is closed."""

    cure = "Open a new deal for the client."


def default_pipeline(session: Session) -> Pipeline:
    """The pipeline that new deals take. Raises Conflict when the company has none."""
    pipeline = session.scalar(select(Pipeline).where(Pipeline.active).order_by(Pipeline.id).limit(1))
    if pipeline is None:
        raise Conflict(
            "There is no pipeline.", cure="Run `frontdesk migrate`, which puts in the standard one."
        )
    return pipeline


def first_stage(session: Session, pipeline_id: int) -> Stage:
    """The stage in which a pipeline's deals begin."""
    query = select(Stage).where(Stage.pipeline_id == pipeline_id).order_by(Stage.position).limit(1)
    return session.scalars(query).one()


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
) -> Deal:
    """Open a deal in the first stage of the standard pipeline."""
    pipeline = default_pipeline(session)
    stage = first_stage(session, pipeline.id)
    deal = Deal(
        title=title,
        contact=contact,
        account=account or (contact.account if contact else None),
        pipeline=pipeline,
        stage=stage,
        owner_id=owner_id,
        source=source,
        trigger_message_id=trigger_message_id,
    )
    session.add(deal)
    session.flush()
    session.add(StageChange(deal_id=deal.id, to_stage_id=stage.id, staff_id=owner_id, reason=reason))
    return deal


def move(
    session: Session, deal: Deal, to: Stage, *, staff_id: int | None = None, reason: str = ""
) -> StageChange:
    """Move an open deal to another stage of its pipeline and log it.

    Raises DealClosed for a closed deal, Conflict when it is in that stage already, InputRefused for a
    stage of another pipeline. What entering the stage sends is queued by the caller, in this transaction.
    """
    session.refresh(deal, with_for_update=True)
    if deal.outcome is not None:
        raise DealClosed
    if to.pipeline_id != deal.pipeline_id:
        raise InputRefused("That stage belongs to another pipeline.")
    if to.id == deal.stage_id:
        raise Conflict(f"The deal is in the stage “{to.name('en')}” already.")
    change = StageChange(
        deal_id=deal.id, from_stage_id=deal.stage_id, to_stage_id=to.id, staff_id=staff_id, reason=reason
    )
    session.add(change)
    deal.stage_id = to.id
    deal.proposed_stage_id = None
    deal.proposed_by_message_id = None
    deal.stage_entered_at = func.now()
    session.flush()
    return change


def close(session: Session, deal: Deal, outcome: Outcome, *, loss_reason: LossReason | None = None) -> None:
    """Close a deal as won or lost; a lost one needs its reason (InputRefused otherwise)."""
    session.refresh(deal, with_for_update=True)
    if deal.outcome is not None:
        raise DealClosed
    if outcome == Outcome.LOST and loss_reason is None:
        raise InputRefused("A lost deal needs the reason why it was lost.")
    deal.outcome = outcome
    deal.loss_reason = loss_reason if outcome == Outcome.LOST else None
    deal.closed_at = func.now()
    deal.proposed_stage_id = None
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
