"""The other rooms: quarantine, uncertain sends, mailboxes, settings, unsubscription and health."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send

from core.consent import Suppression
from core.db import transaction
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery, DeliveryState
from core.staff import StaffMember
from desk.sessions import COOKIE
from outbound.unsubscribe import Unsubscriber
from tests.desk.conftest import Browser, SignedIn
from tests.factories import PASSWORD, World

HTMX = {"hx-request": "true"}


def _one(engine: sa.Engine, model: type, number: int) -> object:
    with transaction(engine) as session:
        return session.get_one(model, number)


def test_quarantine_shows_raw_text_and_runs_again(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("head"), world.raws["stuck"].id
    assert "UnicodeDecodeError" in browser.get("/quarantine").text
    raw = browser.get(f"/quarantine/{number}").text
    assert "&lt;b&gt;body&lt;/b&gt;" in raw
    browser.post(f"/quarantine/{number}/again", headers=HTMX)
    row = _one(engine, RawMessage, number)
    assert isinstance(row, RawMessage)
    assert (row.state, row.attempts) == (IntakeState.STORED, 0)


def test_all_of_quarantine_runs_again_at_once(signed_in: SignedIn, engine: sa.Engine) -> None:
    signed_in("head").post("/quarantine/again", headers=HTMX)
    with transaction(engine) as session:
        left = session.scalar(sa.select(sa.func.count()).where(RawMessage.state == IntakeState.QUARANTINED))
    assert left == 0


def test_a_letter_put_aside_keeps_its_bytes_and_can_come_back(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, number = signed_in("head"), world.raws["stuck"].id
    answer = browser.post(f"/quarantine/{number}/ignore", headers=HTMX)
    row = _one(engine, RawMessage, number)
    assert isinstance(row, RawMessage)
    assert row.state == IntakeState.IGNORED
    browser.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    row = _one(engine, RawMessage, number)
    assert isinstance(row, RawMessage)
    assert row.state == IntakeState.STORED


@pytest.mark.parametrize(
    ("decision", "state"),
    [("sent", DeliveryState.SENT), ("again", DeliveryState.QUEUED), ("cancel", DeliveryState.CANCELLED)],
)
def test_an_uncertain_send_is_decided_by_a_person(
    signed_in: SignedIn, engine: sa.Engine, world: World, decision: str, state: DeliveryState
) -> None:
    browser, number = signed_in("agent"), world.deliveries["uncertain"]
    assert "Connection lost after the final dot" in browser.get("/uncertain").text
    browser.post(f"/uncertain/{number}", data={"decision": decision}, headers=HTMX)
    row = _one(engine, Delivery, number)
    assert isinstance(row, Delivery)
    assert row.state == state


def test_mailboxes_show_what_is_wrong(signed_in: SignedIn) -> None:
    text = signed_in("mate").get("/mailboxes").text
    assert "Сервер не принял имя пользователя или пароль." in text
    assert "Почтовый ящик support остановился" in text


def test_language_and_theme_are_kept(signed_in: SignedIn) -> None:
    browser = signed_in("head")
    text = browser.post("/settings", data={"language": "ru", "theme": "dark"}).text
    assert 'lang="ru" data-bs-theme="dark"' in text
    assert "Сохранено." in text


def test_a_new_password_ends_every_other_session(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    here, elsewhere = signed_in("head"), signed_in("head")
    before = here.cookies[COOKIE]
    new = "a longer and better one"
    answer = here.post("/settings/password", data={"old": PASSWORD, "new": new, "again": new})
    assert answer.url.path == "/settings"
    assert elsewhere.get("/inbox").url.path == "/login"
    elsewhere.cookies.set(COOKIE, before)
    assert elsewhere.get("/inbox").url.path == "/login"
    assert here.get("/inbox").url.path == "/inbox"


@pytest.mark.parametrize(
    "given",
    [
        {"old": "wrong", "new": "a longer and better one", "again": "a longer and better one"},
        {"old": PASSWORD, "new": "a longer and better one", "again": "another one entirely"},
        {"old": PASSWORD, "new": "short", "again": "short"},
    ],
)
def test_a_password_is_not_changed_by_mistake(
    signed_in: SignedIn, engine: sa.Engine, world: World, given: dict[str, str]
) -> None:
    number = world.staff["head"].id
    before = _one(engine, StaffMember, number)
    assert signed_in("head").post("/settings/password", data=given).status_code == 422
    after = _one(engine, StaffMember, number)
    assert isinstance(before, StaffMember)
    assert isinstance(after, StaffMember)
    assert before.password_hash == after.password_hash


def _link(settings: object, address: str = "ona@vandenis.example") -> str:
    return "/unsubscribe/" + Unsubscriber(settings.signing_key(), "https://desk.example").token(address, 7)  # type: ignore[attr-defined]


def test_opening_the_unsubscribe_page_changes_nothing_and_speaks_three_languages(
    visitor: Browser, desk_settings: object, engine: sa.Engine
) -> None:
    text = visitor.get(_link(desk_settings)).text
    for words in ("Nebegauti mūsų naujienlaiškių?", "Отказаться от рассылок?", "Stop our mailings?"):
        assert words in text
    with transaction(engine) as session:
        assert session.get(Suppression, ("email", "ona@vandenis.example")) is None


def test_one_click_from_a_mail_program_stops_mailings(
    visitor: Browser, desk_settings: object, engine: sa.Engine
) -> None:
    answer = visitor.post(
        _link(desk_settings),
        data={"List-Unsubscribe": "One-Click"},
        headers={"origin": "https://mail.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 200
    with transaction(engine) as session:
        assert session.get(Suppression, ("email", "ona@vandenis.example")) is not None


def test_a_link_that_is_not_ours_stops_nothing(visitor: Browser, engine: sa.Engine) -> None:
    for token in ("x", "W10.bad", "a" * 3000):
        assert visitor.post(f"/unsubscribe/{token}").status_code == 404
    with transaction(engine) as session:
        assert len(session.scalars(sa.select(Suppression)).all()) == 1


def test_health_is_plain_and_figures_are_for_this_machine_only(visitor: Browser) -> None:
    assert visitor.get("/healthz").text == "ok\n"
    assert visitor.get("/metrics").status_code == 404


@pytest.mark.parametrize(("headers", "status"), [({}, 200), ({"x-real-ip": "203.0.113.9"}, 404)])
def test_figures_are_not_told_through_a_proxy(
    app: Litestar, visitor: Browser, headers: dict[str, str], status: int
) -> None:
    async def from_here(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["client"] = ("127.0.0.1", 40000)
        await app(scope, receive, send)

    browser = TestClient(from_here)
    browser.blocking_portal = visitor.blocking_portal
    assert browser.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("piece", ["/clients/{client}/history", "/conversations/{talk}/thread", "/ringing"])
def test_who_opens_a_piece_of_a_page_by_its_address_gets_the_page_around_it(
    signed_in: SignedIn, world: World, piece: str
) -> None:
    own = world.talks["own"]
    at = piece.format(client=own.account_id, talk=own.id)
    browser = signed_in("agent")
    sent = browser.get(at, headers={"sec-fetch-dest": "document"}, follow_redirects=False)
    whole = at.rpartition("/")[0] or "/"
    assert (sent.status_code, sent.headers["location"]) == (303, whole)
    assert browser.get(at, headers={"sec-fetch-dest": "empty", "hx-request": "true"}).status_code == 200
