"""Rehearsal on its page: what a change would have made, and that nothing is written by looking."""

from __future__ import annotations

import csv
import io
import re

import sqlalchemy as sa

from core import db
from core.db import transaction
from core.deals import Deal, Stage
from core.pipelines import PipelineDraft
from core.stages import enter_stage
from tests.desk.conftest import SignedIn
from tests.factories import World


def _everything(engine: sa.Engine) -> dict[str, sa.Row[int, str]]:
    """Rows of every table, and a sum over all that stands in them."""
    with transaction(engine) as session:
        return {
            name: session.execute(
                sa.text(
                    f"select count(*), coalesce(md5(string_agg(t::text, '|' order by t::text)), '')"  # noqa: S608 - our own tables
                    f' from "{name}" t'
                )
            ).one()
            for name in sorted(db.models().tables)
        } | {
            "jobs": session.execute(sa.text("select count(*), '' from pgqueuer")).one(),
        }


def test_only_leaders_rehearse(signed_in: SignedIn) -> None:
    assert signed_in("agent").get("/rehearsal").status_code == 403
    assert "Nothing is sent" in signed_in("head").get("/rehearsal").text


def test_rehearsing_everything_changes_no_row_and_queues_no_job(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    browser.get("/rehearsal")  # the session's own time of last use is written here
    agent = world.staff["agent"].id
    before = _everything(engine)
    answers = [
        browser.get("/rehearsal?run=1&days=90&show=all"),
        browser.get("/rehearsal?run=1&what=pipeline:b2b&show=all"),
        browser.get(f"/rehearsal?run=1&what=routing&rules=1&new.language=ru&new.to=staff:{agent}"),
    ]
    assert [one.status_code for one in answers] == [200, 200, 200]
    after = _everything(engine)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"staff_session"}


def test_a_new_rule_shows_who_would_have_got_the_letters(signed_in: SignedIn, world: World) -> None:
    given = {
        "run": "1", "what": "routing", "rules": "1", "on.topic_team": "1", "on.least_loaded": "1",
        "new.language": "ru", "new.to": f"staff:{world.staff['other'].id}", "show": "change",
    }  # fmt: skip
    text = signed_in("head").get("/rehearsal", params=given).text
    assert "Giedrius Stonkus" in text
    assert "clients would see a difference" in text or "client would see a difference" in text


def _draft(engine: sa.Engine, **changes: object) -> None:
    """The standard pipeline's draft with its offer stage changed."""
    with transaction(engine) as session:
        draft = session.get_one(PipelineDraft, "b2b")
        stages = [
            one | changes if one["key"] == "commercial_offer" else one for one in draft.document["stages"]
        ]
        draft.document = draft.document | {"stages": stages}


def test_a_changed_stage_shows_what_would_have_been_sent(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("head")
    with transaction(engine) as session:
        deal = session.scalars(sa.select(Deal)).one()
        deal.stage = session.scalars(
            sa.select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.key == "technical_proposal")
        ).one()
        session.flush()
        offer = sa.select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.key == "commercial_offer")
        enter_stage(
            session, deal, session.scalars(offer).one(),
            staff=session.merge(world.staff["agent"]), override=True, reason="they asked",
        )  # fmt: skip
    browser.post("/pipelines", data={"key": "b2b"})
    _draft(engine, template="brochure", sequence="")
    given = {"run": "1", "what": "pipeline:b2b", "show": "all", "kind": "sent"}
    text = re.sub(r"<[^>]+>", "", browser.get("/rehearsal", params=given).text)
    assert "letter “Commercial offer”" in text
    assert "letter “Brochure”" in text


def test_a_faulty_draft_is_not_played(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    _draft(engine, norm="soon")
    assert browser.get("/rehearsal?run=1&what=pipeline:b2b").status_code == 422


def test_a_follow_up_is_rehearsed_from_its_form(signed_in: SignedIn) -> None:
    form = {
        "name_en": "After the offer", "name_ru": "После", "name_lt": "Po", "least_gap_hours": "24",
        "step_1_kind": "sms", "step_1_days": "1", "step_1_template": "follow_up",
    }  # fmt: skip
    browser = signed_in("head")
    answer = browser.post("/rehearsal/followup/after_offer", data=form)
    assert answer.status_code == 200
    assert "Changed follow-up “After the offer”" in answer.text
    assert browser.post("/rehearsal/followup/nothing", data=form).status_code == 404
    assert browser.post("/rehearsal/followup/after_offer", data={"document": "[1"}).status_code == 422


def test_the_file_has_cells_that_no_spreadsheet_takes_for_a_formula(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        session.merge(world.accounts["stroymash"]).name = "=HYPERLINK(1)"
    answer = signed_in("head").get("/rehearsal?run=1&days=90&show=all&as=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="rehearsal.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["When", "Client", "Person"]
    assert "'=HYPERLINK(1)" in {row[1] for row in rows}
