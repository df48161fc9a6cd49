"""What the settings say of protection is kept: never a letter or a password over a line that is not what was
asked.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from core.errors import ConfigurationError, Unreachable
from outbound.channels.base import Result
from outbound.channels.smtp import NoSecureLine
from tests.outbound.conftest import letter, line_to, yes
from tests.servers_smtp import Certificates, RecordingServer, recording


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """For this machine, signed by an authority the settings name."""
    return Certificates.made(tmp_path)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_letters_go_over_the_protection_that_was_asked_for(certificates: Certificates, security: str):
    server = RecordingServer(tls=certificates.server, implicit_tls=security == "tls", login=("desk", "pass"))
    with recording(server):
        line = line_to(
            server.port, security=security, ca_file=certificates.ca_file, username="desk", password="pass"
        )
        await line.open()
        outcomes = [(await line.send(letter(number=number), yes))[0].result for number in range(3)]
        await line.close()
    assert outcomes == [Result.SENT] * 3
    assert all(received.tls for received in server.received)


async def test_a_relay_without_starttls_gets_neither_letter_nor_password(certificates: Certificates):
    server = RecordingServer(tls=certificates.server, starttls=False, login=("desk", "pass"))
    with recording(server):
        line = line_to(
            server.port, security="starttls", ca_file=certificates.ca_file, username="desk", password="pass"
        )
        with pytest.raises(NoSecureLine, match="does not offer STARTTLS"):
            await line.open()
    assert not [command for command in server.commands if command.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    certificates: Certificates, security: str
):
    server = RecordingServer(tls=certificates.server, implicit_tls=security == "tls", login=("desk", "pass"))
    with recording(server):
        line = line_to(server.port, security=security, username="desk", password="pass")
        with pytest.raises(NoSecureLine, match="cannot be trusted"):
            await line.open()
    assert not [command for command in server.commands if command.startswith(("AUTH", "MAIL"))]


async def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path):
    certificates = Certificates.made(tmp_path, "other.example")
    server = RecordingServer(tls=certificates.server)
    with recording(server):
        line = line_to(server.port, security="starttls", ca_file=certificates.ca_file)
        with pytest.raises(NoSecureLine, match="cannot be trusted"):
            await line.open()


async def test_a_relay_that_knows_only_old_tls_is_not_trusted(certificates: Certificates):
    with pytest.warns(DeprecationWarning, match="deprecated"):
        certificates.server.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        certificates.server.maximum_version = ssl.TLSVersion.TLSv1_1
    certificates.server.set_ciphers("ALL:@SECLEVEL=0")
    server = RecordingServer(tls=certificates.server, implicit_tls=True)
    with recording(server):
        line = line_to(server.port, security="tls", ca_file=certificates.ca_file)
        with pytest.raises((NoSecureLine, Unreachable)):
            await line.open()
    assert server.received == []


async def test_a_relay_that_speaks_plainly_where_tls_was_asked_for_is_not_trusted():
    server = RecordingServer()
    with recording(server), pytest.raises(NoSecureLine):
        await line_to(server.port, security="tls").open()
    assert server.received == []


async def test_a_certificate_file_without_a_certificate_is_named(tmp_path: Path):
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    server = RecordingServer()
    with recording(server), pytest.raises(ConfigurationError, match=r"relay\.ca_file"):
        await line_to(server.port, security="starttls", ca_file=file).open()
