"""Access tokens: fetched, kept, refreshed, and refused in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from core.config_sections import Mailbox, OAuth
from core.errors import LoginRefused, Unreachable
from inbound.imap import MailServer
from inbound.oauth import TokenSource
from tests import servers_imap


class TokenServer(ThreadingHTTPServer):
    """Hands out tokens and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.status = 200
        self.answer: dict[str, object] = {"access_token": "t1", "expires_in": 3600}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/token"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, TokenServer)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server.asked.append({name: values[0] for name, values in parse_qs(body).items()})
        data = json.dumps(server.answer).encode()
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        return


@pytest.fixture
def server() -> Iterator[TokenServer]:
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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


@pytest.mark.skipif(not servers_imap.installed(), reason="Dovecot is not installed here")
@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_mailbox_opens_with_a_token_and_a_stale_one_is_renewed_once(server: TokenServer, auth: str) -> None:
    tokens = TokenSource(settings(server))
    with servers_imap.running() as dovecot:
        section = {
            "name": "sales", "address": "sales@siurbliai.example", "host": "127.0.0.1", "port": dovecot.port,
            "security": "plain", "username": "sales", "auth": auth, "oauth": settings(server),
        }  # fmt: skip
        mailbox = Mailbox.model_validate(section)
        server.answer = {"access_token": "stale", "expires_in": 3600}
        tokens.token()
        server.answer = {"access_token": servers_imap.PASSWORD, "expires_in": 3600}
        mail = MailServer.sign_in(mailbox, tokens=tokens)
        assert mail.open("INBOX").exists == 0
        mail.close()

    assert len(server.asked) == 2
