"""Signing in and out."""

from __future__ import annotations

import sqlalchemy as sa

from core.db import transaction
from core.sessions import ATTEMPTS_PER_ADDRESS, DeskSession
from core.staff import StaffMember
from desk.sessions import COOKIE
from tests.desk.conftest import Browser, SignedIn
from tests.factories import PASSWORD, World

RIGHT = {"email": "agent@siurbliai.example", "password": PASSWORD}


def test_the_right_password_opens_the_inbox(visitor: Browser) -> None:
    answer = visitor.post("/login", data=RIGHT)
    assert answer.status_code == 200
    assert answer.url.path == "/inbox"
    assert "Rūta Kazlauskienė" in answer.text


def test_a_wrong_password_says_no_more_than_an_unknown_address(visitor: Browser) -> None:
    wrong = visitor.post("/login", data=RIGHT | {"password": "not the password"})
    unknown = visitor.post("/login", data={"email": "nobody@nowhere.example", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace("agent@siurbliai.example", "") == unknown.text.replace(
        "nobody@nowhere.example", ""
    )


def test_the_session_is_another_one_after_signing_in(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("mate")
    before = browser.cookies[COOKIE]
    browser.post("/login", data=RIGHT, follow_redirects=False)
    browser.cookies.delete(COOKIE)
    browser.cookies.set(COOKIE, before)
    assert browser.get("/inbox", follow_redirects=False).headers["location"].startswith("/login")


def test_too_many_attempts_are_refused_even_with_the_right_password(visitor: Browser) -> None:
    for _ in range(ATTEMPTS_PER_ADDRESS):
        visitor.post("/login", data=RIGHT | {"password": "wrong password"})
    answer = visitor.post("/login", data=RIGHT)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "900"


def test_an_attempt_too_many_is_refused_before_the_password_is_hashed(
    visitor: Browser, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        session.get_one(StaffMember, world.staff["agent"].id).password_hash = "no hash at all"
    for _ in range(ATTEMPTS_PER_ADDRESS + 1):
        answer = visitor.post("/login", data=RIGHT)
    assert answer.status_code == 429


def test_signing_out_ends_the_session_on_the_server(signed_in: SignedIn) -> None:
    browser = signed_in("agent")
    token = browser.cookies[COOKIE]
    assert browser.post("/logout").url.path == "/login"
    browser.cookies.set(COOKIE, token)
    assert browser.get("/inbox").url.path == "/login"


def test_somebody_who_left_is_signed_out_at_once(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser = signed_in("agent")
    with transaction(engine) as session:
        session.get_one(StaffMember, world.staff["agent"].id).active = False
    assert browser.get("/inbox").url.path == "/login"


def test_an_idle_session_ends(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("agent")
    with transaction(engine) as session:
        session.execute(sa.update(DeskSession).values(seen_at=sa.func.now() - sa.text("interval '13 hours'")))
    assert browser.get("/inbox").url.path == "/login"


def test_a_stranger_is_led_to_the_door_and_back_to_where_they_wanted(visitor: Browser) -> None:
    door = visitor.get("/conversations/1", follow_redirects=False)
    assert door.headers["location"] == "/login?next=%2Fconversations%2F1"
    answer = visitor.post("/login", data=RIGHT | {"next": "/settings"})
    assert answer.url.path == "/settings"


def test_the_door_leads_to_no_other_site(visitor: Browser) -> None:
    for place in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:x",
    ):
        answer = visitor.post("/login", data=RIGHT | {"next": place}, follow_redirects=False)
        assert answer.headers["location"] == "/"
        visitor.cookies.clear()


def test_the_door_speaks_the_language_one_chose(visitor: Browser) -> None:
    assert "Войти" in visitor.get("/login?lang=ru").text
    assert "Войти" in visitor.get("/login").text
    assert "Prisijungti" in visitor.get("/login?lang=lt").text


def test_the_door_speaks_the_language_the_browser_asks_for(visitor: Browser) -> None:
    answer = visitor.get("/login", headers={"accept-language": "lt-LT,lt;q=0.9,en;q=0.5"})
    assert "Prisijungti" in answer.text


def test_only_a_hash_of_the_token_is_kept(signed_in: SignedIn, engine: sa.Engine) -> None:
    token = signed_in("agent").cookies[COOKIE]
    with transaction(engine) as session:
        kept = session.scalars(sa.select(DeskSession.token_hash)).all()
    assert all(token.encode() not in bytes(one) and len(bytes(one)) == 32 for one in kept)


def test_choosing_a_language_at_the_door_keeps_the_whole_place_to_go_to(visitor: Browser) -> None:
    asked = {"lang": "ru", "next": "/inbox?box=team&sort=old"}
    answer = visitor.get("/login", params=asked, follow_redirects=False)
    assert answer.headers["location"] == "/login?next=%2Finbox%3Fbox%3Dteam%26sort%3Dold"
