"""What every request and answer passes: origins, proxies, headers, cookies."""

from __future__ import annotations

import ipaddress

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send

from core.config import Settings
from core.sessions import LoginAttempt
from desk.app import create_app
from desk.forms import own_place
from desk.security import client_address, comes_from_us, networks
from tests.desk.conftest import FROM_US, Browser, SignedIn
from tests.factories import PASSWORD, World

RIGHT = {"email": "agent@siurbliai.example", "password": PASSWORD}


@pytest.mark.parametrize(
    ("site", "origin", "ours"),
    [
        ("same-origin", None, True),
        ("none", None, True),
        ("cross-site", "http://desk.example", False),
        ("same-site", None, False),
        (None, "http://desk.example", True),
        (None, "http://evil.example", False),
        (None, "null", False),
        (None, None, False),
        ("", None, False),
    ],
)
def test_only_our_own_pages_may_change_anything(site: str | None, origin: str | None, ours: bool) -> None:
    assert comes_from_us(site, origin, "desk.example") is ours


def test_a_foreign_site_cannot_sign_somebody_in(visitor: Browser) -> None:
    answer = visitor.post("/login", data=RIGHT, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_foreign_site_cannot_act_for_somebody_who_is_signed_in(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    talk = world.talks["own"].id
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert browser.post(f"/conversations/{talk}/done", headers=headers).status_code == 403
    assert "Komercinis" in browser.get("/inbox").text


def test_every_answer_carries_the_safe_headers(visitor: Browser) -> None:
    for path in ("/login", "/nowhere", "/healthz", "/inbox"):
        headers = visitor.get(path, follow_redirects=False).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_no_page_has_anything_inline_or_from_elsewhere(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    for path in (
        "/inbox",
        f"/conversations/{world.talks['own'].id}",
        "/settings",
        "/mailboxes",
        "/uncertain",
    ):
        text = browser.get(path).text
        assert "<script>" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert 'src="http' not in text
        assert 'href="http' not in text


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Browser) -> None:
    answer = visitor.post("/login", data=RIGHT, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_behind_a_trusted_proxy_with_tls_the_cookie_is_secure_and_the_site_strict(
    engine: sa.Engine, desk_settings: Settings, world: World
) -> None:
    desk = desk_settings.desk.model_copy(update={"trusted_proxies": ["127.0.0.0/8"]})
    app = create_app(desk_settings.model_copy(update={"desk": desk}), engine)

    async def behind_a_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["client"] = ("127.0.0.1", 40000)
        await app(scope, receive, send)

    with TestClient(behind_a_proxy) as browser:
        browser.headers.update(FROM_US | {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"})
        answer = browser.post("/login", data=RIGHT, follow_redirects=False)
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


@given(st.lists(st.ip_addresses().map(str), max_size=6), st.ip_addresses().map(str))
def test_nobody_names_their_own_address_unless_a_proxy_is_trusted(hops: list[str], peer: str) -> None:
    assert client_address(peer, ", ".join(hops), networks(())) == str(ipaddress.ip_address(peer))


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=6))
def test_the_last_stranger_in_the_chain_is_the_client(hops: list[str]) -> None:
    trusted = networks(("10.0.0.0/8",))
    found = client_address("10.0.0.1", ", ".join([*hops, "198.51.100.7", "10.2.3.4"]), trusted)
    assert found == "198.51.100.7"


def test_rubbish_in_the_chain_leaves_the_peer() -> None:
    assert client_address("10.0.0.1", "<script>", networks(("10.0.0.0/8",))) == "10.0.0.1"


def test_an_attempt_is_booked_under_the_real_peer_when_no_proxy_is_trusted(
    visitor: Browser, engine: sa.Engine
) -> None:
    visitor.post("/login", data=RIGHT | {"password": "x" * 12}, headers={"x-forwarded-for": "203.0.113.9"})
    with engine.connect() as connection:
        assert "203.0.113.9" not in connection.scalars(sa.select(LoginAttempt.client)).all()


@given(st.text(max_size=60))
def test_a_place_to_go_is_always_on_this_desk(place: str) -> None:
    going = own_place(place, "/")
    assert going.startswith("/")
    assert not going.startswith(("//", "/\\"))


def test_a_body_that_is_too_large_is_refused(signed_in: SignedIn, world: World) -> None:
    talk = world.talks["own"].id
    answer = signed_in("agent").post(f"/conversations/{talk}/notes", data={"text": "x" * 2_100_000})
    assert answer.status_code == 413


def test_a_program_gets_a_problem_as_json(visitor: Browser) -> None:
    answer = visitor.get("/inbox", headers={"accept": "application/json"}, follow_redirects=False)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == 401


def test_a_fault_on_our_side_says_nothing_of_its_inside(
    visitor: Browser, engine: sa.Engine, signed_in: SignedIn
) -> None:
    browser = signed_in("agent")
    with engine.begin() as connection:
        connection.execute(
            sa.text("alter table deal rename to hidden_deal; alter table message rename to hidden")
        )
    answer = browser.get("/inbox")
    assert answer.status_code == 500
    assert "hidden" not in answer.text
    assert "psycopg" not in answer.text
    assert "Traceback" not in answer.text
