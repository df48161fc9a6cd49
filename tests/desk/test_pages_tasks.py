"""My tasks, nobody's, and those of a client in the card."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import clock
from core.conversations import Conversation
from core.db import transaction
from core.tasks import Task, TaskState
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def tasks(engine: sa.Engine, world: World) -> dict[str, int]:
    """Tasks about the client of the agent's own conversation: the agent's, a colleague's and nobody's."""
    people = {"late": "agent", "later": "agent", "theirs": "other", "nobodys": None}
    with transaction(engine) as session:
        conversation = session.get_one(Conversation, world.talks["own"].id)
        made = {
            name: Task(
                title=f"Skambutis {name}",
                assignee_id=world.staff[who].id if who else None,
                contact_id=conversation.contact_id,
                account_id=conversation.account_id,
                deal_id=conversation.deal_id,
                due_at=clock.now() + timedelta(days=-2 if name == "late" else 2),
            )
            for name, who in people.items()
        }
        session.add_all(made.values())
        session.flush()
        return {name: task.id for name, task in made.items()}


def _state(engine: sa.Engine, number: int) -> TaskState:
    with transaction(engine) as session:
        return session.get_one(Task, number).state


def test_my_tasks_stand_with_client_and_deal_and_what_is_due_first_at_the_top(
    signed_in: SignedIn, world: World, tasks: dict[str, int]
) -> None:
    text = signed_in("agent").get("/tasks").text
    assert text.index("Skambutis late") < text.index("Skambutis later")
    for part in (
        "Ona Žukauskaitė",
        "UAB „Vandenis“",
        "Siurbliai Vilniaus stočiai",
        f'href="/conversations/{world.talks["own"].id}"',
    ):
        assert part in text, part
    assert "Skambutis theirs" not in text
    assert "Skambutis nobodys" not in text


def test_the_rail_counts_my_open_tasks(signed_in: SignedIn, engine: sa.Engine, tasks: dict[str, int]) -> None:
    browser = signed_in("agent")
    link = browser.get("/inbox").text.split('href="/tasks"')[1].split("</a>")[0]
    assert '<span class="count">2</span>' in link
    browser.post(f"/tasks/{tasks['late']}/done", headers=HTMX)
    link = browser.get("/tasks", headers=HTMX).text.split('href="/tasks"')[1].split("</a>")[0]
    assert '<span class="count">1</span>' in link


def test_a_task_is_done_and_undone(signed_in: SignedIn, engine: sa.Engine, tasks: dict[str, int]) -> None:
    browser, number = signed_in("agent"), tasks["late"]
    told = json.loads(browser.post(f"/tasks/{number}/done", headers=HTMX).headers["hx-trigger"])
    assert "tasks" in told
    assert _state(engine, number) == TaskState.DONE
    assert "Neseniai atliktos" in browser.get("/tasks").text
    browser.post(told["toast"]["undo"], headers=HTMX)
    assert _state(engine, number) == TaskState.OPEN


def test_a_task_done_twice_is_told(signed_in: SignedIn, tasks: dict[str, int]) -> None:
    browser, number = signed_in("agent"), tasks["late"]
    browser.post(f"/tasks/{number}/done", headers=HTMX)
    assert browser.post(f"/tasks/{number}/done", headers=HTMX).status_code == 409


def test_leaders_see_what_nobody_has_and_whoever_does_it_has_it(
    signed_in: SignedIn, engine: sa.Engine, world: World, tasks: dict[str, int]
) -> None:
    browser = signed_in("head")
    assert "Skambutis nobodys" in browser.get("/tasks").text
    browser.post(f"/tasks/{tasks['nobodys']}/done", headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Task, tasks["nobodys"]).assignee_id == world.staff["head"].id


def test_the_card_shows_everybodys_tasks_of_the_client_and_finishes_them(
    signed_in: SignedIn, engine: sa.Engine, world: World, tasks: dict[str, int]
) -> None:
    browser, number = signed_in("agent"), world.talks["own"].id
    text = browser.get(f"/conversations/{number}").text
    for name in tasks:
        assert f"Skambutis {name}" in text
    assert "Giedrius Stonkus" in text
    answer = browser.post(
        f"/tasks/{tasks['theirs']}/done", data={"back": f"/conversations/{number}"}, follow_redirects=False
    )
    assert answer.headers["location"] == f"/conversations/{number}"
    assert "Skambutis theirs" not in browser.get(f"/conversations/{number}").text


@pytest.mark.parametrize("name", ["late", "theirs", "nobodys"])
def test_a_task_of_a_client_one_does_not_see_is_out_of_reach(
    signed_in: SignedIn, engine: sa.Engine, tasks: dict[str, int], name: str
) -> None:
    for deed in ("done", "reopen"):
        assert signed_in("support").post(f"/tasks/{tasks[name]}/{deed}").status_code == 404
    assert _state(engine, tasks[name]) == TaskState.OPEN


def test_somebody_without_tasks_is_told_so(signed_in: SignedIn) -> None:
    assert "You have no open tasks" in signed_in("support").get("/tasks").text
