"""Pipelines: the roads that a company's deals take, in versions, and what each stage asks and sets off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db import Base, Id
from core.errors import Conflict
from core.worktime import Calendar


class Pipeline(Base):
    """One version of the road a kind of deal takes; changed by adding a version, never in place."""

    __tablename__ = "pipeline"
    __table_args__ = (
        Index("uq_pipeline_version", "key", "version", unique=True),
        Index("uq_pipeline_active", "key", unique=True, postgresql_where=text("active")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(default=True)
    """The version that new deals enter; a pipeline without one takes no new deals."""
    standard: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Deals that an inquiry opens by itself enter here."""
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What this version changed."""
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    stages: Mapped[list[Stage]] = relationship(back_populates="pipeline", order_by="Stage.position")

    def name(self, language: str) -> str:
        """The name in a language, else in English."""
        return self.names.get(language) or self.names["en"]


class Stage(Base):
    """One step of a pipeline: who works in it, how long, what it sends, what it asks for."""

    __tablename__ = "stage"
    __table_args__ = (Index("uq_stage_key", "pipeline_id", "key", unique=True),)

    id: Mapped[Id]
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipeline.id"))
    key: Mapped[str] = mapped_column(Text)
    """The same stage has the same key in every version."""
    position: Mapped[int]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    guide: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, server_default="{}")
    """What to do here, told to whoever works in it, by language."""
    checklist: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """``[{"key": "called", "names": {"en": …}, "required": true}]``"""
    norm_days: Mapped[int | None]
    """How many working days a deal should stay here at most."""
    norm_hours: Mapped[int | None]
    """Working hours on top of them, or alone."""
    performer: Mapped[str] = mapped_column(Text, default="owner", server_default="owner")
    """Who works here: ``owner``, ``curator``, ``person:ona@example.lt``, ``role:agent`` or ``team:Sales``."""
    performer_rules: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """Asked first, the first that fits: ``[{"when": {"language": "ru"}, "performer": "person:…"}]``."""
    template: Mapped[str | None] = mapped_column(Text)
    """Key of the template that is sent to the client on entering."""
    approver: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Whose word that letter needs before it leaves, written as a performer; empty for nobody's."""
    sequence: Mapped[str | None] = mapped_column(Text)
    """Key of the follow-up that begins on entering."""
    required_fields: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """What must be known of the deal before it leaves."""
    next_stages: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Keys of the stages that may follow; empty for any."""
    proposed_on: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Topics of the client's letters, and events, that speak for moving here; a person decides."""
    automatic_on: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Those at which the deal moves here by itself."""

    pipeline: Mapped[Pipeline] = relationship(back_populates="stages")

    def name(self, language: str) -> str:
        """The name in a language, else in English."""
        return self.names.get(language) or self.names["en"]

    def guide_in(self, language: str) -> str:
        """The guide in a language, else in English, else nothing."""
        return self.guide.get(language) or self.guide.get("en", "")

    @property
    def has_norm(self) -> bool:
        """Whether there is a longest time to stay here."""
        return bool(self.norm_days or self.norm_hours)

    def norm_ends(self, entered: datetime, calendar: Calendar) -> datetime | None:
        """When a deal that entered at a moment will have been here too long; None without a norm."""
        if not self.has_norm:
            return None
        return calendar.after(entered, self.norm_days or 0, self.norm_hours or 0)

    def over_norm(self, entered: datetime, now: datetime, calendar: Calendar) -> timedelta:
        """How much working time a deal has been here too long; nothing while it is in time."""
        ends = self.norm_ends(entered, calendar)
        return calendar.between(ends, now) if ends is not None and ends < now else timedelta()


class PipelineDraft(Base):
    """A pipeline as somebody is changing it; nobody works by it before it is published as a version."""

    __tablename__ = "pipeline_draft"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    document: Mapped[dict[str, Any]]
    """As `core.pipelinespec` describes it."""
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    """Goes up with each change, so that two who change it at once notice."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


def default_pipeline(session: Session) -> Pipeline:
    """The pipeline that new inquiries enter. Raises Conflict when the company has none."""
    query = select(Pipeline).where(Pipeline.active).order_by(Pipeline.standard.desc(), Pipeline.id).limit(1)
    pipeline = session.scalar(query)
    if pipeline is None:
        raise Conflict(
            "There is no pipeline.", cure="Run `frontdesk migrate`, which puts in the standard one."
        )
    return pipeline


def first_stage(session: Session, pipeline_id: int) -> Stage:
    """The stage in which a pipeline's deals begin."""
    query = select(Stage).where(Stage.pipeline_id == pipeline_id).order_by(Stage.position).limit(1)
    return session.scalars(query).one()


def active(session: Session) -> list[Pipeline]:
    """The pipelines that take new deals, the standard one first."""
    query = select(Pipeline).where(Pipeline.active).order_by(Pipeline.standard.desc(), Pipeline.id)
    return list(session.scalars(query))


def current(session: Session, key: str) -> Pipeline | None:
    """The version of a pipeline that new deals enter, else its newest one."""
    query = (
        select(Pipeline)
        .where(Pipeline.key == key)
        .order_by(Pipeline.active.desc(), Pipeline.version.desc())
        .limit(1)
    )
    return session.scalar(query)


def onward(stage: Stage, stages: Iterable[Stage]) -> list[Stage]:
    """Where a deal may go from a stage, in the road's order."""
    allowed = set(stage.next_stages)
    return [one for one in stages if one.id != stage.id and (not allowed or one.key in allowed)]
