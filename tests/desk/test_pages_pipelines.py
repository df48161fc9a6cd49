"""Pipelines, follow-ups and deals on their own pages."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from core import payments, pipelines, sequences
from core.audit import AuditEntry
from core.checklists import ChecklistMark
from core.db import transaction
from core.deals import Deal, Interest, StageChange
from core.handover import Handover
from core.pipelines import Pipeline, PipelineDraft, Stage
from core.pipelineversions import document_of
from core.sequencespec import document_of as steps_of
from core.tasks import Task
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


def _deal(engine: sa.Engine) -> int:
    with transaction(engine) as session:
        return session.scalars(sa.select(Deal.id)).one()


def _draft(engine: sa.Engine) -> PipelineDraft:
    with transaction(engine) as session:
        return session.get_one(PipelineDraft, "b2b")


def test_only_leaders_change_pipelines_and_follow_ups(signed_in: SignedIn) -> None:
    for place in ("/pipelines", "/sequences"):
        assert signed_in("agent").get(place).status_code == 403
        assert signed_in("head").get(place).status_code == 200


def test_a_draft_is_put_in_order_and_in_force(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    browser.post("/pipelines/b2b", data={"do": "down:demo", "revision": "1"})
    assert [stage["key"] for stage in _draft(engine).document["stages"]][2:4] == [
        "technical_proposal",
        "demo",
    ]
    assert browser.post("/pipelines/b2b/publish", follow_redirects=False).headers["location"] == (
        "/pipelines/b2b/deals"
    )
    with transaction(engine) as session:
        road = pipelines.default_pipeline(session)
        assert (road.version, road.stages[2].key) == (2, "technical_proposal")


def test_the_norm_of_a_stage_is_said_in_words(signed_in: SignedIn) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    page = browser.get("/pipelines/b2b").text
    assert re.search(">10 (darbo dienų|рабочих дней|working days)", page)
    assert ">10d" not in page


def test_a_pipeline_takes_no_new_deals_until_it_is_brought_back(
    signed_in: SignedIn, engine: sa.Engine
) -> None:
    browser = signed_in("head")
    names = {"name_en": "Service", "name_ru": "Обслуживание", "name_lt": "Aptarnavimas"}
    browser.post("/pipelines", data={"key": "b2b", "copy": "1", **names})
    browser.post("/pipelines/service/publish")
    browser.post("/pipelines/service/retire")
    with transaction(engine) as session:
        assert [road.key for road in pipelines.active(session)] == ["b2b"]
    assert "/pipelines/service/restore" in browser.get("/pipelines").text
    browser.post("/pipelines/service/restore")
    with transaction(engine) as session:
        assert [road.key for road in pipelines.active(session)] == ["b2b", "service"]


def test_dragging_sends_the_whole_order(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    keys = [stage["key"] for stage in _draft(engine).document["stages"]]
    browser.post("/pipelines/b2b", data={"do": "order", "order": ",".join(reversed(keys)), "revision": "1"})
    assert [stage["key"] for stage in _draft(engine).document["stages"]] == keys[::-1]


def test_a_change_from_an_old_page_is_refused(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    browser.post("/pipelines/b2b", data={"do": "down:demo", "revision": "1"})
    assert browser.post("/pipelines/b2b", data={"do": "up:demo", "revision": "1"}).status_code == 409


def test_a_stage_saved_without_a_change_stays_as_it_was(signed_in: SignedIn, engine: sa.Engine) -> None:
    """Everything a stage holds is on its form: what the form shows is what it saves."""
    browser = signed_in("head")
    browser.post("/pipelines", data={"key": "b2b"})
    before = _draft(engine).document
    for number, stage in enumerate(before["stages"], start=1):
        text = browser.get(f"/pipelines/b2b/stages/{stage['key']}").text
        browser.post(f"/pipelines/b2b/stages/{stage['key']}", data=_filled(text) | {"revision": str(number)})
    assert _draft(engine).document == before


def test_a_follow_up_saved_without_a_change_makes_no_version(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    text = browser.get("/sequences/after_offer").text
    browser.post("/sequences/after_offer", data=_filled(text))
    with transaction(engine) as session:
        assert sequences.current(session, "after_offer").version == 1  # pyright: ignore[reportOptionalMemberAccess]


def test_a_changed_follow_up_is_a_new_version(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    given = _filled(browser.get("/sequences/after_offer").text)
    given |= {"step_1_days": "7", "step_1_day_1": "1", "step_1_from": "10:00", "step_1_on_0": "replied"}
    assert browser.post("/sequences/after_offer", data=given, follow_redirects=False).status_code == 303
    with transaction(engine) as session:
        made = sequences.current(session, "after_offer")
        assert made is not None
        step = steps_of(made)["steps"][0]
        assert (made.version, step["days"], step["window"], step["branches"]) == (
            2,
            7,
            {"days": [1], "from": "10:00"},
            [{"on": "replied", "to": None}],
        )


def test_a_wrong_follow_up_is_shown_with_its_faults(signed_in: SignedIn) -> None:
    browser = signed_in("head")
    given = _filled(browser.get("/sequences/after_offer").text) | {"step_2_title_ru": ""}
    answer = browser.post("/sequences/after_offer", data=given)
    assert answer.status_code == 422
    assert "step_2_title_ru" in answer.text


@pytest.mark.parametrize(
    ("kind", "template", "status"),
    [
        ("sms", "offer_sent", 303),
        ("sms", "brochure", 422),
        ("voice", "demo_reminder", 303),
        ("email", "offer_sent", 422),
        ("voice", "voicemail", 422),
        ("email", "sms/offer_sent", 422),
    ],
)
def test_a_step_sends_what_its_channel_can_carry(
    signed_in: SignedIn, kind: str, template: str, status: int
) -> None:
    browser = signed_in("head")
    given = _filled(browser.get("/sequences/after_offer").text)
    given |= {"step_1_kind": kind, "step_1_template": template}
    assert browser.post("/sequences/after_offer", data=given, follow_redirects=False).status_code == status


def test_deals_under_way_are_moved_by_hand(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser, deal = signed_in("head"), _deal(engine)
    browser.post("/pipelines", data={"key": "b2b"})
    browser.post("/pipelines/b2b", data={"do": "down:demo", "revision": "1"})
    browser.post("/pipelines/b2b/publish")
    assert f"deal_{deal}" in browser.get("/pipelines/b2b/deals").text
    browser.post("/pipelines/b2b/deals", data={f"deal_{deal}": "1"})
    with transaction(engine) as session:
        assert session.get_one(Deal, deal).pipeline.version == 2


@pytest.mark.parametrize(("who", "status"), [("agent", 200), ("head", 200), ("support", 403)])
def test_a_deals_page_is_open_to_who_works_on_it_and_to_leaders(
    signed_in: SignedIn, engine: sa.Engine, who: str, status: int
) -> None:
    assert signed_in(who).get(f"/deals/{_deal(engine)}").status_code == status


def test_a_payment_counts_once_and_is_taken_back(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser, deal = signed_in("agent"), _deal(engine)
    given = {"amount": "100,50", "number": "PAY-7", "paid_on": "2026-11-20"}
    browser.post(f"/deals/{deal}/payments", data=given, headers=HTMX)
    assert browser.post(f"/deals/{deal}/payments", data=given, headers=HTMX).status_code == 409
    assert "PAY-7" in browser.get(f"/deals/{deal}").text
    with transaction(engine) as session:
        (entry,) = payments.payments(session, deal)
    browser.post(f"/deals/{deal}/payments/{entry.id}/undo", headers=HTMX)
    with transaction(engine) as session:
        assert payments.payments(session, deal) == []


def test_what_is_paid_moves_the_deal_where_the_stage_says_so(signed_in: SignedIn, engine: sa.Engine) -> None:
    deal = _deal(engine)
    with transaction(engine) as session:
        session.execute(sa.update(Stage).where(Stage.key == "payment").values(automatic_on=["paid"]))
    browser = signed_in("agent")
    given = {"amount": "100000", "number": "PAY-8", "paid_on": "2026-11-20"}
    browser.post(f"/deals/{deal}/payments", data=given, headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Deal, deal).stage.key == "payment"


def test_a_checklist_is_ticked_and_holds_the_deal(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    deal, talk = _deal(engine), world.talks["own"].id
    with transaction(engine) as session:
        stage = session.get_one(Deal, deal).stage
        point = {
            "key": "asked",
            "names": {"en": "Asked", "ru": "Спросили", "lt": "Paklausta"},
            "required": True,
        }
        stage.checklist = [point]
        contract = session.scalars(sa.select(Stage.id).where(Stage.key == "contract")).one()
    browser = signed_in("agent")
    assert "Paklausta" in browser.get(f"/conversations/{talk}/move?stage={contract}").text
    refused = browser.post(f"/conversations/{talk}/move", data={"stage": contract}, headers=HTMX)
    assert refused.status_code == 409
    browser.post(f"/deals/{deal}/check", data={"item": "asked", "ticked": "1"}, headers=HTMX)
    with transaction(engine) as session:
        assert session.scalars(sa.select(ChecklistMark.item)).all() == ["asked"]
    assert (
        browser.post(f"/conversations/{talk}/move", data={"stage": contract}, headers=HTMX).status_code == 200
    )


def test_a_leader_lets_a_deal_go_with_a_reason(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    deal, talk = _deal(engine), world.talks["own"].id
    with transaction(engine) as session:
        session.get_one(Deal, deal).stage.required_fields = ["event"]
        contract = session.scalars(sa.select(Stage.id).where(Stage.key == "contract")).one()
    given = {"stage": contract, "override": "1", "reason": "the client is in a hurry"}
    assert signed_in("agent").post(f"/conversations/{talk}/move", data=given, headers=HTMX).status_code == 403
    signed_in("head").post(f"/conversations/{talk}/move", data=given, headers=HTMX)
    with transaction(engine) as session:
        change = session.scalars(sa.select(StageChange).order_by(StageChange.id.desc())).first()
        assert change is not None
        assert (change.lacking, change.reason) == (["event"], "the client is in a hurry")


def test_a_new_owner_is_told_what_they_get(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    deal, mate = _deal(engine), world.staff["mate"].id
    given = {"source": "an exhibition", "interest": "high", "owner_id": str(mate)}
    signed_in("agent").post(f"/deals/{deal}/story", data=given, headers=HTMX)
    with transaction(engine) as session:
        made = session.scalars(sa.select(Handover)).one()
        task = session.get_one(Task, made.task_id)
        assert (made.to_id, task.assignee_id, task.kind) == (mate, mate, "handover")
        assert session.get_one(Deal, deal).interest == Interest.HIGH
        written = session.scalars(sa.select(AuditEntry).where(AuditEntry.kind == "deal")).one()
        assert written.after == {"staff": world.staff["mate"].name}


def test_a_closing_is_undone(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, deal, talk = signed_in("agent"), _deal(engine), world.talks["own"].id
    given = {"outcome": "lost", "loss_reason": "price"}
    answer = browser.post(f"/conversations/{talk}/close", data=given, headers=HTMX)
    assert f"/deals/{deal}/reopen" in answer.headers["hx-trigger"]
    browser.post(f"/deals/{deal}/reopen", headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Deal, deal).outcome is None


def test_a_deal_is_opened_in_a_chosen_pipeline_with_its_story(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    talk = world.talks["unsure"].id
    with transaction(engine) as session:
        other = document_of(pipelines.default_pipeline(session))
        session.add(
            Pipeline(
                key="service",
                names=other["names"],
                stages=[Stage(key="asked", position=1, names={"en": "Asked"})],
            )
        )
    browser = signed_in("agent")
    assert 'value="service"' in browser.get(f"/conversations/{talk}/deal/open").text
    given = {"pipeline": "service", "initiative": "ours", "event": "a tender", "title": "Pumps"}
    browser.post(f"/conversations/{talk}/deal/open", data=given, headers=HTMX)
    with transaction(engine) as session:
        deal = session.scalars(sa.select(Deal).where(Deal.title == "Pumps")).one()
        assert (deal.pipeline.key, deal.initiative, deal.event) == ("service", "ours", "a tender")


_FIELD = re.compile(r"<(input|textarea|select)\b([^>]*)>(.*?)(?=<input|<textarea|<select|</form)", re.DOTALL)


def _filled(page: str) -> dict[str, str]:
    """What a browser sends of the page's largest form."""
    form = max(re.findall(r"<form.*?</form>", page, re.DOTALL), key=len)
    given: dict[str, str] = {}
    for kind, attributes, inside in _FIELD.findall(form):
        name = re.search(r'name="([^"]+)"', attributes)
        value = re.search(r'value="([^"]*)"', attributes)
        if name is None:
            continue
        if kind == "select":
            chosen = re.search(r'<option value="([^"]*)" selected', inside)
            given[name[1]] = _text(chosen[1]) if chosen else ""
        elif kind == "textarea":
            given[name[1]] = _text(inside.split("</textarea>")[0])
        elif 'type="checkbox"' not in attributes or " checked" in attributes:
            given[name[1]] = _text(value[1]) if value else ""
    return given


def _text(escaped: str) -> str:
    return html.unescape(escaped)
