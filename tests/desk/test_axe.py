"""Every page of the desk in a real browser, light and dark: usable by all, quiet, calling nobody."""

from __future__ import annotations

from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest
import sqlalchemy as sa
from axe_playwright_python.base import AXE_SCRIPT
from litestar import Litestar
from litestar.routes import HTTPRoute

from core import pipelineversions, rehearsal_runs, sessions
from core.db import transaction
from core.rehearsal import Change
from core.staff import StaffMember
from desk.sessions import COOKIE
from tests.desk.furnished import address_of, furnish, marketing_rooms
from tests.desk.judged import judge_messages, two_versions
from tests.desk.test_journey_day import Watched
from tests.factories import World

pytestmark = [pytest.mark.chromium, pytest.mark.long]

RUN = """(rules) => axe.run(document, {resultTypes: ['violations'], ...rules}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')))"""
IN_DARK = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What another colour scheme can change."""
NO_PAGES = frozenset(
    {
        "/favicon.ico", "/healthz", "/metrics", "/live", "/static/{name:str}", "/calendar/{name:str}",
        "/attachments/{attachment_id:int}", "/calls/of/{message_id:int}", "/unsubscribe/{token:str}",
        "/welcome/{token:str}", "/d/{token:str}", "/templates/previews/{token:str}",
        "/approvals/{approval_id:int}/document/{key:str}", "/clients/{account_id:int}/export",
        "/templates/{kind:str}/{key:str}/files/{document_id:int}",
        "/templates/{kind:str}/{key:str}/versions/{number:int}", "/templates/{kind:str}/{key:str}/remove",
        "/calls/{call_id:int}/sound/{recording_id:int}", "/messages/{message_id:int}/html",
        "/imports/{import_id:int}/refused", "/lists/{list_id:int}/export",
        "/segments/{segment_id:int}/export", "/mailings/{mailing_id:int}/recipients",
    }
)  # fmt: skip
"""What is answered with a file, a stream, another address or nothing to look at; or needs one of a kind."""


@pytest.fixture
def watched(chromium: playwright.Browser, address: str) -> Iterator[Watched]:
    """A fresh page in a window of its own, which is closed before the desk stops."""
    page = chromium.new_page(viewport={"width": 1360, "height": 860})
    page.set_default_timeout(60_000)
    page.emulate_media(reduced_motion="reduce")  # a colour that is still changing has no contrast
    yield Watched(page, address)
    page.close()


def faults_of(watched: Watched) -> list[str]:
    """Serious faults of the page that is open, in both colour schemes."""
    found: list[str] = []
    watched.page.evaluate(AXE_SCRIPT)
    for scheme, rules in (("light", {}), ("dark", IN_DARK)):
        watched.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {fault}" for fault in watched.page.evaluate(RUN, rules)]
    return found


def test_every_page_is_free_of_serious_faults_quiet_and_calls_nobody(
    app: Litestar, watched: Watched, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        own = furnish(session, world)["own"] | marketing_rooms(session, world)
        judge_messages(session, world, count=20)
        two_versions(session)
        pipelineversions.begin_draft(session, "b2b", by=None)
        head = session.get_one(StaffMember, world.staff["head"].id)
        own["run"] = rehearsal_runs.ask(session, head.id, "", Change({}, {}), days=30).id
        token = sessions.open_session(session, head, client="127.0.0.1", agent="test")
    routes = [one for one in app.routes if isinstance(one, HTTPRoute) and "GET" in one.methods]
    paths = sorted({one.path for one in routes} - NO_PAGES, key=lambda path: (path != "/login", path))
    found: list[str] = []
    looked_at = 0
    for path in paths:
        answer = watched.page.goto(watched.address + address_of(path, own, world))
        assert answer is not None
        faults = [] if answer.ok else [f"answered {answer.status}"]
        # What sends on to the page around it is looked at there.
        sent_on = answer.request.redirected_from is not None
        if answer.ok and not sent_on and answer.text().lstrip().startswith("<!doctype html>"):
            looked_at += 1
            faults += faults_of(watched)
        found += [f"{path}, {fault}" for fault in [*faults, *watched.faults]]
        watched.faults.clear()
        watched.page.context.add_cookies([{"name": COOKIE, "value": token, "url": watched.address}])
    assert not found, "\n".join(found)
    assert watched.abroad == []
    assert looked_at > 40
