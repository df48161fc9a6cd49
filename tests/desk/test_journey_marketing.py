"""Marketing in a real browser, in each language: a segment described, a mailing written, tried, started,
counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core import segments
from core.campaigns import Campaign, CampaignState
from core.db import transaction
from core.outbox import Delivery, DeliveryState, Purpose
from core.segments import Segment
from core.staff import StaffMember
from core.values import Language
from core.worktime import Calendar
from outbound.campaigns import tick
from outbound.sequences import House
from tests.desk.test_journey_day import Watched
from tests.factories import PASSWORD, World

pytestmark = [pytest.mark.chromium, pytest.mark.long]

WORDS = {
    "lt": {"title": "Segmentai", "kept": "Išsaugota ir išsiųsta", "arrived": "Pasiekė"},
    "ru": {"title": "Сегменты", "kept": "Сохранено и отправлено", "arrived": "Дошло"},
    "en": {"title": "Segments", "kept": "Kept, and sent to", "arrived": "Arrived"},
}


@pytest.fixture
def watched(chromium: playwright.Browser, address: str) -> Iterator[Watched]:
    """A fresh page in a window of its own."""
    page = chromium.new_page(viewport={"width": 1360, "height": 860})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield Watched(page, address)
    page.close()


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_segment_is_described_and_written_to_and_the_result_comes_back(
    language: str, watched: Watched, engine: sa.Engine, world: World
) -> None:
    page, words = watched.page, WORDS[language]
    with transaction(engine) as session:
        session.get_one(StaffMember, world.staff["marketing"].id).language = Language(language)
    page.goto(f"{watched.address}/login")
    page.fill("#email", "marketing@siurbliai.example")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(re.compile(r"/(segments|mailings|settings)"))

    page.goto(f"{watched.address}/segments")
    expect(page.locator("h1")).to_have_text(words["title"])
    page.goto(f"{watched.address}/segments/new")
    page.fill("#segment-name", "Vilnius")
    page.select_option("select[name='fact:1']", "region")
    page.check("input[name='v:1:values:Vilnius']")
    expect(page.locator(".seg-count")).to_have_text("1")
    expect(page.locator(".seg-people")).to_contain_text("Ona Žukauskaitė")
    page.click("button[value=save]")
    page.wait_for_url(re.compile(r"/segments/\d+\?saved=1"))

    page.goto(f"{watched.address}/mailings")
    page.fill("#mailing-new", "Ruduo")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/mailings/\d+$"))
    place = page.url
    page.select_option("select[name=segment_id]", label="Vilnius")
    page.click("form[action$='/settings'] button.btn-primary")
    expect(page.locator("aside .seg-count")).to_have_text("1")
    expect(page.locator("form[action$='/deeds/start'] button")).to_be_disabled()

    page.click("a[href$='/texts/A/lt']")
    page.fill("#subject", "Rudens pasiūlymas")
    page.fill("#body", "Laba diena, {{ client.name }}! Siurbliai šį mėnesį pigesni.")
    expect(page.locator("#preview")).to_contain_text("Siurbliai šį mėnesį pigesni.")
    expect(page.locator("#preview")).not_to_contain_text("{{")
    page.click("button[value=test]")
    expect(page.locator(".toast-box").first).to_contain_text(words["kept"])
    page.goto(place)
    page.click("form[action$='/deeds/start'] button")
    expect(page.locator("form[action$='/deeds/pause'] button")).to_be_visible()

    with transaction(engine) as session:
        for one in session.scalars(sa.select(Segment).where(Segment.name == "Vilnius")):
            segments.refresh(session, one)
        while tick(session, House(Calendar())):
            pass
        mailed = session.scalars(sa.select(Delivery).where(Delivery.purpose == Purpose.MARKETING)).all()
        sent = [one for one in mailed if one.campaign_id is not None]
        assert [one.recipient_name for one in sent] == ["Ona Žukauskaitė"]
        sent[0].state = DeliveryState.SENT
        assert session.scalars(sa.select(Campaign.state)).one() in {
            CampaignState.RUNNING,
            CampaignState.FINISHED,
        }
    arrived = page.locator(".figures div", has_text=words["arrived"])
    expect(arrived.locator("dd")).to_have_text("1")
    expect(page.locator("#progress .chip", has_text="Vilnius")).to_be_visible()
    assert watched.faults == []
    assert watched.abroad == []
