"""Rehearsal on its page: what a change would have made, and that nothing is written by looking."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import db, rehearsal_runs
from core.config import Settings
from core.context import Context
from core.db import transaction
from core.deals import Deal, Stage
from core.i18n import texts
from core.pipelines import PipelineDraft
from core.rehearsal import Code, Happening, Report, Scope
from core.rehearsal_runs import RehearsalRun, RunState
from core.stages import enter_stage
from desk import rehearsework, rehearsing
from tests.desk.conftest import Browser, SignedIn
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


@pytest.fixture
def rehearse(engine: sa.Engine, desk_settings: Settings) -> Callable[..., str]:
    """Asks for a rehearsal on its page, plays it as a worker would, and gives the page's address."""

    def play(browser: Browser, data: dict[str, str], place: str = "/rehearsal") -> str:
        asked = browser.post(place, data=data, follow_redirects=False)
        assert asked.status_code == 303, asked.text
        where = asked.headers["location"]
        rehearsework.play(Context(desk_settings, engine), run_id=int(where.rpartition("/")[2]))
        return where

    return play


def test_only_leaders_rehearse(signed_in: SignedIn) -> None:
    assert signed_in("agent").get("/rehearsal").status_code == 403
    assert "Nothing is sent" in signed_in("head").get("/rehearsal").text


def test_rehearsing_everything_changes_no_row_but_its_own(
    signed_in: SignedIn, engine: sa.Engine, world: World, rehearse: Callable[..., str]
) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    browser.get("/rehearsal")  # the session's own time of last use is written here
    agent = world.staff["agent"].id
    before = _everything(engine)
    for asked in (
        {"days": "90"},
        {"what": "pipeline:b2b"},
        {"what": "routing", "rules": "1", "new.language": "ru", "new.to": f"staff:{agent}"},
    ):
        assert browser.get(rehearse(browser, asked), params={"show": "all"}).status_code == 200
    after = _everything(engine)
    changed = {name for name in before if before[name] != after[name]}
    assert changed - {"staff_session"} == {"rehearsal_run", "jobs"}
    assert browser.get("/rehearsal").text.count("/rehearsal/runs/") == 3


def test_a_rehearsal_that_was_broken_off_keeps_nothing(
    signed_in: SignedIn, engine: sa.Engine, desk_settings: Settings
) -> None:
    browser = signed_in("head")
    where = browser.post("/rehearsal", data={}, follow_redirects=False).headers["location"]
    number = int(where.rpartition("/")[2])
    assert "Break it off" in browser.get(where, headers={"hx-request": "true"}).text
    with transaction(engine) as session:
        assert rehearsal_runs.begin(session, number) is not None
        assert rehearsal_runs.goes_on(session, number, "deals", 3, 10)
    assert "3 of 10" in browser.get(where).text
    assert "broken off" in browser.post(f"{where}/cancel").text
    with transaction(engine) as session:
        assert not rehearsal_runs.goes_on(session, number, "deals", 4, 10)
    rehearsework.play(Context(desk_settings, engine), run_id=number)
    with transaction(engine) as session:
        run = session.scalars(sa.select(RehearsalRun)).one()
        assert (run.state, run.report) == (RunState.CANCELLED, None)
    assert browser.get(where, headers={"hx-request": "true"}).headers["hx-redirect"] == where
    assert browser.post(f"{where}/cancel").status_code == 409


def test_a_new_rehearsal_ends_ones_own_before_and_few_are_kept(
    signed_in: SignedIn, engine: sa.Engine
) -> None:
    browser = signed_in("head")
    for _ in range(rehearsal_runs.KEPT + 2):
        browser.post("/rehearsal", data={}, follow_redirects=False)
    with transaction(engine) as session:
        states = session.scalars(sa.select(RehearsalRun.state).order_by(RehearsalRun.id)).all()
    assert states == [RunState.CANCELLED] * (rehearsal_runs.KEPT - 1) + [RunState.WAITING]


def test_a_new_rule_shows_who_would_have_got_the_letters(
    signed_in: SignedIn, world: World, rehearse: Callable[..., str]
) -> None:
    given = {
        "what": "routing", "rules": "1", "on.topic_team": "1", "on.least_loaded": "1",
        "new.language": "ru", "new.to": f"staff:{world.staff['other'].id}",
    }  # fmt: skip
    browser = signed_in("head")
    text = browser.get(rehearse(browser, given), params={"show": "change"}).text
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
    signed_in: SignedIn, engine: sa.Engine, world: World, rehearse: Callable[..., str]
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
    where = rehearse(browser, {"what": "pipeline:b2b"})
    text = re.sub(r"<[^>]+>", "", browser.get(where, params={"show": "all", "kind": "sent"}).text)
    assert "letter “Commercial offer”" in text
    assert "letter “Brochure”" in text


def test_a_faulty_draft_is_not_played(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    _draft(engine, norm="soon")
    assert browser.post("/rehearsal", data={"what": "pipeline:b2b"}).status_code == 422


def test_a_follow_up_is_rehearsed_from_its_form(signed_in: SignedIn, rehearse: Callable[..., str]) -> None:
    form = {
        "name_en": "After the offer", "name_ru": "После", "name_lt": "Po", "least_gap_hours": "24",
        "step_1_kind": "sms", "step_1_days": "1", "step_1_template": "follow_up",
    }  # fmt: skip
    browser = signed_in("head")
    answer = browser.get(rehearse(browser, form, "/rehearsal/followup/after_offer"))
    assert "Changed follow-up “After the offer”" in answer.text
    assert browser.post("/rehearsal/followup/nothing", data=form).status_code == 404
    assert browser.post("/rehearsal/followup/after_offer", data={"document": "[1"}).status_code == 422


def test_the_file_has_cells_that_no_spreadsheet_takes_for_a_formula(
    signed_in: SignedIn, engine: sa.Engine, world: World, rehearse: Callable[..., str]
) -> None:
    with transaction(engine) as session:
        session.merge(world.accounts["stroymash"]).name = "=HYPERLINK(1)"
    browser = signed_in("head")
    answer = browser.get(rehearse(browser, {"days": "90"}), params={"show": "all", "as": "csv"})
    assert answer.headers["content-disposition"] == 'attachment; filename="rehearsal.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["When", "Client", "Person"]
    assert "'=HYPERLINK(1)" in {row[1] for row in rows}


@pytest.mark.parametrize(
    ("who", "away", "said"),
    [
        (None, "", "užduotis „Skambutis“"),
        ("Rasa", "", "užduotis „Skambutis“: Rasa"),
        ("Rasa", "Jonas", "užduotis „Skambutis“: Rasa (Jonas tuo metu nedirbo)"),
        ("", "Jonas", "užduotis „Skambutis“: niekas (Jonas tuo metu nedirbo)"),
    ],
)
def test_a_task_is_told_with_whose_it_is(who: str | None, away: str, said: str) -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    task = Happening(Code.TASK, "Call", {"lt": "Skambutis"}, who=who, away=away)
    assert rehearsing.said(task, Report(Scope(moment, moment)), texts("lt")) == said
