"""The classifier's page: figures from corrections, versions compared and rolled back, odd batches, labels."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from classifier.jobs import RETRAIN
from core import teaching
from core.conversations import Message
from core.db import transaction
from core.i18n import texts
from core.labelbook import LabelEntry, labels, merge_label
from core.labels import Correction, Field, LabelExample, active_version, correct
from desk import labelnames
from desk.whywords import in_words
from tests.desk.conftest import SignedIn
from tests.desk.judged import judge_messages, two_versions
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def judged(engine: sa.Engine, world: World) -> list[int]:
    """Messages that colleagues judged over ten weeks."""
    with transaction(engine) as session:
        return judge_messages(session, world)


@pytest.fixture
def names(engine: sa.Engine) -> tuple[str, str]:
    """The version in force and the one before it."""
    with transaction(engine) as session:
        return two_versions(session)


def _toast(answer: object) -> dict[str, object]:
    return json.loads(answer.headers["hx-trigger"])["toast"]  # pyright: ignore[reportAttributeAccessIssue]


def test_before_anybody_judged_the_page_says_what_will_stand_here(signed_in: SignedIn) -> None:
    text = signed_in("head").get("/classifier").text
    assert "Nobody has judged a message yet" in text
    assert "Came with frontdesk" in text


def test_the_page_shows_accuracy_by_week_and_label_from_corrections(
    signed_in: SignedIn, judged: list[int], names: tuple[str, str]
) -> None:
    text = signed_in("head").get("/classifier").text
    assert text.count('class="chart"') == 4
    assert "84" in text
    assert "Price request" in text
    assert "Right answers on 51 judging messages: 80% before, now 82%" in text


@pytest.mark.parametrize("name", ["agent", "support", "marketing"])
def test_only_leaders_enter(signed_in: SignedIn, name: str) -> None:
    for path in ("/classifier", "/classifier/compare", "/classifier/labels"):
        assert signed_in(name).get(path).status_code == 403


def test_a_version_is_rolled_back_and_put_in_force_again(
    signed_in: SignedIn, engine: sa.Engine, names: tuple[str, str]
) -> None:
    newer, older = names
    browser = signed_in("head")
    toast = _toast(browser.post("/classifier/rollback", data={"name": older}, headers=HTMX))
    assert _active(engine) == older
    browser.post(str(toast["undo"]), data=toast["values"], headers=HTMX)
    assert _active(engine) == newer


def test_the_shipped_model_can_be_put_in_force(
    signed_in: SignedIn, engine: sa.Engine, names: tuple[str, str]
) -> None:
    signed_in("head").post("/classifier/rollback", data={"name": "shipped"}, headers=HTMX)
    assert _active(engine) is None


def test_two_versions_are_compared_on_messages_kept_for_judging(
    signed_in: SignedIn, judged: list[int], names: tuple[str, str]
) -> None:
    text = signed_in("head").get(f"/classifier/compare?before=shipped&after={names[0]}").text
    assert "Better understood: 0. Worse: 0." in text


def test_a_version_that_is_not_there_is_not_found(signed_in: SignedIn, judged: list[int]) -> None:
    assert signed_in("head").get("/classifier/compare?after=own-x").status_code == 404


def test_learning_now_asks_for_one_training(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    for _ in range(2):
        assert browser.post("/classifier/learn", headers=HTMX).status_code == 200
    with engine.connect() as connection:
        query = sa.text("select count(*) from pgqueuer where entrypoint = :kind")
        assert connection.scalar(query, {"kind": RETRAIN}) == 1


def test_where_nothing_was_taught_learning_now_promises_no_version(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("head")
    answer = browser.post("/classifier/learn", headers=HTMX)
    assert "Nothing was corrected" in str(_toast(answer)["text"])
    with transaction(engine) as session:
        judge_messages(session, world, 3)
    assert "is being trained" in str(_toast(browser.post("/classifier/learn", headers=HTMX))["text"])


def test_a_merged_label_is_offered_no_more_and_taken_as_what_stands_for_it(
    engine: sa.Engine, world: World, judged: list[int]
) -> None:
    with transaction(engine) as session:
        merge_label(session, "meeting", "other")
        assert "meeting" not in dict(teaching.topics(session, "en"))
        message = session.get_one(Message, judged[0])
        made = teaching.teach(session, message, "meeting", staff_id=world.staff["agent"].id)
        assert made.value == "other"


def test_reasons_are_told_in_the_readers_language() -> None:
    words = texts("ru")
    assert "95%" in in_words("abstain", "below 0.95", words, str)
    assert in_words("rule", "remove me", words, str) == "remove me"
    assert in_words("labeller", "order", words, str.upper) == "ORDER"


def test_an_odd_batch_is_shown_allowed_and_held_back_again(
    signed_in: SignedIn, engine: sa.Engine, world: World, judged: list[int]
) -> None:
    with transaction(engine) as session:
        for number in judged[:20]:
            correct(session, number, Field.INTENT, "refusal", staff_id=world.staff["mate"].id)
    browser = signed_in("head")
    text = browser.get("/classifier").text
    assert "20 messages to “Refusal or not now”" in text
    numbers = text.split('name="messages" value="')[1].split('"')[0]
    answer = browser.post("/classifier/odd", data={"messages": numbers, "deed": "allow"}, headers=HTMX)
    assert "Corrections that look odd" not in browser.get("/classifier").text
    toast = _toast(answer)
    browser.post(str(toast["undo"]), data=toast["values"], headers=HTMX)
    assert "Corrections that look odd" in browser.get("/classifier").text


def test_an_odd_batch_is_taken_back(
    signed_in: SignedIn, engine: sa.Engine, world: World, judged: list[int]
) -> None:
    with transaction(engine) as session:
        for number in judged[:16]:
            correct(session, number, Field.INTENT, "refusal", staff_id=world.staff["mate"].id)
    data = {"messages": ",".join(map(str, judged[:16])), "deed": "refuse"}
    signed_in("head").post("/classifier/odd", data=data, headers=HTMX)
    with transaction(engine) as session:
        left = session.scalar(
            sa.select(sa.func.count())
            .select_from(Correction)
            .where(Correction.message_id.in_(judged[:16]), Correction.undone_at.is_(None))
        )
    assert left == 0


def test_a_label_is_added_with_letters_and_listed(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    data = {
        "name_en": "Warranty case",
        "name_lt": "Garantinis atvejis",
        "description": "Something broke within the warranty",
        "letters": "The pump broke in the first month\n --- \nGarantija dar galioja, variklis sudegė",
    }
    assert "Warranty case" in browser.post("/classifier/labels", data=data).text
    assert "Garantinis atvejis" in browser.get("/classifier/labels/warranty_case").text
    with transaction(engine) as session:
        query = sa.select(sa.func.count()).where(LabelExample.intent == "warranty_case")
        assert session.scalar(query) == 2


def test_a_label_without_a_name_is_refused(signed_in: SignedIn) -> None:
    assert (
        signed_in("head").post("/classifier/labels", data={"letters": "x"}, headers=HTMX).status_code == 422
    )


def test_a_label_is_renamed_merged_and_separated(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/classifier/labels/meeting", data={"name_en": "Visit"}, headers=HTMX)
    assert "Visit" in browser.get("/classifier/labels").text
    assert labelnames.name(engine, "meeting", "en") == "Visit"
    assert labelnames.name(engine, "meeting", "lt") == "Susitikimas ar skambutis"
    merged = _toast(browser.post("/classifier/labels/meeting/merge", data={"into": "other"}, headers=HTMX))
    assert _entry(engine, "meeting").merged_into == "other"
    browser.post(str(merged["undo"]), headers=HTMX)
    assert _entry(engine, "meeting").merged_into is None


def test_a_letter_that_was_removed_comes_back(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.post("/classifier/labels/order/examples", data={"letters": "Užsakome du siurblius"}, headers=HTMX)
    with transaction(engine) as session:
        number = session.scalar(sa.select(LabelExample.id))
    toast = _toast(browser.post(f"/classifier/examples/{number}/remove", headers=HTMX))
    assert "Užsakome" not in browser.get("/classifier/labels/order").text
    browser.post(str(toast["undo"]), data=toast["values"], headers=HTMX)
    assert "Užsakome" in browser.get("/classifier/labels/order").text


def _active(engine: sa.Engine) -> str | None:
    with transaction(engine) as session:
        version = active_version(session)
        return None if version is None else version.name


def _entry(engine: sa.Engine, key: str) -> LabelEntry:
    with transaction(engine) as session:
        return next(one for one in labels(session) if one.key == key)
