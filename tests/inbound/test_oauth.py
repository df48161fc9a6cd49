"""Access tokens: fetched, kept, refreshed, and refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config_sections import OAuth
from core.errors import LoginRefused, Unreachable
from inbound.oauth import TokenSource
from tests import servers_tokens
from tests.servers_tokens import TokenServer


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with servers_tokens.running() as server:
        yield server


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def settings(server: TokenServer, **values: object) -> OAuth:
    plain = {"provider": "custom", "client_id": "app", "client_secret": "s3cret", "refresh_token": "r0"}
    return OAuth.model_validate(plain | {"token_url": server.url, "scope": "imap"} | values)


def test_token_is_kept_until_shortly_before_its_end(server: TokenServer) -> None:
    clock = Clock()
    tokens = TokenSource(settings(server), monotonic=clock)

    assert (tokens.token(), tokens.token()) == ("t1", "t1")
    clock.now += 3_600 - 100
    server.answer = {"access_token": "t2", "expires_in": 3600}
    assert tokens.token() == "t2"
    assert [one["grant_type"] for one in server.asked] == ["refresh_token"] * 2
    assert server.asked[0]["client_secret"] == "s3cret"


def test_token_that_the_mail_server_refused_is_not_used_again(server: TokenServer) -> None:
    tokens = TokenSource(settings(server))
    tokens.token()
    tokens.forget()
    tokens.token()

    assert len(server.asked) == 2


def test_new_refresh_token_is_kept_for_the_next_process_and_nobody_else(
    server: TokenServer, tmp_path: Path
) -> None:
    store = tmp_path / "tokens" / "sales"
    server.answer = {"access_token": "t1", "expires_in": 3600, "refresh_token": "r1"}
    TokenSource(settings(server), store=store).token()
    TokenSource(settings(server), store=store).token()
    TokenSource(settings(server, refresh_token="changed"), store=store).token()

    assert [one["refresh_token"] for one in server.asked] == ["r0", "r1", "changed"]
    assert store.stat().st_mode & 0o777 == 0o600


def test_application_signs_in_as_itself_without_a_refresh_token(server: TokenServer) -> None:
    TokenSource(settings(server, refresh_token=None)).token()

    assert server.asked[0]["grant_type"] == "client_credentials"


def test_refusal_names_its_cause_and_no_secret(server: TokenServer) -> None:
    server.status, server.answer = 400, {"error": "invalid_grant"}

    with pytest.raises(LoginRefused, match="invalid_grant") as caught:
        TokenSource(settings(server)).token()
    assert "s3cret" not in str(caught.value)


def test_token_server_in_trouble_is_tried_again_later(server: TokenServer) -> None:
    server.status = 503

    with pytest.raises(Unreachable):
        TokenSource(settings(server)).token()
