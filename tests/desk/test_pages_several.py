"""The inbox beyond one letter: put off, several at once, kept views, notes, interests, who is here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from httpx import Response

from core import notes, snoozing
from core.catalogue import ProductInterest
from core.conversations import Conversation
from core.db import Base, transaction
from core.errors import InputRefused
from core.notes import Note
from core.snoozing import Later
from core.tasks import Task, TaskState
from desk.presence import Presence
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


def told(answer: Response) -> dict[str, Any]:
    assert answer.status_code in {200, 201}, answer.text
    return json.loads(answer.headers["hx-trigger"])["toast"]


def undo(browser: Browser, answer: Response) -> None:
    said = told(answer)
    browser.post(said["undo"], data={key: str(value) for key, value in said["values"].items()}, headers=HTMX)


def stands(browser: Browser, number: int, place: str = "/inbox") -> bool:
    return f'id="c{number}"' in browser.get(place).text


def test_what_is_put_off_leaves_the_inbox_until_it_is_undone(signed_in: SignedIn, world: World) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    answer = browser.post(f"/conversations/{number}/later", data={"until": "tomorrow"}, headers=HTMX)
    assert not stands(browser, number)
    assert stands(browser, number, "/inbox?box=later")
    undo(browser, answer)
    assert stands(browser, number)


def test_what_was_put_off_comes_back_before_everything_else(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["english"].id
    with transaction(engine) as session:
        session.get_one(Conversation, number).snoozed_until = datetime.now(UTC) - timedelta(seconds=5)
    text = browser.get("/inbox").text
    assert text.count(f'id="c{number}"') == 1
    assert text.index(f'id="c{number}"') == text.index('id="c')


def test_several_are_done_at_once_and_all_of_it_is_undone(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    mine = [world.talks["own"].id, world.talks["english"].id]
    data = {"ids": ",".join(map(str, [*mine, world.talks["other"].id])), "deed": "done"}
    answer = browser.post("/inbox/several", data=data, headers=HTMX)
    assert [stands(browser, number) for number in mine] == [False, False]
    assert len(json.loads(told(answer)["values"]["before"])) == 2
    undo(browser, answer)
    assert [stands(browser, number) for number in mine] == [True, True]


def test_several_are_given_away_and_come_back_to_whom_they_were_with(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, numbers = signed_in("head"), [world.talks["own"].id, world.talks["other"].id]
    before = owners(engine, numbers)
    mate = world.staff["mate"].id
    data = {"ids": ",".join(map(str, numbers)), "deed": "give", "staff_id": str(mate)}
    answer = browser.post("/inbox/several", data=data, headers=HTMX)
    assert owners(engine, numbers) == [mate, mate]
    undo(browser, answer)
    assert owners(engine, numbers) == before


def owners(engine: sa.Engine, numbers: list[int]) -> list[int | None]:
    with transaction(engine) as session:
        return [session.get_one(Conversation, number).assignee_id for number in numbers]


@pytest.mark.parametrize(
    "data", [{"deed": "eat", "ids": "1"}, {"deed": "back", "before": "[[1]]"}, {"deed": "done"}]
)
def test_a_deed_that_makes_no_sense_is_refused(signed_in: SignedIn, data: dict[str, str]) -> None:
    assert signed_in("agent").post("/inbox/several", data=data, headers=HTMX).status_code in {400, 422}


def test_a_view_is_kept_under_a_name_and_shows_what_it_asks_for(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    data = {"name": "Русские письма", "box": "mine", "language": "ru", "topic": ""}
    text = browser.post("/inbox/views", data=data).text
    assert "Русские письма" in text
    assert f'id="c{world.talks["urgent"].id}"' in text
    assert f'id="c{world.talks["own"].id}"' not in text
    assert "Русские письма" not in signed_in("mate").get("/inbox").text


def test_a_note_is_seen_by_colleagues_and_calls_one_of_them(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    mate = world.staff["mate"]
    text = f"Kaina jau suderinta, @{mate.name} pasižiūrėk"
    answer = browser.post(f"/conversations/{number}/notes", data={"text": text}, headers=HTMX)
    assert "Kaina jau suderinta" in browser.get(f"/conversations/{number}").text
    with transaction(engine) as session:
        waiting = sa.select(Task.assignee_id, Task.state).where(Task.kind == "mention")
        called = session.execute(waiting).all()
    sees = mate.id in {row.assignee_id for row in called}
    assert sees == ("Kaina" in signed_in("mate").get(f"/conversations/{number}").text)
    undo(browser, answer)
    assert "Kaina jau suderinta" not in browser.get(f"/conversations/{number}").text
    with transaction(engine) as session:
        assert set(session.scalars(sa.select(Task.state).where(Task.kind == "mention"))) <= {
            TaskState.CANCELLED
        }


def test_whoever_may_see_a_conversation_is_told_when_called(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    number, head = world.talks["own"].id, world.staff["head"]
    signed_in("head").get(f"/conversations/{number}")
    signed_in("agent").post(f"/conversations/{number}/notes", data={"text": f"@{head.name}: nuolaida?"})
    with transaction(engine) as session:
        task = session.scalars(sa.select(Task).where(Task.kind == "mention")).one()
        assert (task.assignee_id, task.conversation_id) == (head.id, number)
    assert f'class="row unread" id="c{number}"' in signed_in("head").get("/inbox?box=all").text


def test_a_note_is_taken_away_by_its_writer_and_by_no_colleague(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    number = world.talks["team"].id
    signed_in("agent").post(f"/conversations/{number}/notes", data={"text": "Tik mums"})
    with transaction(engine) as session:
        note = session.scalars(sa.select(Note.id)).one()
    assert signed_in("mate").post(f"/notes/{note}/remove", follow_redirects=False).status_code == 404
    assert "Tik mums" in signed_in("mate").get(f"/conversations/{number}").text


def test_nothing_that_is_sent_refers_to_a_note() -> None:
    referring = {
        table.name
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "note"
    }
    assert referring == {"note_mention"}


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Ona Petraitė pažiūrėk", {1}),
        ("labas, @ona petraitė.", {1}),
        ("@Jonas", {3}),
        ("@Ona", set()),
        ("mail@Jonas.lt", set()),
        ("@Jonasson", set()),
    ],
)
def test_who_is_called_in_a_note(text: str, called: set[int]) -> None:
    names = {1: "Ona Petraitė", 2: "Ona Kalnienė", 3: "Jonas Rimkus"}
    assert notes.mentioned(text, names) == called


def test_support_logs_an_interest_and_sales_get_one_task(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("support"), world.talks["support"].id
    product = world.products["filter-f2"].id
    sheet = browser.get(f"/conversations/{number}/interest", headers=HTMX).text
    assert f'value="{product}"' in sheet
    place, data = f"/conversations/{number}/interest", {"product_id": str(product)}
    answer = browser.post(place, data=data, headers=HTMX)
    browser.post(place, data=data, headers=HTMX)
    assert logged(engine, world, number) == (2, 1)
    undo(browser, answer)
    assert logged(engine, world, number) == (1, 0)


def logged(engine: sa.Engine, world: World, number: int) -> tuple[int, int]:
    with transaction(engine) as session:
        by = ProductInterest.staff_id == world.staff["support"].id
        interests = session.scalar(sa.select(sa.func.count()).select_from(ProductInterest).where(by))
        waiting = (
            sa.select(sa.func.count())
            .select_from(Task)
            .where(Task.kind == "interest", Task.conversation_id == number, Task.state == TaskState.OPEN)
        )
        return interests or 0, session.scalar(waiting) or 0


def test_later_is_offered_in_the_zone_of_the_company() -> None:
    zone = ZoneInfo("Europe/Vilnius")
    friday = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
    found = snoozing.moments(friday, zone)
    assert [at.strftime("%a %H") for at in found.values()] == ["Fri 15", "Sat 09", "Mon 09"]
    assert Later.AFTERNOON not in snoozing.moments(friday + timedelta(hours=3), zone)


@pytest.mark.parametrize("day", ["", "2026-13-01", "2020-01-01", "2090-01-01"])
def test_a_day_that_is_none_past_or_far_is_refused(day: str) -> None:
    with pytest.raises(InputRefused):
        snoozing.moment_of("day", day, datetime(2026, 11, 20, tzinfo=UTC), ZoneInfo("Europe/Vilnius"))


def test_colleagues_at_a_conversation_are_told_of_each_other_and_not_of_themselves() -> None:
    here = Presence()
    assert here.heard(7, 1, "Ona", "here")
    assert not here.heard(7, 1, "Ona", "here")
    assert here.heard(7, 1, "Ona", "writing")
    assert [(one.name, one.writing) for one in here.at(7, but=2)] == [("Ona", True)]
    assert here.at(7, but=1) == []
    assert here.heard(7, 1, "Ona", "gone")
    assert here.at(7, but=2) == []
