"""Versions of pipelines: put in force, kept as drafts, and deals moved from one to the next on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.deals import Deal, log_change
from core.errors import Conflict, InputRefused, NotFound
from core.intents import Intent
from core.labels import IntentLabel
from core.pipelines import Pipeline, PipelineDraft, Stage, current
from core.pipelinespec import Fault, Known, check, read_norm, write_norm
from core.sequences import Sequence as FollowUp
from core.staff import StaffMember, Team


class PipelineRefused(InputRefused):
    """The pipeline cannot be put in force as it is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.place}: {first.text}{more}.")
        self.faults = tuple(faults)


def document_of(pipeline: Pipeline) -> dict[str, Any]:
    """A version as `core.pipelinespec` writes it; what is empty is left out."""
    stages = []
    for stage in pipeline.stages:
        full = {
            "key": stage.key,
            "names": stage.names,
            "guide": stage.guide,
            "norm": write_norm(stage.norm_days, stage.norm_hours),
            "performer": stage.performer,
            "performer_rules": stage.performer_rules,
            "template": stage.template or "",
            "approver": stage.approver,
            "sequence": stage.sequence or "",
            "required": stage.required_fields,
            "next": stage.next_stages,
            "proposed_on": stage.proposed_on,
            "automatic_on": stage.automatic_on,
            "checklist": stage.checklist,
        }
        stages.append(
            {name: value for name, value in full.items() if value and (name, value) != ("performer", "owner")}
        )
    return {
        "key": pipeline.key,
        "standard": pipeline.standard,
        "names": dict(pipeline.names),
        "note": "",
        "stages": stages,
    }


def stage_of(document: Mapping[str, Any], position: int) -> Stage:
    """A stage's row from its part of a checked document."""
    days, hours = read_norm(document.get("norm", ""))
    return Stage(
        key=document["key"],
        position=position,
        names=dict(document["names"]),
        guide=dict(document.get("guide", {})),
        checklist=[dict(item) for item in document.get("checklist", [])],
        norm_days=days,
        norm_hours=hours,
        performer=document.get("performer") or "owner",
        performer_rules=list(document.get("performer_rules", [])),
        template=document.get("template") or None,
        approver=document.get("approver", ""),
        sequence=document.get("sequence") or None,
        required_fields=list(document.get("required", [])),
        next_stages=list(document.get("next", [])),
        proposed_on=list(document.get("proposed_on", [])),
        automatic_on=list(document.get("automatic_on", [])),
    )


def known(session: Session, templates: frozenset[str] | None = None) -> Known:
    """What a document may name in this company."""
    own = session.scalars(select(IntentLabel.key))
    return Known(
        templates=templates,
        sequences=frozenset(session.scalars(select(FollowUp.key).where(FollowUp.active))),
        people=frozenset(session.scalars(select(StaffMember.email).where(StaffMember.active))),
        teams=frozenset(session.scalars(select(Team.name))),
        topics=frozenset(intent.value for intent in Intent) | frozenset(own),
    )


def publish(
    session: Session,
    document: Mapping[str, Any],
    *,
    by: int | None = None,
    templates: frozenset[str] | None = None,
) -> Pipeline:
    """Put a pipeline in force as a new version: new deals enter it, those under way keep theirs.

    A document that says what is in force already makes no version. Raises PipelineRefused with every fault.
    """
    faults = check(document, known(session, templates))
    if faults:
        raise PipelineRefused(faults)
    key = document["key"]
    # One who publishes at the same moment waits here, and then finds this version.
    session.execute(select(Pipeline.id).where(Pipeline.key == key).with_for_update())
    present = current(session, key)
    if present is not None and present.active and same(document, document_of(present)):
        return present
    newest = session.scalar(select(func.max(Pipeline.version)).where(Pipeline.key == key)) or 0
    standard = bool(document.get("standard")) or session.scalar(select(Pipeline.id).limit(1)) is None
    if standard:
        session.execute(update(Pipeline).where(Pipeline.standard).values(standard=False))
    session.execute(update(Pipeline).where(Pipeline.key == key).values(active=False))
    made = Pipeline(
        key=key,
        version=newest + 1,
        names=dict(document["names"]),
        standard=standard,
        note=str(document.get("note", "")).strip(),
        created_by=by,
        stages=[stage_of(stage, position) for position, stage in enumerate(document["stages"], start=1)],
    )
    session.add(made)
    session.flush()
    return made


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents say the same: what is empty or left out, and the note, make no difference."""
    return _bare(one) == _bare(other)


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in document.items() if value and name != "note"}
    bare["stages"] = [
        {name: value for name, value in stage.items() if value and (name, value) != ("performer", "owner")}
        for stage in document.get("stages", [])
    ]
    return bare


def retire(session: Session, key: str) -> None:
    """Let a pipeline take no new deals; those under way go on. Raises Conflict for the last one."""
    others = session.scalar(
        select(func.count()).select_from(Pipeline).where(Pipeline.active, Pipeline.key != key)
    )
    if not others:
        raise Conflict("New deals need at least one pipeline.", cure="Put another one in force first.")
    session.execute(update(Pipeline).where(Pipeline.key == key).values(active=False, standard=False))


def retired(session: Session) -> list[Pipeline]:
    """The pipelines that take no new deals, each in its last version, by key."""
    taking = select(Pipeline.key).where(Pipeline.active)
    query = select(Pipeline).where(Pipeline.key.not_in(taking)).order_by(Pipeline.key, Pipeline.version)
    return list({road.key: road for road in session.scalars(query)}.values())


def restore(session: Session, key: str) -> None:
    """Let a retired pipeline take new deals again, in the version that was in force last."""
    newest = select(func.max(Pipeline.version)).where(Pipeline.key == key).scalar_subquery()
    session.execute(
        update(Pipeline).where(Pipeline.key == key, Pipeline.version == newest).values(active=True)
    )


def draft(session: Session, key: str) -> PipelineDraft | None:
    """A pipeline as somebody is changing it."""
    return session.get(PipelineDraft, key)


def begin_draft(session: Session, key: str, *, by: int | None) -> PipelineDraft:
    """The draft of a pipeline, made from the version in force where there is none.

    Raises NotFound for a key that no pipeline has.
    """
    pipeline = current(session, key)
    if pipeline is None and draft(session, key) is None:
        raise NotFound
    if pipeline is not None:
        row = insert(PipelineDraft).values(key=key, document=document_of(pipeline), changed_by=by)
        session.execute(row.on_conflict_do_nothing())
    return session.get_one(PipelineDraft, key)


def save_draft(
    session: Session, key: str, document: Mapping[str, Any], *, revision: int, by: int | None
) -> PipelineDraft:
    """Keep a changed draft; ``revision`` is the one the change was made from, 0 for a new pipeline.

    Raises Conflict when somebody changed it meanwhile.
    """
    if revision == 0:
        row = insert(PipelineDraft).values(key=key, document=dict(document), changed_by=by)
        done = session.scalar(row.on_conflict_do_nothing().returning(PipelineDraft.key))
    else:
        done = session.scalar(
            update(PipelineDraft)
            .where(PipelineDraft.key == key, PipelineDraft.revision == revision)
            .values(document=dict(document), revision=revision + 1, changed_by=by)
            .returning(PipelineDraft.key)
        )
    if done is None:
        raise Conflict("Somebody else changed this pipeline meanwhile.")
    session.expire_all()
    return session.get_one(PipelineDraft, key)


def drop_draft(session: Session, key: str) -> None:
    """Throw a draft away."""
    present = draft(session, key)
    if present is not None:
        session.delete(present)
        session.flush()


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deal under way and where it would be in the version in force; None where its stage is gone."""

    deal: Deal
    target: Stage | None


def transfers(session: Session, pipeline: Pipeline) -> list[Transfer]:
    """The open deals that are still in earlier versions of a pipeline, with where each would go."""
    by_key = {stage.key: stage for stage in pipeline.stages}
    query = (
        select(Deal)
        .join(Pipeline, Deal.pipeline_id == Pipeline.id)
        .where(Pipeline.key == pipeline.key, Pipeline.id != pipeline.id, Deal.outcome.is_(None))
        .order_by(Deal.id)
    )
    return [Transfer(deal, by_key.get(deal.stage.key)) for deal in session.scalars(query)]


def transfer(
    session: Session,
    pipeline: Pipeline,
    deal_ids: Sequence[int],
    *,
    instead: Mapping[str, str] | None = None,
    by: int | None = None,
) -> int:
    """Move deals under way to a version; nothing is sent, and the time in their stage goes on.

    ``instead`` names a stage for each one that is gone, by their keys. Raises InputRefused where one is
    missing there. Deals that were closed or moved meanwhile are left alone; returns how many moved.
    """
    stages = {stage.key: stage for stage in pipeline.stages}
    moved = 0
    for found in transfers(session, pipeline):
        if found.deal.id not in deal_ids:
            continue
        deal = found.deal
        session.refresh(deal, with_for_update={"of": Deal})
        if deal.outcome is not None or deal.pipeline_id == pipeline.id:
            continue
        target = stages.get(deal.stage.key) or stages.get((instead or {}).get(deal.stage.key, ""))
        if target is None:
            name = deal.stage.name("en")
            raise InputRefused(f"The stage “{name}” is gone.", cure="Say which one stands for it.")
        changed = target.key != deal.stage.key
        log_change(
            session,
            deal,
            target,
            staff_id=by,
            reason=f"moved to version {pipeline.version}",
            entered=changed,
        )
        moved += 1
    return moved
