"""Protection on the way: certificates are checked, and no password is sent where anybody could read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from core.config_sections import Mailbox
from core.errors import LoginRefused, Unreachable
from inbound.imap import InsecureServer, MailServer
from inbound.oauth import TokenSource
from tests import servers_imap, servers_tokens
from tests.inbound.posting import OURS, letter
from tests.ports import free_port
from tests.servers_faulty import FaultyProxy
from tests.servers_imap import PASSWORD, Dovecot

pytestmark = pytest.mark.dovecot


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, good.pem (localhost) and wrong.pem (another host), each with its key inside."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, host in (("good", "localhost"), ("wrong", "mail.example")):
        ca.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))
    return folder


@pytest.fixture
def server(authority: Path) -> Iterator[Dovecot]:
    with servers_imap.running(certificate=authority / "good.pem", key=authority / "good.pem") as server:
        yield server


def settings(port: int, authority: Path | None, security: str, **values: object) -> Mailbox:
    section = {
        "name": "sales", "address": OURS, "host": "localhost", "port": port, "security": security,
        "username": "sales", "password": PASSWORD, "ca_file": authority / "ca.pem" if authority else None,
    }  # fmt: skip
    return Mailbox.model_validate(section | values)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_letters_come_over_an_encrypted_line(server: Dovecot, authority: Path, security: str) -> None:
    server.deliver("sales", [letter()])
    port = server.tls_port if security == "tls" else server.port
    mail = MailServer.sign_in(settings(port, authority, security))
    try:
        folder = mail.open("INBOX")
        (uid,) = mail.uids_above(0, folder.exists)
        assert mail.bodies([uid])[uid].replace(b"\r\n", b"\n") == letter()
    finally:
        mail.close()


def test_certificate_of_nobody_we_trust_is_refused(server: Dovecot) -> None:
    with pytest.raises(InsecureServer, match="not to be trusted"):
        MailServer.sign_in(settings(server.tls_port, None, "tls"))


def test_certificate_of_another_host_is_refused(authority: Path) -> None:
    wrong = authority / "wrong.pem"
    with (
        servers_imap.running(certificate=wrong, key=wrong) as server,
        pytest.raises(InsecureServer, match="not to be trusted"),
    ):
        MailServer.sign_in(settings(server.tls_port, authority, "tls"))


def test_stripped_starttls_is_refused_before_the_password_is_sent(server: Dovecot, authority: Path) -> None:
    proxy = FaultyProxy(server.port)
    proxy.strip = b"STARTTLS"
    try:
        with pytest.raises(InsecureServer, match="does not offer STARTTLS"):
            MailServer.sign_in(settings(proxy.port, authority, "starttls"))
        assert PASSWORD.encode() not in proxy.seen
    finally:
        proxy.close()


def test_server_without_tls_on_the_tls_port_is_refused(server: Dovecot, authority: Path) -> None:
    with pytest.raises((InsecureServer, Unreachable)):
        MailServer.sign_in(settings(server.port, authority, "tls"))


def test_wrong_password_is_told_apart_from_a_server_that_is_down(server: Dovecot, authority: Path) -> None:
    with pytest.raises(LoginRefused):
        MailServer.sign_in(settings(server.port, authority, "starttls", password="no"))
    with pytest.raises(Unreachable):
        MailServer.sign_in(settings(free_port(), authority, "starttls"))


def test_password_with_letters_beyond_ascii_goes_through(server: Dovecot, authority: Path) -> None:
    with pytest.raises(LoginRefused):
        MailServer.sign_in(settings(server.port, authority, "starttls", password="ąžuolas"))


def test_order_to_stop_ends_a_wait(server: Dovecot, authority: Path) -> None:
    stop = threading.Event()
    mail = MailServer.sign_in(settings(server.tls_port, authority, "tls"), stop=stop)
    mail.open("INBOX")
    threading.Timer(0.3, stop.set).start()
    try:
        with pytest.raises(Exception, match="told to stop"):
            mail.wait_for_news(60)
    finally:
        mail.close()


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_mailbox_opens_with_a_token_and_a_stale_one_is_renewed_once(
    server: Dovecot, authority: Path, auth: str
) -> None:
    with servers_tokens.running() as giver:
        access = {"provider": "custom", "client_id": "app", "token_url": giver.url}
        mailbox = settings(server.tls_port, authority, "tls", auth=auth, oauth=access)
        assert mailbox.oauth is not None
        tokens = TokenSource(mailbox.oauth)
        giver.answer = {"access_token": "stale", "expires_in": 3600}
        tokens.token()
        giver.answer = {"access_token": PASSWORD, "expires_in": 3600}
        mail = MailServer.sign_in(mailbox, tokens=tokens)
        assert mail.open("INBOX").exists == 0
        mail.close()

    assert len(giver.asked) == 2
