"""Where a template is named: stages, drafts of pipelines, follow-ups, rules, files, and letters that wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from core.approvalasks import ApprovalRule
from core.deals import Deal
from core.demofiles import DemoFile
from core.errors import Conflict
from core.outbox import Delivery, DeliveryState
from core.pipelines import Pipeline, PipelineDraft, Stage
from core.sequences import LIVE, Enrolment, Sequence, SequenceStep, StepKind

STEPS: Final[Mapping[str, tuple[StepKind, ...]]] = {
    "email": (StepKind.EMAIL, StepKind.FAX),
    "sms": (StepKind.SMS,),
    "voice": (StepKind.VOICE,),
}
"""Kinds of steps that a kind of template is sent by; a fax carries a letter."""
CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "fax"), "sms": ("sms",), "voice": ("voice",),
}  # fmt: skip
WAITS: Final = (DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.DEFERRED)


class Where(StrEnum):
    """What names a template."""

    STAGE = "stage"
    DRAFT = "draft"
    STEP = "step"
    RULE = "rule"
    FILE = "file"
    WAITING = "waiting"


BINDING: Final = frozenset({Where.STAGE, Where.DRAFT, Where.STEP})
"""What sends by itself, and would have nothing to send."""


class StillNamed(Conflict):
    """Stages or follow-ups still send this template, and no other text would stand in its place."""

    cure = "Let them send another one first."


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that names a template."""

    where: Where
    key: str = ""
    """Of the pipeline or the follow-up."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What it is called, by language."""
    of: Mapping[str, str] = field(default_factory=dict)
    """Of a stage: what its pipeline is called."""
    number: int = 0
    """How many letters wait, or the step's place."""


def places(session: Session, kind: str, key: str) -> list[Named]:
    """Everything that names a template; what was begun by older versions and is not over counts too."""
    found: list[Named] = []
    if kind == "email":
        found += _stages(session, key)
        found += _drafts(session, key)
    if kind in STEPS:
        found += _steps(session, kind, key)
    if kind in ("email", "document") and session.get(ApprovalRule, key) is not None:
        found.append(Named(Where.RULE, key))
    named = key if kind == "email" else f"{kind}/{key}"
    files = select(DemoFile.title).where(DemoFile.active, func.jsonb_exists(DemoFile.templates, named))
    found += [Named(Where.FILE, names={"en": title}) for title in session.scalars(files)]
    if waiting := _waiting(session, kind, key):
        found.append(Named(Where.WAITING, number=waiting))
    return found


def insist_spare(named: list[Named]) -> None:
    """Raises StillNamed where something that sends by itself names a template."""
    if any(one.where in BINDING for one in named):
        raise StillNamed


def _stages(session: Session, key: str) -> Iterator[Named]:
    under_way = exists().where(Deal.pipeline_id == Pipeline.id, Deal.outcome.is_(None))
    query = (
        select(Stage.names, Pipeline.key, Pipeline.names)
        .join(Pipeline, Pipeline.id == Stage.pipeline_id)
        .where(Stage.template == key, or_(Pipeline.active, under_way))
        .order_by(Pipeline.key, Stage.position)
    )
    seen: set[tuple[str, str]] = set()
    for names, road, of in session.execute(query):
        if (place := (road, names.get("en", ""))) not in seen:
            seen.add(place)
            yield Named(Where.STAGE, road, names, of)


def _drafts(session: Session, key: str) -> Iterator[Named]:
    for draft in session.scalars(select(PipelineDraft).order_by(PipelineDraft.key)):
        stages: list[dict[str, Any]] = draft.document.get("stages", [])
        for stage in stages:
            if stage.get("template") == key:
                yield Named(Where.DRAFT, draft.key, stage.get("names", {}), draft.document.get("names", {}))


def _steps(session: Session, kind: str, key: str) -> Iterator[Named]:
    led = exists().where(Enrolment.sequence_id == Sequence.id, Enrolment.state.in_(LIVE))
    query = (
        select(Sequence.key, Sequence.names, func.min(SequenceStep.position))
        .join(Sequence, Sequence.id == SequenceStep.sequence_id)
        .where(SequenceStep.template == key, SequenceStep.kind.in_(STEPS[kind]), or_(Sequence.active, led))
        .group_by(Sequence.key, Sequence.names)
        .order_by(Sequence.key)
    )
    for road, names, position in session.execute(query):
        yield Named(Where.STEP, road, names, number=position)


def _waiting(session: Session, kind: str, key: str) -> int:
    query = select(func.count()).select_from(Delivery).where(Delivery.state.in_(WAITS))
    if kind == "document":
        query = query.where(func.jsonb_exists(Delivery.documents, key))
    else:
        query = query.where(Delivery.template == key, Delivery.channel.in_(CHANNELS[kind]))
    return session.scalar(query) or 0
