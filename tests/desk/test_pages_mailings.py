"""Mailings on their screens: written, checked, tried on oneself, started, held and counted."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa

from core import campaign_verbs, lists
from core.campaigns import Campaign, CampaignState
from core.db import transaction
from core.outbox import Delivery, Purpose
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def place(signed_in: SignedIn, engine: sa.Engine, world: World) -> str:
    """A mailing to a list with one contact, made on the screen."""
    browser = signed_in("marketing")
    made = browser.post("/mailings", data={"name": "Ruduo"}, headers=HTMX).headers["hx-redirect"]
    contact = world.talks["own"].contact
    assert contact is not None
    with transaction(engine) as session:
        one = lists.add(session, "Mugė")
        lists.put_on(session, one.id, [contact.id])
        number = one.id
    _set(browser, engine, made, list_id=str(number))
    return made


def _campaign(engine: sa.Engine) -> Campaign:
    with transaction(engine) as session:
        return session.scalars(sa.select(Campaign)).one()


def _set(browser: Browser, engine: sa.Engine, place: str, **more: str) -> None:
    fields = {
        "revision": str(_campaign(engine).revision),
        "name": "Ruduo",
        "channel": "email",
        "topic": "offers",
        "language": "lt",
        "goal": "replies",
    } | more
    assert browser.post(f"{place}/settings", data=fields, headers=HTMX).status_code == 200


def _write(
    browser: Browser, place: str, act: str = "save", body: str = "Laba diena, {{ client.name }}!"
) -> str:
    fields = {"subject": "Rudens pasiūlymas", "body": body, "act": act}
    return browser.post(f"{place}/texts/A/lt", data=fields, headers=HTMX).text


def test_the_check_says_what_is_missing_and_nothing_starts(
    signed_in: SignedIn, engine: sa.Engine, place: str
) -> None:
    browser = signed_in("marketing")
    assert "Teksto dar nėra." in browser.get(place).text
    assert browser.post(f"{place}/deeds/start", headers=HTMX).status_code == 422
    assert _campaign(engine).state == CampaignState.DRAFT


def test_a_text_reads_as_a_client_would_read_it_before_it_is_kept(
    signed_in: SignedIn, engine: sa.Engine, place: str
) -> None:
    text = _write(signed_in("marketing"), place, act="")
    assert "Rudens pasiūlymas" in text
    assert "{{" not in text
    with transaction(engine) as session:
        assert campaign_verbs.texts(session, _campaign(engine).id) == []


def test_the_page_of_a_text_shows_what_each_recipient_would_read(signed_in: SignedIn, place: str) -> None:
    text = signed_in("marketing").get(f"{place}/texts/A/ru").text
    assert "{{ client.salutation }}" in text
    assert "Здравствуйте" in text


def test_a_trial_with_one_text_is_told_of_and_does_not_start(
    signed_in: SignedIn, engine: sa.Engine, place: str
) -> None:
    browser = signed_in("marketing")
    _write(browser, place)
    number = str(_campaign(engine).list_id)
    _set(browser, engine, place, list_id=number, test_percent="20")
    assert "variantas B neparašytas" in browser.get(place).text
    assert browser.post(f"{place}/deeds/start", headers=HTMX).status_code == 422
    _set(browser, engine, place, list_id=number, test_percent="0")
    assert "variantas B neparašytas" not in browser.get(place).text


def test_a_text_that_cannot_be_filled_in_says_so(signed_in: SignedIn, place: str) -> None:
    assert 'class="warning"' in _write(signed_in("marketing"), place, act="", body="{{ client.nothing }}")


def test_a_test_letter_goes_to_whoever_asks_for_it(
    signed_in: SignedIn, engine: sa.Engine, place: str, world: World
) -> None:
    _write(signed_in("marketing"), place, act="test")
    with transaction(engine) as session:
        sent = session.scalars(sa.select(Delivery).where(Delivery.purpose == Purpose.STAFF)).one()
        assert sent.address == world.staff["marketing"].email


def test_a_mailing_is_started_held_resumed_ended_and_copied(
    signed_in: SignedIn, engine: sa.Engine, place: str
) -> None:
    browser = signed_in("marketing")
    _write(browser, place)
    text = browser.get(place).text
    assert re.search(r'class="seg-count">1<', text)
    for deed, state in (
        ("start", CampaignState.RUNNING),
        ("pause", CampaignState.PAUSED),
        ("resume", CampaignState.RUNNING),
        ("cancel", CampaignState.CANCELLED),
    ):
        assert browser.post(f"{place}/deeds/{deed}", headers=HTMX).status_code == 200, deed
        assert _campaign(engine).state == state
    assert browser.post(f"{place}/deeds/resume", headers=HTMX).status_code == 409
    assert browser.post(f"{place}/deeds/explode", headers=HTMX).status_code == 404
    copied = browser.post(f"{place}/copy", headers=HTMX).headers["hx-redirect"]
    assert "Ruduo (kopija)" in browser.get(copied).text


def test_a_setting_that_somebody_else_changed_meanwhile_is_not_overwritten(
    signed_in: SignedIn, engine: sa.Engine, place: str
) -> None:
    browser = signed_in("marketing")
    fields = {"revision": "1", "name": "Kitas", "channel": "email", "topic": "offers", "language": "lt"}
    assert browser.post(f"{place}/settings", data=fields, headers=HTMX).status_code == 409
    assert _campaign(engine).name == "Ruduo"


def test_recipients_leave_as_a_file(signed_in: SignedIn, place: str) -> None:
    answer = signed_in("marketing").get(f"{place}/recipients")
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize("who", ["agent", "support"])
def test_those_who_answer_letters_send_no_mailings(signed_in: SignedIn, who: str) -> None:
    assert signed_in(who).get("/mailings").status_code == 403
    assert signed_in(who).post("/mailings", data={"name": "x"}).status_code == 403


def test_an_address_is_closed_by_hand_with_its_reason_and_undone(
    signed_in: SignedIn, engine: sa.Engine
) -> None:
    browser = signed_in("marketing")
    assert browser.post("/suppressions", data={"address": "Ona@Nenori.lt"}, headers=HTMX).status_code == 422
    given = {"address": "Ona@Nenori.lt", "why": "parašė laiške"}
    answer = browser.post("/suppressions", data=given, headers=HTMX)
    assert "parašė laiške" in browser.get("/suppressions?q=nenori", headers=HTMX).text
    undo = json.loads(answer.headers["hx-trigger"])["toast"]
    browser.post(undo["undo"], data=undo["values"], headers=HTMX)
    assert "ona@nenori.lt" not in browser.get("/suppressions", headers=HTMX).text
    number = {"address": "8 612 00999", "why": "paprašė telefonu"}
    undo = json.loads(browser.post("/suppressions", data=number, headers=HTMX).headers["hx-trigger"])["toast"]
    # Neither an SMS nor an automatic call.
    assert browser.get("/suppressions?q=1200999", headers=HTMX).text.count("+37061200999") == 2
    browser.post(undo["undo"], data=undo["values"], headers=HTMX)
    assert "+37061200999" not in browser.get("/suppressions", headers=HTMX).text


def test_a_list_of_another_program_is_taken_over_and_what_a_client_closed_stays_closed(
    signed_in: SignedIn,
) -> None:
    browser = signed_in("marketing")
    file = ("seni.csv", b"email,reason\nstop@kitur.lt,unsubscribed\n=cmd|x\n", "text/csv")
    text = browser.post("/suppressions/import", files={"file": file}).text
    assert "stop@kitur.lt" in text
    assert "Nepavyko perskaityti 1" in text
    refused = browser.post("/suppressions/open", data={"address": "stop@kitur.lt"}, headers=HTMX)
    assert refused.status_code == 404


def test_a_list_of_another_program_is_looked_at_before_it_is_taken_over(signed_in: SignedIn) -> None:
    browser = signed_in("marketing")
    file = ("sarasas.csv", b"email;reason\nvienas@kitur.lt;unsubscribed\n", "text/csv")
    looked = browser.post("/suppressions/import", files={"file": file}, data={"act": "look"}, headers=HTMX)
    assert "Būtų įtrauktas 1 adresas." in looked.text
    assert "vienas@kitur.lt" not in browser.get("/suppressions", headers=HTMX).text
    taken = browser.post("/suppressions/import", files={"file": file}, data={"act": "take"}, headers=HTMX)
    assert "suppressions" in json.loads(taken.headers["hx-trigger"])
    assert "vienas@kitur.lt" in browser.get("/suppressions", headers=HTMX).text
