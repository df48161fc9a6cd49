"""The mail servers of the demonstration: real sockets on this machine, mail in memory, nothing leaves.

    with MailServers({"sales@firm.example": "key"}) as servers:
        servers.deliver("sales@firm.example", letter)      # over IMAP, as a mail server would have filed it
        servers.sent                                       # what came over SMTP for everybody else

What arrives over SMTP for one of the mailboxes is filed into it, so that anybody can write to the company.
"""

from __future__ import annotations

import argparse
import asyncio
import imaplib
import logging
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from core.errors import ConfigurationError

HOST = "127.0.0.1"
LONGEST_LETTER = 60_000_000
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter that came over SMTP: its envelope and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class MailServers:
    """An IMAP server and an SMTP server in a thread of their own, for as long as the block lasts."""

    def __init__(self, mailboxes: Mapping[str, str], *, imap_port: int = 0, smtp_port: int = 0) -> None:
        """`mailboxes` gives each address its password; a port of 0 is chosen by the system.

        Raises ConfigurationError when the two servers are not installed.
        """
        self.mailboxes = dict(mailboxes)
        self.imap_port = imap_port
        self.smtp_port = smtp_port
        self.sent: list[Sent] = []
        """Everything that was taken over SMTP, oldest first, also what was filed into a mailbox."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="mail servers", daemon=True)

    def __enter__(self) -> MailServers:
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise ConfigurationError("The demonstration's mail servers do not start.")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def deliver(self, mailbox: str, *letters: bytes) -> None:
        """File letters into a mailbox over IMAP (APPEND, RFC 3501 section 6.3.11), lines ending in CR LF."""
        with imaplib.IMAP4(HOST, self.imap_port, timeout=120) as client:
            client.login(mailbox, self.mailboxes[mailbox])
            for letter in letters:
                status, said = client.append("INBOX", "", "", letter)
                if status != "OK":
                    raise ConfigurationError(f"The mailbox {mailbox} takes no letter: {said!r}")

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # told to whoever waits in __enter__
            self._failure = error
            self._started.set()

    async def _run(self) -> None:
        # pymap says each failed command at length; what matters is seen by whoever asked.
        logging.getLogger("pymap").setLevel(logging.CRITICAL)
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with AsyncExitStack() as stack:
            self.imap_port = await _serve_imap(stack, self.mailboxes, self.imap_port)
            self.smtp_port = await _serve_smtp(stack, self, self.smtp_port)
            self._started.set()
            await self._stopping.wait()

    async def take(self, sender: str, recipients: list[str], data: bytes) -> None:
        """Keep a letter that came over SMTP, and file it where it is for us."""
        addresses = tuple(address.lower() for address in recipients)
        self.sent.append(Sent(sender, addresses, data))
        loop = asyncio.get_running_loop()
        for address in addresses:
            mailbox = _without_tag(address)
            if mailbox in self.mailboxes:
                await loop.run_in_executor(None, self.deliver, mailbox, data)


def _without_tag(address: str) -> str:
    """The mailbox behind an address: what follows a plus is the mailbox's own affair (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


async def _serve_imap(stack: AsyncExitStack, mailboxes: Mapping[str, str], port: int) -> int:
    try:
        from proxyprotocol.reader import ProxyProtocolReader
        from pymap.backend.dict import Config, Identity, Login
        from pymap.imap import IMAPServer
        from pymap.user import Passwords, UserMetadata
        from pysasl.hashing import Cleartext
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error

    class Settings(Config):
        @property
        def greeting(self) -> bytes:
            return b"Ready"  # pymap would look its own name up, and wait where nobody knows it

    config = Settings(
        argparse.Namespace(passlib_cfg=None, proxy_protocol=None),
        demo_data=False,
        demo_user="",
        demo_password="",
        host=HOST,
        port=port,
        tls_enabled=False,
        hash_context=Cleartext(),
        max_append_len=LONGEST_LETTER,
    )
    config.apply_context()
    login = Login(config)
    for user, password in mailboxes.items():
        hashed = await Passwords(config).hash_password(password)
        metadata = UserMetadata(config, user, password=hashed)
        await Identity(user, login, None, frozenset()).set(metadata)
    server = IMAPServer(login, config)
    callback: Any = ProxyProtocolReader(config.proxy_protocol).get_callback(server)
    listening = await asyncio.start_server(callback, host=HOST, port=port)
    stack.callback(listening.close)
    return listening.sockets[0].getsockname()[1]


async def _serve_smtp(stack: AsyncExitStack, servers: MailServers, port: int) -> int:
    try:
        from aiosmtpd.smtp import SMTP
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error

    class Handler:
        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
            await servers.take(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content)
            return "250 2.0.0 Taken"

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(
            Handler(), hostname="mx.demo.example", data_size_limit=LONGEST_LETTER, enable_SMTPUTF8=True
        ),
        host=HOST,
        port=port,
    )
    stack.callback(listening.close)
    return listening.sockets[0].getsockname()[1]


def _not_installed(error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"The demonstration's mail servers are not installed ({error.name}).",
        cure="Run `make demo`, or install the group: pip install --group demo",
    )
