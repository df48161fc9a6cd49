"""The template library on the screen: seen by all, changed by those who may, checked and shown before it is
saved."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from core import templatelibrary, templatelibrary_uses
from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal, Stage
from core.outbox import Draft, queue
from core.templatelibrary_uses import Use
from desk.templatechoice import known_keys
from desk.templatewords import key_from
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

PLACE = "/templates/email/follow_up"
LETTER = {"subject": "Ar viskas aišku?", "body": "{{ client.salutation }}\n\nAr liko klausimų?\n"}


def words(of: str, *, base: int = 0, language: str = "lt", **parts: str) -> dict[str, str]:
    """The form of the editor, filled in."""
    return {"of": of, "language": language, "base": str(base), "note": "", **LETTER, **parts}


def test_everybody_sees_the_list_and_what_is_shipped(signed_in: SignedIn):
    for who in ("agent", "marketing"):
        shown = signed_in(who).get("/templates")
        assert shown.status_code == 200
        assert "follow_up" in shown.text


def test_marketing_lays_a_text_over_the_shipped_one_and_takes_it_back(signed_in: SignedIn, engine: sa.Engine):
    browser = signed_in("marketing")
    saved = browser.post(PLACE, data=words("company"), follow_redirects=False)
    assert saved.status_code == 303
    shown = browser.get(saved.headers["location"]).text
    assert "Ar liko klausimų?" in shown
    gone = browser.post(f"{PLACE}/remove", data={"of": "company"}, headers={"hx-request": "true"})
    assert f"{PLACE}/back" in gone.headers["hx-trigger"]
    with transaction(engine) as session:
        assert [one.deleted for one in templatelibrary.in_force(session)] == [True]
    browser.post(f"{PLACE}/back", data={"of": "company"})
    with transaction(engine) as session:
        assert [one.deleted for one in templatelibrary.in_force(session)] == [False]


@pytest.mark.parametrize("of", ["company", "team-1"])
def test_an_agent_may_not_change_what_is_for_others(signed_in: SignedIn, of: str):
    assert signed_in("agent").post(PLACE, data=words(of)).status_code in (403, 404)


def test_ones_own_template_is_seen_by_nobody_else(signed_in: SignedIn):
    saved = signed_in("agent").post(
        PLACE, data=words("mine", body="{{ client.salutation }}\n\nMano žodžiai.")
    )
    assert "Mano žodžiai" in saved.text
    for who in ("marketing", "mate"):
        assert "Mano žodžiai" not in signed_in(who).get(f"{PLACE}?language=lt").text


def test_a_fault_is_told_with_its_line_and_nothing_is_saved(signed_in: SignedIn, engine: sa.Engine):
    shown = signed_in("marketing").post(
        PLACE, data=words("company", language="en", body="Hello\n{{ client.nmae }}\n")
    )
    assert shown.status_code == 422
    assert "client.name" in shown.text
    assert "{{ client.nmae }}" in shown.text.replace("&#39;", "'")
    with transaction(engine) as session:
        assert templatelibrary.in_force(session) == []


def test_who_saves_upon_an_old_version_is_told(signed_in: SignedIn):
    browser = signed_in("marketing")
    browser.post(PLACE, data=words("company"))
    late = browser.post(PLACE, data=words("company", subject="Kita tema"))
    assert late.status_code == 422
    assert "Kita tema" in late.text


def test_an_older_version_is_read_and_restored(signed_in: SignedIn, engine: sa.Engine):
    browser = signed_in("marketing")
    browser.post(PLACE, data=words("company", subject="Pirma tema"))
    browser.post(PLACE, data=words("company", base=1, subject="Antra tema"))
    assert "Pirma tema" in browser.get(f"{PLACE}/versions/1?of=company").text
    browser.post(f"{PLACE}/restore", data={"of": "company", "number": "1"})
    with transaction(engine) as session:
        (row,) = templatelibrary.in_force(session)
    assert row.number == 3
    assert row.texts["lt"]["subject.txt"] == "Pirma tema"


def test_the_preview_shows_the_letter_in_a_frame_that_only_its_writer_opens(signed_in: SignedIn):
    browser = signed_in("agent")
    shown = browser.post(f"{PLACE}/preview", data=words("mine"), headers={"hx-request": "true"})
    frame = re.search(r'src="(/templates/previews/[^"]+)"', shown.text)
    assert frame is not None
    letter = browser.get(frame[1])
    assert "Ar liko klausimų?" in letter.text
    assert "sandbox" in letter.headers["content-security-policy"]
    assert signed_in("mate").get(frame[1]).status_code == 404


def test_the_preview_of_an_sms_counts_its_parts(signed_in: SignedIn):
    shown = signed_in("marketing").post(
        "/templates/sms/follow_up/preview",
        data={"of": "company", "language": "en", "body": "Hello {{ client.name }}! " * 12},
        headers={"hx-request": "true"},
    )
    assert re.search(r"\b2\s\w+ · 239\s", shown.text)


def test_a_client_is_shown_only_to_who_may_see_them(signed_in: SignedIn, world: World):
    stranger = words("mine") | {"contact": "999999"}
    refused = signed_in("agent").post(f"{PLACE}/preview", data=stranger, headers={"hx-request": "true"})
    assert refused.status_code == 404


def test_who_got_which_version_is_listed(signed_in: SignedIn, engine: sa.Engine):
    with transaction(engine) as session:
        delivery = queue(
            session,
            Draft(key="t:1", address="client@example.lt", recipient_name="Jonas", template="follow_up"),
        )
        assert delivery is not None
        use = Use(delivery, "email", "follow_up", "lt", None, "0123456789ab")
        templatelibrary_uses.record(session, [use])
    assert "Jonas" in signed_in("marketing").get(f"{PLACE}/sent").text
    assert "Jonas" not in signed_in("agent").get(f"{PLACE}/sent").text


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Kainų sąrašas", "kainu_sarasas"),
        ("Прайс-лист 2027", "prais_list_2027"),
        ("Price list!", "price_list"),
        ("2027", ""),
    ],
)
def test_a_key_is_made_of_a_name_in_any_language(name: str, key: str):
    assert key_from(name) == key


def test_a_template_of_the_companys_own_is_offered_at_once_where_letters_are_chosen(
    signed_in: SignedIn, engine: sa.Engine
):
    browser = signed_in("marketing")
    begun = browser.post(
        "/templates", data={"kind": "email", "name": "Kainų sąrašas", "of": "company"}, follow_redirects=False
    )
    place = begun.headers["location"]
    assert place.startswith("/templates/email/kainu_sarasas?")
    assert browser.get(place).status_code == 200
    named = words("company", subject="Kainos", name_lt="Kainų sąrašas")
    browser.post("/templates/email/kainu_sarasas", data=named)
    assert "Kainų sąrašas" in browser.get("/templates").text
    with transaction(engine) as session:
        assert "kainu_sarasas" in known_keys(session)


def _own(browser: Browser, key: str, kind: str = "email", **parts: str) -> None:
    """A template of the company's own under a key that nothing shipped has."""
    for base, language in enumerate(("en", "lt")):
        given = words("company", base=base, language=language, name_en="Price list", **parts)
        assert browser.post(f"/templates/{kind}/{key}?name=x", data=given).status_code in (200, 303)


def test_a_template_that_a_stage_sends_is_not_deleted_and_says_what_sends_it(
    signed_in: SignedIn, engine: sa.Engine
):
    browser = signed_in("head")
    _own(browser, "price_list")
    with transaction(engine) as session:
        session.execute(sa.update(Stage).where(Stage.key == "demo").values(template="price_list"))
    asked = browser.get("/templates/email/price_list/remove?of=company").text
    assert "The stage “Demo” of the pipeline" in asked
    assert "Let these send another template first" in asked
    assert browser.post("/templates/email/price_list/remove", data={"of": "company"}).status_code == 409
    with transaction(engine) as session:
        session.execute(sa.update(Stage).values(template=None))
    assert "Nothing names it" in browser.get("/templates/email/price_list/remove?of=company").text
    assert browser.post("/templates/email/price_list/remove", data={"of": "company"}).status_code == 200
    with transaction(engine) as session:
        assert [one.deleted for one in templatelibrary.in_force(session)] == [True]


def test_an_overridden_text_says_who_uses_the_shipped_one_then_and_goes(
    signed_in: SignedIn, engine: sa.Engine
):
    browser = signed_in("head")
    browser.post(PLACE, data=words("company"))
    asked = browser.get(f"{PLACE}/remove?of=company").text
    assert "These use the shipped text from then on" in asked
    assert "The follow-up “" in asked
    assert browser.get(f"{PLACE}/remove?of=mine").status_code == 404
    assert signed_in("agent").get(f"{PLACE}/remove?of=company").status_code == 403


def test_moving_shows_the_companys_own_words_and_rules_and_files_offer_its_templates(
    signed_in: SignedIn, engine: sa.Engine, world: World
):
    browser = signed_in("head")
    _own(browser, "price_list", body="{{ client.salutation }}\n\nMūsų kainos.\n")
    with transaction(engine) as session:
        deal = session.scalars(sa.select(Deal)).one()
        talk = session.scalars(sa.select(Conversation.id).where(Conversation.deal_id == deal.id)).first()
        stage = session.scalars(
            sa.select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.key == "payment")
        ).one()
        stage.template = "price_list"
        number = stage.id
    sheet = browser.get(f"/conversations/{talk}/move?stage={number}").text
    assert "Mūsų kainos." in sheet
    assert "Price list" in browser.get("/approvals").text
    answer = browser.post("/approvals/rules", data={"template": "price_list", "approver": "role:head"})
    assert answer.status_code == 200
    assert 'name="with_price_list"' in browser.get("/files").text
    assert browser.post("/approvals/rules", data={"template": "nothing", "approver": "role:head"}).is_error


def test_what_a_caller_hears_first_is_no_template_of_the_library(signed_in: SignedIn):
    assert signed_in("head").get("/templates/voice/greeting").status_code == 404
