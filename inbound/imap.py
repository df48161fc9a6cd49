"""What we ask of an IMAP server and nothing else: UIDs, sizes, bytes, waiting for news; never a flag."""

from __future__ import annotations

import imaplib
import re
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from imapclient.exceptions import IMAPClientError, LoginError

from core.config_sections import MailAuth, Mailbox, Security
from core.errors import FrontdeskError, LoginRefused
from inbound.bodystructure import Described, files
from inbound.imapwire import Client, Disconnected, InsecureServer, Stopped, TooSlow, Wire, connect
from inbound.oauth import TokenSource

__all__ = [
    "Disconnected",
    "Folder",
    "FolderMissing",
    "Head",
    "InsecureServer",
    "MailServer",
    "Refused",
    "Stopped",
    "TooSlow",
]

WINDOW: Final = 20_000
"""Messages listed by one SEARCH: its answer then stays below 240 kB, far from imaplib's 1 MB for a line."""

SHORT: Final = 30.0
"""Seconds for an operation whose answer is short."""

_GONE: Final = re.compile(
    r"deleted under us|NONEXISTENT|doesn't exist|does not exist|no such mailbox", re.IGNORECASE
)
_NOT_LOGIN: Final = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]|try again|too many", re.IGNORECASE
)


class Refused(FrontdeskError):
    """The mail server said no; the connection still holds."""

    retryable = True


class FolderMissing(FrontdeskError):
    """The folder is not there."""

    cure = "Create it again, or correct folder in the mailbox's settings."
    retryable = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it stands: how many messages, and which numbering of UIDs (RFC 3501 section 2.3.1.1)."""

    uidvalidity: int
    exists: int


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says of a message: its size in bytes, and when it took it in."""

    size: int
    internal_date: datetime | None = None


class MailServer:
    """One signed-in connection to one mailbox; every call is bounded in time and raises errors of ours.

    Disconnected, TooSlow and Stopped end the connection; Refused leaves it usable.
    """

    def __init__(self, wire: Wire, *, encrypted: bool, operation_seconds: float = 120.0) -> None:
        self._wire = wire
        self._seconds = operation_seconds
        with self._asking("CAPABILITY", SHORT):
            self._client = Client(wire, encrypted=encrypted)

    @classmethod
    def sign_in(
        cls,
        settings: Mailbox,
        *,
        tokens: TokenSource | None = None,
        stop: threading.Event | None = None,
        operation_seconds: float = 120.0,
    ) -> MailServer:
        """Connect and sign in as the settings say.

        Raises Unreachable, InsecureServer (before anything secret was sent), LoginRefused, TooSlow.
        """
        encrypted = settings.security is not Security.PLAIN
        wire = connect(
            settings.host,
            settings.port,
            context=_trust(settings) if encrypted else None,
            start_tls=settings.security is Security.STARTTLS,
            stop=stop or threading.Event(),
        )
        try:
            server = cls(wire, encrypted=encrypted, operation_seconds=operation_seconds)
            server._log_in(settings, tokens)
        except BaseException:
            wire.shutdown()
            raise
        return server

    def _log_in(self, settings: Mailbox, tokens: TokenSource | None) -> None:
        if settings.auth is MailAuth.PASSWORD:
            password = settings.password.get_secret_value() if settings.password is not None else ""
            self._try_login(lambda: self._password(settings.username, password))
            return
        if tokens is None:
            raise LoginRefused("There is no source of access tokens for this mailbox.")
        try:
            self._try_login(lambda: self._token(settings, tokens.token()))
        except LoginRefused:
            # The token may have been withdrawn before its time: a fresh one tells which of the two it is.
            tokens.forget()
            self._try_login(lambda: self._token(settings, tokens.token()))

    def _password(self, username: str, password: str) -> None:
        if (username + password).isascii():
            self._client.login(username, password)
            return
        answer = f"\0{username}\0{password}".encode()
        self._client.sasl_login("PLAIN", lambda _challenge: answer)

    def _token(self, settings: Mailbox, token: str) -> None:
        if settings.auth is MailAuth.XOAUTH2:
            self._client.oauth2_login(settings.username, token)
        else:
            self._client.oauthbearer_login(settings.username, token)

    def _try_login(self, attempt: Any) -> None:
        with self._asking("LOGIN", SHORT):
            try:
                attempt()
            except LoginError as error:
                said = _words(error)
                if isinstance(error.__context__, imaplib.IMAP4.abort):
                    # IMAPClient calls a line that ended during LOGIN a refusal too.
                    raise Disconnected(f"The mail server broke off during LOGIN: {said}.") from None
                if _NOT_LOGIN.search(said):
                    raise Refused(f"The mail server lets nobody in: {said}.") from None
                raise LoginRefused(f"The mail server refused to let us in: {said}.") from None

    def open(self, folder: str) -> Folder:
        """Open a folder for reading only (EXAMINE), or look at it afresh. Raises FolderMissing."""
        with self._asking("EXAMINE", SHORT):
            try:
                answer = self._client.select_folder(folder, readonly=True)
            except imaplib.IMAP4.abort:
                raise
            except (IMAPClientError, imaplib.IMAP4.error) as error:
                raise FolderMissing(f"The folder {folder} cannot be opened: {_words(error)}.") from None
        return Folder(int(answer[b"UIDVALIDITY"]), int(answer[b"EXISTS"]))

    def uids_above(self, last_uid: int, exists: int) -> list[int]:
        """The UIDs greater than `last_uid`, ascending.

        Read in windows of message numbers from the newest down: a message that vanishes meanwhile only moves
        others into windows still to come, so none is passed over.
        """
        found: set[int] = set()
        top = exists
        while top > 0:
            bottom = max(1, top - WINDOW + 1)
            with self._asking("SEARCH", self._seconds):
                uids = [int(uid) for uid in self._client.search(f"{bottom}:{top}")]
                if len(uids) <= top - bottom:
                    # Something vanished meanwhile, or the server takes message numbers for UIDs (pymap 0.36).
                    uids += [int(uid) for uid in self._client.search(f"UID {last_uid + 1}:*")]
            found.update(uid for uid in uids if uid > last_uid)
            if uids and min(uids) <= last_uid:
                break
            top = bottom - 1
        return sorted(found)

    def heads(self, uids: Sequence[int]) -> dict[int, Head]:
        """Size and date of those that are still there."""
        with self._asking("FETCH sizes", self._seconds):
            answer = self._client.fetch(list(uids), [b"RFC822.SIZE", b"INTERNALDATE"])
        return {
            uid: Head(size, _aware(items.get(b"INTERNALDATE")))
            for uid, items in answer.items()
            if isinstance(size := items.get(b"RFC822.SIZE"), int)
        }

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The whole bytes of messages; one that the server listed and gave nothing for is left out."""
        with self._asking("FETCH", self._seconds):
            answer = self._client.fetch(list(uids), [b"BODY.PEEK[]"])
        wanted = set(uids)
        return {
            uid: body
            for uid, items in answer.items()
            if uid in wanted and isinstance(body := items.get(b"BODY[]"), bytes)
        }

    def piece(self, uid: int, offset: int, length: int) -> bytes | None:
        """A part of one message's bytes (RFC 3501 section 6.4.5); None when it is not there."""
        with self._asking("FETCH piece", self._seconds):
            answer = self._client.fetch([uid], [f"BODY.PEEK[]<{offset}.{length}>"])
        for name, value in answer.get(uid, {}).items():
            if name.startswith(b"BODY[]") and isinstance(value, bytes):
                return value
        return None

    def files(self, uid: int) -> list[Described]:
        """The files of one message as the server describes them; only asked of what is too large to fetch."""
        with self._asking("FETCH BODYSTRUCTURE", SHORT):
            answer = self._client.fetch([uid], [b"BODYSTRUCTURE"])
        return files(answer.get(uid, {}).get(b"BODYSTRUCTURE"))

    def wait_for_news(self, seconds: float) -> bool:
        """IDLE (RFC 2177) for at most so many seconds; True when the server said something.

        The wait is ours, not IMAPClient's `idle_check`, which returns at once and for ever when the server
        has closed; ending IDLE has its own deadline, so a line that died silently is noticed.
        """
        if not self._client.has_capability("IDLE"):
            return self._wire.wait_for_news(seconds)
        with self._asking("IDLE", SHORT):
            self._client.idle()
        news = self._wire.wait_for_news(seconds)
        with self._asking("DONE", SHORT):
            self._client.idle_done()
        return news

    def close(self) -> None:
        """Sign out if that goes quickly, and close."""
        with suppress(FrontdeskError, imaplib.IMAP4.error, OSError), self._wire.within(2.0):
            self._client.logout()
        self._wire.shutdown()

    @contextmanager
    def _asking(self, what: str, seconds: float) -> Iterator[None]:
        """Bound an operation in time and turn whatever it raises into errors of ours."""
        try:
            with self._wire.within(seconds):
                yield
        except FrontdeskError:
            raise
        except imaplib.IMAP4.abort as error:
            if _GONE.search(str(error)):
                raise FolderMissing(f"The folder went away: {_words(error)}.") from None
            raise Disconnected(f"The mail server broke off during {what}: {_words(error)}.") from None
        except OSError as error:
            raise Disconnected(f"The line to the mail server broke during {what}: {error}.") from error
        except (IMAPClientError, imaplib.IMAP4.error) as error:
            raise Refused(f"The mail server refused {what}: {_words(error)}.") from None
        except (ValueError, TypeError, KeyError, IndexError, AssertionError, RecursionError) as error:
            raise Refused(f"The mail server's answer to {what} cannot be read: {_words(error)}.") from error


def _aware(written: object) -> datetime | None:
    """A moment with its zone; a server with a broken clock says none, or an impossible one."""
    if not isinstance(written, datetime) or written.tzinfo is None or not 1970 < written.year < 9000:
        return None
    return written.astimezone(UTC)


def _words(error: BaseException) -> str:
    """What the server said, short and on one line."""
    said = " ".join(str(error).replace("b'", "'").split())
    return said[:300].rstrip(". ") or type(error).__name__


def _trust(settings: Mailbox) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
    return context
