"""Mail servers for journeys: Debian's Dovecot and Postfix with TLS, or the servers from the package index."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from desk.demo.servers import MailServers
from tests import servers_imap
from tests.servers_smtp import Certificates, Postfix, postfix

DOMAIN = "house.test"
MAILBOXES = ("sales", "support")


class MailHouse(Protocol):
    """Where mail comes from and goes to."""

    def settings(self) -> str:
        """The settings' sections about mail, as TOML."""
        ...

    def deliver(self, mailbox: str, letter: bytes) -> None:
        """File a letter into one of our mailboxes."""
        ...

    def received(self) -> list[bytes]:
        """Everything that was sent to clients so far."""
        ...


@dataclass
class Debian:
    """Dovecot over TLS and STARTTLS, Postfix demanding STARTTLS."""

    dovecot: servers_imap.Dovecot
    relay: Postfix
    ca_file: Path

    def settings(self) -> str:
        """One mailbox by TLS, the other by STARTTLS."""
        ways = {"sales": ("tls", self.dovecot.tls_port), "support": ("starttls", self.dovecot.port)}
        boxes = "".join(
            _mailbox(name, port, security, name, servers_imap.PASSWORD, f'ca_file = "{self.ca_file}"')
            for name, (security, port) in ways.items()
        )
        return _relay(self.relay.port, "starttls", f'ca_file = "{self.relay.ca_file}"') + boxes

    def deliver(self, mailbox: str, letter: bytes) -> None:
        self.dovecot.deliver(mailbox, [letter])

    def received(self) -> list[bytes]:
        return self.relay.letters(0, patience=0.0)


@dataclass
class Packaged:
    """pymap and aiosmtpd, on loopback without TLS."""

    servers: MailServers
    keys: dict[str, str]

    def settings(self) -> str:
        """Both mailboxes in the clear, which is allowed on this machine alone."""
        boxes = "".join(
            _mailbox(name, self.servers.imap_port, "plain", address, self.keys[address])
            for name in MAILBOXES
            for address in [f"{name}@{DOMAIN}"]
        )
        return _relay(self.servers.smtp_port, "plain") + boxes

    def deliver(self, mailbox: str, letter: bytes) -> None:
        self.servers.deliver(f"{mailbox}@{DOMAIN}", letter)

    def received(self) -> list[bytes]:
        return [one.data for one in self.servers.sent]


def _mailbox(name: str, port: int, security: str, username: str, password: str, more: str = "") -> str:
    return f"""
[[mailboxes]]
name = "{name}"
address = "{name}@{DOMAIN}"
host = "127.0.0.1"
port = {port}
security = "{security}"
username = "{username}"
password = "{password}"
team = "{name.title()}"
{more}
"""


def _relay(port: int, security: str, more: str = "") -> str:
    return f"""
[relay]
host = "127.0.0.1"
port = {port}
security = "{security}"
from_address = "sales@{DOMAIN}"
{more}
"""


@contextmanager
def debian() -> Iterator[Debian]:
    """Start Dovecot and Postfix with certificates of a made-up authority."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fdj")))
        certificates = Certificates.made(folder)
        dovecot = servers_imap.start(
            folder / "dovecot",
            certificate=folder / "server.pem",
            key=folder / "server.key",
            ssl="required",
        )
        stack.callback(dovecot.stop)
        yield Debian(dovecot, stack.enter_context(postfix()), certificates.ca_file)


@contextmanager
def packaged() -> Iterator[Packaged]:
    """Start the two servers of the demonstration."""
    keys = {f"{name}@{DOMAIN}": "a long key" for name in MAILBOXES}
    with MailServers(keys) as servers:
        yield Packaged(servers, keys)
