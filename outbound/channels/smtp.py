"""SMTP, driven command by command, so that a lost line is told apart from a refused letter.

aiosmtplib connects, secures and signs in; from there on the transactions are ours
(`outbound.channels.smtptalk`), because its replies are paired with one command at a time and its one
exception stands for two opposite facts. Where the server offers PIPELINING, MAIL, RCPT and DATA travel
together, and with the final dot of the letter before (RFC 2920 section 3.1), so that a letter costs one
round trip. The final dot itself is never written before its own envelope was answered.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import aiosmtplib

from core.config_sections import Relay, Security
from core.errors import ConfigurationError, InputRefused, LoginRefused, Unreachable
from core.limits import Limits
from outbound.channels.base import Letter, Outcome, Reply, Result, Scope
from outbound.channels.smtptalk import Lost, Talk
from outbound.retry import NOT_SIGNED_IN, Step, judge

LONGEST_LINE = 998
"""Octets of a line without its CRLF (RFC 5322 section 2.1.1)."""
SMALL = 65_536
"""Letters up to this size are written in one go together with the final dot."""
SLOWEST = 10_000
"""Bytes a second below which a server is given up while it takes the text of a letter."""
GREETING_PATIENCE = 60.0
GOODBYE_PATIENCE = 2.0

_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[A-Za-z0-9.\-]+")


class LetterMalformed(InputRefused):
    """The letter's bytes cannot go over SMTP as they are."""


class NoSecureLine(Unreachable):
    """The relay does not offer the protection that the settings ask for."""

    cure = "Set relay.security to what it offers; nothing was sent in the clear."


@dataclass
class SmtpChannel:
    """The relay of the settings."""

    relay: Relay
    limits: Limits

    @property
    def lines(self) -> int:
        """How many connections the relay allows us."""
        return self.relay.max_connections

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the certificate and the host's name checked."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.relay.ca_file is not None:
            try:
                context.load_verify_locations(self.relay.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigurationError(
                    f"relay.ca_file: {self.relay.ca_file} holds no certificate we can read.",
                    cure='Example: ca_file = "/etc/ssl/certs/ca.pem", in PEM form.',
                ) from error
        return context

    @cached_property
    def hostname(self) -> str:
        """What we call ourselves in EHLO."""
        name = self.relay.hostname or socket.gethostname()
        return name if re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", name) else "localhost"

    def line(self) -> SmtpLine:
        """Another connection to the relay, not yet open."""
        return SmtpLine(self)


class SmtpLine:
    """One connection, kept open from letter to letter."""

    def __init__(self, channel: SmtpChannel) -> None:
        self._channel = channel
        self._talk: Talk | None = None
        self._extensions: frozenset[str] = frozenset()
        self._size = 0
        self._used = 0
        """Transactions begun on this connection."""
        self._dirty = False
        """A transaction was left half done, and RSET has to come before the next one."""
        self._next: tuple[Letter, bytes] | None = None
        """The letter announced to come after this one, with its checked text."""
        self._begun: tuple[Letter, bytes] | None = None
        """The letter whose envelope travelled with the dot of the one before."""

    @property
    def ready(self) -> bool:
        """Whether the connection stands, as far as one can see from here."""
        return self._talk is not None and self._talk.lost is None

    async def open(self) -> None:
        """Connect, secure and sign in.

        Raises Unreachable when the relay does not answer or wants nothing of us now, LoginRefused when it
        refuses the password, NoSecureLine rather than go on unprotected, ConfigurationError for a bad
        certificate file.
        """
        if self.ready:
            return
        relay = self._channel.relay
        implicit = relay.security is Security.TLS
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=self._channel.hostname,
            use_tls=implicit,
            start_tls=False,
            tls_context=self._channel.tls if relay.security is not Security.PLAIN else None,
            timeout=GREETING_PATIENCE,
        )
        try:
            async with asyncio.timeout(3 * GREETING_PATIENCE):
                await client.connect()
                await client.ehlo()
                if relay.security is Security.STARTTLS:
                    if not client.supports_extension("starttls"):
                        raise NoSecureLine(f"{relay.host} does not offer STARTTLS.")
                    await client.starttls(tls_context=self._channel.tls)
                    await client.ehlo()
                if relay.username and relay.password is not None:
                    await client.login(relay.username, relay.password.get_secret_value())
                self._take_over(client)
        except BaseException as error:
            transport = client.transport
            client.close()
            if transport is not None:
                cast(asyncio.Transport, transport).abort()
            raise _explained(error, relay) from error

    def _take_over(self, client: aiosmtplib.SMTP) -> None:
        transport = client.transport
        if transport is None or transport.is_closing():
            raise aiosmtplib.SMTPServerDisconnected("the server closed the connection")
        self._extensions = frozenset(name.lower() for name in client.esmtp_extensions)
        size = client.esmtp_extensions.get("size", "") or ""
        self._size = int(size) if size.isdigit() else 0
        self._talk = Talk()
        self._talk.adopt(cast(asyncio.Transport, transport))
        self._used = 0
        self._dirty = False
        self._next = self._begun = None
        # The client must not close under us what is no longer its own.
        client.transport = None
        client.protocol = None
        client.close()

    async def close(self) -> None:
        """Say QUIT and close; does not wait long for the answer."""
        talk, self._talk = self._talk, None
        if talk is None or talk.lost is not None:
            return
        if self._begun is not None:
            # The server waits for a text; QUIT would be a line of it.
            talk.drop("closed by us")
            return
        with suppress(Lost, TimeoutError):
            async with asyncio.timeout(GOODBYE_PATIENCE):
                talk.write(b"QUIT\r\n", 1)
                await talk.reply()
        talk.drop("closed by us")

    def announce(self, letter: Letter) -> None:
        """The letter to come after the one handed over next: its envelope may travel with that one's dot."""
        if "pipelining" not in self._extensions:
            return
        # A letter that cannot go out says so when it is handed over.
        with suppress(LetterMalformed):
            body = checked(letter)
            if self._unfit(letter, body) is None:
                self._next = (letter, body)

    def _unfit(self, letter: Letter, body: bytes) -> str | None:
        """Why the server would not take the letter, as far as its greeting said."""
        if self._size and len(body) > self._size:
            return f"the letter has {len(body)} bytes, and the relay takes {self._size}"
        if not letter_fits(letter, self._extensions):
            return "the relay takes no addresses beyond ASCII (SMTPUTF8)"
        return None

    async def send(self, letter: Letter, may_finish: Callable[[], bool]) -> Sequence[Outcome]:
        """One transaction. Raises LetterMalformed for bytes that must not go out; nothing was sent then."""
        following, self._next = self._next, None
        begun, self._begun = self._begun, None
        talk = self._talk
        everyone = len(letter.recipients)
        if begun is not None and begun[0] is not letter and talk is not None:
            talk.drop("another letter came between")
        body = begun[1] if begun is not None and begun[0] is letter else checked(letter)
        if talk is None or talk.lost is not None:
            return [Outcome(Result.UNTRIED, "there is no connection", Scope.RELAY)] * everyone
        if unfit := self._unfit(letter, body):
            return [Outcome(Result.REFUSED, unfit)] * everyone
        fresh = self._used == 0
        self._used += 1
        heard: list[Reply] = []
        try:
            async with asyncio.timeout(self._channel.limits.smtp_reply_seconds):
                outcomes = await self._envelope(talk, letter, heard, begun=begun is not None)
        except (Lost, TimeoutError) as error:
            why = str(error) or f"no answer within {self._channel.limits.smtp_reply_seconds:g} s"
            talk.drop(why)
            stale = not fresh and not heard
            return [Outcome(Result.UNTRIED if stale else Result.DEFERRED, why, Scope.RELAY)] * everyone
        if heard and heard[-1].code == 421:
            talk.drop("the server is closing")
        if all(outcome is not None for outcome in outcomes):
            return [cast(Outcome, outcome) for outcome in outcomes]
        final = await self._text(talk, body, may_finish, following)
        return [final if outcome is None else outcome for outcome in outcomes]

    async def _envelope(
        self, talk: Talk, letter: Letter, heard: list[Reply], *, begun: bool
    ) -> list[Outcome | None]:
        """MAIL, RCPT and DATA: an outcome for each recipient that was refused, None for each that waits for
        the text.
        """
        commands = self._commands(letter)
        steps = [Step.MAIL] + [Step.RCPT] * len(letter.recipients) + [Step.DATA]
        replies: list[Reply] = []
        together = "pipelining" in self._extensions
        if together:
            reset = b"RSET\r\n" if self._dirty and not begun else b""
            if not begun:
                talk.write(reset + b"".join(commands), len(commands) + (1 if reset else 0))
            self._dirty = True
            if reset:
                heard.append(await talk.reply())
            for _ in commands:
                replies.append(await talk.reply())
                heard.append(replies[-1])
        else:
            if self._dirty:
                talk.write(b"RSET\r\n", 1)
                heard.append(await talk.reply())
            self._dirty = True
            for step, command in zip(steps, commands, strict=True):
                taken = [reply for reply in replies[1:] if reply.code // 100 == 2]
                if (step is Step.RCPT and replies[0].code // 100 != 2) or (step is Step.DATA and not taken):
                    replies.append(Reply(503, "not asked"))
                    continue
                talk.write(command, 1)
                replies.append(await talk.reply())
                heard.append(replies[-1])
        mail, rcpts, data = replies[0], replies[1:-1], replies[-1]
        if mail.code // 100 != 2:
            outcomes: list[Outcome | None] = [judge(Step.MAIL, mail)] * len(rcpts)
        else:
            outcomes = [None if reply.code // 100 == 2 else judge(Step.RCPT, reply) for reply in rcpts]
            if data.code != 354:
                refused = judge(Step.DATA, data)
                outcomes = [refused if outcome is None else outcome for outcome in outcomes]
        if data.code == 354 and None not in outcomes:
            # It waits for a text that nobody is to get; a lone dot could make a letter of nothing.
            talk.drop("the server wants a text for nobody")
        return outcomes

    def _commands(self, letter: Letter) -> list[bytes]:
        """MAIL with what the server takes of SIZE (RFC 1870) and DSN (RFC 3461), RCPT for each recipient,
        DATA.
        """
        mail = f"MAIL FROM:<{letter.sender}>"
        if "size" in self._extensions:
            mail += f" SIZE={len(letter.data)}"
        if "dsn" in self._extensions and letter.token:
            mail += f" RET=HDRS ENVID={letter.token}"
        if not all(address.isascii() for address in (letter.sender, *letter.recipients)):
            mail += " SMTPUTF8"
        lines = [mail, *(f"RCPT TO:<{address}>" for address in letter.recipients), "DATA"]
        return [line.encode() + b"\r\n" for line in lines]

    async def _text(
        self,
        talk: Talk,
        body: bytes,
        may_finish: Callable[[], bool],
        following: tuple[Letter, bytes] | None,
    ) -> Outcome:
        """The text and the final dot, with the envelope of the letter that follows; from the dot on, silence
        is uncertain.
        """
        if len(body) > SMALL:
            try:
                async with asyncio.timeout(self._channel.limits.smtp_reply_seconds + len(body) / SLOWEST):
                    talk.write(body, 1)
                    await talk.flushed()
            except (Lost, TimeoutError) as error:
                why = str(error) or "the server takes the text too slowly"
                talk.drop(why)
                return Outcome(Result.DEFERRED, why, Scope.RELAY)
            body = b""
        if not may_finish():
            talk.drop("given up before the final dot")
            return Outcome(Result.UNTRIED, "the right to send it was lost before the final dot", Scope.RELAY)
        patience = self._channel.limits.smtp_final_reply_seconds
        early = self._commands(following[0]) if following is not None else []
        try:
            talk.write(body + b".\r\n" + b"".join(early), (1 if body else 0) + len(early))
        except Lost as error:
            return Outcome(Result.DEFERRED, str(error), Scope.RELAY)
        self._begun = following
        try:
            async with asyncio.timeout(patience):
                reply = await talk.reply()
        except (Lost, TimeoutError) as error:
            why = str(error) or f"no answer within {patience:g} s"
            talk.drop(why)
            return Outcome(Result.UNCERTAIN, f"after the final dot: {why}", Scope.RELAY)
        except asyncio.CancelledError:
            talk.drop("stopped by us")
            raise
        self._dirty = False
        if reply.code == 421:
            talk.drop("the server is closing")
        return judge(Step.DOT, reply)


def checked(letter: Letter) -> bytes:
    """The text with dots doubled at line starts (RFC 5321 section 4.5.2), ending with CRLF.

    Raises LetterMalformed for a bare CR or LF, a NUL or a line over 998 octets: with those a server may see a
    second letter where we sent one. Addresses are checked as strictly.
    """
    data = letter.data
    lines = data.split(b"\r\n")
    rest = b"".join(lines)
    if b"\n" in rest or b"\r" in rest or b"\0" in rest:
        raise LetterMalformed("The letter has a bare CR, a bare LF or a NUL in it.")
    if not data.endswith(b"\r\n"):
        raise LetterMalformed("The letter does not end with a line break.")
    if max(map(len, lines)) > LONGEST_LINE:
        raise LetterMalformed(f"The letter has a line of more than {LONGEST_LINE} octets.")
    for address in (letter.sender, *letter.recipients) if letter.sender else letter.recipients:
        if not _ADDRESS.fullmatch(address):
            raise LetterMalformed(f"{address!r} cannot stand in an envelope.")
    if letter.token and not letter.token.isalnum():
        raise LetterMalformed("The envelope's id has characters that cannot stand in it.")
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def letter_fits(letter: Letter, extensions: frozenset[str]) -> bool:
    """Whether the server takes such addresses (RFC 6531)."""
    if all(address.isascii() for address in (letter.sender, *letter.recipients)):
        return True
    return "smtputf8" in extensions


def _explained(error: BaseException, relay: Relay) -> BaseException:
    """Our error for what went wrong while connecting; the same one where it is ours already or a
    cancellation.
    """
    where = f"{relay.host}:{relay.port}"
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            if error.code // 100 == 4:
                return Unreachable(f"The relay {where} puts the login off: {error.code} {error.message}")
            return LoginRefused(f"The relay {where} refused the login: {error.code} {error.message}")
        case aiosmtplib.SMTPResponseException():
            if error.code in NOT_SIGNED_IN:
                return LoginRefused(f"The relay {where} wants a login: {error.code} {error.message}")
            return Unreachable(f"The relay {where} turned us away: {error.code} {error.message}")
        case ssl.SSLError():
            return NoSecureLine(f"The relay {where} cannot be trusted: {_why(error)}.")
        case aiosmtplib.SMTPException() | TimeoutError() | OSError():
            cause = error.__cause__
            if isinstance(cause, ssl.SSLError):
                return NoSecureLine(f"The relay {where} cannot be trusted: {_why(cause)}.")
            return Unreachable(f"The relay {where} does not answer: {error or type(error).__name__}")
        case _:
            return error


def _why(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or str(error)
