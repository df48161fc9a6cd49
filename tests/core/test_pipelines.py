"""Pipelines are documents that become versions; deals keep theirs until somebody moves them."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import defaults, pipelinefile, pipelines, pipelineversions
from core.deals import Deal, StageChange
from core.errors import Conflict, InputRefused
from core.pipelinefile import FileRefused
from core.pipelines import Pipeline, Stage
from core.pipelinespec import STAGE_FIELDS, Known, check, read_norm, write_norm
from core.pipelineversions import PipelineRefused, document_of, publish, transfer, transfers
from core.standardpipeline import DOCUMENT
from tests.core.people import client, deal_with_lines


def _document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def _changed(session: Session) -> dict[str, Any]:
    defaults.install(session)
    document = document_of(pipelines.default_pipeline(session))
    document["stages"][2]["norm"] = "12d"
    return document


def test_the_shipped_pipeline_is_in_order() -> None:
    assert check(DOCUMENT) == []


def test_what_is_installed_reads_back_as_it_was_written(session: Session) -> None:
    defaults.install(session)
    assert pipelineversions.same(document_of(pipelines.default_pipeline(session)), DOCUMENT)


def test_a_file_reads_back_as_it_was_written() -> None:
    (found,) = pipelinefile.read(pipelinefile.write([DOCUMENT]))
    assert pipelineversions.same(found, DOCUMENT)


texts = st.text(max_size=60)


@given(texts, texts, st.booleans())
def test_whatever_stands_in_a_guide_survives_the_file(guide: str, note: str, required: bool) -> None:
    document = _document()
    document["note"] = note
    document["stages"][0]["guide"] = {"en": guide.replace("\r", "\n")}
    document["stages"][0]["checklist"][0]["required"] = required
    data = tomllib.loads(pipelinefile.write([document]))["pipelines"][0]
    assert data["stages"][0].get("guide", {"en": ""})["en"] == document["stages"][0]["guide"]["en"]
    assert data.get("note", "") == note


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(FileRefused):
        pipelinefile.read(text)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"norm": "soon"}, "norm: a norm is written as"),
        ({"performer": "me"}, "performer: a performer is"),
        ({"next": ["nowhere"]}, "next[1]: there is no “nowhere”"),
        ({"required": ["luck"]}, "required[1]: there is no “luck”"),
        ({"colour": "red"}, "colour: there is no such field"),
        ({"names": {"en": "Demo", "lt": "Demonstracija"}}, "names.ru: the name in this language is missing"),
        ({"template": 7}, "template: this must be text in quotes"),
        ({"checklist": [{"key": "A b", "names": {}}]}, "checklist[1].key: a key is small Latin letters"),
        ({"proposed_on": ["thunder"]}, "proposed_on[1]: there is no “thunder”"),
        ({"performer_rules": [{"when": {"mood": "x"}, "performer": "owner"}]}, "a rule asks for territory"),
    ],
)
def test_a_fault_in_a_file_names_its_line_and_field(wrong: dict[str, Any], said: str) -> None:
    document = _document()
    document["stages"][2] |= wrong
    text = pipelinefile.write([document])
    if "colour" in wrong:
        text = text.replace('key = "demo"', 'key = "demo"\ncolour = "red"')
    with pytest.raises(FileRefused) as refused:
        pipelinefile.read(text)
    (fault,) = [one for one in refused.value.faults if said in one]
    number = int(fault.split(",")[0].removeprefix("line "))
    lines = text.splitlines()
    demo = lines.index('key = "demo"')
    assert demo <= number <= demo + 12
    assert "stages[3]" in fault


def test_text_that_is_no_toml_names_its_line() -> None:
    with pytest.raises(FileRefused, match="line 2"):
        pipelinefile.read("[[pipelines]]\nkey = demo\n")


def test_a_stage_sends_no_text_for_the_telephone() -> None:
    document = _document()
    document["stages"][2]["template"] = "sms/reminder"
    known = Known(templates=frozenset({"sms/reminder"}))
    assert ("stages", 2, "template") in [fault.path for fault in check(document, known)]


def test_a_stage_that_nothing_leads_to_is_a_fault() -> None:
    document = _document()
    for stage in document["stages"]:
        stage["next"] = ["need_identified"] if stage["key"] != "need_identified" else ["demo"]
    assert ("stages", 3, "key") in [fault.path for fault in check(document)]


@given(st.integers(0, 999), st.integers(0, 999))
def test_a_norm_reads_back(days: int, hours: int) -> None:
    assert read_norm(write_norm(days, hours)) == (days or None, hours or None)


def test_a_change_makes_a_version_and_the_same_again_does_not(session: Session) -> None:
    document = _changed(session)
    made = publish(session, document)
    assert (made.version, made.active, made.standard) == (2, True, True)
    assert publish(session, document).id == made.id
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 2


def test_a_wrong_document_is_refused_with_every_fault(session: Session) -> None:
    document = _changed(session)
    document["stages"][0]["sequence"] = "unheard_of"
    document["stages"][1]["performer"] = "team:Nobody"
    with pytest.raises(PipelineRefused) as refused:
        publish(session, document)
    assert [fault.place for fault in refused.value.faults] == ["stages[1].sequence", "stages[2].performer"]


def test_a_deal_keeps_the_version_it_entered_and_new_ones_enter_the_newest(session: Session) -> None:
    old = deal_with_lines(session, client(session))
    made = publish(session, _changed(session))
    assert old.pipeline.version == 1
    assert pipelines.default_pipeline(session).id == made.id


def test_deals_are_moved_on_purpose_and_their_time_goes_on(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    entered = deal.stage_entered_at
    made = publish(session, _changed(session))
    (waiting,) = transfers(session, made)
    assert waiting.target is not None
    assert transfer(session, made, [deal.id]) == 1
    session.refresh(deal)
    assert (deal.pipeline_id, deal.stage.key, deal.stage_entered_at) == (made.id, "first_contact", entered)
    assert transfers(session, made) == []
    assert session.scalars(select(StageChange.reason).order_by(StageChange.id.desc())).first() == (
        "moved to version 2"
    )


def test_a_stage_that_is_gone_needs_one_in_its_place(session: Session) -> None:
    deal = deal_with_lines(session, client(session))
    document = _changed(session)
    del document["stages"][0]
    made = publish(session, document)
    assert [found.target for found in transfers(session, made)] == [None]
    with pytest.raises(InputRefused):
        transfer(session, made, [deal.id])
    assert transfer(session, made, [deal.id], instead={"first_contact": "demo"}) == 1
    assert session.get_one(Deal, deal.id).stage.key == "demo"


def test_several_pipelines_stand_side_by_side_and_one_is_standard(session: Session) -> None:
    defaults.install(session)
    other = _document() | {"key": "service", "standard": False}
    made = publish(session, other)
    assert [one.key for one in pipelines.active(session)] == ["b2b", "service"]
    publish(session, other | {"standard": True})
    assert pipelines.default_pipeline(session).key == "service"
    pipelineversions.retire(session, "b2b")
    with pytest.raises(Conflict):
        pipelineversions.retire(session, "service")
    assert made.version == 1


def test_two_who_change_a_draft_at_once_notice(session: Session) -> None:
    defaults.install(session)
    draft = pipelineversions.begin_draft(session, "b2b", by=None)
    document = dict(draft.document)
    pipelineversions.save_draft(session, "b2b", document, revision=1, by=None)
    with pytest.raises(Conflict):
        pipelineversions.save_draft(session, "b2b", document, revision=1, by=None)


def test_the_manual_names_every_field_of_a_stage() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "pipelines.md").read_text(encoding="utf-8")
    assert [name for name in STAGE_FIELDS if f"`{name}`" not in page] == []


def test_every_stage_of_a_version_has_its_place(session: Session) -> None:
    made = publish(session, _changed(session))
    positions = session.scalars(
        select(Stage.position).where(Stage.pipeline_id == made.id).order_by(Stage.position)
    ).all()
    assert positions == list(range(1, len(DOCUMENT["stages"]) + 1))
